"""Who may call: a token's person within its scopes, or whoever is logged in, so many times a minute."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from annotator.api import tokens
from annotator.api.models import ApiToken


class Bearer(BaseAuthentication):
    """`Authorization: Bearer ann_…`; the token is then `request.auth`."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        kind, _blank, secret = get_authorization_header(request).decode("latin-1").partition(" ")
        if kind.lower() != "bearer":
            return None
        try:
            token = tokens.holder(secret.strip())
        except tokens.TokenRefused as refused:
            raise AuthenticationFailed(str(refused)) from refused
        return token.person, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class WithinScopes(BasePermission):
    """Every scope reads; what else a call does needs the scope that it names in `writes`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user or not request.user.is_authenticated:
            raise NotAuthenticated(_("Log in first, or send a token."))
        if request.method not in SAFE_METHODS:
            need(request, view.writes)
        return True


def need(request: Request, scope: str) -> None:
    """Raises PermissionDenied where the call comes by a token without the scope; a session has them all."""
    if isinstance(request.auth, ApiToken) and scope not in request.auth.scopes:
        raise PermissionDenied(_("This token lacks the scope “%(scope)s”.") % {"scope": scope})


class AlwaysJson(DefaultContentNegotiation):
    """Answers are JSON or a file, whatever the program says that it takes."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type
