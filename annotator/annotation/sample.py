"""Shares that nobody can foresee and that never change their mind: which submitted cases a reviewer sees."""

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


def drawn(about: object, salt: str = SALT) -> float:
    """The number in [0, 1) of what is drawn about, e.g. an assignment's id: from the site's secret, so nobody can tell."""
    return int(salted_hmac(salt, str(about), algorithm="sha256").hexdigest()[:8], 16) / 2**32
