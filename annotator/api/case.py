"""The description of a case that the viewer starts from."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from annotator.annotation import access, progress
from annotator.annotation.models import Assignment
from annotator.studies.models import Series


def case_json(person: access.Person, assignment: Assignment) -> dict[str, Any]:
    """The body of `GET /api/assignments/<id>/`, for a person who reaches it."""
    project = assignment.task.project
    return {
        "id": assignment.pk,
        "project": {
            "id": project.pk,
            "name": project.name,
            "guidelines": project.guidelines,
            "overlap": project.overlap,
        },
        "series": series_json(assignment.task.series),
        "labels": list(project.labels.values("id", "name", "value", "colour")),
        "person": assignment.person.get_username(),
        "progress": progress_json(person, assignment),
        "socket": f"/ws/assignments/{assignment.pk}/",
        "links": {
            "home": reverse("my_work"),
            "export": reverse("export", args=[assignment.pk]),
            "next": reverse("next_case", args=[project.pk]),
            "measures": reverse("measures", args=[assignment.pk]),
            **_links_of(assignment),
        },
    }


def _links_of(assignment: Assignment) -> dict[str, str]:
    """What its kind adds; a check has the same as a reading."""
    if assignment.kind == Assignment.Kind.ADJUDICATION:
        return {"readings": reverse("api_readings", args=[assignment.pk])}
    return {}


def progress_json(person: access.Person, assignment: Assignment) -> dict[str, Any]:
    """Where the case stands, what the person can do about it, and why it came here, where somebody said so."""
    last = assignment.transitions.exclude(reason="").select_related("person").last()
    return {
        "state": assignment.state,
        "editable": progress.refusal(person, assignment) is None,
        "moves": progress.moves(person, assignment),
        "reason": {"text": last.reason, "person": str(last.person or ""), "state": last.after} if last else None,
    }


def series_json(series: Series) -> dict[str, Any]:
    """`affine`: 16 numbers, row by row, from voxel (x, y, z, 1) to RAS millimetres; `{z}` is for the viewer to fill in."""
    return {
        "id": str(series.pk),
        "description": series.description,
        "modality": series.modality,
        "shape": list(series.shape),
        "spacing": series.spacing,
        "affine": [number for row in series.geometry["affine"] for number in row],
        "synthetic": series.synthetic,
        "warnings": series.warnings,
        "slice_url": f"/api/series/{series.pk}/slices/{{z}}",
    }
