"""A project's cases as its manager handles them: found, planned, given out, taken back; many at once, all or none."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Value,
    When,
)
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotator.annotation import access, assign, progress
from annotator.annotation.assign import AssignRefused
from annotator.annotation.models import Assignment, Project, Task
from annotator.annotation.people import SKILL_LENGTH
from annotator.events import audit

S, Kind = Assignment.State, Assignment.Kind
MOST_READINGS = 9
MOST_PRIORITY = 1000
SOON = timedelta(days=7)


class Standing(models.TextChoices):
    """Where a task stands, all its readings together: what is to be done about it next."""

    WAITING = "waiting", gettext_lazy("waiting for a person")
    ASSIGNED = S.ASSIGNED.value, S.ASSIGNED.label
    IN_PROGRESS = S.IN_PROGRESS.value, S.IN_PROGRESS.label
    RETURNED = S.RETURNED.value, S.RETURNED.label
    SKIPPED = S.SKIPPED.value, S.SKIPPED.label
    SUBMITTED = "submitted", gettext_lazy("to be reviewed")
    ACCEPTED = S.ACCEPTED.value, S.ACCEPTED.label


class Due(models.TextChoices):
    OVERDUE = "overdue", gettext_lazy("overdue")
    SOON = "soon", gettext_lazy("within a week")
    NEVER = "never", gettext_lazy("no date")


class Order(models.TextChoices):
    URGENCY = "urgency", gettext_lazy("most urgent first")
    DUE = "due", gettext_lazy("due first")
    NEWEST = "newest", gettext_lazy("newest first")
    NAME = "name", gettext_lazy("by name")
    STANDING = "standing", gettext_lazy("by state")


ORDERS: dict[str, tuple[Any, ...]] = {
    Order.URGENCY: (F("priority").desc(), F("due_on").asc(nulls_last=True), "pk"),
    Order.DUE: (F("due_on").asc(nulls_last=True), "pk"),
    Order.NEWEST: ("-pk",),
    Order.NAME: ("series__description", "pk"),
    Order.STANDING: ("standing", "pk"),
}


@dataclass(frozen=True)
class Wanted:
    """Which of a project's tasks, in which order. Empty fields ask for nothing."""

    standing: str = ""
    person: int | None = None
    text: str = ""
    due: str = ""
    gold: bool = False
    order: str = Order.URGENCY


# ---------------------------------------------------------------------------------------------------- finding


def tasks(project: Project) -> QuerySet[Any]:
    """The project's tasks with `given` (readings that somebody has) and `standing`."""
    return _with_standing(project.tasks.all())


def find(project: Project, wanted: Wanted, today: date) -> QuerySet[Any]:
    """The tasks asked for, each with its series and, as `held`, the assignments that somebody has."""
    found = tasks(project)
    if wanted.standing:
        found = found.filter(standing=wanted.standing)
    if wanted.person:
        found = found.filter(Exists(_held().filter(task=OuterRef("pk"), person=wanted.person)))
    if text := wanted.text.strip():
        names = ("series__description", "series__uid", "series__study__patient", "series__study__description", "skill")
        found = found.filter(Q(*[(f"{name}__icontains", text) for name in names], _connector=Q.OR))
    if wanted.due:
        found = found.filter(_due(wanted.due, today))
    if wanted.gold:
        found = found.filter(gold=True)
    readers = Prefetch("assignments", _held().select_related("person").order_by("reading", "pk"), to_attr="held")
    rows = found.prefetch_related("series__study", "project", readers)  # joined, each column would be grouped by
    return rows.order_by(*ORDERS[wanted.order])


def counts(projects: Iterable[Project]) -> dict[int, dict[Standing, int]]:
    """How many tasks of each project stand where, by the projects' ids; every standing has its number."""
    found = {project.pk: dict.fromkeys(Standing, 0) for project in projects}
    rows = _with_standing(Task.objects.filter(project__in=found)).order_by().values_list("project", "standing")
    for project_id, standing in rows.iterator():
        found[project_id][Standing(standing)] += 1
    return found


def _with_standing(found: QuerySet[Task]) -> QuerySet[Any]:
    """By the readings; a revision or an adjudication that was accepted decides for all of them.

    All of a task's assignments are counted in one pass: a subquery for each count is what PostgreSQL takes seconds for.
    """
    reading, accepted = Q(assignments__kind=Kind.READING), Q(assignments__state=S.ACCEPTED)
    deciding = Q(assignments__kind__in=[Kind.REVISION, Kind.ADJUDICATION])
    first = (S.SKIPPED, S.RETURNED, S.IN_PROGRESS, S.ASSIGNED)
    counted = found.annotate(
        given=Count("assignments", filter=reading & ~Q(assignments__state=S.HANDED_BACK)),
        accepted=Count("assignments", filter=reading & accepted),
        decided=Count("assignments", filter=deciding & accepted),
        **{f"n_{state}": Count("assignments", filter=reading & Q(assignments__state=state)) for state in first},
    )
    standing = Case(
        When(Q(decided__gt=0) | Q(accepted__gte=F("readings")), then=Value(Standing.ACCEPTED)),
        When(given__lt=F("readings"), then=Value(Standing.WAITING)),
        *(When(**{f"n_{state}__gt": 0}, then=Value(Standing(state))) for state in first),
        default=Value(Standing.SUBMITTED),
        output_field=models.CharField(),
    )
    return counted.annotate(standing=standing)


