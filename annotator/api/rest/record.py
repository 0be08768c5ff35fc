"""Calls about agreement and about the audit record; both are only read."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.annotation import access
from annotator.api.rest import serializers as show
from annotator.api.rest.calls import Call


class Comparisons(Call):
    """How far the readers of a project's tasks agree; for its reviewers and managers."""

    @extend_schema(responses=show.ComparisonFields(many=True))
    def get(self, request: Request, project_id: int) -> Response:
        project = self.find(access.projects_overseen_by(self.person), pk=project_id)
        rows = access.comparisons_of(self.person).filter(first__task__project=project)
        return self.pages(show.ComparisonFields, rows.select_related("first"))


class Agreements(Call):
    """The figures of a comparison, for every label and slice; `z` is null for the whole volume."""

    @extend_schema(parameters=[show.AgreementFilters], responses=show.AgreementFields(many=True))
    def get(self, request: Request, comparison_id: int) -> Response:
        asked = self.query(show.AgreementFilters)
        rows = self.find(access.comparisons_of(self.person), pk=comparison_id).agreements.select_related("label")
        return self.pages(show.AgreementFields, rows.filter(z=None) if asked["volumes"] else rows)


class Events(Call):
    """The audit record: of the projects that you manage; for an admin, all of it."""

    @extend_schema(parameters=[show.EventFilters], responses=show.EventFields(many=True))
    def get(self, request: Request) -> Response:
        asked = self.query(show.EventFilters)
        fields = {"project": "project_id", "since": "at__gte", "until": "at__lte"}
        wanted = {fields.get(name, name): value for name, value in asked.items()}
        return self.pages(show.EventFields, access.events_of(self.person).filter(**wanted))
