"""An evaluation: a model version under a simulated user's clicks on a frozen set, as a job that survives its worker.

An `EvaluationRun` row is claimed as `annotator.claims` says. The work is `python -m segmodel evaluate` in a process of its own,
which keeps every finished case in the run's folder: a run that was broken off goes on from there, and gives the report that it
would have given.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from annotator import claims, engine
from annotator.annotation import versions
from annotator.annotation.models import ModelVersion
from annotator.events import language
from annotator.learning import child, material
from annotator.learning.freeze import FreezeRefused
from annotator.learning.models import EvaluationRun, Manifest, Part, TrainingRun

logger = logging.getLogger(__name__)

State = EvaluationRun.State
SILENCE = timedelta(seconds=60)
"""After so long without a sign of life, the job that runs an evaluation is taken for dead, and another goes on with it."""

CLICKS = (1, 2, 3, 5, 10, 15)
WORST = 10
UNEXPECTED = gettext_noop("The evaluation failed because of an error in the program; the server's log has the details.")

Follow = Callable[[dict[str, Any]], None]


class EvaluationRefused(ValueError):
    """One sentence why there is no such evaluation."""


class _Ended(Exception):
    """Whoever follows wants no more of it; the cause says why."""


# ------------------------------------------------------------------------------------------ what is evaluated


def want(
    version: ModelVersion,
    manifest: Manifest,
    part: Part = Part.GOLD,
    placement: str = EvaluationRun.Placement.PAPER,
    seed: int = 4242,
    person: User | None = None,
) -> EvaluationRun:
    """The evaluation of a version on one side of a frozen set: the one that there is, unless it failed, or a new one, waiting.

    Raises EvaluationRefused where the set has nobody on that side.
    """
    if str(part) not in manifest.parts:
        raise EvaluationRefused(_("This frozen set has no %(part)s patients.") % {"part": Part(part).label})
    asked = {"version": version, "manifest": manifest, "part": part, "placement": placement, "seed": seed}
    try:
        with transaction.atomic():
            known = _live(asked).first()
            return known or EvaluationRun.objects.create(**asked, person=person)
    except IntegrityError:  # somebody else was faster
        return _live(asked).get()


def queue(run: EvaluationRun) -> None:
    """Have the Celery job begin once this is committed."""
    from annotator.learning import evaluation_jobs

    transaction.on_commit(lambda: evaluation_jobs.queue(run.pk))


def cancel(run: EvaluationRun, person: User | None = None) -> None:
    """End it, whether it waits or runs; its job stops at its next sign of life. Raises EvaluationRefused."""
    now = timezone.now()
    still = EvaluationRun.objects.filter(state__in=claims.OPEN, pk=run.pk)
    said = _("Cancelled by %(name)s.") % {"name": person.get_username()} if person else _("Cancelled.")
    if not still.update(state=State.CANCELLED, error=said, cancel_asked_at=now, done_at=now):
        raise EvaluationRefused(_("This evaluation has ended already."))


def left_behind() -> list[int]:
    """Open evaluations that no living job has: they wait, or their job has died."""
    return list(EvaluationRun.objects.filter(claims.free(SILENCE)).values_list("pk", flat=True))


def report(run: EvaluationRun) -> Path:
    """Where the whole report lies. Raises EvaluationRefused where there is none."""
    if run.state != State.DONE or not default_storage.exists(run.path):
        raise EvaluationRefused(_("The report of this evaluation is not there."))
    return Path(default_storage.path(run.path))


def records_file(run: EvaluationRun) -> Path:
    """A CSV file with a line for every structure of every slice. Raises EvaluationRefused."""
    return report(run).with_name("records.csv")


def compare(a: EvaluationRun, b: EvaluationRun) -> dict[str, Any]:
    """The paired differences b − a of Dice and NoC with their intervals, as segmodel says them. Raises EvaluationRefused."""
    alike = ("manifest_id", "part", "placement", "seed")
    if any(getattr(a, name) != getattr(b, name) for name in alike):
        sentence = _(
            "These evaluations are not of the same clicks on the same masks, so their difference says nothing of the models."
        )
        raise EvaluationRefused(sentence)
    key = f"differences:{_content(a)}:{_content(b)}"  # not by their numbers, which a database may give out again
    found: dict[str, Any] | None = cache.get(key)
    if found is None:
        try:
            found = engine.compare_reports(report(a), report(b))
        except ValueError as refused:
            raise EvaluationRefused(str(refused)) from refused
        cache.set(key, found, timeout=None)
    return found


def _content(run: EvaluationRun) -> str:
    """What a report follows from."""
    made_of = (run.version.sha256, run.manifest.sha256, run.part, run.placement, run.seed)
    return hashlib.sha256(repr(made_of).encode()).hexdigest()


def _live(asked: dict[str, Any]) -> QuerySet[EvaluationRun]:
    return EvaluationRun.objects.filter(state__in=(*claims.OPEN, State.DONE), **asked)


# ------------------------------------------------------------------------------------------ the job


def run(evaluation_id: int, follow: Follow = lambda said: None) -> EvaluationRun:
    """Evaluate in this process, to the end. Of several deliveries of the same job, one does it: the row decides.

    `follow` gets {stage, done, eta_s} several times a second; whatever it raises cancels the evaluation and is raised from
    here. Returns the row as it is then, which says whether it is done, and why not, in the language of whoever asked.
    """
    claim = claims.Claim(EvaluationRun.objects.filter(pk=evaluation_id), SILENCE)
    if claim.take(started_at=timezone.now()):
        asked_by = EvaluationRun.objects.values_list("person", flat=True).get(pk=evaluation_id)
        try:
            with language.reading(asked_by):
                _run(claim, evaluation_id, follow)
        except _Ended as ended:
            raise (ended.__cause__ or ended) from None
        finally:
            _clear_away(evaluation_id)
    return EvaluationRun.objects.get(pk=evaluation_id)


def _run(claim: claims.Claim, evaluation_id: int, follow: Follow) -> None:
    evaluation = EvaluationRun.objects.select_related("version", "manifest").get(pk=evaluation_id)

    def say(said: dict[str, Any]) -> None:
        try:
            follow(said)
        except Exception as error:
            raise _Ended from error
        claim.note(stage=said.get("stage", ""), progress=said.get("done", 0.0), eta_s=said.get("eta_s"))

    try:
        _keep(claim, evaluation, _evaluate(evaluation, say))
    except claims.Superseded:
        pass  # cancelled, or somebody else's
    except _Ended:
        claim.fail(_("What needed this evaluation has ended."), State.CANCELLED)
        raise
    except (EvaluationRefused, FreezeRefused, child.ChildFailed) as refused:
        claim.fail(str(refused))
    except Exception:
        logger.exception("Evaluation %s failed.", evaluation_id)
        claim.fail(_(UNEXPECTED))


def _evaluate(evaluation: EvaluationRun, say: Follow) -> Path:
    """The folder with the report."""
    model = checkpoint_of(evaluation.version)
    data = material_of(evaluation.manifest)
    material.write(evaluation.manifest, data, lambda share: say({"stage": "material", "done": share}))
    folder = _folder(evaluation.pk)
    given = {
        "data": data, "split": material.SIDES[Part(evaluation.part)], "model": model, "clicks": ",".join(map(str, CLICKS)),
        "placement": evaluation.placement, "seed": evaluation.seed, "device": settings.LEARNING_DEVICE,
        "out": folder / "report", "keep": folder / "kept", "worst": WORST,
    }  # fmt: skip
    options = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    child.run(["evaluate", "--plain", *options], folder, say)
    return folder / "report"


def checkpoint_of(version: ModelVersion) -> Path:
    """The file of a version, which is the one that was registered. Raises EvaluationRefused."""
    path = versions.file_of(version)
    if not path.exists():
        raise EvaluationRefused(_("The checkpoint of %(version)s is gone.") % {"version": version})
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != version.sha256:
            sentence = _("The checkpoint of %(version)s is no longer the file that was registered.")
            raise EvaluationRefused(sentence % {"version": version})
    return path


def material_of(manifest: Manifest) -> Path:
    """The folder that a frozen set is written to for as long as something is learnt from it or judged by it."""
    return Path(settings.LEARNING / f"manifest-{manifest.sha256[:8]}")


def _keep(claim: claims.Claim, evaluation: EvaluationRun, found: Path) -> None:
    """The report into the storage, then the row."""
    figures = json.loads((found / "report.json").read_text())
    figures["boxes"] = _boxes(figures.pop("records"))
    for name in ("model", "command"):  # they speak of this machine's folders
        figures.pop(name)
    figures["worst"] = json.loads((found / "worst.json").read_text())
    figures["cases"] = json.loads((material_of(evaluation.manifest) / material.CASES).read_text())
    claim.write(stage="report", progress=1.0, eta_s=None)  # it is still this job's
    paths = {name: _store(evaluation, found / name) for name in ("report.json", "records.csv")}
    now = timezone.now()
    claim.write(
        state=State.DONE, stage="", progress=1.0, eta_s=None, figures=figures, path=paths["report.json"], done_at=now
    )


def _boxes(records: list[dict[str, Any]]) -> dict[str, dict[str, list[float]]]:
    """{label: {clicks: the least Dice of a slice, its quartiles with the median between, the largest}}."""
    dice: dict[str, list[list[float]]] = defaultdict(list)
    for record in records:
        dice[record["structure"]].append(record["dice"])
    found = {name: np.quantile(rows, [0, 0.25, 0.5, 0.75, 1], axis=0) for name, rows in sorted(dice.items())}
    return {name: {str(k): of[:, k - 1].tolist() for k in CLICKS} for name, of in found.items()}


def _store(evaluation: EvaluationRun, file: Path) -> str:
    path = f"evaluations/{evaluation.pk}/{file.name}"
    default_storage.delete(path)  # of a job that died before it could say so
    with file.open("rb") as content:
        return default_storage.save(path, File(content))


def _folder(evaluation_id: int) -> Path:
    return Path(settings.LEARNING / f"evaluation-{evaluation_id}")


def _clear_away(evaluation_id: int) -> None:
    """What it worked with, unless another job goes on with it; the frozen set stays for whoever else needs it."""
    evaluation = EvaluationRun.objects.select_related("manifest").get(pk=evaluation_id)
    if evaluation.is_open:
        return
    shutil.rmtree(_folder(evaluation_id), ignore_errors=True)
    users = (EvaluationRun, TrainingRun)
    if not any(model.objects.filter(state__in=claims.OPEN, manifest=evaluation.manifest).exists() for model in users):
        shutil.rmtree(material_of(evaluation.manifest), ignore_errors=True)
