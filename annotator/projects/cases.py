"""The cases of a project: found, given out, planned, taken back, brought from other projects."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from annotator.annotation import access, assign, cases
from annotator.annotation.assign import AssignRefused
from annotator.annotation.models import Membership, Project, Task
from annotator.annotation.progress import MoveRefused
from annotator.login import person_of
from annotator.projects.forms import CaseFilter, DeedForm, first_error
from annotator.projects.rooms import room, show

ON_A_PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
@room(access.projects_managed_by)
def table(request: HttpRequest, project: Project) -> HttpResponse:
    """The cases that the filter gives; a POST does something with those that are ticked."""
    form = DeedForm(request.POST or None, _members(project, active=True))
    chosen = _filter(request, project)
    if request.method != "POST":
        return _table(request, project, chosen, form)
    wanted = cases.find(project, chosen.wanted(), timezone.localdate())
    ticked = wanted if "all" in request.POST else wanted.filter(pk__in=_numbers(request.POST.getlist("task")))
    try:
        sentence = _do(request.POST.get("deed", ""), list(ticked), form, person_of(request))
    except (AssignRefused, MoveRefused) as refused:
        return _table(request, project, chosen, form, str(refused))
    messages.success(request, sentence)
    return redirect(f"{reverse('project_cases', args=[project.pk])}?{request.GET.urlencode()}")


@require_http_methods(["GET", "HEAD", "POST"])
@room(access.projects_managed_by)
def add(request: HttpRequest, project: Project) -> HttpResponse:
    """Bring series from other projects that the person manages."""
    if request.method == "POST":
        return _add(request, project)
    others = access.projects_managed_by(request.user).exclude(pk=project.pk)
    source, text = request.GET.get("from", ""), request.GET.get("text", "").strip()[:100]
    series = access.series_managed_by(request.user).exclude(tasks__project=project)
    if source.isdecimal():
        series = series.filter(tasks__project=int(source))
    if text:
        series = series.filter(description__icontains=text)
    pages = Paginator(series.select_related("study").order_by("description", "uid"), ON_A_PAGE)
    context = {
        "others": others,
        "source": source,
        "text": text,
        "page": pages.get_page(request.GET.get("page")),
    }
    return show(request, project, "projects/add_cases.html", context)


def _add(request: HttpRequest, project: Project) -> HttpResponse:
    try:
        wanted = [uuid.UUID(one) for one in request.POST.getlist("series")]
        number = len(cases.add_series(project, wanted, person_of(request)))
    except ValueError as refused:  # AssignRefused is one as well
        sentence = str(refused) if isinstance(refused, AssignRefused) else _("This is no series.")
        messages.error(request, sentence)
        return redirect("project_add_cases", project.pk)
    messages.success(request, ngettext("%d case was added.", "%d cases were added.", number) % number)
    return redirect("project_cases", project.pk)


# ---------------------------------------------------------------------------------------------------- deeds


def _do(name: str, ticked: Sequence[Task], form: DeedForm, by: User) -> str:
    """Do it, and say so in a sentence. Raises AssignRefused or MoveRefused, and nothing was done then."""
    if name not in DEEDS:
        raise AssignRefused(_("Choose what is to be done with the cases."))
    if not ticked:
        raise AssignRefused(_("Tick at least one case."))
    if not form.is_valid():
        raise AssignRefused(first_error(form))
    return DEEDS[name](ticked, form, by)


def _give(ticked: Sequence[Task], form: DeedForm, by: User) -> str:
    person = _person(form, "person")
    number = len(cases.give(ticked, person, by))
    said = ngettext("%(number)d case was given to %(person)s.", "%(number)d cases were given to %(person)s.", number)
    return said % {"person": person, "number": number}


def _spread(ticked: Sequence[Task], form: DeedForm, by: User) -> str:
    people = list(User.objects.filter(pk__in=form.cleaned_data["people"]))
    number = len(assign.spread(ticked, people, by, form.cleaned_data["by_skill"]))
    return ngettext("%d case was spread.", "%d cases were spread.", number) % number


def _plan(ticked: Sequence[Task], form: DeedForm, by: User) -> str:
    plan = form.plan()
    if not plan:
        raise AssignRefused(_("Fill in what is to be set."))
    number = cases.plan(ticked, by, timezone.localdate(), **plan)
    return ngettext("%d case was planned.", "%d cases were planned.", number) % number


def _withdraw(ticked: Sequence[Task], form: DeedForm, by: User) -> str:
    number = len({reading.task_id for reading in cases.withdraw(ticked, by)})
    return ngettext("%d case was withdrawn.", "%d cases were withdrawn.", number) % number


def _reassign(ticked: Sequence[Task], form: DeedForm, by: User) -> str:
    person = _person(form, "other")
    number = len(cases.reassign(ticked, person, by, form.cleaned_data["keep_work"] != "no"))
    said = ngettext(
        "%(number)d case was handed on to %(person)s.", "%(number)d cases were handed on to %(person)s.", number
    )
    return said % {"person": person, "number": number}


def _person(form: DeedForm, field: str) -> User:
    person = User.objects.filter(pk=form.cleaned_data[field]).first()
    if person is None:
        raise AssignRefused(_("Choose a person."))
    return person


DEEDS: dict[str, Callable[[Sequence[Task], DeedForm, User], str]] = {
    "give": _give,
    "spread": _spread,
    "plan": _plan,
    "withdraw": _withdraw,
    "reassign": _reassign,
}


# ---------------------------------------------------------------------------------------------------- the table


def _table(
    request: HttpRequest, project: Project, chosen: CaseFilter, form: DeedForm, refusal: str = ""
) -> HttpResponse:
    today = timezone.localdate()
    page = Paginator(cases.find(project, chosen.wanted(), today), ON_A_PAGE).get_page(request.GET.get("page"))
    for task in page:
        task.standing_label = cases.Standing(task.standing).label
    context = {
        "filter": chosen,
        "form": form,
        "page": page,
        "any": bool(request.GET) or page.paginator.count > 0,
        "today": today,
        "ticked": _numbers(request.POST.getlist("task")),
        "skills": sorted({skill for one in project.memberships.all() for skill in assign.skills(one)}),
        "refusal": refusal,
    }
    return show(request, project, "projects/cases.html", context, status=409 if refusal else 200)


def _filter(request: HttpRequest, project: Project) -> CaseFilter:
    return CaseFilter(request.GET, _members(project))


def _members(project: Project, active: bool = False) -> list[Membership]:
    found = project.memberships.select_related("person").order_by("person__username")
    return list(found.filter(person__is_active=True) if active else found)


def _numbers(texts: Sequence[str]) -> list[int]:
    return [int(text) for text in texts if text.isdecimal() and len(text) < 19]
