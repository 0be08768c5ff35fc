"""The ground truth of a task: the one accepted segmentation that stands for it."""

from __future__ import annotations

from annotator.annotation.models import Assignment, Task

Kind = Assignment.Kind


def ground_truth(task: Task) -> Assignment | None:
    """The accepted adjudication, else the accepted revision, else the single reading if it is accepted; else None."""
    accepted = task.assignments.filter(state=Assignment.State.ACCEPTED).order_by("-pk")
    for kind in (Kind.ADJUDICATION, Kind.REVISION):
        if decided := accepted.filter(kind=kind).first():
            return decided
    return accepted.filter(kind=Kind.READING).first() if task.readings == 1 else None
