"""Who gets which task. A reading of a task belongs to one person at a time: a constraint of the database says so."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Count, F, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Lower
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotator.annotation import access, gold, news, progress, projects
from annotator.annotation.models import Assignment, LabelLock, Membership, Project, Task
from annotator.events import audit
from annotator.studies.models import Series

S = Assignment.State
READING = Assignment.Kind.READING
Rows = TypeVar("Rows", bound=QuerySet[Any])


_HELD = Assignment.objects.filter(task=OuterRef("pk"), kind=READING).exclude(state=S.HANDED_BACK).order_by()
GIVEN = Coalesce(Subquery(_HELD.values("task").annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0)
"""The readings of a task that somebody has."""


class AssignRefused(ValueError):
    """One sentence why a task is not given to a person."""


def add(project: Project, series: Series) -> tuple[Task, bool]:
    """The series as a task of the project, and whether it is new there."""
    return Task.objects.get_or_create(
        project=project, series=series, defaults={"readings": readings_for(project, series)}
    )


def readings_for(project: Project, series: Series) -> int:
    """2 for the project's share of double readings, else 1: by a hash, so that a series is always answered alike."""
    digest = hashlib.sha256(f"{project.pk} {series.uid}".encode()).digest()
    return 2 if int.from_bytes(digest[:8]) / 2**64 < project.double_share else 1


def check_member(person: User, project: Project) -> None:
    """Raises AssignRefused where cases of the project cannot go to the person, now or at all."""
    if rests := projects.archived(project.pk):
        raise AssignRefused(rests)
    if not access.is_member(person, project.pk):
        sentence = _("%(name)s is no member of the project %(project)s.")
        raise AssignRefused(sentence % {"name": person.get_username(), "project": project})


def give(task: Task, person: User, by: User) -> Assignment:
    """Give a reading of the task to a member of its project; whoever has one already keeps it. Raises AssignRefused."""
    given = _give(task, person, by)
    if by != person:
        news.given(person, task.project)
    return given


def _give(task: Task, person: User, by: User) -> Assignment:
    """The same, without a word to the person."""
    check_member(person, task.project)
    for reading in range(1, task.readings + 1):
        with_it = _take(task, person, reading, by)
        if with_it:
            return with_it
    sentence = ngettext(
        "%(series)s already has its reader; nobody else can get it.",
        "%(series)s already has its %(n)d readers; nobody else can get it.",
        task.readings,
    )
    raise AssignRefused(sentence % {"series": task.series, "n": task.readings})


def next_case(project: Project, person: User) -> Assignment | None:
    """The person's own returned or unfinished case first, else the most urgent waiting one, now theirs.

    None where none waits, or the project is archived.
    """
    if projects.archived(project.pk):
        return None
    own = Assignment.objects.filter(access.IN_HAND, task__project=project, person=person.pk)
    for state in (S.RETURNED, S.IN_PROGRESS, S.ASSIGNED):
        if begun := _by_urgency(own.filter(state=state), "task__").first():
            return begun
    if check := gold.turn(project, person):
        return check
    for task in waiting_for(person, project):
        try:
            return give(task, person, person)
        except AssignRefused:  # somebody was faster; the next one then
            continue
    return None


def waiting(project: Project) -> QuerySet[Task]:
    """Tasks that more people are to have, the most urgent first; none while the project is archived."""
    tasks = project.tasks.filter(project__archived_at=None)
    return _by_urgency(tasks.annotate(given=GIVEN).filter(given__lt=F("readings")))


def waiting_for(person: access.Person, project: Project) -> QuerySet[Task]:
    """Those of them that the person has not had and has the skill for; none for whoever is no member."""
    membership = Membership.objects.filter(project=project, person=person.pk).select_related("project").first()
    return waiting_for_member(membership) if membership else waiting(project).none()


def waiting_for_member(membership: Membership) -> QuerySet[Task]:
    """The same, where the membership is at hand."""
    found = waiting(membership.project).annotate(asked=Lower("skill"))
    return found.filter(asked__in={"", *skills(membership)}).exclude(assignments__person=membership.person_id)


def skills(membership: Membership) -> set[str]:
    """The member's skills as tasks spell them."""
    return {spelled_skill(skill) for skill in membership.skills}


def spelled_skill(text: str) -> str:
    """Capitals make no other skill."""
    return text.strip().lower()


