"""The description of a case that the viewer starts from."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from annotator.annotation.models import Assignment
from annotator.studies.models import Series


def case_json(assignment: Assignment) -> dict[str, Any]:
    """The body of `GET /api/assignments/<id>/`."""
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
        "socket": f"/ws/assignments/{assignment.pk}/",
        "links": {
            "home": reverse("my_work"),
            "export": reverse("export", args=[assignment.pk]),
            "measures": reverse("measures", args=[assignment.pk]),
        },
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
