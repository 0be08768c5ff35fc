"""A training run, from the freezing of its data to the verdict on its candidate.

Every stage leaves something behind (a manifest, a folder, a checkpoint, a version, evaluations, a verdict) and does nothing
where that is there already, so a run whose worker was killed goes on at the first unfinished one. The run's row is owned as
`annotator.claims` says; whoever cancels closes the row, and the job finds that at its next sign of life.
"""

from __future__ import annotations

import errno
import json
import logging
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from annotator import claims, engine, release
from annotator.annotation import versions
from annotator.annotation.models import ModelVersion, Project
from annotator.events import language
from annotator.learning import child, curves, evaluation, freeze, gate, material, news, promotion, retraining, rules
from annotator.learning.evaluation import EvaluationRefused
from annotator.learning.freeze import FreezeRefused
from annotator.learning.models import EvaluationRun, Lineage, Manifest, Part, TrainingRun, Verdict
from annotator.learning.retraining import SILENCE, TrainingRefused

logger = logging.getLogger(__name__)

State = TrainingRun.State
UNEXPECTED = gettext_noop("The training failed because of an error in the program; the server's log has the details.")
DISK_FULL = gettext_noop("There is no space left on the disk that the run works on.")
UNWATCHED = gettext_noop("There are no accepted masks of validation patients, so nothing is watched while it trains.")
SAVE_MINUTES = 2
LOOKS_AT = 40  # validation masks at a time
KEPT = ("log.jsonl", "preview.png")
SPEAKS_OF = ("Out of memory",)  # beginnings of lines that people are told
INTERRUPTED = "Interrupted after"

Pair = tuple[EvaluationRun, EvaluationRun]


class _Interrupted(Exception):
    """The machine told the training to end; it has saved what it had."""


def run(run_id: int) -> None:
    """Do the run. Of several deliveries of the same job, one does it: the row decides.

    What it has to say is in the language of whoever asked for it.
    """
    claim = claims.Claim(TrainingRun.objects.filter(pk=run_id), SILENCE)
    if claim.take():
        with language.reading(TrainingRun.objects.values_list("person", flat=True).get(pk=run_id)):
            _run(run_id, claim)


def _run(run_id: int, claim: claims.Claim) -> None:
    try:
        _Job(run_id, claim).work()
    except claims.Superseded:
        pass  # cancelled, or somebody else's
    except _Interrupted:
        with suppress(claims.Superseded):
            claim.write(state=State.WAITING)
    except (TrainingRefused, FreezeRefused, EvaluationRefused, child.ChildFailed) as refused:
        _fail(run_id, claim, str(refused))
    except Exception as error:
        logger.exception("Training run %s failed.", run_id)
        is_full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        _fail(run_id, claim, _(DISK_FULL) if is_full else _(UNEXPECTED))
    finally:
        clear_away()


def _fail(run_id: int, claim: claims.Claim, sentence: str) -> None:
    with suppress(claims.Superseded), transaction.atomic():
        claim.write(state=State.FAILED, error=sentence, is_only=None, eta_s=None, done_at=timezone.now())
        news.failed(TrainingRun.objects.get(pk=run_id))


def folder_of(run_id: int) -> Path:
    """Where a run works."""
    return Path(settings.LEARNING / f"run-{run_id}")


def clear_away() -> None:
    """What runs that are over have left on this machine, but for their logs and pictures."""
    for folder in settings.LEARNING.glob("run-*"):
        if not TrainingRun.objects.filter(pk=int(folder.name.removeprefix("run-")), state__in=claims.OPEN).exists():
            for name in KEPT:
                with suppress(OSError):
                    (folder / "train" / name).replace(folder / name)
            for left in folder.iterdir():
                if left.is_dir():
                    shutil.rmtree(left, ignore_errors=True)  # a process that was told to end may be writing yet
                elif left.name not in KEPT:
                    left.unlink(missing_ok=True)


