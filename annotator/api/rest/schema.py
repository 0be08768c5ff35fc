"""The OpenAPI description of the calls, as JSON and as a page."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

METHODS = ("get", "post", "patch", "delete")


@cache
def description() -> dict[str, Any]:
    """The OpenAPI document; it is the same for everybody."""
    from annotator.api.rest import urls

    found: dict[str, Any] = SchemaGenerator(patterns=urls.described()).get_schema(public=True)
    return found


@login_not_required
@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """The document for programs."""
    return JsonResponse(description())


@login_not_required
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The document for people."""
    return render(request, "accounts/api.html", {"groups": _groups(), "about": description()["info"]["description"]})


def _groups() -> dict[str, list[dict[str, Any]]]:
    """Operations by what they are about, in the order of their addresses."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, operations in sorted(description()["paths"].items()):
        for method in METHODS:
            if operation := operations.get(method):
                groups.setdefault(operation["tags"][0], []).append(_operation(path, method, operation))
    return groups


def _operation(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    bodies = operation.get("requestBody", {}).get("content", {})
    return {
        "path": path,
        "method": method.upper(),
        "description": operation.get("description", ""),
        "query": [one for one in operation.get("parameters", []) if one["in"] == "query"],
        "fields": next((_fields(body["schema"]) for body in bodies.values()), []),
    }


def _fields(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields of a body, each with its name and whether it must be there."""
    component = description()["components"]["schemas"].get(body.get("$ref", "").rpartition("/")[2], body)
    required = component.get("required", [])
    return [{"name": name, "required": name in required} for name in component.get("properties", {})]
