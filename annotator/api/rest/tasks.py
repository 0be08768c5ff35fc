"""Calls about tasks, and giving them out."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.annotation import access, assign, cases
from annotator.annotation.models import Project, Task
from annotator.api.models import ApiToken
from annotator.api.rest import serializers as show
from annotator.api.rest.calls import Call
from annotator.api.rest.errors import Conflict
from annotator.api.rest.people import named


class Tasks(Call):
    """A project's tasks: for reviewers and managers all, else those of your cases."""

    @extend_schema(parameters=[show.TaskFilters], responses=show.TaskFields(many=True))
    def get(self, request: Request, project_id: int) -> Response:
        project = self.find(access.projects_of(self.person), pk=project_id)
        rows = access.tasks_of(self.person).filter(project=project)
        return self.pages(show.TaskFields, self._filtered(rows, project, self.query(show.TaskFilters)))

    def _filtered(self, rows: QuerySet[Task], project: Project, asked: dict[str, Any]) -> QuerySet[Task]:
        seen = access.assignments_of(self.person)
        if "series" in asked:
            rows = rows.filter(series=asked["series"])
        if "person" in asked:
            rows = rows.filter(pk__in=seen.filter(person__username=asked["person"]).values("task"))
        if "state" in asked:
            rows = rows.filter(pk__in=seen.filter(state=asked["state"]).values("task"))
        if asked["waiting"]:
            rows = rows.filter(pk__in=assign.waiting(project).values("pk"))
        if "due_before" in asked:
            rows = rows.filter(due_on__lt=asked["due_before"])
        return rows.order_by("pk")

    @extend_schema(request=show.NewTask, responses={201: show.TaskFields})
    def post(self, request: Request, project_id: int) -> Response:
        """Make a task of a series of any project that you manage."""
        project, fields = self.managed(project_id), self.body(show.NewTask)
        series = self.find(access.series_managed_by(self.person), pk=fields.pop("series_id"))
        with transaction.atomic():
            new = cases.add_series(project, [series.pk], self.person)
            if not new:
                sentence = _("%(series)s is a case of %(project)s already.")
                raise Conflict(sentence % {"series": series, "project": project})
            if fields:
                cases.plan(new, self.person, timezone.localdate(), **fields)
        return self.show(show.TaskFields, new[0], 201)


class OneTask(Call):
    """One task."""

    @extend_schema(responses=show.TaskFields)
    def get(self, request: Request, task_id: int) -> Response:
        return self.show(show.TaskFields, self.find(access.tasks_of(self.person), pk=task_id))

    @extend_schema(request=show.TaskFields, responses=show.TaskFields)
    def patch(self, request: Request, task_id: int) -> Response:
        """Another priority, due date, skill or number of readings."""
        task = self._managed_task(task_id)
        cases.plan([task], self.person, timezone.localdate(), **self.body(show.TaskFields, task))
        return self.show(show.TaskFields, task)

    def _managed_task(self, task_id: int) -> Task:
        managed = access.projects_managed_by(self.person)
        return self.find(access.tasks_of(self.person).filter(project__in=managed), pk=task_id)


class TaskAssignments(OneTask):
    """The people who have a task."""

    http_method_names = ("get", "post", "options")

    @extend_schema(responses=show.AssignmentFields(many=True))
    def get(self, request: Request, task_id: int) -> Response:
        task = self.find(access.tasks_of(self.person), pk=task_id)
        return self.pages(show.AssignmentFields, access.assignments_of(self.person).filter(task=task))

    @extend_schema(request=show.Named, responses={201: show.AssignmentFields})
    def post(self, request: Request, task_id: int) -> Response:
        """Give the task to a member; whoever has it already keeps it."""
        task = self._managed_task(task_id)
        (person,) = named(task.project, [self.body(show.Named)["person"]])
        return self.show(show.AssignmentFields, assign.give(task, person, self.person), 201)


class SpreadTasks(Call):
    """Tasks for several people."""

    pagination_class = None

    @extend_schema(request=show.Spread, responses={201: show.AssignmentFields(many=True)})
    def post(self, request: Request, project_id: int) -> Response:
        """Give each task to whoever of the people has least to do; all of them or none."""
        project, asked = self.managed(project_id), self.body(show.Spread)
        people = named(project, asked["people"])
        made = assign.spread(_chosen(project, asked.get("tasks")), people, self.person)
        shown = show.AssignmentFields(made, many=True, context={"person": self.person})
        return Response(shown.data, status=201)


class Next(Call):
    """The case to work on next."""

    writes = ApiToken.Scope.WORK

    @extend_schema(request=None, responses=show.AssignmentFields)
    def post(self, request: Request, project_id: int) -> Response:
        """Your returned or unfinished case first, else the most urgent one that waits, which is yours then."""
        project = self.find(access.projects_worked_on_by(self.person), pk=project_id)
        case = assign.next_case(project, self.person)
        if case is None:
            raise Conflict(_("No case of %(project)s waits for you.") % {"project": project})
        return self.show(show.AssignmentFields, case)


def _chosen(project: Project, numbers: list[int] | None) -> list[Task]:
    if numbers is None:
        return list(assign.waiting(project)[: show.MOST_AT_ONCE])
    found = project.tasks.in_bulk(numbers)
    for number in numbers:
        if number not in found:
            sentence = _("There is no task %(number)d in %(project)s.")
            raise Conflict(sentence % {"number": number, "project": project})
    return list(found.values())
