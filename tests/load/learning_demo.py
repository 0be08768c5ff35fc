"""make demo-learning: the learning loop on real CT, from a model that never saw a spleen to one that outlines spleens.

A real site in a folder of its own: web server, job worker, socket. A small network is trained without spleens; it answers the
clicks of a simulated annotator, who outlines the spleens of some training patients through the live socket; a retraining
learns from what was accepted; the gate compares both versions on gold patients; a candidate that passes is promoted; the next
click carries it. The data set is BCV in the Decathlon layout; its test patients are the gold ones, its training and validation
patients keep their sides.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from annotator import masks, protocol
from annotator.protocol import AddClick, MaskFrame, Paint, Saved
from segmodel import layouts, simulation
from segmodel.dataset import Case, Dataset, read_case
from segmodel.metrics import dice
from tests.client import Client, LiveSocket
from tests.site import ROOT, Site

UNSEEN = "spleen"
PROJECT = "Learning"
NETWORK = ('architecture={"name": "encode_once", "width": 16, "click_width": 8}', "bfloat16=false", "images=4")
CONTENT, MOST_CLICKS = 0.92, 6  # the annotator goes on to the next slice at this Dice, or after so many clicks
SIDES = {"training": "training", "validation": "validation", "test": "gold"}
COLOURS = ("#f0a020", "#a371f7", "#3fb950", "#58a6ff", "#f85149", "#d2a8ff", "#e3b341", "#79c0ff")

Mask = NDArray[np.bool_]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="BCV in the Decathlon layout, with its split")
    parser.add_argument("--out", type=Path, default=Path("data/learning-demo"), help="the site's folder, made anew")
    parser.add_argument("--base-minutes", type=float, default=7, help="training of the model that saw no spleen")
    parser.add_argument("--base", type=Path, help="its checkpoint, where there is one already")
    parser.add_argument("--patients", type=int, default=5, help="training patients whose spleens are outlined")
    parser.add_argument("--every", type=int, default=6, help="reference masks on one slice in so many")
    parser.add_argument("--steps", type=int, default=170, help="of the retraining")
    options = parser.parse_args()
    began = time.monotonic()
    dataset = layouts.read(options.data)
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    old = write_old_data(options.data, options.out / "old")
    base = options.base or train_base(old, options.out / "base", options.base_minutes)
    tell(began, f"the first model, which saw no {UNSEEN}, is {base}")
    with Site(options.out / "site", ANNOTATOR_REPLAY_DATA=str(old)) as site:
        figures = Loop(site, dataset, options, began).run(base)
    (options.out / "figures.json").write_text(json.dumps(figures, indent=1))
    print(table(figures))
    tell(began, f"all is done; figures are in {options.out / 'figures.json'}")


def tell(began: float, what: str) -> None:
    minutes, seconds = divmod(round(time.monotonic() - began), 60)
    print(f"{minutes:3d}:{seconds:02d}  {what}", flush=True)


def write_old_data(data: Path, folder: Path) -> Path:
    """The data set as the first model was given it: the same files, with spleens that nobody may train."""
    described = json.loads((data / "dataset.json").read_text())
    for entry in described["training"]:
        for kind in ("image", "label"):
            entry[kind] = str((data / entry[kind]).resolve())
    folder.mkdir()
    (folder / "dataset.json").write_text(json.dumps({**described, "name": "old", "unknown": [UNSEEN]}))
    return folder.resolve()


def train_base(data: Path, out: Path, minutes: float) -> Path:
    """Two processes, one to a core: a small network, `minutes` long."""
    settings = [*NETWORK, f'leave_out=["{UNSEEN}"]', "steps=100000"]
    several = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "segmodel", "train"]
    options = ["--data", str(data), "--recipe", "default", "--out", str(out), "--minutes", str(minutes)]
    command = [sys.executable, *several, *options, "--set", *settings]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
    return out / "model.safetensors"


class Loop:
    """One turn of the learning loop on a site."""

    def __init__(self, site: Site, dataset: Dataset, options: argparse.Namespace, began: float) -> None:
        self.site, self.dataset, self.options, self.began = site, dataset, options, began
        self.names = [dataset.structures[value] for value in sorted(dataset.structures)]

    def run(self, base: Path) -> dict[str, Any]:
        site = self.site
        site.manage("migrate", "--verbosity", "0")
        site.people("annotator", "reference", project=PROJECT)
        site.people("reviewer", project=PROJECT, role="reviewer")
        self._python(PREPARE, names=self.names, colours=COLOURS, project=PROJECT)
        site.manage("register_model", str(base.resolve()), "--name", f"no {UNSEEN}s", "--activate")
        site.start_web()
        site.start_jobs()
        self.tell("the site runs")
        labelled = self.label()
        run = self.retrain()
        figures = self._python(FIGURES, run=run)
        before = self.version_of_a_click()
        if figures["passed"]:
            self._python(PROMOTE, run=run)
        figures |= {"labelled": labelled, "click before": before, "click after": self.version_of_a_click()}
        self.tell(f"the next click is answered by “{figures['click after']}”, before it was “{before}”")
        return figures

    # ------------------------------------------------------------------------------------------ labelling

    def label(self) -> dict[str, Any]:
        """Spleens of training patients by clicks; every organ of validation and gold patients as the data set has it."""
        training = self._cases("training")[: self.options.patients]
        watched = [*self._cases("validation"), *self._cases("test")]
        for case in [*training, *watched]:
            person = "annotator" if case in training else "reference"
            self.site.manage(
                "import_series", str(case.image), "--project", PROJECT, "--assign", person,
                "--patient", case.patient, "--side", SIDES[case.split],
            )  # fmt: skip
        done = [self._outline(case) for case in training]
        clicks, slices = sum(len(one["clicks"]) for one in done), sum(one["slices"] for one in done)
        self.tell(f"{slices} slices of {len(training)} patients show a {UNSEEN} and are outlined by {clicks} clicks")
        for case in watched:
            self._copy_reference(case)
        self._python(ACCEPT)
        self.tell(f"{len(watched)} validation and gold patients have their reference masks; all cases are accepted")
        scores = [dice for one in done for dice in one["dice"]]
        return {"slices": slices, "clicks": clicks, "dice": float(np.mean(scores)), "patients": len(training)}

    def _outline(self, case: Case) -> dict[str, Any]:
        """Click every second slice of the spleen until it is well outlined."""
        truth = read_case(case)[1] == self._value(UNSEEN)
        zs = np.flatnonzero(truth.any(axis=(1, 2)))[::2]
        rng = np.random.default_rng(4242)
        found: dict[str, Any] = {"slices": len(zs), "clicks": [], "dice": []}
        person, assignment = self._open("annotator", case)
        label = self._labels(person, assignment)[UNSEEN]
        with person.socket(assignment) as socket:
            sequence = socket.hello().last_sequence
            for z in map(int, zs):
                mask = np.zeros(truth.shape[1:], bool)
                for _ in range(MOST_CLICKS):
                    click = simulation.centre_click(truth[z], mask, rng)
                    if click is None or dice(mask, truth[z]) >= CONTENT:
                        break
                    sequence += 1
                    mask = _clicked(socket, AddClick(sequence, label, z, click.y, click.x, click.positive))
                    found["clicks"].append(sequence)
                found["dice"].append(dice(mask, truth[z]))
        return found

    def _copy_reference(self, case: Case) -> None:
        """Paint what the data set has, label by label, on one slice in so many."""
        _, values = read_case(case)
        person, assignment = self._open("reference", case)
        labels = self._labels(person, assignment)
        with person.socket(assignment) as socket:
            sequence = socket.hello().last_sequence
            for z in np.flatnonzero(values.any(axis=(1, 2)))[:: self.options.every]:
                for name in self.names:
                    if (mask := values[z] == self._value(name)).any():
                        sequence += 1
                        packed = base64.b64encode(masks.encode(mask)).decode()
                        _clicked(socket, Paint(sequence, labels[name], int(z), "copy", packed, sequence))

    def _open(self, name: str, case: Case) -> tuple[Client, int]:
        found = self._python(FIND, patient=case.patient, person=name)
        return Client(self.site.url, name), found["assignment"]

    def _labels(self, person: Client, assignment: int) -> dict[str, int]:
        return {label["name"]: label["id"] for label in person.json(f"/api/assignments/{assignment}/")["labels"]}

    def _value(self, name: str) -> int:
        return next(value for value, known in self.dataset.structures.items() if known == name)

    def _cases(self, split: str) -> list[Case]:
        return sorted(self.dataset.part(split), key=lambda case: case.name)

    # ------------------------------------------------------------------------------------------ learning

    def retrain(self) -> int:
        """Presses the button and watches until the gate has spoken."""
        run = self._python(RETRAIN, label=UNSEEN, steps=self.options.steps)["run"]
        stage = ""
        while (state := self._python(STATE, run=run))["state"] in ("waiting", "running"):
            if state["stage"] != stage:
                stage = state["stage"]
                self.tell(f"retraining: {stage}")
            time.sleep(5)
        assert state["state"] == "done", state["error"]
        self.tell(f"the gate says: {' '.join(state['sentences'])}")
        return int(run)

    def version_of_a_click(self) -> str:
        """The version that answers somebody who opens a case now."""
        person, assignment = self._open("reference", self._cases("test")[0])
        with person.socket(assignment) as socket:
            return socket.hello().model

    def _python(self, code: str, **given: Any) -> dict[str, Any]:
        """Runs code in the site's program, as an admin's press of a button would; its `out` comes back."""
        whole = f"given = {given!r}\nout = {{}}\n{code}\nimport json\nprint('\\n=' + json.dumps(out))"
        printed = self.site.manage("shell", "--no-imports", "-c", whole)
        found: dict[str, Any] = json.loads(printed.rsplit("\n=", 1)[1])
        return found

    def tell(self, what: str) -> None:
        tell(self.began, what)


def _clicked(socket: LiveSocket, message: protocol.ClientMessage) -> Mask:
    """The mask [y, x] that answers, once it is saved."""
    socket.send(message)
    frame = socket.receive_until(MaskFrame)
    socket.receive_until(Saved)
    return masks.decode(frame.mask)


PREPARE = """
from django.contrib.auth.models import User
from annotator.annotation.models import Label, Project
project = Project.objects.get(name=given["project"])
project.labels.all().delete()
for value, (name, colour) in enumerate(zip(given["names"], given["colours"]), 1):
    Label.objects.create(project=project, name=name, value=value, colour=colour)
