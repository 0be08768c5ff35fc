"""Which submitted cases a reviewer sees: a share of them that nobody can foresee and that never changes its mind."""

from __future__ import annotations

from django.utils.crypto import salted_hmac

from annotator.annotation.models import Assignment

SALT = "annotator.review"


def needs_reviewer(assignment: Assignment) -> bool:
    """Whether a person is to review this submission. Checks and readings of a pair are judged elsewhere: always.

    A case that a person has returned once is seen again, whatever its number says.
    """
    is_plain = assignment.kind == Assignment.Kind.READING and assignment.task.readings == 1
    if not is_plain or assignment.transitions.filter(after=Assignment.State.RETURNED).exists():
        return True
    return drawn(assignment.pk) < assignment.task.project.review_share


def drawn(assignment_id: int) -> float:
    """The assignment's number in [0, 1): from the site's secret, so that its annotator cannot tell."""
    return int(salted_hmac(SALT, str(assignment_id), algorithm="sha256").hexdigest()[:8], 16) / 2**32