def spread(tasks: Sequence[Task], people: Sequence[User], by: User, by_skill: bool = False) -> list[Assignment]:
    """Give each task to whoever of the people has least to do and has not had it; all of them or none.

    Args:
        by_skill: a task that asks for a skill goes only to who has it.

    Raises:
        AssignRefused: there is nobody for one of the tasks.
    """
    if not people:
        raise AssignRefused(_("Choose at least one person."))
    load = {person: _open_cases(person) for person in people}
    skilled = _skills_of(people, tasks) if by_skill else {}
    made: list[Assignment] = []
    with transaction.atomic():
        for task in tasks:
            had = set(task.assignments.values_list("person", flat=True))
            free = [person for person in people if person.pk not in had]
            if not free:
                raise AssignRefused(_("All of them have had %(series)s already.") % {"series": task.series})
            if by_skill and task.skill:
                free = [person for person in free if spelled_skill(task.skill) in skilled.get(person.pk, ())]
            if not free:
                sentence = _("Nobody of them who is free for %(series)s has the skill %(skill)s.")
                raise AssignRefused(sentence % {"series": task.series, "skill": task.skill})
            person = min(free, key=lambda one: load[one])
            made.append(_give(task, person, by))
            load[person] += 1
        for person, project in {(one.person, one.task.project) for one in made if one.person != by}:
            news.given(person, project)
    return made


def reassign(assignment: Assignment, person: User, by: User, keep_work: bool) -> Assignment:
    """Give the reading to somebody else of the project, with the work so far or blank. Raises AssignRefused or MoveRefused."""
    if person.pk == assignment.person_id:
        raise AssignRefused(_("%(name)s has this case.") % {"name": person.get_username()})
    if assignment.kind != READING:
        raise AssignRefused(_("Only readings go on with somebody else; this case can be withdrawn."))
    with transaction.atomic():
        progress.make("withdraw", by, assignment)
        theirs = give(assignment.task, person, by)
        before = assignment.person.get_username()
        audit.note(by, "reassigned", theirs, theirs.task.project_id, before=before, with_work=keep_work)
        if keep_work:
            copy_work(assignment, theirs)
    return theirs


def copy_work(of: Assignment, to: Assignment) -> None:
    """The log and the masks, each row still by whom it was; its numbers stay, so the log reads the same.

    Raises AssignRefused where there is work already.
    """
    if to.interactions.exists():
        name = to.person.get_username()
        raise AssignRefused(_("%(name)s has work of their own on this case.") % {"name": name})
    kept: tuple[QuerySet[Any], ...] = (of.interactions.all(), of.masks.all(), of.locks.all())
    for rows in kept:
        copies = list(rows)
        for row in copies:
            row.pk, row.assignment = None, to
        rows.model.objects.bulk_create(copies, batch_size=500)
    if of.interactions.exists():
        progress.start(to.person, to)


def _take(task: Task, person: User, reading: int, by: User) -> Assignment | None:
    """The person's assignment, made or taken up again; None where somebody else has this reading."""
    held = Assignment.objects.filter(task=task, person=person.pk, kind=READING).first()
    if held and held.state != S.HANDED_BACK:
        return held
    try:
        with transaction.atomic():
            if held is None:
                made, before = Assignment.objects.create(task=task, person=person, reading=reading), ""
                _lock_labels(made)
            else:
                again = Assignment.objects.filter(pk=held.pk, state=S.HANDED_BACK)
                if not again.update(state=S.ASSIGNED, reading=reading):
                    return Assignment.objects.get(pk=held.pk)
                held.refresh_from_db()
                made, before = held, S.HANDED_BACK
            progress.begin(made, by, before)
            chosen = {"order": task.project.order, "benefit": task.benefit} if task.benefit is not None else {}
            audit.note(by, "assigned", made, task.project_id, to=person.get_username(), **chosen)
            return made
    except IntegrityError:
        return None


def _lock_labels(made: Assignment) -> None:
    """Those that the label set says begin locked."""
    locked = made.task.project.labels.filter(locked=True)
    LabelLock.objects.bulk_create(LabelLock(assignment=made, label=label) for label in locked)


def _skills_of(people: Sequence[User], tasks: Sequence[Task]) -> dict[int, set[str]]:
    """By the ids of the people, in the tasks' project."""
    rows = Membership.objects.filter(person__in=people, project__in={task.project_id for task in tasks})
    return {row.person_id: skills(row) for row in rows}


def _by_urgency(rows: Rows, task: str = "") -> Rows:
    """By priority, then by date; of equals, what the project's order expects most of (`annotator.learning.ranking`)."""
    dates, benefit = F(f"{task}due_on").asc(nulls_last=True), F(f"{task}benefit").desc(nulls_last=True)
    return rows.order_by(F(f"{task}priority").desc(), dates, benefit, "pk")


def _open_cases(person: User) -> int:
    return Assignment.objects.filter(person=person.pk, state__in=progress.EDITABLE).count()