User.objects.create_superuser("admin", password="demo")
"""
FIND = """
from annotator.annotation.models import Assignment
found = Assignment.objects.get(task__series__study__patient=given["patient"], person__username=given["person"])
out["assignment"] = found.pk
"""
ACCEPT = """
from django.contrib.auth.models import User
from annotator.annotation import progress
from annotator.annotation.models import Assignment
reviewer = User.objects.get(username="reviewer")
for case in Assignment.objects.select_related("person", "task__project").order_by("pk"):
    progress.make("submit", case.person, case)
    case.refresh_from_db()
    progress.make("accept", reviewer, case)
"""
RETRAIN = """
from django.contrib.auth.models import User
from annotator.learning import retraining
admin = User.objects.get(username="admin")
run, _ = retraining.want("button", admin, labels=[given["label"]], steps=given["steps"], replay=0.5)
out["run"] = run.pk
"""
STATE = """
from annotator.learning.models import TrainingRun, Verdict
run = TrainingRun.objects.get(pk=given["run"])
verdict = Verdict.objects.filter(candidate=run.candidate).first() if run.candidate else None
out |= {"state": run.state, "stage": run.stage, "error": run.error, "sentences": verdict.sentences if verdict else []}
"""
PROMOTE = """
from django.contrib.auth.models import User
from annotator.learning import promotion
from annotator.learning.models import TrainingRun
run = TrainingRun.objects.get(pk=given["run"])
promotion.promote(run.candidate, User.objects.get(username="admin"))
"""
FIGURES = """
from annotator.learning.models import EvaluationRun, TrainingRun, Verdict
run = TrainingRun.objects.get(pk=given["run"])
verdict = Verdict.objects.filter(candidate=run.candidate).first()
def dice(version):
    done = EvaluationRun.objects.filter(version=version, manifest=verdict.manifest, state="done").first()
    found = {name: figures["dice"] for name, figures in done.figures["structures"].items()}
    return {**found, "mean": done.figures["mean"]["dice"]}
out |= {"before": dice(verdict.in_use), "after": dice(verdict.candidate), "passed": verdict.passed}
out |= {"sentences": verdict.sentences, "counts": run.manifest.counts}
"""


def table(figures: dict[str, Any]) -> str:
    """Dice on the gold patients before and after."""
    ks = list(figures["before"]["mean"])
    rows = [["", *(f"@{k}" for k in ks)]]
    for name in sorted(figures["before"], key=lambda one: (one != UNSEEN, one)):
        for when in ("before", "after"):
            rows.append([f"{name}, {when}", *(f"{figures[when][name][k]:.3f}" for k in ks)])
    return "\n".join("  ".join(cell.rjust(8) if n else cell.ljust(24) for n, cell in enumerate(row)) for row in rows)


if __name__ == "__main__":
    main()
