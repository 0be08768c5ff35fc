"""Nothing is seen without a log-in unless a view says so: pages lead to the log-in page, the API answers 401."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseRedirect, JsonResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from annotator.annotation import access
from annotator.events import notices

THEMES = {"auto": _("System colours"), "dark": _("Dark"), "light": _("Light")}


class LoginRequired(LoginRequiredMiddleware):
    """Django's middleware, with an answer that programs understand below `/api/`."""

    def handle_no_permission(  # type: ignore[override]  # Django's stubs know of redirects only
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseRedirect | JsonResponse:
        if request.path.startswith("/api/"):
            return JsonResponse({"error": gettext("Log in first.")}, status=401)
        return super().handle_no_permission(request, view_func)


def person_of(request: HttpRequest) -> User:
    """Whoever asks; behind the log-in it is a person."""
    assert isinstance(request.user, User)
    return request.user


def context(request: HttpRequest) -> dict[str, Any]:
    """What every page's header needs."""
    theme = request.COOKIES.get("theme", "auto")
    return {
        "debug_site": settings.DEBUG,
        "manages": access.projects_managed_by(request.user).exists(),
        "unseen": notices.unseen(request.user).count() if isinstance(request.user, User) else 0,
        "theme": theme if theme in THEMES else "auto",
        "themes": THEMES.items(),
    }
