"""The audit record of a project, for its managers, and of the whole site, for its admins."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from annotator import tables
from annotator.annotation import access
from annotator.annotation.models import Project
from annotator.events import audit
from annotator.events.models import Event
from annotator.login import person_of
from annotator.projects.rooms import room, show

PAGE = 100
MOST = 100_000  # lines of one file


class SearchForm(forms.Form):
    """What is looked for; the fields of `audit.Search`."""

    person = forms.CharField(label=_("Person"), required=False, max_length=150)
    verb = forms.CharField(label=_("Deed"), required=False, max_length=32)
    kind = forms.CharField(label=_("Kind of thing"), required=False, max_length=32)
    text = forms.CharField(label=_("Thing"), required=False, max_length=100)
    since = forms.DateField(label=_("From"), required=False)
    until = forms.DateField(label=_("Until"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["verb"].widget.attrs["list"] = "verbs"
        for name in ("person", "verb", "kind", "text"):
            self.fields[name].widget.attrs["size"] = 12
        for name in ("since", "until"):
            self.fields[name].widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


@require_safe
@room(access.projects_managed_by)
def project_audit(request: HttpRequest, project: Project) -> HttpResponse:
    """What was done in the project."""
    context, status = _page(request, project)
    return show(request, project, "projects/audit.html", context, status)


@require_safe
@room(access.projects_managed_by)
def project_audit_csv(request: HttpRequest, project: Project) -> HttpResponse:
    """The same as a file."""
    return _file(request, project)


@require_safe
def site_audit(request: HttpRequest) -> HttpResponse:
    """What was done on the site."""
    _check_admin(request)
    context, status = _page(request, None)
    return render(request, "events/audit.html", context, status=status)


@require_safe
def site_audit_csv(request: HttpRequest) -> HttpResponse:
    """The same as a file."""
    _check_admin(request)
    return _file(request, None)


def _page(request: HttpRequest, project: Project | None) -> tuple[dict[str, Any], int]:
    """A page of the record; `?before=<id>` leads on to older lines, however many there are."""
    form = SearchForm(request.GET)
    found = _found(form, project)
    before = request.GET.get("before", "")
    if before.isdecimal():
        found = found.filter(pk__lt=min(int(before), 1 << 62))
    lines = list(found[: PAGE + 1])
    context = {
        "form": form,
        "verbs": audit.VERBS,
        "lines": lines[:PAGE],
        "names": _names(lines),
        "older": lines[PAGE - 1].pk if len(lines) > PAGE else None,
        "is_first": not before,
        "searched": any(value for key, value in request.GET.items() if key != "before"),
    }
    return context, 200 if form.is_valid() else 400


def _file(request: HttpRequest, project: Project | None) -> HttpResponse:
    form = SearchForm(request.GET)
    found = list(_found(form, project)[:MOST])
    names = _names(found)
    rows = [
        (line.at.isoformat(), line.person, line.verb, line.kind, line.thing_id, line.thing,
         names.get(line.project_id, ""), json.dumps(line.details, ensure_ascii=False) if line.details else "")
        for line in found
    ]  # fmt: skip
    if project:
        audit.note(person_of(request), "exported", project, project.pk, what="audit record", lines=len(rows))
    return tables.download(tables.to_csv(audit.COLUMNS, rows), "audit.csv")


def _found(form: SearchForm, project: Project | None) -> Any:
    """The matching lines; none where the search makes no sense."""
    if not form.is_valid():
        return Event.objects.none()
    return audit.find(audit.Search(**form.cleaned_data), project.pk if project else None)


def _names(lines: list[Event]) -> dict[int | None, str]:
    """Names of the projects that the lines speak of, a number where the project is gone."""
    wanted = {line.project_id for line in lines if line.project_id}
    there = Project.objects.in_bulk(wanted)
    return {pk: there[pk].name if pk in there else f"#{pk}" for pk in wanted}


def _check_admin(request: HttpRequest) -> None:
    if not person_of(request).is_staff:
        raise Http404
