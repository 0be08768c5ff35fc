"""The list of projects, a project's front page and its settings."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotator.annotation import access, assign, cases, guidelines, truth
from annotator.annotation import projects as deeds
from annotator.annotation.cases import Standing
from annotator.annotation.models import Membership, Project
from annotator.login import person_of
from annotator.projects.forms import NewProjectForm, PresetFormSet, SettingsForm
from annotator.projects.rooms import room, show

BARS = tuple(reversed(Standing))
"""From what is done to what nobody has."""


@require_safe
def projects(request: HttpRequest) -> HttpResponse:
    """The projects that the person belongs to, each with their role and how far it is."""
    found = list(access.projects_of(request.user))
    roles = {one.project_id: one.get_role_display() for one in Membership.objects.filter(person=request.user.pk)}
    counts = cases.counts(found)
    rows: list[dict[str, Any]] = [
        {
            "project": project,
            "role": roles.get(project.pk, _("administrator")),
            "accepted": counts[project.pk][Standing.ACCEPTED],
            "cases": sum(counts[project.pk].values()),
        }
        for project in found
    ]
    context = {
        "open": [row for row in rows if not row["project"].archived_at],
        "archived": [row for row in rows if row["project"].archived_at],
        "may_create": access.may_create_projects(request.user),
    }
    return render(request, "projects/projects.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Make a project; whoever makes it manages it."""
    if not access.may_create_projects(request.user):
        raise Http404
    form = NewProjectForm(request.POST or None)
    if form.is_valid():
        try:
            project = deeds.create(person_of(request), **form.cleaned_data)
        except deeds.ProjectRefused as refused:
            form.add_error("name", str(refused))
        else:
            messages.success(request, _("The project is there. Give it labels first."))
            return redirect("project_labels", project.pk)
    return render(request, "projects/new.html", {"form": form}, status=400 if form.errors else 200)


@require_safe
@room(access.projects_of)
def project(request: HttpRequest, project: Project) -> HttpResponse:
    """What the project is about; for those who see all of it, where its cases stand and what comes next."""
    context: dict[str, Any] = {
        "guidelines": guidelines.html(project.guidelines),
        "manages": access.projects_managed_by(request.user).filter(pk=project.pk).exists(),
        "may_take": assign.waiting_for(request.user, project).exists(),
    }
    if access.projects_overseen_by(request.user).filter(pk=project.pk).exists():
        counts = cases.counts([project])[project.pk]
        context["bars"] = [{"standing": one, "number": counts[one]} for one in BARS]
        context["cases"] = sum(counts.values())
        context["accepted"] = truth.tasks_with_truth(project).count()
        context["steps"] = _next_steps(project, counts) if context["manages"] else []
    return show(request, project, "projects/project.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@room(access.projects_managed_by)
def settings(request: HttpRequest, project: Project) -> HttpResponse:
    """Everything that a manager decides about the project."""
    form = SettingsForm(request.POST or None, instance=Project.objects.get(pk=project.pk))
    presets = PresetFormSet(request.POST or None, initial=project.window_presets, prefix="presets")
    if request.method == "POST" and form.is_valid() and presets.is_valid():
        rows = [row for row in presets.cleaned_data if row and row["name"]]
        try:
            deeds.change(project, person_of(request), **form.cleaned_data, window_presets=rows)
        except deeds.ProjectRefused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The settings are saved."))
            return redirect("project_settings", project.pk)
    refused = request.method == "POST"
    context = {"form": form, "presets": presets}
    return show(request, project, "projects/settings.html", context, status=400 if refused else 200)


@require_POST
@room(access.projects_managed_by)
def archive(request: HttpRequest, project: Project) -> HttpResponse:
    """Let the project rest, or with `restore` wake it up."""
    if "restore" in request.POST:
        deeds.restore(project, person_of(request))
        messages.success(request, _("The project is open again."))
    else:
        deeds.archive(project, person_of(request))
        messages.success(request, _("The project is archived: all of it can be seen, nothing of it changes."))
    return redirect("project", project.pk)


@require_POST
@room(access.projects_managed_by)
def delete(request: HttpRequest, project: Project) -> HttpResponse:
    """Delete the project, where its name was typed and nobody has worked in it."""
    name = project.name
    try:
        deeds.delete(project, person_of(request), request.POST.get("name", ""))
    except deeds.ProjectRefused as refused:
        messages.error(request, str(refused))
        return redirect("project_settings", project.pk)
    messages.success(request, _("The project %(name)s is deleted.") % {"name": name})
    return redirect("projects")


def _next_steps(project: Project, counts: dict[Standing, int]) -> list[dict[str, str]]:
    """What the manager can do now, the most pressing first: a sentence, and the page where it is done."""
    if project.archived_at:
        return [_step(_("The project is archived; its work rests."), "project_settings", project, _("Settings"))]
    steps = []
    if not project.labels.exists():
        steps.append(_step(_("There are no labels yet."), "project_labels", project, _("Make labels")))
    if not sum(counts.values()):
        steps.append(_step(_("There are no cases yet."), "upload", project, _("Upload series")))
    if project.memberships.count() < 2:
        steps.append(_step(_("You are alone in the project."), "project_people", project, _("Invite people")))
    if number := counts[Standing.SUBMITTED]:
        sentence = ngettext("%d case is to be reviewed.", "%d cases are to be reviewed.", number) % number
        steps.append(_step(sentence, "project_review", project, _("Review")))
    if number := counts[Standing.SKIPPED]:
        sentence = ngettext("%d case was skipped.", "%d cases were skipped.", number) % number
        steps.append(_step(sentence, "project_cases", project, _("See why"), "?standing=skipped"))
    if number := counts[Standing.WAITING]:
        sentence = ngettext("%d case waits for a person.", "%d cases wait for people.", number) % number
        steps.append(_step(sentence, "project_cases", project, _("Give them out"), "?standing=waiting"))
    return steps


def _step(sentence: str, page: str, project: Project, action: str, query: str = "") -> dict[str, str]:
    return {"sentence": sentence, "url": reverse(page, args=[project.pk]) + query, "action": action}
