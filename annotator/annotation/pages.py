"""The pages of a person's work."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from annotator import downloads, tables, texts
from annotator.annotation import access, assign, export, gold, measure, review, work
from annotator.annotation.models import Assignment
from annotator.events import audit
from annotator.login import person_of

PAGE = 24
MOST = (1 << 63) - 1  # the largest number that a database takes for an id


@require_safe
def my_work(request: HttpRequest) -> HttpResponse:
    """The person's cases and pace, and for reviewers and managers what goes on in their projects."""
    wanted, shows_done = request.GET.get("project", ""), request.GET.get("show") == "done"
    project_id = min(int(wanted), MOST) if wanted.isdecimal() else None
    counts = work.counts(request.user, project_id)
    states = work.DONE if shows_done else work.TO_DO
    paginator = Paginator(work.own_cases(request.user, states, project_id), PAGE)
    vars(paginator)["count"] = sum(counts[state] for state in states)  # not asked a second time
    page = paginator.get_page(request.GET.get("page"))
    projects = work.overseen_projects(request.user)
    context = {
        "page": page,
        "cases": gold.with_scores(work.show_progress(page)),
        "shows_done": shows_done,
        "to_do": sum(counts[state] for state in work.TO_DO),
        "done": sum(counts[state] for state in work.DONE),
        "of_project": access.projects_of(request.user).filter(pk=project_id).first() if project_id else None,
        "today": timezone.localdate(),
        "queues": work.queues(request.user),
        "pace": work.pace(request.user),
        "projects": projects,
        "lately": work.lately(request.user, [one.project for one in projects]) if projects else [],
    }
    return render(request, "annotation/my_work.html", context)


@require_POST
def next_case(request: HttpRequest, project_id: int) -> HttpResponse:
    """Opens the case that the person is to work on next, or says that none waits."""
    project = access.projects_worked_on_by(request.user).filter(pk=project_id).first()
    if project is None:
        raise Http404
    case = assign.next_case(project, person_of(request))
    if case is None:
        messages.info(request, _("No case of %(project)s waits for you.") % {"project": project})
        return redirect("my_work")
    return redirect("case", case.pk)


@require_safe
@ensure_csrf_cookie
def case(request: HttpRequest, assignment_id: int) -> HttpResponse:
    """The page that the frontend fills with the viewer."""
    assignment = _assignment(request, assignment_id)
    audit.saw(request.user, assignment, assignment.task.project_id)
    review.opened(assignment, person_of(request))
    return render(request, "annotation/case.html", {"assignment": assignment, "texts": texts.for_page()})


@require_safe
def download(request: HttpRequest, assignment_id: int) -> HttpResponse:
    """The masks as a zip of NIfTI and JSON."""
    assignment = _assignment(request, assignment_id)
    audit.note(request.user, "exported", assignment, assignment.task.project_id, what="masks")
    headers = downloads.headers(f"{export.file_stem(assignment)}.zip")
    return HttpResponse(export.archive(assignment), content_type="application/zip", headers=headers)


@require_safe
def measures(request: HttpRequest, assignment_id: int) -> HttpResponse:
    """Areas, volumes, grey values and diameters of the masks as CSV."""
    assignment = _assignment(request, assignment_id)
    try:
        table = measure.write_csv(assignment)
    except FileNotFoundError:
        reason = _("The voxels of this series are no longer here, so nothing can be measured.")
        return render(request, "404.html", {"reason": reason}, status=404)
    audit.note(request.user, "exported", assignment, assignment.task.project_id, what="measures")
    return tables.download(table, f"{export.file_stem(assignment)}-measures.csv")


def _assignment(request: HttpRequest, assignment_id: int) -> Assignment:
    assignment = access.assignment_for(request.user, assignment_id)
    if assignment is None:
        raise Http404
    return assignment
