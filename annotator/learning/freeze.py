"""The data freeze: every accepted mask that a run uses, written to a file from which the run can be made again.

The file holds one JSON line for what was asked for and then one for every mask: the mask itself and its hash, the hash of its
series, who outlined and who accepted it, the version of the model that made it and the clicks in their order. The database may
change afterwards; the file does not, and the same masks always give the same file.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from annotator import masks
from annotator.annotation import overlap, truth
from annotator.annotation.models import Assignment, Project, SliceMask, Transition
from annotator.learning import split
from annotator.learning.models import Manifest, Part, Patient

FORMAT = 1
LEAST_SLICES = 10
"""A label with fewer slices among the training patients teaches nothing that could be told from chance."""

Line = dict[str, Any]


class FreezeRefused(ValueError):
    """One sentence why there is nothing to learn from, or to be judged by."""


def for_training(
    projects: Iterable[Project],
    labels: Collection[str] = (),
    person: User | None = None,
    note: Callable[[], None] = lambda: None,
) -> Manifest:
    """Freeze the accepted masks of training and validation patients; no `labels`: all that a training patient has.

    `note` is called at every mask. Raises FreezeRefused.
    """
    lines = list(_noted(_lines(projects, labels, (Part.TRAINING, Part.VALIDATION)), note))
    taught = _check_training(lines, labels)
    return _keep([line for line in lines if line["label"] in taught], (Part.TRAINING, Part.VALIDATION), person)


def for_evaluation(
    projects: Iterable[Project],
    part: Part = Part.GOLD,
    labels: Collection[str] = (),
    person: User | None = None,
    note: Callable[[], None] = lambda: None,
) -> Manifest:
    """Freeze the accepted masks of the patients on one side of the split; `note` as above. Raises FreezeRefused."""
    lines = list(_noted(_lines(projects, labels, (part,)), note))
    if not lines:
        raise FreezeRefused(_("There are no accepted masks of %(part)s patients.") % {"part": part.label})
    return _keep(lines, (part,), person)


def read(manifest: Manifest) -> Iterator[Line]:
    """The masks of a manifest, from its file alone. Raises FreezeRefused where that is not what was frozen."""
    try:
        with default_storage.open(manifest.path) as file:
            text = gzip.decompress(file.read())
    except (OSError, EOFError, zlib.error):
        raise FreezeRefused(_("The file of this frozen set is gone or damaged.")) from None
    if hashlib.sha256(text).hexdigest() != manifest.sha256:
        raise FreezeRefused(_("The file of this frozen set has been changed since it was frozen."))
    for line in text.splitlines()[1:]:
        yield json.loads(line)


@dataclass(frozen=True)
class Outlook:
    """What a freeze of training and validation patients would find, counted without reading a mask."""

    masks: int
    people: tuple[str, ...]
    labels: dict[str, int]  # masks of each


def outlook(projects: Iterable[Project], labels: Collection[str] = (), since: datetime | None = None) -> Outlook:
    """What there is to learn from; with `since`, of the cases accepted after that."""
    lines = list(_counted(projects, labels, since))
    by_label: Counter[str] = Counter()
    for line, slices in lines:
        by_label[line["label"]] += slices
    people = tuple(sorted({line["annotator"] for line, _ in lines}))
    return Outlook(sum(by_label.values()), people, dict(sorted(by_label.items())))


def check(projects: Iterable[Project], labels: Collection[str] = ()) -> None:
    """Raises FreezeRefused where a freeze for a training would, as far as that can be told without reading a mask."""
    _check_training([line for line, slices in _counted(projects, labels) for _ in range(slices)], labels)


def _counted(
    projects: Iterable[Project], labels: Collection[str], since: datetime | None = None
) -> Iterator[tuple[Line, int]]:
    """(patient, part, label and annotator of a ground truth, on how many slices it has the label)."""
    wanted = {name_of(label) for label in labels}
    parts = dict(Patient.objects.values_list("key", "part"))
    for project in projects:
        cases = {case.pk: case for case in truth.of_project(project)}
        rows = SliceMask.objects.filter(assignment__task__project=project, pixels__gt=0)
        if since:
            lately = Transition.objects.filter(after=Assignment.State.ACCEPTED, at__gt=since)
            rows = rows.filter(assignment__in=lately.values("assignment"))
        counts = rows.order_by().values_list("assignment", "label__name").annotate(slices=Count("pk"))
        for assignment, label, slices in counts:
            case, name = cases.get(assignment), name_of(label)
            if case and (not wanted or name in wanted):
                key = split.key_of(case.task.series.study)
                line = {"label": name, "patient": key, "part": parts[key], "annotator": case.person.get_username()}
                if line["part"] != Part.GOLD:
                    yield line, slices


def _noted(lines: Iterable[Line], note: Callable[[], None]) -> Iterator[Line]:
    for line in lines:
        note()
        yield line


def _lines(projects: Iterable[Project], labels: Collection[str], parts: Collection[Part]) -> Iterator[Line]:
    wanted = {name_of(label) for label in labels}
    for project in projects:
        for case in truth.of_project(project):
            part = split.part_of(case.task.series.study)
            if part in parts:
                yield from _of_case(case, part, wanted)


def _of_case(case: Assignment, part: Part, wanted: Collection[str]) -> Iterator[Line]:
    """The masks of a ground truth as its export shows them, by slice and label."""
    names = {label.pk: name_of(label.name) for label in case.task.project.labels.all()}
    rows = case.masks.select_related("model_version").order_by("z", "label")
    whole = {
        "project": case.task.project_id,
        "assignment": case.pk,
        "series": str(case.task.series_id),
        "series_sha256": case.task.series.sha256,
        "patient": alias(split.key_of(case.task.series.study)),
        "part": str(part),
        "annotator": case.person.get_username(),
        "reviewer": _reviewer(case),
    }
    for z, here in groupby(rows.iterator(200), key=lambda row: row.z):
        of_slice = {row.label_id: row for row in here}
        for label, mask in sorted(overlap.visible(of_slice.values(), case.task.project.overlap).items()):
            if mask.any() and (not wanted or names[label] in wanted):
                yield {**whole, "label": names[label], "z": z, **_of_mask(of_slice[label], masks.encode(mask))}


def _of_mask(row: SliceMask, mask: bytes) -> Line:
    return {
        "version": row.sequence,
        "model": row.model_version.sha256 if row.model_version else None,
        "clicks": [[click["y"], click["x"], click["positive"]] for click in row.clicks],
        "sha256": hashlib.sha256(mask).hexdigest(),
        "mask": base64.b64encode(mask).decode(),
    }


def alias(patient: str) -> str:
    """What a patient is called in frozen sets and reports."""
    return hashlib.sha256(patient.encode()).hexdigest()[:16]


def name_of(label: str) -> str:
    """What a structure is called across projects."""
    return " ".join(label.lower().split())


def _reviewer(case: Assignment) -> str | None:
    """Who accepted it; None where a rule of the project did."""
    moves = Transition.objects.filter(Q(assignment=case) & Q(after=Assignment.State.ACCEPTED))
    last = moves.select_related("person").order_by("-pk").first()
    return last.person.get_username() if last and last.person else None


def _check_training(lines: list[Line], labels: Collection[str]) -> set[str]:
    """The labels that can be learnt; each that training patients have or that was asked for has to be one."""
    slices = Counter(line["label"] for line in lines if line["part"] == Part.TRAINING)
    if not lines:
        raise FreezeRefused(_("There are no accepted masks to learn from."))
    if len({line["patient"] for line in lines}) < 2:
        raise FreezeRefused(_("All accepted masks are of one patient; nothing can be learnt from one."))
    if not slices:
        raise FreezeRefused(_("All accepted masks are of validation patients; there is none to train with."))
    taught = set(slices) | {name_of(label) for label in labels}
    for name in sorted(taught):
        if slices[name] < LEAST_SLICES:
            sentence = _(
                "The label %(label)s has accepted masks on %(n)d slices of training patients; "
                "%(least)d are the least to learn from. Leave it out, or label more."
            )
            raise FreezeRefused(sentence % {"label": name, "n": slices[name], "least": LEAST_SLICES})
    return taught


def _keep(lines: list[Line], parts: Collection[Part], person: User | None) -> Manifest:
    """The manifest of these lines, whose file is written before its row; known ones are found again."""
    lines.sort(key=lambda line: (line["assignment"], line["z"], line["label"]))
    labels = sorted({line["label"] for line in lines})
    head = {"format": FORMAT, "parts": sorted(map(str, parts)), "labels": labels}
    text = "".join(json.dumps(line, sort_keys=True) + "\n" for line in [head, *lines]).encode()
    sha256 = hashlib.sha256(text).hexdigest()
    if known := Manifest.objects.filter(sha256=sha256).first():
        return known
    path = default_storage.save(f"manifests/{sha256}.jsonl.gz", ContentFile(gzip.compress(text, mtime=0)))
    return Manifest.objects.create(
        sha256=sha256, path=path, parts=head["parts"], labels=labels, counts=_counts(lines), person=person
    )


def _counts(lines: list[Line]) -> dict[str, Any]:
    patients: dict[str, set[str]] = defaultdict(set)
    by_label: dict[str, Counter[str]] = defaultdict(Counter)
    for line in lines:
        patients[line["part"]].add(line["patient"])
        by_label[line["label"]][line["part"]] += 1
    return {
        "masks": len(lines),
        "cases": len({line["assignment"] for line in lines}),
        "people": sorted({line["annotator"] for line in lines}),
        "clicks": sum(len(line["clicks"]) for line in lines),
        "patients": {part: len(found) for part, found in sorted(patients.items())},
        "labels": {name: dict(found) for name, found in sorted(by_label.items())},
    }
