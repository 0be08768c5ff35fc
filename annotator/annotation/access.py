"""Who reaches what: the one place of these rules, asked by pages, API and socket alike.

| person | reaches | writes | reviews | manages |
|---|---|---|---|---|
| annotator of the project | own assignments and their series | own assignments | nothing | nothing |
| reviewer of the project | all of the project's | own assignments | those of others | nothing |
| manager of the project | all of the project's | own assignments | those of others | the project |
| staff | all of every project's | own assignments, while a member | those of others | every project |
| anybody else, logged out, deactivated | nothing | nothing | nothing | nothing |

What a person does not reach is answered like what does not exist. Own work is written while its state allows it
(`progress.EDITABLE`), and reviewed by oneself only where the project says so.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Q, QuerySet

from annotator.annotation.models import Assignment, Comparison, Membership, Project, Task
from annotator.events.models import Event
from annotator.studies.models import Series

Person = AbstractBaseUser | AnonymousUser
AssignmentRule = Callable[[Person, Assignment], bool]
_OVERSEERS = (Membership.Role.REVIEWER, Membership.Role.MANAGER)


def projects_of(person: Person) -> QuerySet[Project]:
    """The projects that the person is a member of; for staff, all."""
    return _projects(person, tuple(Membership.Role))


def projects_worked_on_by(person: Person) -> QuerySet[Project]:
    """The projects whose cases the person may take: as a member of any role."""
    return _joined(person, tuple(Membership.Role))


def projects_overseen_by(person: Person) -> QuerySet[Project]:
    """The projects all of whose cases the person may see: as reviewer, manager or staff."""
    return _projects(person, _OVERSEERS)


def projects_managed_by(person: Person) -> QuerySet[Project]:
    """The projects into which the person may import series and whose cases they may give out: as manager or staff."""
    return _projects(person, (Membership.Role.MANAGER,))


def may_create_projects(person: Person) -> bool:
    """Staff, and whoever manages a project already."""
    return administers(person) or projects_managed_by(person).exists()


def administers(person: Person) -> bool:
    """Whether the person is staff: sees to the site's people, and manages every project."""
    return _is_active(person) and bool(getattr(person, "is_staff", False))


def tasks_of(person: Person) -> QuerySet[Task]:
    """Every task that the person may know of: all of the projects that they oversee, and those of their own cases."""
    own = Q(pk__in=Assignment.objects.filter(person=person.pk).values("task")) & Q(project__in=projects_of(person))
    return Task.objects.filter(own | Q(project__in=projects_overseen_by(person))).select_related("project", "series")


def comparisons_of(person: Person) -> QuerySet[Comparison]:
    """Every comparison of two assignments that the person may open; that one is a check, only managers learn."""
    seen = assignments_of(person)
    known = seen.filter(~Q(kind=Assignment.Kind.CHECK) | Q(task__project__in=projects_managed_by(person)))
    overseen = Comparison.objects.filter(first__task__project__in=projects_overseen_by(person))
    return overseen.filter(first__in=known.values("pk"), second__in=known.values("pk"))


def events_of(person: Person) -> QuerySet[Event]:
    """The audit record of the projects that the person manages; for staff all of it, the site's own deeds too."""
    if administers(person):
        return Event.objects.all()
    return Event.objects.filter(project_id__in=projects_managed_by(person).values("pk"))


def assignments_of(person: Person) -> QuerySet[Assignment]:
    """Every assignment that the person may open, with its task, series, project and person."""
    own = Q(person=person.pk) & Q(task__project__in=projects_of(person))
    return Assignment.objects.filter(own | Q(task__project__in=projects_overseen_by(person))).select_related(
        "task__series", "task__project", "person"
    )


def assignment_for(person: Person, assignment_id: int) -> Assignment | None:
    """The assignment, or None where the person does not reach it or there is none."""
    return assignments_of(person).filter(pk=assignment_id).first()


def is_member(person: Person, project_id: int) -> bool:
    """Whether the person belongs to the project and is active; asked of the database each time."""
    return Membership.objects.filter(project=project_id, person=person.pk, person__is_active=True).exists()


def works_on(person: Person, assignment: Assignment) -> bool:
    """Whether this assignment's work is the person's: their own, while they belong to the project.

    Asked of the database each time, as a socket's idea of its person may be hours old.
    """
    return assignment.person_id == person.pk and is_member(person, assignment.task.project_id)


def may_review(person: Person, assignment: Assignment) -> bool:
    """Whether the person may accept or return this assignment."""
    project = assignment.task.project
    is_own = assignment.person_id == person.pk
    return projects_overseen_by(person).filter(pk=project.pk).exists() and (project.reviews_own or not is_own)


def may_manage(person: Person, assignment: Assignment) -> bool:
    """Whether the person gives out the cases of this assignment's project."""
    return projects_managed_by(person).filter(pk=assignment.task.project_id).exists()


def series_for(person: Person, series_id: uuid.UUID) -> Series | None:
    """The series, or None where the person does not reach it or there is none."""
    overseen = Task.objects.filter(project__in=projects_overseen_by(person))
    given = Task.objects.filter(project__in=projects_of(person), assignments__person=person.pk)
    return Series.objects.filter(Q(tasks__in=overseen) | Q(tasks__in=given), pk=series_id).first()


def _projects(person: Person, roles: tuple[str, ...]) -> QuerySet[Project]:
    if administers(person):
        return Project.objects.all()
    return _joined(person, roles)


def _joined(person: Person, roles: tuple[str, ...]) -> QuerySet[Project]:
    """The projects in which the person has one of the roles."""
    if not _is_active(person):
        return Project.objects.none()
    return Project.objects.filter(pk__in=Membership.objects.filter(person=person.pk, role__in=roles).values("project"))


def _is_active(person: Person) -> bool:
    return person.is_authenticated and person.is_active
