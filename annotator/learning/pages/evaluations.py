"""Evaluations, as admins start, follow, read and compare them."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotator import tables
from annotator.annotation import realnoc, versions
from annotator.annotation.models import ModelVersion, Project
from annotator.events import audit
from annotator.learning import evaluation, freeze, scores
from annotator.learning.evaluation import EvaluationRefused
from annotator.learning.freeze import FreezeRefused
from annotator.learning.models import EvaluationRun, Manifest, Part
from annotator.learning.rooms import for_admins, show
from annotator.login import person_of
from annotator.studies import thumbnail

PER_PAGE = 50
JUDGES = (Part.GOLD, Part.VALIDATION)
"""The sides that models are judged on."""
NOW = "now"


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
def evaluations(request: HttpRequest) -> HttpResponse:
    """All of them, the form that starts one, and what people needed; POST starts it."""
    if request.method == "POST":
        return _start(request)
    return _list(request)


@require_safe
@for_admins
def evaluation_run(request: HttpRequest, evaluation_id: int) -> HttpResponse:
    """One evaluation: how far it has come, or what it found; `?k=` chooses the clicks of the tables that show one number."""
    run = _run(evaluation_id)
    response = show(request, "learning/evaluation.html", {"run": run, **(_found(request, run) if run.figures else {})})
    if "HX-Request" in request.headers and not run.is_open:
        response["HX-Refresh"] = "true"  # what was followed has ended: its charts come with a whole page
    return response


@require_POST
@for_admins
def cancel(request: HttpRequest, evaluation_id: int) -> HttpResponse:
    """Ends an evaluation that waits or runs."""
    run = _run(evaluation_id)
    try:
        evaluation.cancel(run, person_of(request))
    except EvaluationRefused as refused:
        messages.warning(request, str(refused))
    return redirect("evaluation", run.pk)


@require_safe
@for_admins
def records(request: HttpRequest, evaluation_id: int) -> HttpResponse:
    """A line for every label of every slice as CSV, with cases and slices as the viewer counts them."""
    run = _run(evaluation_id)
    try:
        file = evaluation.records_file(run)
    except EvaluationRefused as refused:
        raise Http404 from refused
    audit.note(request.user, "exported", run, what="evaluation")
    head, *rows = csv.reader(io.StringIO(file.read_text()))
    cases = run.figures.get("cases", {})
    shown = [
        [label, cases[case]["assignment"], int(z) + cases[case]["z0"] + 1, *more] for label, case, z, *more in rows
    ]
    return tables.download(tables.to_csv(["label", "case", "slice", *head[3:]], shown), f"evaluation-{run.pk}.csv")


@require_safe
@for_admins
def picture(request: HttpRequest, evaluation_id: int, place: int) -> HttpResponse:
    """The grey values of one of the worst slices as PNG."""
    row = _worst(evaluation_id, place)
    try:
        response = HttpResponse(thumbnail.slice_png(row.case.task.series, row.z), content_type="image/png")
    except FileNotFoundError as error:
        raise Http404 from error
    patch_cache_control(response, private=True, max_age=3600)
    return response


@require_safe
@for_admins
def for_viewer(request: HttpRequest, evaluation_id: int, place: int) -> JsonResponse:
    """What the simulated person did on one of the worst slices."""
    return JsonResponse(scores.for_viewer(_worst(evaluation_id, place)))


@require_safe
@for_admins
def compare(request: HttpRequest) -> HttpResponse:
    """Two evaluations of the same clicks on the same masks, side by side: `?a=…&b=…`."""
    done = EvaluationRun.objects.filter(state=EvaluationRun.State.DONE).select_related("version", "manifest")
    chosen = [_chosen(done, request.GET.get(name)) for name in ("a", "b")]
    context: dict[str, Any] = {"done": done, "a": chosen[0], "b": chosen[1]}
    if chosen[0] and chosen[1]:
        try:
            context |= _differences(evaluation.compare(chosen[0], chosen[1]))
        except EvaluationRefused as refused:
            context["error"] = str(refused)
    status = 400 if "error" in context else 200
    return show(request, "learning/evaluation_compare.html", context, status)


def _list(request: HttpRequest, error: str = "", status: int = 200) -> HttpResponse:
    runs = EvaluationRun.objects.select_related("version", "manifest", "person").defer("figures")
    context = {
        "page": Paginator(runs, PER_PAGE).get_page(request.GET.get("page")),
        "versions": ModelVersion.objects.all() if ModelVersion.objects.exists() else [versions.active()],
        "chosen": request.POST.get("version") or request.GET.get("version", ""),
        "sets": _sets(),
        "placements": EvaluationRun.Placement.choices,
        "real": realnoc.real_clicks(),
        "error": error,
    }
    return show(request, "learning/evaluations.html", context, status)


def _sets() -> list[dict[str, Any]]:
    """What can be evaluated on: patients as their masks are now, or a frozen set."""
    now = [{"value": f"{NOW}:{part}", "part": part, "manifest": None} for part in JUDGES]
    kept = Manifest.objects.all()[:PER_PAGE]
    frozen = [
        {"value": f"{one.pk}:{part}", "part": Part(part), "manifest": one}
        for one in kept
        for part in one.parts
        if part in JUDGES
    ]
    return now + frozen


def _start(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    version = ModelVersion.objects.filter(pk=_number(request.POST.get("version"))).first()
    placement = request.POST.get("placement", "")
    which, _colon, part = request.POST.get("set", "").partition(":")
    if version is None or placement not in EvaluationRun.Placement.values or part not in JUDGES:
        sentence = _("Choose a model version, what it is evaluated on, and how the clicks are placed.")
        return _list(request, sentence, 400)
    try:
        if which == NOW:
            manifest = freeze.for_evaluation(Project.objects.filter(archived_at=None), Part(part), person=person)
        else:
            manifest = Manifest.objects.get(pk=_number(which))
        run = evaluation.want(version, manifest, Part(part), placement, person=person)
    except Manifest.DoesNotExist:
        return _list(request, _("This frozen set is not there."), 400)
    except (FreezeRefused, EvaluationRefused) as refused:
        return _list(request, str(refused), 400)
    if run.state == EvaluationRun.State.WAITING:
        evaluation.queue(run)
    return redirect("evaluation", run.pk)


def _found(request: HttpRequest, run: EvaluationRun) -> dict[str, Any]:
    figures = run.figures
    ks = [str(k) for k in figures["clicks"]]
    k = request.GET.get("k", "3")
    k = k if k in ks else ks[0]
    return {
        "labels": [name for name, _ in scores.labels(figures)],
        "dice": scores.by_clicks(figures),
        "noc": scores.never(figures),
        "distances": scores.distances(figures, k),
        "boxes": scores.boxes(figures, k),
        "patients": scores.patients(run),
        "worst": scores.worst(run),
        "ks": ks,
        "k": k,
        "others": EvaluationRun.objects.filter(
            state=run.state, manifest=run.manifest, part=run.part, placement=run.placement, seed=run.seed
        )
        .exclude(pk=run.pk)
        .select_related("version"),
    }


def _differences(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "labels": [name for name, _ in scores.labels(found)],
        "dice": scores.by_clicks(found),
        "noc": scores.by_label(found, "noc", scores.TARGETS),
    }


def _worst(evaluation_id: int, place: int) -> scores.Worst:
    run = _run(evaluation_id)
    row = next((one for one in scores.worst(run) if one.place == place), None) if run.figures else None
    if row is None:
        raise Http404
    return row


def _chosen(done: Any, number: str | None) -> EvaluationRun | None:
    found: EvaluationRun | None = done.filter(pk=_number(number)).first()
    return found


def _number(text: str | None) -> int:
    """A row's number; 0, which none has, for anything else."""
    return int(text) if text and text.isdecimal() and len(text) < 18 else 0


def _run(evaluation_id: int) -> EvaluationRun:
    run = EvaluationRun.objects.select_related("version", "manifest", "person").filter(pk=evaluation_id).first()
    if run is None:
        raise Http404
    return run
