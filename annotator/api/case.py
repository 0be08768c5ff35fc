"""The description of a case that the viewer starts from."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from annotator.annotation import access, comments, guidelines, progress
from annotator.annotation.models import Assignment, Comment
from annotator.studies.models import Series


def case_json(person: access.Person, assignment: Assignment) -> dict[str, Any]:
    """The body of `GET /api/assignments/<id>/`, for a person who reaches it."""
    project = assignment.task.project
    return {
        "id": assignment.pk,
        "project": {
            "id": project.pk,
            "name": project.name,
            "guidelines": guidelines.html(project.guidelines),
            "overlap": project.overlap,
            "window_presets": project.window_presets,
        },
        "series": series_json(assignment.task.series),
        "labels": list(project.labels.values("id", "name", "value", "colour", "hotkey", "locked")),
        "kind": _shown_kind(assignment),
        "person": assignment.person.get_username(),
        "reader": person.get_username(),
        "progress": progress_json(person, assignment),
        "socket": f"/ws/assignments/{assignment.pk}/",
        "links": {
            "home": reverse("my_work"),
            "notices": reverse("notices"),
            "export": reverse("export", args=[assignment.pk]),
            "next": reverse("next_case", args=[project.pk]),
            "measures": reverse("measures", args=[assignment.pk]),
            "review": reverse("project_review_next", args=[project.pk]),
            **_links_of(assignment),
        },
    }


def _shown_kind(assignment: Assignment) -> str:
    """A check passes for a reading, to its person and to whoever looks over their shoulder."""
    return Assignment.Kind.READING if assignment.kind == Assignment.Kind.CHECK else assignment.kind


def _links_of(assignment: Assignment) -> dict[str, str]:
    """What its kind adds; a check has the same as a reading."""
    if assignment.kind == Assignment.Kind.ADJUDICATION:
        return {"readings": reverse("api_readings", args=[assignment.pk])}
    return {}


def progress_json(person: access.Person, assignment: Assignment) -> dict[str, Any]:
    """Where the case stands, what the person can do about it, and why it came here, where somebody said so.

    `refusal` is the sentence why the person cannot change masks now; null where they can.
    """
    last = assignment.transitions.exclude(reason="").select_related("person").last()
    return {
        "state": assignment.state,
        "refusal": progress.refusal(person, assignment),
        "moves": progress.moves(person, assignment),
        "revisable": access.may_revise(person, assignment),
        "reason": {"text": last.reason, "person": str(last.person or ""), "state": last.after} if last else None,
    }


def comments_json(assignment: Assignment) -> list[dict[str, Any]]:
    """All comments of a case, the oldest first."""
    return [comment_json(comment) for comment in comments.thread(assignment)]


def comment_json(comment: Comment) -> dict[str, Any]:
    """`y` and `x` are null where it is about the whole slice, `resolved` is null until somebody resolves it."""
    resolved = (
        {"person": str(comment.resolved_by), "at": comment.resolved_at.isoformat()} if comment.resolved_at else None
    )
    return {
        "id": comment.pk,
        "person": comment.person.get_username(),
        "text": comment.text,
        "z": comment.z,
        "y": comment.y,
        "x": comment.x,
        "label": comment.label_id,
        "at": comment.created_at.isoformat(),
        "resolved": resolved,
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
        "warnings": [_(one) for one in series.warnings],
        "slice_url": f"/api/series/{series.pk}/slices/{{z}}",
    }
