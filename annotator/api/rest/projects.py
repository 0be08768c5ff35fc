"""Calls about projects and their labels."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.annotation import access
from annotator.annotation.models import Label, Membership, Project
from annotator.api.rest import serializers as show
from annotator.api.rest.calls import Call
from annotator.api.rest.errors import Conflict
from annotator.events import audit


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
            raise PermissionDenied("Only who manages a project already may make one, or an admin.")
        fields = self.body(show.ProjectFields)
        with _unique(f"There is a project {fields['name']} already."), transaction.atomic():
            made = Project.objects.create(**fields)
            Membership.objects.create(project=made, person=self.person, role=Membership.Role.MANAGER)
            audit.note(self.person, "made", made, made.pk)
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
        fields = self.body(show.ProjectFields, project)
        with _unique(f"There is a project {fields.get('name')} already."):
            _change(self, project, fields, project.pk)
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
        fields = self.body(show.LabelFields)
        with _unique(_TAKEN), transaction.atomic():
            made = Label.objects.create(project=project, **fields)
            audit.note(self.person, "made", made, project.pk)
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
        fields = self.body(show.LabelFields, label)
        with _unique(_TAKEN):
            _change(self, label, fields, project_id)
        return self.show(show.LabelFields, label)

    @extend_schema(responses={204: OpenApiResponse(description="It is gone.")})
    def delete(self, request: Request, project_id: int, label_id: int) -> Response:
        """Delete a label that nobody has used."""
        label = self.find(self.managed(project_id).labels.all(), pk=label_id)
        with transaction.atomic():
            audit.note(self.person, "deleted", label, project_id)
            label.delete()
        return Response(status=204)


_TAKEN = "Another label of this project has this name or this value."


class _unique:
    """What the database does not take twice is a Conflict with this sentence."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, IntegrityError):
            raise Conflict(self.sentence) from error


def _change(call: Call, thing: Project | Label, fields: dict[str, Any], project_id: int) -> None:
    with transaction.atomic():
        for name, value in fields.items():
            setattr(thing, name, value)
        thing.save(update_fields=list(fields))
        audit.note(call.person, "changed", thing, project_id, fields=sorted(fields))
