"""The figures of a project for its managers: three pages of tables with charts, each table as a file too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from annotator import tables
from annotator.annotation import access
from annotator.annotation.dashboard import FIGURES, Figures
from annotator.annotation.models import Project
from annotator.events import audit
from annotator.login import person_of
from annotator.projects.rooms import room, show
from annotator.spans import Span

DAYS = 28
MOST_DAYS = 3 * 366
PAGES = (
    ("project_dashboard", _("Progress")),
    ("project_dashboard_people", _("People")),
    ("project_dashboard_effort", _("Effort and agreement")),
)


class SpanForm(forms.Form):
    """From which day to which; the last four weeks where nothing is said."""

    first = forms.DateField(label=_("From"), required=False)
    last = forms.DateField(label=_("Until"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})

    def clean(self) -> dict[str, Any]:
        span = self._said(self.cleaned_data)
        if span.last < span.first:
            raise forms.ValidationError(_("The first day comes after the last."))
        if (span.last - span.first).days > MOST_DAYS:
            raise forms.ValidationError(_("Three years is the most that can be shown."))
        return {"span": span}

    def span(self) -> Span:
        """What was asked for, or the last four weeks where that makes no sense."""
        return self.cleaned_data["span"] if self.is_valid() else Span.latest(DAYS)

    @staticmethod
    def _said(given: dict[str, date | None]) -> Span:
        usual = Span.latest(DAYS)
        first, last = given.get("first"), given.get("last")
        last = last or max(usual.last, first or usual.last)
        return Span(first or min(usual.first, last), last)


@require_safe
@room(access.projects_managed_by)
def progress(request: HttpRequest, project: Project) -> HttpResponse:
    """How far it is and how fast it goes."""
    return _page(request, project, ("progress", "throughput", "due", "ageing", "oldest"), with_standing=True)


@require_safe
@room(access.projects_managed_by)
def people(request: HttpRequest, project: Project) -> HttpResponse:
    """Who holds and does what."""
    return _page(request, project, ("people",))


@require_safe
@room(access.projects_managed_by)
def effort(request: HttpRequest, project: Project) -> HttpResponse:
    """What it costs, and how far readings agree."""
    return _page(request, project, ("labels", "versions", "agreement"))


@require_safe
@room(access.projects_managed_by)
def figure(request: HttpRequest, project: Project, name: str) -> HttpResponse:
    """One of the tables as CSV."""
    if name not in FIGURES:
        raise Http404
    table = FIGURES[name](Figures(project, SpanForm(request.GET).span()))
    audit.note(person_of(request), "exported", project, project.pk, what=f"figures: {name}")
    return tables.download(tables.to_csv(table.head, table.plain()), f"{name}.csv")


def _page(request: HttpRequest, project: Project, names: Sequence[str], with_standing: bool = False) -> HttpResponse:
    form = SpanForm(request.GET or None)
    figures = Figures(project, form.span())
    context = {
        "form": form,
        "span": figures.span,
        "standing": figures.standing() if with_standing else None,
        "tables": [FIGURES[name](figures) for name in names],
        "pages": PAGES,
        "here": request.resolver_match.url_name if request.resolver_match else "",
    }
    is_wrong = form.is_bound and not form.is_valid()
    return show(request, project, "projects/dashboard.html", context, 400 if is_wrong else 200)
