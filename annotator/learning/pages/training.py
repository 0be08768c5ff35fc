"""Training runs: the list with the form that starts one, and a run while it goes on and afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.core.files.storage import default_storage
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotator import engine
from annotator.annotation import versions
from annotator.annotation.models import Label, ModelVersion, Project
from annotator.learning import freeze, gate, retraining, rules, shown
from annotator.learning.models import TrainingRun, Trigger, Verdict
from annotator.learning.retraining import TrainingRefused
from annotator.learning.rooms import for_admins, show
from annotator.login import person_of

PER_PAGE = 50
BOXES = forms.CheckboxSelectMultiple


class TrainingForm(forms.Form):
    """What a run is to be; whatever is left empty follows the site's rules."""

    begins_with = forms.ModelChoiceField(ModelVersion.objects.all(), label=_("Begins with"), required=False)
    projects = forms.ModelMultipleChoiceField(
        Project.objects.order_by("name"), label=_("Projects"), required=False, widget=BOXES
    )
    labels = forms.MultipleChoiceField(label=_("Labels"), required=False, widget=BOXES)
    steps = forms.IntegerField(label=_("Steps"), required=False)
    minutes = forms.FloatField(label=_("Minutes at most"), required=False)
    old = forms.FloatField(label=_("Old data, per cent"), required=False, min_value=0, max_value=99)
    recipe = forms.ChoiceField(label=_("Recipe"), initial="finetune")
    promotes = forms.BooleanField(label=_("If it passes the gate, it answers clicks at once"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        policy = rules.current()
        self.fields["promotes"].initial = policy.promotes
        self.fields["steps"].widget.attrs["placeholder"] = policy.steps
        self.fields["old"].widget.attrs["placeholder"] = f"{100 * policy.replay:g}"
        version, labels, recipe = (self.fields[name] for name in ("begins_with", "labels", "recipe"))
        assert isinstance(version, forms.ModelChoiceField)
        assert isinstance(labels, forms.MultipleChoiceField) and isinstance(recipe, forms.ChoiceField)
        version.empty_label = gettext("the version in use: %s") % versions.active()
        names = {freeze.name_of(name) for name in Label.objects.values_list("name", flat=True)}
        labels.choices = [(name, name) for name in sorted(names)]
        recipe.choices = [(name, name) for name in engine.recipes()]

    def choices(self) -> dict[str, Any]:
        """As `retraining.want` takes them."""
        given = dict(self.cleaned_data)
        old = given.pop("old")
        return {**given, "replay": None if old is None else old / 100}


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
def runs(request: HttpRequest) -> HttpResponse:
    """Every run, and the form; a POST starts one, or joins the one that is open."""
    form = TrainingForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            run, made = retraining.want(Trigger.Reason.BUTTON, person_of(request), **form.choices())
        except TrainingRefused as refused:
            form.add_error(None, str(refused))
        else:
            if not made:
                messages.info(request, gettext("A training is open already; you have joined it."))
            return redirect("training_run", run.pk)
    every = TrainingRun.objects.select_related("begins_with", "candidate", "person", "manifest")
    context = {
        "page": Paginator(every, PER_PAGE).get_page(request.GET.get("page")),
        "open": every.filter(is_only=True).first(),
        "form": form,
        "news": retraining.new_masks(),
    }
    return show(request, "learning/training_runs.html", context, 400 if form.errors else 200)


@require_safe
@for_admins
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """A run; while it is open, `pages/training.ts` keeps the page true."""
    every = TrainingRun.objects.select_related("begins_with", "candidate", "person", "manifest")
    found = get_object_or_404(every, pk=run_id)
    verdict = Verdict.objects.select_related("in_use").filter(candidate=found.candidate_id).first()
    context = {
        "run": found,
        "live": shown.as_json(found),
        "stage": shown.STAGES.get(found.stage, found.stage),
        "words": {name: str(words) for name, words in shown.STAGES.items()},
        "states": {value: str(words) for value, words in TrainingRun.State.choices},
        "triggers": found.triggers.select_related("person"),
        "projects": Project.objects.filter(pk__in=found.projects),
        "verdict": verdict,
        "why": gate.why(verdict) if verdict else [],
        "changes": list(_changes(verdict)) if verdict else [],
    }
    return show(request, "learning/training_run.html", context)


@require_POST
@for_admins
def cancel(request: HttpRequest, run_id: int) -> HttpResponse:
    """End an open run."""
    found = get_object_or_404(TrainingRun, pk=run_id)
    try:
        retraining.cancel(found, person_of(request))
    except TrainingRefused as refused:
        messages.error(request, str(refused))
    return redirect("training_run", run_id)


@require_safe
@for_admins
def preview(request: HttpRequest, run_id: int) -> FileResponse:
    """A validation slice under the network as it was last saved."""
    found = get_object_or_404(TrainingRun, pk=run_id)
    try:
        return FileResponse(default_storage.open(found.preview), content_type="image/png")
    except (OSError, ValueError):  # none yet, or another since
        raise Http404 from None


def _changes(verdict: Verdict) -> Iterator[dict[str, Any]]:
    """Of every label, and of their mean, how its Dice has changed after the clicks that the gate looks at."""
    key = str(verdict.rule["clicks"])
    for name, figures in [*verdict.figures.get("structures", {}).items(), ("", verdict.figures.get("mean"))]:
        if figures:
            low, high = figures["interval"]["dice"][key] or (None, None)
            yield {"name": name, "by": figures["dice"][key], "low": low, "high": high}
