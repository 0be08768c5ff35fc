"""What people say to each other about a case, pinned to a slice or a point of it.

Everybody who reaches a case may speak until it is accepted. A revision has no thread of its own: there the talk goes on in
that of the reading that it revises.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from annotator.annotation import history, windows
from annotator.annotation.models import Assignment, Comment
from annotator.events import audit

MAX_LENGTH = 2000


class CommentRefused(ValueError):
    """One sentence why a comment is not taken."""


def thread(assignment: Assignment) -> QuerySet[Comment]:
    """All comments of a case, the oldest first, with their people."""
    return _spoken_of(assignment).comments.select_related("person", "resolved_by")


def open_ones(assignment: Assignment) -> QuerySet[Comment]:
    """Those that nobody has resolved."""
    return thread(assignment).filter(resolved_at=None)


def add(
    person: User,
    assignment: Assignment,
    text: str,
    z: int,
    point: tuple[int, int] | None = None,
    label_id: int | None = None,
) -> Comment:
    """Say something about slice `z`, or its voxel `point` (y, x), perhaps of a label. Raises CommentRefused."""
    case, text = _spoken_of(assignment), text.strip()
    _check_open(case)
    if not text:
        raise CommentRefused(_("Write what the comment is to say."))
    if len(text) > MAX_LENGTH:
        raise CommentRefused(_("A comment has at most %(n)s characters.") % {"n": MAX_LENGTH})
    _check_place(case, z, point)
    if label_id is not None and not case.task.project.labels.filter(pk=label_id).exists():
        raise CommentRefused(_("This label is not one of the project's."))
    y, x = point or (None, None)
    comment = Comment.objects.create(assignment=case, person=person, text=text, z=z, y=y, x=x, label_id=label_id)
    audit.note(person, "commented", case, case.task.project_id, comment=comment.pk)
    _tell(case)
    return comment


def resolve(person: User, comment: Comment, resolved: bool) -> Comment:
    """Call what the comment asks for done, or not done after all; who did stays beside it. Raises CommentRefused."""
    case = comment.assignment
    _check_open(case)
    who, when = (person, timezone.now()) if resolved else (None, None)
    changed = Comment.objects.filter(pk=comment.pk, resolved_at__isnull=resolved)
    if changed.update(resolved_by=who, resolved_at=when):
        comment.resolved_by, comment.resolved_at = who, when
        audit.note(person, "resolved" if resolved else "unresolved", case, case.task.project_id, comment=comment.pk)
        _tell(case)
    return comment


def _spoken_of(assignment: Assignment) -> Assignment:
    return assignment.revises or assignment


def _tell(case: Assignment) -> None:
    for pk in (case.pk, *case.revisions.values_list("pk", flat=True)):
        windows.tell(pk, "comments")


def _check_open(case: Assignment) -> None:
    case.refresh_from_db(fields=["state"])
    if case.state == Assignment.State.ACCEPTED:
        raise CommentRefused(_("This case is accepted; its comments stay as they are."))


def _check_place(case: Assignment, z: int, point: tuple[int, int] | None) -> None:
    depth, height, width = case.task.series.shape
    y, x = point or (0, 0)
    if not (0 <= z < depth and 0 <= y < height and 0 <= x < width):
        raise CommentRefused(history.outside(depth, height, width))
