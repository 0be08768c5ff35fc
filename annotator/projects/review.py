"""A project's queue of submitted cases, and the way into it."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from annotator.annotation import access, review, work
from annotator.annotation.models import Project
from annotator.login import person_of
from annotator.projects.rooms import room, show

PAGE = 50


@require_safe
@room(access.projects_overseen_by)
def queue(request: HttpRequest, project: Project) -> HttpResponse:
    """The submitted cases that wait for this person's review, the oldest first."""
    page = Paginator(review.queue(request.user, project), PAGE).get_page(request.GET.get("page"))
    cases = review.with_said(work.show_progress(page))
    context = {"page": page, "cases": cases, "percent": round(100 * project.review_share)}
    return show(request, project, "projects/review.html", context)


@require_safe
@room(access.projects_overseen_by)
def next_case(request: HttpRequest, project: Project) -> HttpResponse:
    """Opens the case that has waited the longest and that no other reviewer has in hand, or says that there is none."""
    case = review.next_case(person_of(request), project)
    if case:
        return redirect("case", case.pk)
    if review.queue(request.user, project).exists():
        messages.info(
            request, _("Other reviewers have just opened all cases that wait; take one from the list, or wait.")
        )
    else:
        messages.info(request, _("No case of %(project)s waits for your review.") % {"project": project})
    return redirect("project_review", project.pk)
