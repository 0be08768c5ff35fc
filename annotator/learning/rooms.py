"""The admins' pages about models: who may enter, and the row of tabs that leads through them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from annotator.annotation import access

Page = Callable[..., HttpResponseBase]

TABS = (
    ("models", _("Versions")),
    ("training_runs", _("Training")),
    ("evaluations", _("Evaluations")),
    ("patients", _("Patients")),
    ("learning_rules", _("Rules")),
)
"""Names of addresses, and the words on the tabs."""


def for_admins(page: Page) -> Page:
    """Make a view of a page for admins; whoever else comes gets a 404, as if there were no such page."""

    @wraps(page)
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not access.administers(request.user):
            raise Http404
        return page(request, *args, **kwargs)

    return view


def show(request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    """Render a page that extends `learning/base.html`."""
    places = [{"title": title, "url": reverse(name)} for name, title in TABS]
    inside = [tab for tab in places if request.path.startswith(str(tab["url"]))]
    here = max(inside, key=lambda tab: len(str(tab["url"])), default=None)
    return render(request, template, {"tabs": places, "here": here, **(context or {})}, status=status)
