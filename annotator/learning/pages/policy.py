"""The site's rules for learning, on one page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from annotator.events import audit
from annotator.learning import evaluation, rules
from annotator.learning.models import Policy
from annotator.learning.rooms import for_admins, show
from annotator.login import person_of
from annotator.projects.forms import PercentField

CLICKS = [(k, str(k)) for k in evaluation.CLICKS]


class PolicyForm(forms.ModelForm):
    replay = PercentField(label=_("Old data"), help_text=_("per cent of what it learns from"))
    gate_clicks = forms.TypedChoiceField(label=_("Clicks"), choices=CLICKS, coerce=int)

    class Meta:
        model = Policy
        fields = [
            "schedule",
            "after_masks",
            "steps",
            "replay",
            "promotes",
            "gate_clicks",
            "gate_gain",
            "gate_tolerance",
        ]
        labels = {
            "schedule": _("By the clock"),
            "after_masks": _("After newly accepted masks"),
            "steps": _("Steps"),
            "promotes": _("A candidate that passes the gate answers clicks at once"),
            "gate_gain": _("Least gain of the mean Dice"),
            "gate_tolerance": _("Fall of a label's Dice that is tolerated"),
        }
        help_texts = {
            "after_masks": _("0: never"),
            "promotes": "",
            "gate_gain": _("0.01 is one per cent"),
            "gate_tolerance": "",
        }

    def clean_steps(self) -> int:
        if (steps := self.cleaned_data["steps"]) < 1:
            raise forms.ValidationError(_("A training has at least one step."))
        return int(steps)

    def clean_replay(self) -> float:
        if (share := self.cleaned_data["replay"]) >= 1:
            raise forms.ValidationError(_("Something new has to be among what it learns from."))
        return float(share)


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
def policy(request: HttpRequest) -> HttpResponse:
    """Show the rules, or change them."""
    row = rules.current()
    form = PolicyForm(request.POST if request.method == "POST" else None, instance=row)
    if request.method == "POST" and form.is_valid():
        form.save()
        changed: dict[str, Any] = {name: form.cleaned_data[name] for name in form.changed_data}
        audit.note(person_of(request), "changed", row, **changed)
        messages.success(request, gettext("The rules are changed; they hold from now on."))
        return redirect("learning_rules")
    return show(request, "learning/policy.html", {"form": form}, 400 if form.errors else 200)
