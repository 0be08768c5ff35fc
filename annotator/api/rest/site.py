"""Calls about the site and oneself."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import health
from annotator.api.models import ApiToken
from annotator.api.rest import serializers as show
from annotator.api.rest.calls import Call


class Health(Call):
    """Whether clicks can be served; asks for no log-in."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @extend_schema(responses={200: show.Health, 503: show.Health})
    def get(self, request: Request) -> Response:
        parts = health.parts()
        return Response(parts, status=200 if parts["status"] == "ok" else 503)


class Me(Call):
    """Whoever asks, and what the token may do."""

    @extend_schema(responses=show.Me)
    def get(self, request: Request) -> Response:
        token = request.auth
        scopes = token.scopes if isinstance(token, ApiToken) else ApiToken.Scope.values
        fields = ("id", "username", "first_name", "last_name", "email", "is_staff")
        return Response({**{name: getattr(self.person, name) for name in fields}, "scopes": scopes})
