"""Every refusal as `{"error": sentence}`, whoever it comes from."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import ProtectedError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from annotator.accounts.directory import AdminRefused
from annotator.annotation.assign import AssignRefused
from annotator.annotation.comments import CommentRefused
from annotator.annotation.labelsets import LabelRefused
from annotator.annotation.people import PeopleRefused
from annotator.annotation.progress import MoveRefused
from annotator.annotation.projects import ProjectRefused
from annotator.studies import uploads


class Conflict(ValueError):
    """A sentence why what is asked for cannot be, things being as they are."""


CONFLICTS = (
    Conflict,
    AdminRefused,
    AssignRefused,
    CommentRefused,
    LabelRefused,
    MoveRefused,
    PeopleRefused,
    ProjectRefused,
)


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler; None leaves what nobody foresaw to Django's log and its 500."""
    status, sentence = _read(error)
    if status is None:
        return None
    set_rollback()
    headers = {}
    if isinstance(error, exceptions.APIException):
        if challenge := getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = challenge
        if wait := getattr(error, "wait", None):
            headers["Retry-After"] = str(int(wait))
    return Response({"error": _writable(sentence)}, status=status, headers=headers)


def _read(error: Exception) -> tuple[int | None, str]:
    if isinstance(error, CONFLICTS):
        return 409, str(error)
    if isinstance(error, ProtectedError):
        return 409, _("People have worked on this, so it stays.")
    if isinstance(error, Http404):
        return 404, str(error) or _("There is nothing at this address.")
    if isinstance(error, PermissionDenied):
        return 403, str(error) or _("You may not do this.")
    if isinstance(error, exceptions.APIException):
        return error.status_code, sentence_of(error.detail)
    if why_not := uploads.why_not(error):
        return 400, why_not
    return None, ""


def sentence_of(detail: Any, field: str = "") -> str:
    """The first of DRF's nested details, with the path of the field that it is about."""
    if isinstance(detail, dict):
        name, inner = next(iter(detail.items()))
        name = "" if name == "non_field_errors" else str(name)
        return sentence_of(inner, ".".join(part for part in (field, name) if part))
    if isinstance(detail, list):
        return sentence_of(next(one for one in detail if one), field)
    return f"{field}: {detail}" if field else str(detail)


def _writable(sentence: str) -> str:
    """What was asked for may be quoted, and may hold what no encoding writes."""
    return sentence.encode(errors="replace").decode()
