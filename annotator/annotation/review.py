"""Review: whose case waits the longest, and a reviewer's own edited copy of a reading (a revision)."""

from __future__ import annotations

import base64
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from annotator import masks
from annotator.annotation import access, assign, history, lease, progress, slicemasks
from annotator.annotation.models import Assignment, Comment, Project, ReviewTurn, SliceMask, Transition
from annotator.protocol import Paint

S = Assignment.State
Kind = Assignment.Kind
TURN = timedelta(minutes=15)
"""For so long a case that one reviewer was handed, or has opened, is handed to no other; whoever wants it opens it."""


class ReviseRefused(ValueError):
    """One sentence why a case cannot be edited by its reviewer."""


def queue(person: access.Person, project: Project) -> QuerySet[Assignment]:
    """The project's cases that wait for this person's review, the oldest submission first, with `submitted_at`."""
    submitted = Transition.objects.filter(assignment=OuterRef("pk"), after=S.SUBMITTED).order_by("-pk").values("at")[:1]
    waiting = access.reviewable_by(person).filter(task__project=project)
    return waiting.annotate(submitted_at=Subquery(submitted)).order_by("submitted_at", "pk")


def with_said(cases: list[Assignment]) -> list[Assignment]:
    """Give each case `said`, the number of its open comments."""
    open_ones = Comment.objects.filter(assignment__in=cases, resolved_at=None).order_by()
    found = dict(open_ones.values_list("assignment").annotate(n=Count("pk")))
    for case in cases:
        vars(case)["said"] = found.get(case.pk, 0)
    return cases


def next_case(person: User, project: Project) -> Assignment | None:
    """Of the cases that no other reviewer has in hand, the one that has waited the longest; it is this person's turn now."""
    turns = ReviewTurn.objects.filter(assignment=OuterRef("pk"), at__gte=timezone.now() - TURN)
    edited = lease.living().filter(assignment__revises=OuterRef("pk"))
    free = (
        queue(person, project)
        .exclude(Exists(turns.exclude(person=person)))
        .exclude(Exists(edited.exclude(person=person)))
    )
    while case := free.first():
        if take_turn(case, person):
            return case
    return None


def take_turn(case: Assignment, person: User) -> bool:
    """Have the case in hand for review from now on; False where another reviewer has it."""
    at = timezone.now()
    takeable = Q(person=person) | Q(at__lt=at - TURN)
    if ReviewTurn.objects.filter(takeable, assignment=case).update(person=person, at=at):
        return True
    return ReviewTurn.objects.get_or_create(assignment=case, defaults={"person": person, "at": at})[1]


def opened(case: Assignment, person: User) -> None:
    """Whoever opens a case that waits for their review has it in hand, unless somebody else has."""
    if case.state == S.SUBMITTED and access.reviewable_by(person).filter(pk=case.pk).exists():
        take_turn(case, person)


def revise(reading: Assignment, reviewer: User) -> Assignment:
    """The reviewer's own copy of a submitted reading, to be edited; submitted, it is accepted together with the reading.

    A copy that is open already is the one. Raises ReviseRefused.
    """
    if not access.may_revise(reviewer, reading):
        raise ReviseRefused(_("You may not edit this case now."))
    with transaction.atomic():
        theirs = Assignment.objects.filter(task=reading.task_id, person=reviewer.pk, kind=Kind.REVISION).first()
        if theirs is None:
            return _copied(reading, reviewer)
        if theirs.state not in progress.EDITABLE:
            _catch_up(reading, theirs)
        return theirs


def _copied(reading: Assignment, reviewer: User) -> Assignment:
    made = Assignment.objects.create(
        task=reading.task, person=reviewer, kind=Kind.REVISION, reading=reading.reading, revises=reading
    )
    progress.begin(made, reviewer)
    assign.copy_work(reading, made)
    return made


def _catch_up(reading: Assignment, revision: Assignment) -> None:
    """An earlier revision is taken up again: its log goes on with the reading's masks wherever they are others by now."""
    reviewer = revision.person
    Assignment.objects.filter(pk=revision.pk).update(revises=reading, reading=reading.reading)
    progress.change(revision, S.ASSIGNED, "took up", reviewer)
    theirs, ours = _masks(reading), _masks(revision)
    size = reading.task.series.height, reading.task.series.width
    sequence = history.state(revision.pk).last_sequence
    for label_id, z in sorted(theirs.keys() | ours.keys()):
        mask = theirs.get((label_id, z), masks.empty(*size))
        if mask == ours.get((label_id, z), masks.empty(*size)):
            continue
        sequence += 1
        paint = Paint(sequence, label_id, z, "copy", base64.b64encode(mask).decode())
        history.record(revision.pk, reviewer.pk, paint)
        slicemasks.save(revision.pk, label_id, z, sequence, sequence, mask, None, (), reviewer.pk)
    progress.start(reviewer, revision)


def _masks(assignment: Assignment) -> dict[tuple[int, int], bytes]:
    rows = SliceMask.objects.filter(assignment=assignment).values_list("label_id", "z", "mask")
    return {(label_id, z): bytes(mask) for label_id, z, mask in rows}
