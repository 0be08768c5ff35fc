"""A project's ground truth as one zip, made as it is sent: a folder for every accepted case, and what is known about them all.

case-7-Abdomen/labels.nii.gz, labels.json    as `annotator.annotation.export` writes them
agreement.csv                                how far people agree, of cases that several have read
manifest.json                                whose work every case is, who accepted it and when; the last, so a zip
                                             without one is not whole
"""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.text import slugify

from annotator import words
from annotator.annotation import agreement_tables, export, truth
from annotator.annotation.models import Assignment, ModelVersion, Project, Task, Transition

FORMAT = "annotator-ground-truth-1"
Kind = Assignment.Kind
S = Assignment.State


def pieces(project: Project) -> Iterator[bytes]:
    """The zip, case by case; of a project where nothing is accepted it has an empty manifest."""
    pipe, cases = _Pipe(), []
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as packed:
        for assignment in truth.of_project(project):
            cases.append(describe(assignment))
            _pack(packed, assignment, cases[-1]["folder"])
            yield pipe.take()
        packed.writestr("agreement.csv", agreement_tables.to_csv(project))
        packed.writestr("manifest.json", json.dumps(_manifest(project, cases), indent=2, ensure_ascii=False) + "\n")
    yield pipe.take()


def file_name(project: Project) -> str:
    """Of the zip."""
    return f"{slugify(project.name) or f'project-{project.pk}'}-ground-truth.zip"


def describe(assignment: Assignment) -> dict[str, Any]:
    """What the manifest says about a case; `accepted_by` is null where a rule of the project accepted it."""
    task, series = assignment.task, assignment.task.series
    accepted = Transition.objects.filter(assignment=assignment, after=S.ACCEPTED).select_related("person").last()
    versions = ModelVersion.objects.filter(pk__in=assignment.masks.values("model_version")).order_by("pk")
    return {
        "task": task.pk,
        "folder": _folder(task),
        "series_uid": series.uid,
        "study_uid": series.study.uid,
        "assignment": assignment.pk,
        "kind": assignment.kind,
        "people": _people(assignment),
        "accepted_by": accepted.person.get_username() if accepted and accepted.person else None,
        "accepted_at": accepted.at.isoformat() if accepted else None,
        "model_versions": [{"name": one.name, "sha256": one.sha256} for one in versions],
        "gold": task.gold,
    }


def _manifest(project: Project, cases: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "project": project.name,
        "exported_at": timezone.now().isoformat(),
        "labels": list(project.labels.values("name", "value", "colour", "snomed")),
        "cases": cases,
    }


def _people(assignment: Assignment) -> list[str]:
    """Who outlined: the readers, then whoever revised or adjudicated."""
    readings = assignment.task.assignments.filter(kind=Kind.READING, state=S.ACCEPTED).order_by("reading")
    names = [*readings.values_list("person__username", flat=True), assignment.person.get_username()]
    return list(dict.fromkeys(names))


def _folder(task: Task) -> str:
    return f"case-{task.pk}-{words.as_file_name(str(task.series), 80)}".strip("-")


def _pack(packed: zipfile.ZipFile, assignment: Assignment, folder: str) -> None:
    with tempfile.TemporaryDirectory(prefix="annotator-export-") as here:
        volume = Path(here, "labels.nii.gz")
        for file in (volume, export.write(assignment, volume)):
            packed.write(file, f"{folder}/{file.name}")


class _Pipe(io.RawIOBase):
    """What a zip is written to, and taken out of again."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken
