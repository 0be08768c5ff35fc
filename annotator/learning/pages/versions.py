"""The registry's pages: every version, one version, and what an admin may do with it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from annotator.annotation import versions
from annotator.annotation.models import ModelVersion, SliceMask
from annotator.events import audit
from annotator.learning import gate, promotion, registry
from annotator.learning.models import EvaluationRun, Promotion, Verdict
from annotator.learning.promotion import PromotionRefused
from annotator.learning.registry import RegistryRefused
from annotator.learning.rooms import for_admins, show
from annotator.login import person_of

PER_PAGE = 50
CLICKS = ("1", "3", "5", "10")


class Upload(forms.Form):
    file = forms.FileField(label=gettext_lazy("Checkpoint (.safetensors)"))
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100, required=False)


class TrialForm(forms.Form):
    percent = forms.IntegerField(label=gettext_lazy("Share of people, %"), min_value=1, max_value=99, initial=20)


@require_safe
@for_admins
def models(request: HttpRequest) -> HttpResponse:
    """Every version, the newest first."""
    return _list(request, Upload())


@require_POST
@for_admins
def upload(request: HttpRequest) -> HttpResponse:
    """Registers a checkpoint that was made elsewhere."""
    form = Upload(request.POST, request.FILES)
    if not form.is_valid():
        return _list(request, form, 400)
    given = form.cleaned_data["file"]
    with tempfile.TemporaryDirectory(prefix="annotator-model-") as folder:
        file = Path(folder, "checkpoint.safetensors")
        with file.open("wb") as target:
            for chunk in given.chunks():
                target.write(chunk)
        try:
            name = form.cleaned_data["name"] or Path(given.name).stem
            version = registry.upload(file, name, person_of(request))
        except RegistryRefused as refused:
            form.add_error("file", str(refused))
            return _list(request, form, 400)
    messages.success(request, _("%(version)s is registered.") % {"version": version})
    return redirect("model", version.pk)


@require_safe
@for_admins
def model(request: HttpRequest, version_id: int) -> HttpResponse:
    """One version: where it comes from, how good it is, what was decided about it."""
    version = _version(version_id)
    active = versions.active()
    context = {
        "version": version,
        "active": active,
        "lineage": registry.lineage(version),
        "ancestors": list(registry.ancestors(version)),
        "children": ModelVersion.objects.filter(lineage__parent=version),
        "evaluations": _evaluations(version),
        "clicks": CLICKS,
        "verdicts": gate.with_why(Verdict.objects.filter(candidate=version).select_related("in_use", "manifest")),
        "promotions": Promotion.objects.filter(version=version).select_related("person", "replaced"),
        "references": registry.references(version),
        "masks": SliceMask.objects.filter(model_version=version).count(),
        "trial": versions.running_trial(),
        "trial_form": TrialForm(),
        "refusal": _refusal(version),
        "provenance": _provenance(version),
    }
    return show(request, "learning/model.html", context)


@require_safe
@for_admins
def download(request: HttpRequest, version_id: int) -> FileResponse | HttpResponse:
    """The checkpoint's file."""
    version = _version(version_id)
    try:
        file = registry.file_of(version)
    except RegistryRefused as refused:
        messages.warning(request, str(refused))
        return redirect("model", version.pk)
    audit.note(person_of(request), "exported", version)
    name = f"{version.sha256[:12]}.safetensors"
    return FileResponse(file.open("rb"), as_attachment=True, filename=name)


@require_POST
@for_admins
def notes(request: HttpRequest, version_id: int) -> HttpResponse:
    """Keeps what people say of a version."""
    version = _version(version_id)
    registry.say(version, request.POST.get("notes", "")[:10_000], person_of(request))
    messages.success(request, _("Your notes are saved."))
    return redirect("model", version.pk)


@require_POST
@for_admins
def promote(request: HttpRequest, version_id: int) -> HttpResponse:
    """Lets a version answer clicks."""
    version = _version(version_id)
    try:
        promotion.promote(version, person_of(request), reason=request.POST.get("reason", ""))
    except PromotionRefused as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, _("%(version)s answers in cases that are opened from now on.") % {"version": version})
    return redirect("model", version.pk)