class _Job:
    """One worker's work on a run."""

    def __init__(self, run_id: int, claim: claims.Claim) -> None:
        self.run = TrainingRun.objects.select_related("begins_with", "manifest", "candidate", "person").get(pk=run_id)
        self.claim, self.folder = claim, folder_of(run_id)
        self.out = self.folder / "train"
        self.log = curves.Log(self.out / "log.jsonl")
        self.told = self.drawn = 0.0

    def work(self) -> None:
        """All stages. Raises whatever ends the run early."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.run.started_at is None:
            self.set(started_at=timezone.now())
        manifest = self.freeze()
        candidate = self.run.candidate or self.make(manifest)
        self.end(candidate, self.judge(candidate))

    def make(self, manifest: Manifest) -> ModelVersion:
        """The candidate."""
        data = self.write_material(manifest, self.folder / "material")
        recipe = self.train(manifest, data)
        self.calibrate(manifest, data)
        return self.register(manifest, recipe)

    # -------------------------------------------------------------------------------------- the row

    def begin(self, stage: str) -> None:
        self.set(stage=stage, progress=0.0, eta_s=None)

    def set(self, **fields: object) -> None:
        """Raises Superseded."""
        self.claim.write(**fields)
        for name, value in fields.items():
            setattr(self.run, name, value)

    def note(self, **fields: object) -> None:
        self.claim.note(**fields)

    def say(self, sentence: str) -> None:
        """Tell people, once."""
        if sentence not in self.run.notes:
            self.set(notes=[*self.run.notes, sentence])

    # -------------------------------------------------------------------------------------- the data

    def freeze(self) -> Manifest:
        if self.run.manifest:
            return self.run.manifest
        self.begin("freeze")
        projects = Project.objects.filter(pk__in=self.run.projects) if self.run.projects else Project.objects.all()
        manifest = freeze.for_training(projects.order_by("pk"), self.run.labels, self.run.person, self.note)
        self.set(manifest=manifest)
        return manifest

    def write_material(self, manifest: Manifest, folder: Path) -> Path:
        self.begin("material")
        return material.write(manifest, folder, lambda share: self.note(progress=share))

    def replayed(self) -> list[Path]:
        """The earlier data that are mixed in; what cannot be read any more is left out, and said."""
        if not self.run.replay:
            return []
        found = retraining.replay_folders()
        for manifest in retraining.learnt_before(self.run.begins_with):
            if manifest != self.run.manifest:
                try:
                    found.append(self.write_material(manifest, self.folder / f"replay-{manifest.pk}"))
                except FreezeRefused as refused:
                    self.say(_("Earlier masks are not replayed: %(why)s") % {"why": refused})
        if not found:
            self.say(_(retraining.NOTHING_OLD))
            self.set(replay=0.0)
        return found

    # -------------------------------------------------------------------------------------- the candidate

    def train(self, manifest: Manifest, data: Path) -> dict[str, Any]:
        """All settings of the training, which is over then."""
        start = evaluation.checkpoint_of(self.run.begins_with)
        old = self.replayed()
        recipe = retraining.recipe_of(self.run)
        recipe["leave_out"] = [name for name in recipe["leave_out"] if name not in manifest.labels]
        finished = self.out / "finished"
        if not finished.exists():
            self.begin("train")
            arguments = self.arguments(manifest, recipe, data, old, start)
            child.run(arguments, self.out, self.follow, settings.LEARNING_PROCESSES)
            self.show(self.out)
            if any(line.startswith(INTERRUPTED) for line in self.printed()):
                raise _Interrupted
            finished.touch()
        return recipe

    def arguments(
        self, manifest: Manifest, recipe: dict[str, Any], data: Path, old: list[Path], start: Path
    ) -> list[str]:
        changes = [f"{name}={json.dumps(value)}" for name, value in recipe.items() if name != "name"]
        words = ["train", "--data", data, "--recipe", self.run.recipe, "--set", *changes, "--from", start]
        words += ["--out", self.out, "--cache", self.folder / "cache", "--device", settings.LEARNING_DEVICE]
        words += ["--workers", child.threads(), "--save-every", SAVE_MINUTES]
        words += ["--replay", *old] if old else []
        words += ["--minutes", self.run.minutes] if self.run.minutes else []
        words += ["--resume"] if (self.out / "state.pt").exists() else []
        if masks := validation_masks(manifest):
            words += ["--validate", every(masks), "--picture"]
        else:
            self.say(_(UNWATCHED))
        return [str(word) for word in words]

    def calibrate(self, manifest: Manifest, data: Path) -> None:
        """The candidate's file, whose estimate of its own quality is fitted to the validation patients where there are any."""
        if self.file.exists():
            return
        self.begin("calibrate")
        partial = self.folder / "calibrated.safetensors"
        shutil.copyfile(self.out / "model.safetensors", partial)
        if masks := validation_masks(manifest):
            given = {"data": data, "model": partial, "every": every(masks), "device": settings.LEARNING_DEVICE}
            options = [word for name, value in given.items() for word in (f"--{name}", str(value))]
            child.run(["calibrate", *options], self.folder / "calibrate", self.follow)
        partial.replace(self.file)

    @property
    def file(self) -> Path:
        return self.folder / "candidate.safetensors"

    def register(self, manifest: Manifest, recipe: dict[str, Any]) -> ModelVersion:
        """A version with its lineage, both or neither."""
        self.begin("register")
        engine.check_checkpoint(self.file)  # before anything is locked
        with transaction.atomic():
            version = versions.register(self.file, f"retraining {self.run.pk}")
            described = {
                "parent": self.run.begins_with,
                "run": self.run,
                "manifest": manifest,
                "recipe": recipe,
                "code": release.name(),
                "person": self.run.person,
            }
            Lineage.objects.get_or_create(version=version, defaults=described)
            self.set(candidate=version)
        return version

    # -------------------------------------------------------------------------------------- what the commands say

    def follow(self, said: dict[str, Any]) -> None:
        """A sign of life, and what there is to tell, now and then. Raises Superseded."""
        if time.monotonic() - self.told < claims.EVERY:
            return
        self.told = time.monotonic()
        told = {"stage": said.get("stage"), "progress": said.get("done"), "eta_s": said.get("eta_s")}
        fields = {name: value for name, value in told.items() if value is not None}
        if said.get("step") is not None:
            fields["step"] = said["step"]
        if curve := self.log.news():
            fields["curve"] = curve
        self.set(**fields)
        self.tell_troubles()
        self.draw()

    def show(self, out: Path) -> None:
        """What the log says at its end."""
        curve = curves.curve(out / "log.jsonl")
        self.set(curve=curve, step=max((point["step"] for point in curve), default=0))
        self.tell_troubles()
        self.draw()

    def printed(self) -> list[str]:
        file = self.out / child.OUTPUT
        return file.read_text(errors="replace").splitlines() if file.exists() else []

    def tell_troubles(self) -> None:
        for line in self.printed():
            if line.startswith(SPEAKS_OF):
                self.say(line)

    def draw(self) -> None:
        """The newest picture into the storage, where pages find it."""
        file = self.out / "preview.png"
        if not file.exists() or file.stat().st_mtime == self.drawn:
            return
        self.drawn, before = file.stat().st_mtime, self.run.preview
        with file.open("rb") as content:
            self.set(preview=default_storage.save(f"previews/{self.run.pk}-{self.run.step}.png", File(content)))
        if before:
            default_storage.delete(before)

    # -------------------------------------------------------------------------------------- the judgement

    def judge(self, candidate: ModelVersion) -> Verdict:
        in_use = versions.active()
        if candidate == in_use:
            known = promotion.last_verdict(candidate)
            return known or gate.undecided(candidate, in_use, rules.current(), gate.THE_SAME)
        self.begin("evaluate")
        try:
            gold = freeze.for_evaluation(Project.objects.order_by("pk"), Part.GOLD, note=self.note)
        except FreezeRefused:
            return gate.undecided(candidate, in_use, rules.current(), gate.NO_GOLD)
        ours, theirs = self.evaluate(candidate, gold), self.evaluate(in_use, gold)
        self.begin("gate")
        return gate.judge(ours, theirs, rules.current())

    def evaluate(self, version: ModelVersion, gold: Manifest) -> EvaluationRun:
        """The finished evaluation, which may be another worker's. Raises EvaluationRefused."""
        asked = evaluation.want(version, gold, Part.GOLD, person=self.run.person)
        while (found := evaluation.run(asked.pk, self.follow)).is_open:
            self.note()
            time.sleep(child.POLL)
        if found.state != State.DONE:
            sentence = _("%(version)s could not be evaluated: %(why)s")
            raise EvaluationRefused(sentence % {"version": version, "why": found.error})
        return found

    def end(self, candidate: ModelVersion, verdict: Verdict) -> None:
        with transaction.atomic():
            self.set(state=State.DONE, stage="", progress=1.0, eta_s=None, is_only=None, done_at=timezone.now())
            news.trained(self.run, verdict)
            if self.run.promotes and verdict.passed:
                self.promote(candidate, verdict)

    def promote(self, candidate: ModelVersion, verdict: Verdict) -> None:
        """Unless somebody has meanwhile, or it is gone: that is said."""
        try:
            promotion.promote(candidate, self.run.person, verdict, _("It passed the gate."))
        except promotion.PromotionRefused as refused:
            TrainingRun.objects.filter(pk=self.run.pk).update(notes=[*self.run.notes, str(refused)])


def validation_masks(manifest: Manifest) -> int:
    """Masks of validation patients in a frozen set."""
    return sum(parts.get(Part.VALIDATION, 0) for parts in manifest.counts["labels"].values())


def every(masks: int) -> int:
    """Which of so many masks are looked at: one in …"""
    return max(1, masks // LOOKS_AT)
