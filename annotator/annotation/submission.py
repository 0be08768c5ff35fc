"""What a submission asks for before it counts, and what follows from it, by the kind of the assignment."""

from __future__ import annotations

from annotator.annotation import adjudication, agreement, gold
from annotator.annotation.models import Assignment
from annotator.annotation.progress import MoveRefused

Kind = Assignment.Kind


def check(assignment: Assignment) -> None:
    """Raises MoveRefused where the work is not complete."""
    if assignment.kind == Kind.ADJUDICATION:
        try:
            adjudication.check_decided(assignment)
        except adjudication.AdjudicationRefused as refused:
            raise MoveRefused(str(refused)) from None


def follow(assignment: Assignment) -> None:
    """Called inside the transaction that submits the assignment."""
    if assignment.kind == Kind.ADJUDICATION:
        adjudication.settle(assignment)
    elif assignment.kind == Kind.CHECK:
        gold.measure(assignment)
    elif assignment.task.readings > 1:
        agreement.compare_readings(assignment.task)
