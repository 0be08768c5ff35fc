"""An assignment's way from a person's list to an accepted segmentation.

    assigned → in progress → submitted → accepted
                    ↑  ↖ returned ↙ (by a reviewer)

and, off that way, skipped (it cannot be done) and handed back (somebody else may have it). Every move is one conditional
update and one `Transition`, so two people who press at once make one move, and the other is told.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from annotator.annotation import access
from annotator.annotation.models import Assignment, Transition

S = Assignment.State
EDITABLE = (S.ASSIGNED, S.IN_PROGRESS, S.RETURNED)
"""States in which the annotator may change the work."""


class MoveRefused(ValueError):
    """One sentence why an assignment's state stays as it is."""


@dataclass(frozen=True)
class Move:
    """From any of the states `before` to `after`, by whom `allows` (a rule of `access`) says."""

    name: str
    before: tuple[S, ...]
    after: S
    allows: access.AssignmentRule
    needs_reason: bool = False


MOVES = {
    move.name: move
    for move in (
        Move("start", (S.ASSIGNED, S.RETURNED), S.IN_PROGRESS, access.works_on),
        Move("submit", EDITABLE, S.SUBMITTED, access.works_on),
        Move("take_back", (S.SUBMITTED,), S.IN_PROGRESS, access.may_take_back),
        Move("skip", EDITABLE, S.SKIPPED, access.works_on, needs_reason=True),
        Move("hand_back", EDITABLE, S.HANDED_BACK, access.works_on),
        Move("withdraw", (*EDITABLE, S.SKIPPED), S.HANDED_BACK, access.may_manage),
        Move("accept", (S.SUBMITTED,), S.ACCEPTED, access.may_accept),
        Move("return", (S.SUBMITTED,), S.RETURNED, access.may_review, needs_reason=True),
        Move("reopen", (S.ACCEPTED, S.SKIPPED), S.RETURNED, access.may_manage, needs_reason=True),
    )
}


def moves(person: access.Person, assignment: Assignment) -> list[str]:
    """The names of the moves that the person can make now; to start is nobody's own decision."""
    possible = [move for move in MOVES.values() if assignment.state in move.before and move.name != "start"]
    return [move.name for move in possible if move.allows(person, assignment)]


def make(name: str, person: User, assignment: Assignment, reason: str = "") -> Transition:
    """Move the assignment, which the person reaches, and say who did. Raises MoveRefused."""
    move = MOVES.get(name)
    if move is None:
        raise MoveRefused(f"There is no move {name[:40]!r}.")
    if not move.allows(person, assignment):
        raise MoveRefused(f"You may not {_words(name)} this case.")
    if move.needs_reason and not reason.strip():
        raise MoveRefused(f"Say why you {_words(name)} this case.")
    from annotator.annotation import submission  # what follows makes moves itself

    with transaction.atomic():
        if name == "submit":
            submission.check(assignment)
        before = Assignment.objects.values_list("state", flat=True).get(pk=assignment.pk)
        moved = before in move.before and _is_moved(assignment, S(before), move.after)
        if not moved:
            raise MoveRefused(f"The case is {S(before).label}, so you cannot {_words(name)} it.")
        made = Transition.objects.create(
            assignment=assignment, before=before, after=move.after, person=person, reason=reason.strip()
        )
        if name == "submit":
            submission.follow(assignment)
    return made


def accept_by_rule(assignment: Assignment, reason: str = "") -> bool:
    """Accept what is submitted without anybody's decision; False where it is not submitted any more."""
    with transaction.atomic():
        moved = _is_moved(assignment, S.SUBMITTED, S.ACCEPTED)
        if moved:
            Transition.objects.create(
                assignment=assignment, before=S.SUBMITTED, after=S.ACCEPTED, person=None, reason=reason
            )
    return moved


def check_editable(person: access.Person, assignment: Assignment) -> None:
    """Raises MoveRefused where the person may not change the work now; asked of the database each time."""
    assignment.refresh_from_db(fields=["state"])
    if sentence := refusal(person, assignment):
        raise MoveRefused(sentence)


def refusal(person: access.Person, assignment: Assignment) -> str | None:
    """Why the person may not change the work in the state that it is in, in one sentence; None where they may."""
    if not access.works_on(person, assignment):
        return "You can look at this assignment, but only its annotator can change it."
    if assignment.state not in EDITABLE:
        return f"This case is {S(assignment.state).label}; its masks stay as they are."
    return None


def start(person: User, assignment: Assignment) -> None:
    """Note that the person has begun, where that is news."""
    if assignment.state in MOVES["start"].before:
        try:
            make("start", person, assignment)
        except MoveRefused:  # another window was faster
            assignment.refresh_from_db(fields=["state"])


def _is_moved(assignment: Assignment, before: S, after: S) -> bool:
    """The conditional update: of several at once, one is."""
    moved = Assignment.objects.filter(pk=assignment.pk, state=before).update(state=after)
    if moved:
        assignment.state = after
    return bool(moved)


def _words(name: str) -> str:
    return name.replace("_", " ")
