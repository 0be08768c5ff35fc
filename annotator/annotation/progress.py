"""An assignment's way from a person's list to an accepted segmentation.

    assigned → in progress → submitted → accepted
                    ↑  ↖ returned ↙ (by a reviewer)

and, off that way, skipped (it cannot be done) and handed back (somebody else may have it). Every move is one conditional
update and one `Transition`, so two people who press at once make one move, and the other is told. What follows from a move by
a rule of the project is made with it, or neither is.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy

from annotator.annotation import access, comments, projects, windows
from annotator.annotation.models import Assignment, Transition
from annotator.events import audit, language, notices
from annotator.events.models import Notice

S = Assignment.State
Kind = Assignment.Kind
EDITABLE = (S.ASSIGNED, S.IN_PROGRESS, S.RETURNED)
"""States in which the annotator may change the work."""


class MoveRefused(ValueError):
    """One sentence why an assignment's state stays as it is."""


@dataclass(frozen=True)
class Move:
    """From any of the states `before` to `after`, by whom `allows` (a rule of `access`) says; `verb` is for the record."""

    name: str
    verb: str
    before: tuple[S, ...]
    after: S
    allows: access.AssignmentRule
    needs_reason: bool = False
    of_revisions: bool = True  # whether a revision can make it on its own, without the reading that it revises

    def leads_on(self, assignment: Assignment) -> bool:
        """Whether it can be made of the assignment in its present state."""
        is_revision = assignment.kind == Kind.REVISION
        return assignment.state in self.before and (self.of_revisions or not is_revision)


MOVES = {
    move.name: move
    for move in (
        Move("start", "started", (S.ASSIGNED, S.RETURNED), S.IN_PROGRESS, access.works_on),
        Move("submit", "submitted", EDITABLE, S.SUBMITTED, access.works_on),
        Move("take_back", "took back", (S.SUBMITTED,), S.IN_PROGRESS, access.may_take_back, of_revisions=False),
        Move("skip", "skipped", EDITABLE, S.SKIPPED, access.works_on, needs_reason=True, of_revisions=False),
        Move("hand_back", "handed back", EDITABLE, S.HANDED_BACK, access.works_on),
        Move("withdraw", "withdrew", (*EDITABLE, S.SKIPPED), S.HANDED_BACK, access.may_manage),
        Move("accept", "accepted", (S.SUBMITTED,), S.ACCEPTED, access.may_accept, of_revisions=False),
        Move(
            "return", "returned", (S.SUBMITTED,), S.RETURNED, access.may_review, needs_reason=True, of_revisions=False
        ),
        Move(
            "reopen",
            "reopened",
            (S.ACCEPTED, S.SKIPPED),
            S.RETURNED,
            access.may_manage,
            needs_reason=True,
            of_revisions=False,
        ),
    )
}

DEEDS = {
    "start": pgettext_lazy("you … a case", "start"),
    "submit": pgettext_lazy("you … a case", "submit"),
    "take_back": pgettext_lazy("you … a case", "take back"),
    "skip": pgettext_lazy("you … a case", "skip"),
    "hand_back": pgettext_lazy("you … a case", "hand back"),
    "withdraw": pgettext_lazy("you … a case", "withdraw"),
    "accept": pgettext_lazy("you … a case", "accept"),
    "return": pgettext_lazy("you … a case", "return"),
    "reopen": pgettext_lazy("you … a case", "reopen"),
}
"""What is said of each move."""


def moves(person: access.Person, assignment: Assignment) -> list[str]:
    """The names of the moves that the person can make now; to start is nobody's own decision."""
    if projects.archived(assignment.task.project_id):
        return []
    possible = [move for move in MOVES.values() if move.leads_on(assignment) and move.name != "start"]
    return [move.name for move in possible if move.allows(person, assignment)]


def begin(assignment: Assignment, by: User, before: str = "") -> Transition:
    """Write down that the assignment is somebody's from now on; `before` is its state where it was handed back."""
    return Transition.objects.create(assignment=assignment, before=before, after=S.ASSIGNED, person=by)


