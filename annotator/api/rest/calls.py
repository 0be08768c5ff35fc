"""What all calls have in common: find or 404, read the body or the query, show one thing or a page of many."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.annotation import access
from annotator.annotation.models import Project
from annotator.api.models import ApiToken

M = TypeVar("M", bound=Model)


class Pages(PageNumberPagination):
    """`?page=2` and so on, a hundred on each."""

    page_size = 100
    page_query_description = "which hundred of them, from 1"
    invalid_page_message = gettext_lazy("There is no such page.")  # type: ignore[assignment]  # the stubs know of str only


class Call(GenericAPIView):
    """One address. `writes` is the scope that a token needs for anything but reading."""

    writes: str = ApiToken.Scope.MANAGE
    pagination_class: type[Pages] | None = Pages
    queryset = Project.objects.none()  # asked for by GenericAPIView; calls find their own
    serializer_class = serializers.Serializer
    request: Request

    @property
    def person(self) -> User:
        """Whoever asks; behind the door it is a person."""
        assert isinstance(self.request.user, User)
        return self.request.user

    def find(self, rows: QuerySet[M], **by: Any) -> M:
        """The row, or a 404 for what is not there and for what one may not see alike."""
        found = rows.filter(**by).first()
        if found is None:
            raise Http404(_("There is no such %(thing)s.") % {"thing": rows.model._meta.verbose_name})
        return found

    def managed(self, project_id: int) -> Project:
        """A project that the person manages, or a 404."""
        return self.find(access.projects_managed_by(self.person), pk=project_id)

    def body(self, of: type[serializers.Serializer], instance: Model | None = None) -> dict[str, Any]:
        """What was sent, checked; with an `instance` any part of it."""
        return self._checked(
            of(instance, data=self.request.data, partial=instance is not None, context=self._context())
        )

    def query(self, of: type[serializers.Serializer]) -> dict[str, Any]:
        """What stands behind the question mark, checked."""
        return self._checked(of(data=self.request.query_params))

    def show(self, of: type[serializers.Serializer], thing: Any, status: int = 200) -> Response:
        """One thing."""
        return Response(of(thing, context=self._context()).data, status=status)

    def pages(self, of: type[serializers.Serializer], rows: QuerySet[Any]) -> Response:
        """A page of many."""
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(of(page, many=True, context=self._context()).data)

    def _checked(self, serializer: serializers.Serializer) -> dict[str, Any]:
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def _context(self) -> dict[str, Any]:
        """Serializers ask for the person, as answers differ by who asks."""
        return {"person": self.person}


class Nowhere(Call):
    """Every other address."""

    @extend_schema(exclude=True)
    def get(self, request: Request, rest: str) -> Response:
        raise Http404

    post = put = patch = delete = get
