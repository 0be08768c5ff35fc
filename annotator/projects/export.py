"""The ground truth of a project, to take away."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from annotator import streams
from annotator.annotation import access, truth, truthfiles
from annotator.annotation.models import Project
from annotator.events import audit
from annotator.projects.rooms import room


@require_safe
@room(access.projects_managed_by)
def export(request: HttpRequest, project: Project) -> HttpResponseBase:
    """A zip of every accepted case, with a manifest and the agreement report."""
    cases = truth.tasks_with_truth(project).count()
    if not cases:
        messages.info(request, _("No case is accepted yet, so there is nothing to export."))
        return redirect("project", project.pk)
    audit.note(request.user, "exported", project, project.pk, what="ground truth", cases=cases)
    return streams.download(truthfiles.pieces(project), truthfiles.file_name(project), "application/zip")