def make(name: str, person: User, assignment: Assignment, reason: str = "") -> Transition:
    """Move the assignment, which the person reaches, and say who did. Raises MoveRefused.

    To return a case, its open comments are reason enough.
    """
    move = MOVES.get(name)
    if move is None:
        raise MoveRefused(_("There is no move %(name)s.") % {"name": repr(name[:40])})
    if rests := projects.archived(assignment.task.project_id):
        raise MoveRefused(rests)
    if not move.allows(person, assignment):
        raise MoveRefused(_("You may not %(deed)s this case.") % {"deed": DEEDS[name]})
    reason = reason.strip() or (_commented(assignment) if name == "return" else "")
    if move.needs_reason and not reason:
        raise MoveRefused(_("Say why you %(deed)s this case.") % {"deed": DEEDS[name]})
    from annotator.annotation import submission  # what follows makes moves itself

    with transaction.atomic():
        assignment.state = Assignment.objects.values_list("state", flat=True).get(pk=assignment.pk)
        if not move.leads_on(assignment):
            sentence = _("The case is %(state)s, so you cannot %(deed)s it.")
            raise MoveRefused(sentence % {"state": S(assignment.state).label, "deed": DEEDS[name]})
        if name == "submit":
            submission.check(assignment)
        made = change(assignment, move.after, move.verb, person, reason)
        if name == "submit":
            submission.follow(person, assignment)
        _follow(move, person, assignment)
    return made


def change(assignment: Assignment, after: S, verb: str, person: User | None, reason: str = "") -> Transition:
    """The state's one conditional update with its `Transition` and its line of the record; open windows look again.

    For moves that a rule of the project makes; `person` is None where nobody decided. Raises MoveRefused where somebody
    else was faster.
    """
    before = S(assignment.state)
    with transaction.atomic():
        if not Assignment.objects.filter(pk=assignment.pk, state=before).update(state=after):
            raise MoveRefused(_("Somebody has just moved this case; reload the page."))
        assignment.state = after
        audit.note(person, verb, assignment, assignment.task.project_id, before=before, after=after, reason=reason)
        windows.tell(assignment.pk, "progress")
        return Transition.objects.create(
            assignment=assignment, before=before, after=after, person=person, reason=reason
        )


def accept_by_rule(assignment: Assignment, reason: str = "") -> bool:
    """Accept what is submitted without anybody's decision; False where it is not submitted any more."""
    assignment.state = S.SUBMITTED  # what the conditional update asks for
    try:
        change(assignment, S.ACCEPTED, "accepted", None, reason)
    except MoveRefused:
        assignment.refresh_from_db(fields=["state"])
        return False
    return True


def _follow(move: Move, person: User, assignment: Assignment) -> None:
    """What a move other than to submit brings with it."""
    if move.name == "reopen":
        for revision in assignment.revisions.filter(state=S.ACCEPTED):
            with language.reading(revision.person_id):
                reason = _("The case was reopened.")
            change(revision, S.HANDED_BACK, "withdrew", person, reason)
    if move.after == S.RETURNED:
        about = {"series": str(assignment.task.series), "reason": assignment.transitions.latest("pk").reason}
        notices.tell(assignment.person, Notice.Kind.RETURNED, reverse("case", args=[assignment.pk]), **about)


def _commented(assignment: Assignment) -> str:
    """The reason that open comments are, in the language of whoever gets the case back; empty where there are none."""
    count = comments.open_ones(assignment).count()
    with language.reading(assignment.person_id):
        said = ngettext("See the open comment.", "See the %(count)d open comments.", count) % {"count": count}
    return said if count else ""


def check_editable(person: access.Person, assignment: Assignment) -> None:
    """Raises MoveRefused where the person may not change the work now; asked of the database each time."""
    assignment.refresh_from_db(fields=["state"])
    if sentence := refusal(person, assignment):
        raise MoveRefused(sentence)


def refusal(person: access.Person, assignment: Assignment) -> str | None:
    """Why the person may not change the work in the state that it is in, in one sentence; None where they may."""
    if not access.works_on(person, assignment):
        return _("You can look at this assignment, but only its annotator can change it.")
    if rests := projects.archived(assignment.task.project_id):
        return rests
    if assignment.state not in EDITABLE:
        state = S(assignment.state).label
        return _("This case is %(state)s; its masks stay as they are.") % {"state": state}
    return None


def start(person: User, assignment: Assignment) -> None:
    """Note that the person has begun, where that is news."""
    if assignment.state in MOVES["start"].before:
        try:
            make("start", person, assignment)
        except MoveRefused:  # another window was faster
            assignment.refresh_from_db(fields=["state"])
