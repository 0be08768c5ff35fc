"""The page of gold cases: which there are, who is measured on them, and how people do."""

from __future__ import annotations

from random import SystemRandom

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from annotator.annotation import access, gold, truth
from annotator.annotation.models import Assignment, Project
from annotator.login import person_of
from annotator.projects.rooms import room, show

PAGE = 20


class ChecksForm(forms.Form):
    """To whom how many checks go, and over how many days."""

    people: forms.ModelMultipleChoiceField = forms.ModelMultipleChoiceField(
        queryset=None,
        label=_("People"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one person.")},
    )
    each = forms.IntegerField(label=_("Checks for each of them"), min_value=1, max_value=gold.MOST_EACH, initial=1)
    days = forms.IntegerField(
        label=_("Over how many days (0: at once)"), min_value=0, max_value=gold.MOST_DAYS, initial=14
    )

    def __init__(self, project: Project, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        people = gold.people_of(project)
        self.fields["people"].queryset = people  # type: ignore[attr-defined]
        self.fields["people"].initial = people


@require_safe
@room(access.projects_managed_by)
def gold_of_project(request: HttpRequest, project: Project) -> HttpResponse:
    """The gold cases, the form that gives checks, and how people do."""
    return _show(request, project, ChecksForm(project))


@require_POST
@room(access.projects_managed_by)
def mark(request: HttpRequest, project: Project, task_id: int) -> HttpResponse:
    """Makes a case gold, or with `gold=0` no longer."""
    task = project.tasks.select_related("series", "project").filter(pk=task_id).first()
    if task is None:
        raise Http404
    try:
        if request.POST.get("gold") == "0":
            gold.unmark(task, person_of(request))
        else:
            gold.mark(task, person_of(request))
    except gold.GoldRefused as refused:
        messages.warning(request, str(refused))
    return redirect("project_gold", project.pk)


@require_POST
@room(access.projects_managed_by)
def give_checks(request: HttpRequest, project: Project) -> HttpResponse:
    """Slips gold cases to people."""
    form = ChecksForm(project, request.POST)
    if not form.is_valid():
        return _show(request, project, form, 400)
    wanted = form.cleaned_data
    try:
        made, sentences = gold.slip(
            project, list(wanted["people"]), wanted["each"], wanted["days"], person_of(request), SystemRandom()
        )
    except gold.GoldRefused as refused:
        messages.warning(request, str(refused))
        return redirect("project_gold", project.pk)
    messages.success(request, ngettext("%d check is given.", "%d checks are given.", made) % made)
    for sentence in sentences:
        messages.warning(request, sentence)
    return redirect("project_gold", project.pk)


@require_POST
@room(access.projects_managed_by)
def measure_again(request: HttpRequest, project: Project) -> HttpResponse:
    """Has checks compared whose comparison failed."""
    gold.measure_again(project)
    return redirect("project_gold", project.pk)


def _show(request: HttpRequest, project: Project, form: ChecksForm, status: int = 200) -> HttpResponse:
    labels, people = list(project.labels.all()), gold.people(project)
    search = request.GET.get("q", "").strip()
    candidates = truth.tasks_with_truth(project).filter(gold=False, series__description__icontains=search)
    page = Paginator(candidates.select_related("series").order_by("-pk"), PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "tasks": _gold_tasks(project),
        "page": page,
        "search": search,
        "labels": labels,
        "people": [(one, [one.by_label.get(label.pk) for label in labels]) for one in people],
        "names": [one.name for one in people],
        "drift": _drift(people),
        "stuck": gold.stuck(project).first(),
    }
    return show(request, project, "projects/gold.html", context, status)


def _gold_tasks(project: Project) -> list[object]:
    check = Q(assignments__kind=Assignment.Kind.CHECK) & ~Q(assignments__state=Assignment.State.HANDED_BACK)
    done = check & Q(assignments__state=Assignment.State.ACCEPTED)
    tasks = project.tasks.filter(gold=True).select_related("series")
    return list(tasks.annotate(given=Count("assignments", filter=check), done=Count("assignments", filter=done)))


def _drift(people: list[gold.Person]) -> list[tuple[object, list[float | None]]]:
    """(when, Dice of each person) of every check, the oldest first: the chart's rows."""
    checks = sorted((at, column, dice) for column, one in enumerate(people) for at, dice in one.checks)
    return [(at, [dice if here == column else None for here in range(len(people))]) for at, column, dice in checks]
