"""Who reaches what: the one place of these rules, asked by pages, API and socket alike.

| person | reaches | writes | reviews | manages |
|---|---|---|---|---|
| annotator of the project | own assignments and their series | own assignments | nothing | nothing |
| reviewer of the project | all of the project's | own assignments | those of others | nothing |
| manager of the project | all of the project's | own assignments | those of others | the project |
| staff | all of every project's | own assignments, while a member | those of others | every project |
| anybody else, logged out, deactivated | nothing | nothing | nothing | nothing |

Whoever reads a case of which there are several readings, or is measured on a gold case (a check), reaches nothing else of it
until all readings are submitted, or the check is, whatever their role.

What a person does not reach is answered like what does not exist. Own work is written while its state allows it
(`progress.EDITABLE`), and reviewed by oneself only where the project says so.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from annotator.annotation.models import Assignment, Comparison, Membership, Project, Task, Transition
from annotator.events.models import Event
from annotator.studies.models import Series

Person = AbstractBaseUser | AnonymousUser
AssignmentRule = Callable[[Person, Assignment], bool]
_OVERSEERS = (Membership.Role.REVIEWER, Membership.Role.MANAGER)
READ = (Assignment.State.SUBMITTED, Assignment.State.ACCEPTED)


def projects_of(person: Person) -> QuerySet[Project]:
    """The projects that the person is a member of; for staff, all."""
    return _projects(person, tuple(Membership.Role))


def memberships_of(person: Person) -> QuerySet[Membership]:
    """The person's memberships with their projects; none for whoever may not log in any more."""
    joined = Membership.objects.select_related("project")
    return joined.filter(person=person.pk) if _is_active(person) else joined.none()


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
    """Whether the person may make new projects: as staff, or as manager of one already."""
    return administers(person) or projects_managed_by(person).exists()


def series_managed_by(person: Person) -> QuerySet[Series]:
    """The series that the person may bring into other projects that they manage: those of the projects they manage."""
    return Series.objects.filter(pk__in=Task.objects.filter(project__in=projects_managed_by(person)).values("series"))


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
    reached = Assignment.objects.filter(own | Q(task__project__in=projects_overseen_by(person)))
    seen = Q(person=person.pk) | ~Q(task__in=blind_tasks_of(person))
    return reached.filter(seen, IN_HAND).select_related("task__series", "task__project", "person")


IN_HAND = ~Q(kind=Assignment.Kind.CHECK) | Exists(Transition.objects.filter(assignment=OuterRef("pk")))
"""Not a check that only waits for its person's turn (`annotator.annotation.gold`): nobody has that one."""


def blind_tasks_of(person: Person) -> QuerySet[Task]:
    """Tasks of which the person may see no work but their own, lest it sway them."""
    own = Assignment.objects.filter(person=person.pk)
    checks = own.filter(kind=Assignment.Kind.CHECK).exclude(state__in=(*READ, Assignment.State.HANDED_BACK))
    readings = own.filter(kind=Assignment.Kind.READING).exclude(state=Assignment.State.HANDED_BACK)
    several = Task.objects.filter(pk__in=readings.values("task"), readings__gt=1)
    return Task.objects.filter(
        Q(pk__in=checks.values("task")) | Q(pk__in=several.values("pk")) & ~Q(pk__in=all_read(several).values("pk"))
    )


def all_read(tasks: QuerySet[Task]) -> QuerySet[Task]:
    """Those of the tasks all of whose readings are submitted."""
    done = Q(assignments__kind=Assignment.Kind.READING, assignments__state__in=READ)
    return tasks.annotate(read=Count("assignments", filter=done)).filter(read__gte=F("readings"))


def is_read(task_id: int) -> bool:
    """Whether all readings of the task are submitted, so that whoever may see them sees them all."""
    return all_read(Task.objects.filter(pk=task_id)).exists()


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
    if assignment.kind == Assignment.Kind.CHECK:  # measured by a job
        return False
    return projects_overseen_by(person).filter(pk=project.pk).exists() and (project.reviews_own or not is_own)


def reviewable_by(person: Person) -> QuerySet[Assignment]:
    """The submitted cases that wait for this person's review: single readings, their own only where the project says so."""
    waiting = assignments_of(person).filter(
        task__project__in=projects_overseen_by(person),
        task__readings=1,
        kind=Assignment.Kind.READING,
        state=Assignment.State.SUBMITTED,
    )
    return waiting.exclude(person=person.pk, task__project__reviews_own=False)


def may_revise(person: Person, assignment: Assignment) -> bool:
    """Whether the person may edit a copy of this submitted case: who reviews it and belongs to the project."""
    is_waiting = reviewable_by(person).filter(pk=assignment.pk).exists()
    return is_waiting and is_member(person, assignment.task.project_id)


def may_accept(person: Person, assignment: Assignment) -> bool:
    """Whether the person may accept this assignment by itself: of several readings an adjudication decides."""
    return _stands_alone(assignment) and may_review(person, assignment)


def may_take_back(person: Person, assignment: Assignment) -> bool:
    """Whether the person may work on once more what they have submitted: not when the other readings are open to them."""
    return works_on(person, assignment) and (_stands_alone(assignment) or not is_read(assignment.task_id))


def may_adjudicate(person: Person, task: Task) -> bool:
    """Whether the person may decide between the readings of this task: who reviews in its project and read none of them."""
    is_reader = task.assignments.filter(person=person.pk, kind=Assignment.Kind.READING).exists()
    return not is_reader and projects_overseen_by(person).filter(pk=task.project_id).exists()


def _stands_alone(assignment: Assignment) -> bool:
    return assignment.kind != Assignment.Kind.READING or assignment.task.readings == 1


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
