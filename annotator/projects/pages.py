"""The list of projects, and a project's front page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotator.annotation import access
from annotator.annotation.models import Project
from annotator.projects.rooms import room, show


@require_safe
def projects(request: HttpRequest) -> HttpResponse:
    """The projects that the person belongs to."""
    return render(request, "projects/projects.html", {"projects": access.projects_of(request.user)})


@require_safe
@room(access.projects_of)
def project(request: HttpRequest, project: Project) -> HttpResponse:
    """What the project is about."""
    return show(request, project, "projects/project.html")