@require_POST
@for_admins
def roll_back(request: HttpRequest) -> HttpResponse:
    """Lets the version before answer again."""
    try:
        made = promotion.roll_back(person_of(request), request.POST.get("reason", ""))
    except PromotionRefused as refused:
        messages.warning(request, str(refused))
        return redirect("models")
    messages.success(request, _("%(version)s answers clicks again.") % {"version": made.version})
    return redirect("model", made.version_id)


@require_POST
@for_admins
def delete(request: HttpRequest, version_id: int) -> HttpResponse:
    """Deletes a version that nothing refers to."""
    version = _version(version_id)
    try:
        registry.delete(version, person_of(request))
    except RegistryRefused as refused:
        messages.warning(request, str(refused))
        return redirect("model", version_id)
    messages.success(request, _("%(version)s is deleted.") % {"version": version})
    return redirect("models")


@require_POST
@for_admins
def trial(request: HttpRequest, version_id: int) -> HttpResponse:
    """Begins a trial of a version, or ends the one that runs with `end=1`."""
    version = _version(version_id)
    form = TrialForm(request.POST)
    try:
        if request.POST.get("end") == "1":
            versions.end_trial(person_of(request))
        elif form.is_valid():
            versions.begin_trial(version, form.cleaned_data["percent"] / 100, person_of(request))
        else:
            messages.warning(request, _("A trial is for 1 to 99 % of the people."))
    except versions.TrialRefused as refused:
        messages.warning(request, str(refused))
    return redirect("model", version.pk)


def _list(request: HttpRequest, form: Upload, status: int = 200) -> HttpResponse:
    active = versions.active()
    found = ModelVersion.objects.select_related("lineage__parent").annotate(
        passed=Subquery(Verdict.objects.filter(candidate=OuterRef("pk")).values("passed")[:1]),
        masks=_masks(),
    )
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    newest = {run.version_id: run for run in _evaluations(*page).reverse()}
    for version in page:
        vars(version)["figures"] = _dice(newest.get(version.pk))
    context = {
        "page": page,
        "active": active,
        "previous": promotion.previous(),
        "trial": versions.running_trial(),
        "promotions": Promotion.objects.select_related("version", "replaced", "person")[:10],
        "form": form,
        "clicks": CLICKS,
    }
    return show(request, "learning/models.html", context, status)


def _masks() -> Subquery:
    """Masks that a version has made."""
    rows = SliceMask.objects.filter(model_version=OuterRef("pk")).order_by().values("model_version")
    return Subquery(rows.annotate(n=Count("pk")).values("n"))


def _evaluations(*of: ModelVersion) -> QuerySet[EvaluationRun]:
    """What is finished, the newest first."""
    done = EvaluationRun.objects.filter(version__in=of, state=EvaluationRun.State.DONE)
    return done.select_related("manifest").order_by("-pk")


def _dice(run: EvaluationRun | None) -> list[float | None]:
    """Mean Dice after each of CLICKS."""
    found = run.figures.get("mean", {}).get("dice", {}) if run else {}
    return [found.get(k) for k in CLICKS]


def _refusal(version: ModelVersion) -> str:
    """Why the version may not be promoted; empty where it may."""
    try:
        promotion.check(version)
    except PromotionRefused as refused:
        return str(refused)
    return ""


def _provenance(version: ModelVersion) -> dict[str, Any]:
    """What the checkpoint's own header says, for the model card."""
    header = version.header
    told = header.get("provenance", {})
    return {
        "architecture": header.get("architecture", {}),
        "inputs": header.get("inputs", {}),
        "steps": told.get("steps"),
        "recipe": told.get("recipe", {}),
        "scores": {
            name: [scored.get("mean", {}).get("dice", {}).get(k) for k in CLICKS]
            for name, scored in header.get("scores", {}).items()
            if isinstance(scored, dict)  # a file from elsewhere may say anything
        },
    }


def _version(version_id: int) -> ModelVersion:
    return get_object_or_404(ModelVersion, pk=version_id)