def _held() -> QuerySet[Assignment]:
    return Assignment.objects.exclude(state=S.HANDED_BACK)


def _due(due: str, today: date) -> Q:
    return {
        Due.OVERDUE: Q(due_on__lt=today) & ~Q(standing=Standing.ACCEPTED),
        Due.SOON: Q(due_on__gte=today, due_on__lte=today + SOON),
        Due.NEVER: Q(due_on=None),
    }[Due(due)]


# ---------------------------------------------------------------------------------------------------- deeds


@transaction.atomic
def give(chosen: Sequence[Task], person: User, by: User) -> list[Assignment]:
    """Give each task to this person. Raises AssignRefused."""
    return [assign.give(task, person, by) for task in chosen]


@transaction.atomic
def withdraw(chosen: Sequence[Task], by: User, reason: str = "") -> list[Assignment]:
    """Take the tasks back from whoever has not submitted them. Raises AssignRefused or MoveRefused."""
    taken = [reading for task in chosen for reading in _open_readings(task)]
    for reading in taken:
        progress.make("withdraw", by, reading, reason)
    return taken


@transaction.atomic
def reassign(chosen: Sequence[Task], person: User, by: User, keep_work: bool) -> list[Assignment]:
    """Hand each task on to this person, with the work so far or blank. Raises AssignRefused or MoveRefused."""
    made = []
    for task in chosen:
        readings = _open_readings(task)
        if len(readings) > 1:
            names = f" {_('and')} ".join(reading.person.get_username() for reading in readings)
            sentence = _("%(names)s both have %(series)s; withdraw one of them, then give it again.")
            raise AssignRefused(sentence % {"names": names, "series": task.series})
        made.append(assign.reassign(readings[0], person, by, keep_work))
    return made


@transaction.atomic
def plan(chosen: Sequence[Task], by: User, today: date, **changes: Any) -> int:
    """Set priority, due_on, skill or readings of each task; the number of tasks. Raises AssignRefused."""
    _check_plan(today, **changes)
    if "skill" in changes:
        changes["skill"] = assign.spelled_skill(changes["skill"])
    for task in chosen:
        _check_readings(task, changes.get("readings", task.readings))
        for name, value in changes.items():
            setattr(task, name, value)
        task.save(update_fields=list(changes))
        audit.note(by, "planned", task, task.project_id, **{name: _plain(value) for name, value in changes.items()})
    return len(chosen)


@transaction.atomic
def add_series(project: Project, series_ids: Iterable[uuid.UUID], by: User) -> list[Task]:
    """Make series of other projects tasks of this one; those that it has already stay as they are. The new ones.

    Raises AssignRefused.
    """
    wanted = set(series_ids)
    found = list(access.series_managed_by(by).filter(pk__in=wanted))
    if len(found) < len(wanted):
        raise AssignRefused(_("One of these series is in no project that you manage."))
    added = [assign.add(project, series) for series in found]
    new = [task for task, is_new in added if is_new]
    if new:
        audit.note(by, "added series", project, project.pk, series=[str(task.series_id) for task in new])
    return new


def _open_readings(task: Task) -> list[Assignment]:
    """Those that can be withdrawn. Raises AssignRefused where there is none."""
    before = progress.MOVES["withdraw"].before
    found = list(task.assignments.filter(kind=Kind.READING, state__in=before).select_related("person", "task__project"))
    if not found:
        sentence = _("Nobody has %(series)s open, so it cannot be withdrawn.")
        raise AssignRefused(sentence % {"series": task.series})
    return found


def _check_plan(today: date, **changes: Any) -> None:
    due, priority, readings = changes.get("due_on"), changes.get("priority", 0), changes.get("readings", 1)
    if due and due < today:
        raise AssignRefused(_("A due date lies today or later."))
    if not -MOST_PRIORITY <= priority <= MOST_PRIORITY:
        raise AssignRefused(_("A priority lies between −%(most)d and %(most)d.") % {"most": MOST_PRIORITY})
    if not 1 <= readings <= MOST_READINGS:
        raise AssignRefused(_("A case is read by 1 to %(most)d people.") % {"most": MOST_READINGS})
    if len(changes.get("skill", "")) > SKILL_LENGTH:
        raise AssignRefused(_("A skill is a word of at most %(length)d characters.") % {"length": SKILL_LENGTH})


def _check_readings(task: Task, wanted: int) -> None:
    highest = (
        task.assignments.filter(kind=Kind.READING)
        .exclude(state=S.HANDED_BACK)
        .aggregate(highest=models.Max("reading"))["highest"]
    )
    if highest and highest > wanted:
        sentence = _("%(series)s has %(n)d readers already; withdraw one of them first.")
        raise AssignRefused(sentence % {"series": task.series, "n": highest})


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
