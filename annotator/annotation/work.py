"""What there is to do for a person, what they have done, and what goes on in the projects that they oversee."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Case, Count, Exists, F, IntegerField, Max, OuterRef, QuerySet, Subquery, Sum, Value, When
from django.utils import timezone

from annotator.annotation import access, assign, gold
from annotator.annotation.models import Assignment, Effort, Interaction, Project, SliceMask, Transition
from annotator.spans import midnight, monday

S = Assignment.State
TO_DO = (S.RETURNED, S.IN_PROGRESS, S.ASSIGNED)
DONE = (S.SUBMITTED, S.SKIPPED, S.ACCEPTED)
WEEKS = 8
LATELY = 20


def own_cases(person: access.Person, states: Iterable[str], project_id: int | None = None) -> QuerySet[Assignment]:
    """The person's cases in these states, of one project where it is given: in the states' order, then by urgency."""
    own = access.assignments_of(person).filter(person=person.pk, state__in=states)
    if project_id is not None:
        own = own.filter(task__project=project_id)
    rank = Case(*(When(state=state, then=Value(i)) for i, state in enumerate(states)), output_field=IntegerField())
    return own.order_by(rank, F("task__due_on").asc(nulls_last=True), "-task__priority", "-pk")


def counts(person: access.Person, project_id: int | None = None) -> Counter[str]:
    """How many cases the person has in which state."""
    own = own_cases(person, S.values, project_id).order_by()
    return Counter(dict(own.values_list("state").annotate(n=Count("pk"))))


def show_progress(cases: Iterable[Assignment]) -> list[Assignment]:
    """Give each case `slices_done`, slices with a mask, and `touched_at`, its last interaction, None before the first."""
    cases = list(cases)
    masks = SliceMask.objects.filter(assignment=OuterRef("pk"), pixels__gt=0).order_by().values("assignment")
    last = Interaction.objects.filter(assignment=OuterRef("pk")).order_by("-sequence").values("created_at")[:1]
    rows = Assignment.objects.filter(pk__in=[case.pk for case in cases]).order_by()
    slices = Subquery(masks.annotate(n=Count("z", distinct=True)).values("n"))
    found = {pk: (done or 0, at) for pk, done, at in rows.values_list("pk", slices, Subquery(last))}
    for case in cases:
        vars(case)["slices_done"], vars(case)["touched_at"] = found.get(case.pk, (0, None))
    return cases


def queues(person: access.Person) -> list[Project]:
    """The projects in which a case waits that the person has not had."""
    turns = gold.projects_with_turn(person)
    joined = access.memberships_of(person).order_by("project__name")
    return [one.project for one in joined if one.project_id in turns or assign.waiting_for_member(one).exists()]


@dataclass(frozen=True)
class Week:
    """What a person handed in from this Monday on, and the minutes that it took them."""

    monday: date
    cases: int
    minutes: float


def pace(person: access.Person) -> list[Week]:
    """The last eight weeks, the oldest first; nothing where the person handed nothing in. A case counts once, when it was last
    submitted."""
    first = monday(timezone.localdate()) - timedelta(weeks=WEEKS - 1)
    submitted = Transition.objects.filter(assignment__person=person.pk, after=S.SUBMITTED).order_by()
    last = submitted.values("assignment").annotate(at=Max("at")).filter(at__gte=midnight(first))
    seconds = Effort.objects.filter(assignment=OuterRef("assignment")).order_by().values("assignment")
    rows = last.values_list("at", Subquery(seconds.annotate(s=Sum("seconds")).values("s")))
    cases: Counter[date] = Counter()
    minutes: defaultdict[date, float] = defaultdict(float)
    for at, cost in rows:
        week = monday(timezone.localtime(at).date())
        cases[week] += 1
        minutes[week] += (cost or 0.0) / 60
    weeks = [first + timedelta(weeks=n) for n in range(WEEKS)] if cases else []
    return [Week(week, cases[week], minutes[week]) for week in weeks]


@dataclass(frozen=True)
class ProjectWork:
    """A project that the person oversees, and how many of its cases are in which state."""

    project: Project
    managed: bool
    cases: dict[str, int]


def overseen_projects(person: access.Person) -> list[ProjectWork]:
    """The projects all of whose cases the person sees. Checks are nobody's business there."""
    managed = Exists(access.projects_managed_by(person).filter(pk=OuterRef("pk")))
    projects = access.projects_overseen_by(person).annotate(is_managed=managed)
    readings = Assignment.objects.filter(
        task__project__in=projects.values("pk"), kind=Assignment.Kind.READING
    ).order_by()
    cases: dict[int, dict[str, int]] = {}
    for project, state, n in readings.values_list("task__project", "state").annotate(n=Count("pk")):
        cases.setdefault(project, {})[state] = n
    return [ProjectWork(project, project.is_managed, cases.get(project.pk, {})) for project in projects]


def lately(person: access.Person, projects: Iterable[Project]) -> list[Assignment]:
    """The cases of these projects that moved last, or are newest, with `moved_at`; those that the person may open."""
    wanted = [project.pk for project in projects]
    moved = Transition.objects.filter(assignment__task__project__in=wanted).order_by("-pk")[: 5 * LATELY]
    moved_at: dict[int, datetime | None] = {}
    for pk, at in moved.values_list("assignment", "at"):
        moved_at.setdefault(pk, at)
    if len(moved_at) < LATELY:
        newest = Assignment.objects.filter(task__project__in=wanted).order_by("-pk")[:LATELY]
        for pk in newest.values_list("pk", flat=True):
            moved_at.setdefault(pk, None)
    cases = access.assignments_of(person).in_bulk(list(moved_at))
    found = [cases[pk] for pk in moved_at if pk in cases][:LATELY]
    for case in found:
        vars(case)["moved_at"] = moved_at[case.pk] or case.created_at
    return found
