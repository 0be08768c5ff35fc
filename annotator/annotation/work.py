"""What there is to do for a person: cases with their progress: returned ones first, then the most recently touched."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery

from annotator.annotation import access, assign, gold
from annotator.annotation.models import Assignment, Interaction, Project

S = Assignment.State
ORDER: list[str] = [S.RETURNED, S.IN_PROGRESS, S.ASSIGNED, S.SUBMITTED, S.SKIPPED, S.ACCEPTED]


@dataclass(frozen=True)
class ProjectWork:
    """A project and those of its cases that its reviewers and managers see."""

    project: Project
    managed: bool
    cases: list[Assignment]


def own_cases(person: access.Person) -> list[Assignment]:
    """The cases that the person has, returned ones first, with `slices_done` and `touched_at`."""
    own = access.assignments_of(person).filter(person=person.pk).exclude(state=Assignment.State.HANDED_BACK)
    return gold.with_scores(sorted(_with_progress(own), key=lambda case: ORDER.index(case.state)))


def queues(person: access.Person) -> list[Project]:
    """The projects in which a case waits that the person has not had."""
    projects = access.projects_worked_on_by(person)
    return [one for one in projects if gold.has_turn(one, person) or assign.waiting_for(person, one).exists()]


def overseen_projects(person: access.Person) -> list[ProjectWork]:
    """The projects all of whose cases the person sees, with everybody's cases."""
    projects = access.projects_overseen_by(person)
    managed = set(access.projects_managed_by(person).values_list("pk", flat=True))
    cases: dict[int, list[Assignment]] = {}
    for case in _with_progress(access.assignments_of(person).filter(task__project__in=projects)):
        cases.setdefault(case.task.project_id, []).append(case)
    return [ProjectWork(project, project.pk in managed, cases.get(project.pk, [])) for project in projects]


def _with_progress(cases: QuerySet[Assignment]) -> QuerySet[Assignment]:
    """`slices_done`: slices with a mask; `touched_at`: the last interaction, None before the first."""
    done = Count("masks__z", distinct=True, filter=Q(masks__pixels__gt=0))
    last = Interaction.objects.filter(assignment=OuterRef("pk")).order_by("-sequence").values("created_at")[:1]
    return cases.annotate(slices_done=done, touched_at=Subquery(last)).order_by(
        F("touched_at").desc(nulls_last=True), "pk"
    )
