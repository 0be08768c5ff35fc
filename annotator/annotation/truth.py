"""Which of a task's assignments is its ground truth."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, OuterRef, Q, QuerySet, Subquery, When

from annotator.annotation.models import Assignment, Project, Task

_KIND = Assignment.Kind
_RANK = Case(When(kind=_KIND.ADJUDICATION, then=0), When(kind=_KIND.REVISION, then=1), default=2)


def ground_truth(task: Task) -> Assignment | None:
    """The accepted adjudication, else the accepted revision, else the single reading, if that is accepted."""
    return _candidates().filter(task=task.pk).select_related("task__series", "task__project", "person").first()


def tasks_with_truth(project: Project) -> QuerySet[Any]:
    """The project's tasks that have a ground truth, with its number as `truth_id`."""
    best = _candidates().filter(task=OuterRef("pk")).values("pk")[:1]
    return project.tasks.annotate(truth_id=Subquery(best)).exclude(truth_id=None)


def of_project(project: Project) -> QuerySet[Assignment]:
    """The ground truth of each of the project's tasks that has one, in the order of the tasks."""
    best = Assignment.objects.filter(pk__in=[task.truth_id for task in tasks_with_truth(project)])
    return best.select_related("task__series__study", "task__project", "person").order_by("task")


def _candidates() -> QuerySet[Assignment]:
    """The best first; of several readings none is the truth, and a check never is."""
    single = Q(kind=_KIND.READING, task__readings=1)
    accepted = Assignment.objects.filter(state=Assignment.State.ACCEPTED)
    return accepted.filter(single | Q(kind__in=(_KIND.ADJUDICATION, _KIND.REVISION))).order_by(_RANK, "-pk")
