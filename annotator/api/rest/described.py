"""How a call is described: its refusals, and the scope that it needs.

DRF loads this while its own views are loading, so nothing that imports them belongs here.
"""

from __future__ import annotations

from typing import Any, Literal

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

REFUSALS = {
    "400": "What was sent cannot be read or is not allowed.",
    "401": "Neither a log-in nor a token that is good.",
    "403": "The token or the person may not do this.",
    "404": "It does not exist, or is not to be seen by the person.",
    "405": "Nothing does this here.",
    "409": "As things are, this cannot be.",
    "415": "The body is in no form that is read here.",
    "429": "Too many requests; `Retry-After` says for how many seconds.",
}


class Error(serializers.Serializer):
    """One sentence that says why not."""

    error = serializers.CharField()


class Described(AutoSchema):
    """DRF's calls as OpenAPI, with the refusals that each may answer, and the scope that it needs."""

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular's own signature
        words = super().get_description()
        writes = getattr(self.view, "writes", None)
        return words if self.method == "GET" or not writes else f"{words}\n\nNeeds the scope “{writes}”.".strip()

    def _get_serializer_name(self, *args: Any, **kwargs: Any) -> str:
        return str(super()._get_serializer_name(*args, **kwargs)).replace("Fields", "")

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for code, meaning in REFUSALS.items():
            if code not in bodies:
                bodies[code] = {**self._get_response_for_code(Error, code), "description": meaning}
        return bodies


class BearerScheme(OpenApiAuthenticationExtension):
    """How a token is sent."""

    target_class = "annotator.api.rest.doors.Bearer"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer"}
