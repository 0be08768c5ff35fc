"""The upload page, its door for files, and what became of them, as a page or as JSON."""

from __future__ import annotations

import tempfile
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from annotator import texts
from annotator.annotation import access, projects
from annotator.annotation.models import Project
from annotator.studies import jobs, uploads


@require_safe
def choose(request: HttpRequest) -> HttpResponse:
    """Lead to the upload page of `?project=`, or of the first project that the person manages."""
    wanted = request.GET.get("project", "")
    managed = access.projects_managed_by(request.user).order_by(F("archived_at").asc(nulls_first=True), "name")
    project = managed.filter(pk=wanted).first() if wanted.isdecimal() else managed.first()
    if project is None:
        raise Http404
    return redirect("upload", project.pk)


@require_safe
def upload(request: HttpRequest, project_id: int) -> HttpResponse:
    """The page to drop files on."""
    project = _project(request, project_id)
    return _page(request, project, projects.archived(project_id) or "")


@csrf_exempt  # the token is checked by `_receive`: it is among the fields, which cannot be read before there is a place
@login_not_required  # programs get a 401, not the log-in page
@require_POST
def receive(request: HttpRequest, project_id: int) -> HttpResponse:
    """Take files in and have them imported."""
    if not request.user.is_authenticated:
        return _answer_error(request, None, _("Log in first."), 401)
    project = _project(request, project_id)
    try:
        with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR, prefix="upload-") as folder:
            request.upload_handlers = [uploads.IntoFolder(request, Path(folder))]
            return _receive(request, project)
    except Exception as error:
        sentence = uploads.why_not(error)
        if sentence is None:
            raise
        return _answer_error(request, project, sentence)


@require_safe
def follow(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """How far an import is, and what became of each series."""
    found = uploads.find(request.user, upload_id)
    if found is None:
        raise Http404
    if _wants_page(request):
        response = render(request, "studies/import.html", {"upload": found})
    else:
        response = JsonResponse({"state": found.state, "progress": found.progress, "report": found.report})
    response["Cache-Control"] = "no-store"
    patch_vary_headers(response, ["Accept"])
    return response


@csrf_protect
def _receive(request: HttpRequest, project: Project) -> HttpResponse:
    person = request.user
    assert isinstance(person, User)
    files = [file for file in request.FILES.getlist("files") if isinstance(file, uploads.ReceivedFile)]
    assignee, paths = request.POST.get("assignee", ""), request.POST.getlist("paths")
    received = uploads.receive(project, person, assignee, files, paths)
    jobs.queue(received)
    address = reverse("import", args=[received.pk])
    if _wants_page(request):
        return redirect(address)
    return JsonResponse({"id": str(received.pk), "url": address}, status=201)


def _project(request: HttpRequest, project_id: int) -> Project:
    project = access.projects_managed_by(request.user).filter(pk=project_id).first()
    if project is None:
        raise Http404
    return project


def _page(request: HttpRequest, project: Project, error: str = "", status: int = 200) -> HttpResponse:
    context = {
        "project": project,
        "others": access.projects_managed_by(request.user).filter(archived_at=None).exclude(pk=project.pk),
        "members": project.memberships.filter(person__is_active=True)
        .select_related("person")
        .order_by("person__username"),
        "max_files": settings.IMPORT_MAX_FILES,
        "error": error,
        "texts": texts.for_page(),
    }
    return render(request, "studies/upload.html", context, status=status)


def _answer_error(request: HttpRequest, project: Project | None, sentence: str, status: int = 400) -> HttpResponse:
    if not _wants_page(request):
        return JsonResponse({"error": sentence}, status=status)
    if project is None:
        return redirect_to_login(reverse("upload"))
    return _page(request, project, sentence, status)


def _wants_page(request: HttpRequest) -> bool:
    """Browsers that send the form themselves say so; scripts take anything, or ask for JSON."""
    return request.get_preferred_type(["application/json", "text/html"]) == "text/html"
