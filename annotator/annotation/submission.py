"""What a submission asks for before it counts, and what follows from it, by the kind of the assignment."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from annotator.annotation import adjudication, agreement, effort, gold, progress, sample
from annotator.annotation.models import Assignment
from annotator.annotation.progress import MoveRefused

Kind = Assignment.Kind
S = Assignment.State


def check(assignment: Assignment) -> None:
    """Raises MoveRefused where the work is not complete."""
    if assignment.kind == Kind.ADJUDICATION:
        try:
            adjudication.check_decided(assignment)
        except adjudication.AdjudicationRefused as refused:
            raise MoveRefused(str(refused)) from None


def follow(person: User, assignment: Assignment) -> None:
    """Called inside the transaction in which the person submits the assignment. Raises MoveRefused."""
    effort.count(assignment)
    if assignment.kind == Kind.ADJUDICATION:
        adjudication.settle(assignment)
    elif assignment.kind == Kind.REVISION:
        _accept_revised(person, assignment)
    elif assignment.kind == Kind.CHECK:
        gold.measure(assignment)
    elif assignment.task.readings > 1:
        agreement.compare_readings(assignment.task)
    elif not sample.needs_reviewer(assignment):
        progress.accept_by_rule(assignment, "Not among the cases that are reviewed.")


def _accept_revised(person: User, revision: Assignment) -> None:
    """The revision and the reading that it revises, together; refused where the reading is another one by now."""
    reading = revision.revises
    assert reading is not None
    reading.refresh_from_db(fields=["state"])
    begun = revision.transitions.filter(after=S.ASSIGNED).latest("pk").at
    if reading.state != S.SUBMITTED or reading.interactions.filter(created_at__gt=begun).exists():
        name = reading.person.get_username()
        sentence = _("%(name)s has worked on this case since you began to edit it; hand it back and review anew.")
        raise MoveRefused(sentence % {"name": name})
    progress.change(revision, S.ACCEPTED, "accepted", person)
    progress.change(reading, S.ACCEPTED, "accepted", person)
