"""The rooms of a project: its pages, who may enter which, and the row of tabs that leads through them.

A page is one function `(request, project) → HttpResponse` under `@room`; whoever may not enter gets a 404, as if there were
no such project.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from annotator.annotation import access
from annotator.annotation.models import Project

Rule = Callable[[access.Person], "QuerySet[Project]"]
Page = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Tab:
    """One of a project's pages: its URL's name, the words on the tab, and whose projects have it."""

    name: str
    title: Any  # translated when it is shown
    rule: Rule


TABS = (
    Tab("project", _("Overview"), access.projects_of),
    Tab("project_cases", _("Cases"), access.projects_managed_by),
    Tab("project_review", _("Review"), access.projects_overseen_by),
    Tab("project_agreement", _("Agreement"), access.projects_overseen_by),
    Tab("project_gold", _("Gold cases"), access.projects_managed_by),
    Tab("project_dashboard", _("Figures"), access.projects_managed_by),
    Tab("project_people", _("People"), access.projects_managed_by),
    Tab("project_labels", _("Labels"), access.projects_managed_by),
    Tab("project_settings", _("Settings"), access.projects_managed_by),
    Tab("project_audit", _("Record"), access.projects_managed_by),
)


def room(rule: Rule) -> Callable[[Page], Page]:
    """Make a view of `page(request, project, …)` for `<int:project_id>`, for those whose projects `rule` gives."""

    def make(page: Page) -> Page:
        @wraps(page)
        def view(request: HttpRequest, project_id: int, *args: Any, **kwargs: Any) -> HttpResponseBase:
            project = rule(request.user).filter(pk=project_id).first()
            if project is None:
                raise Http404
            return page(request, project, *args, **kwargs)

        return view

    return make


def show(
    request: HttpRequest, project: Project, template: str, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """Render a project's page, which extends `projects/base.html`."""
    whole = {"project": project, "tabs": tabs(request, project), **(context or {})}
    return render(request, template, whole, status=status)


def tabs(request: HttpRequest, project: Project) -> list[dict[str, Any]]:
    """The tabs that the person may open; `here` marks the one of this page and of the pages below it."""
    allowed = _allowed(request, project)
    mine = [(tab.title, reverse(tab.name, args=[project.pk])) for tab in TABS if tab.rule in allowed]
    found: list[dict[str, Any]] = [{"title": title, "url": url, "here": False} for title, url in mine]
    inside = [tab for tab in found if request.path.startswith(tab["url"])]
    if inside:
        max(inside, key=lambda tab: len(tab["url"]))["here"] = True
    return found


def _allowed(request: HttpRequest, project: Project) -> set[Rule]:
    """The rules of tabs whose projects have this one among them, asked all at once."""
    rules = list(dict.fromkeys(tab.rule for tab in TABS))
    holds = [Exists(rule(request.user).filter(pk=OuterRef("pk"))) for rule in rules]
    answers = Project.objects.filter(pk=project.pk).values_list(*holds).get()
    return {rule for rule, holds_here in zip(rules, answers, strict=True) if holds_here}
