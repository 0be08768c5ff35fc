"""Calls about projects and their labels."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.annotation import access, labelsets, projects
from annotator.api.rest import serializers as show
from annotator.api.rest.calls import Call


class Projects(Call):
    """The projects that you belong to; for an admin, all."""

    @extend_schema(parameters=[show.ProjectFilters], responses=show.ProjectFields(many=True))
    def get(self, request: Request) -> Response:
        asked = self.query(show.ProjectFilters)
        rows = access.projects_of(self.person)
        if "name" in asked:
            rows = rows.filter(name=asked["name"])
        if asked["archived"] is not None:
            rows = rows.filter(archived_at__isnull=not asked["archived"])
        return self.pages(show.ProjectFields, rows)

    @extend_schema(request=show.ProjectFields, responses={201: show.ProjectFields})
    def post(self, request: Request) -> Response:
        """Make a project, whose manager you are then."""
        if not access.may_create_projects(self.person):
            raise PermissionDenied(_("Only who manages a project already may make one, or an admin."))
        made = projects.create(self.person, **self.body(show.ProjectFields))
        return self.show(show.ProjectFields, made, 201)


class OneProject(Call):
    """A project's guidelines and rules."""

    @extend_schema(responses=show.ProjectFields)
    def get(self, request: Request, project_id: int) -> Response:
        return self.show(show.ProjectFields, self.find(access.projects_of(self.person), pk=project_id))

    @extend_schema(request=show.ProjectFields, responses=show.ProjectFields)
    def patch(self, request: Request, project_id: int) -> Response:
        """Change some of it."""
        project = self.managed(project_id)
        projects.change(project, self.person, **self.body(show.ProjectFields, project))
        return self.show(show.ProjectFields, project)


class Labels(Call):
    """A project's label set."""

    @extend_schema(responses=show.LabelFields(many=True))
    def get(self, request: Request, project_id: int) -> Response:
        project = self.find(access.projects_of(self.person), pk=project_id)
        return self.pages(show.LabelFields, project.labels.all())

    @extend_schema(request=show.LabelFields, responses={201: show.LabelFields})
    def post(self, request: Request, project_id: int) -> Response:
        """Add a label."""
        project = self.managed(project_id)
        made = labelsets.add(project, self.person, **self.body(show.LabelFields))
        return self.show(show.LabelFields, made, 201)


class OneLabel(Call):
    """One label of a project."""

    @extend_schema(responses=show.LabelFields)
    def get(self, request: Request, project_id: int, label_id: int) -> Response:
        project = self.find(access.projects_of(self.person), pk=project_id)
        return self.show(show.LabelFields, self.find(project.labels.all(), pk=label_id))

    @extend_schema(request=show.LabelFields, responses=show.LabelFields)
    def patch(self, request: Request, project_id: int, label_id: int) -> Response:
        """Change some of it."""
        label = self.find(self.managed(project_id).labels.all(), pk=label_id)
        labelsets.change(label, self.person, **self.body(show.LabelFields, label))
        return self.show(show.LabelFields, label)

    @extend_schema(responses={204: OpenApiResponse(description="It is gone.")})
    def delete(self, request: Request, project_id: int, label_id: int) -> Response:
        """Delete a label that nobody has used."""
        label = self.find(self.managed(project_id).labels.all(), pk=label_id)
        labelsets.delete(label, self.person)
        return Response(status=204)
