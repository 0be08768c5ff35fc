"""Pages about how far people agree: all pairs, all cases that several people read, and one such case."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from annotator import tables
from annotator.annotation import access, adjudication, agreement, agreement_tables
from annotator.annotation.models import Comparison, Label, Project, Task
from annotator.events import audit
from annotator.login import person_of
from annotator.projects.rooms import room, show

PAGE = 50


@require_safe
@room(access.projects_overseen_by)
def agreement_of_project(request: HttpRequest, project: Project) -> HttpResponse:
    """Who agrees with whom, and the cases that several people read."""
    labels = list(project.labels.all())
    label = _label(request, labels)
    page = Paginator(agreement_tables.double_read(project), PAGE).get_page(request.GET.get("page"))
    context = {
        "labels": labels,
        "label": label,
        "matrix": agreement_tables.matrix(project, label),
        "page": page,
        "cases": agreement_tables.cases(page.object_list, label),
    }
    return show(request, project, "projects/agreement.html", context)


@require_safe
@room(access.projects_overseen_by)
def agreement_csv(request: HttpRequest, project: Project) -> HttpResponse:
    """The volume figures of every pair of readings."""
    audit.note(request.user, "exported", project, project.pk, what="agreement")
    return _csv(project, f"agreement-{project.pk}")


@require_safe
@room(access.projects_overseen_by)
def agreement_of_task(request: HttpRequest, project: Project, task_id: int) -> HttpResponse:
    """One case: its readers, how far they agree label by label and slice by slice, and who decides."""
    task = _task(project, task_id)
    agreement.wake_the_dead()
    case = agreement_tables.cases([task], None)[0]
    mine = case.adjudication is None or case.adjudication.person_id == request.user.pk
    context = {
        "case": case,
        "pairs": [_pair(one) for one in case.comparisons],
        "may_adjudicate": access.may_adjudicate(request.user, task) and mine and task.readings == 2,
        "is_read": case.submitted == task.readings,
    }
    return show(request, project, "projects/agreement_task.html", context)


@require_safe
@room(access.projects_overseen_by)
def agreement_task_csv(request: HttpRequest, project: Project, task_id: int) -> HttpResponse:
    """The figures of one case, slices as well."""
    task = _task(project, task_id)
    audit.note(request.user, "exported", task, project.pk, what="agreement")
    return _csv(project, f"agreement-case-{task.pk}", task)


@require_POST
@room(access.projects_overseen_by)
def compare_again(request: HttpRequest, project: Project, task_id: int) -> HttpResponse:
    """Has the readings of one case compared once more."""
    task = _task(project, task_id)
    for case in agreement_tables.cases([task], None):
        for comparison in case.comparisons:
            try:
                agreement.again(comparison)
            except agreement.CompareRefused as refused:
                messages.warning(request, str(refused))
    return redirect("project_agreement_task", project.pk, task.pk)


@require_POST
@room(access.projects_overseen_by)
def adjudicate(request: HttpRequest, project: Project, task_id: int) -> HttpResponse:
    """Opens the person's adjudication of a case, which begins here if there is none."""
    task = _task(project, task_id)
    try:
        return redirect("case", adjudication.begin(task, person_of(request)).pk)
    except adjudication.AdjudicationRefused as refused:
        messages.warning(request, str(refused))
        return redirect("project_agreement_task", project.pk, task.pk)


def _task(project: Project, task_id: int) -> Task:
    task = agreement_tables.double_read(project).filter(pk=task_id).first()
    if task is None:
        raise Http404
    return task


def _pair(comparison: Comparison) -> dict[str, object]:
    labels, slices = agreement_tables.dice_by_slice(comparison)
    volumes = list(agreement_tables.volumes(comparison))
    return {"comparison": comparison, "volumes": volumes, "labels": labels, "slices": slices}


def _label(request: HttpRequest, labels: list[Label]) -> Label | None:
    return next((one for one in labels if str(one.pk) == request.GET.get("label")), None)


def _csv(project: Project, name: str, task: Task | None = None) -> HttpResponse:
    return tables.download(agreement_tables.to_csv(project, task), f"{name}.csv")
