"""What managers fill in. Forms read text and show errors; the rules, which hold for whoever writes, are in `annotation`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.translation import gettext_lazy as _

from annotator.annotation import cases, labelsets, projects
from annotator.annotation.models import Label, Membership, Project

SHARE = {"min": 0, "max": 100, "step": 1}


class NewProjectForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100, widget=forms.TextInput({"autofocus": True}))
    guidelines = forms.CharField(label=_("Guidelines"), required=False, widget=forms.Textarea({"rows": 8}))


class PercentField(forms.FloatField):
    """A share, 0 to 1, as people write it: in per cent."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=100, widget=forms.NumberInput(SHARE), **options)

    def clean(self, value: Any) -> float:
        return super().clean(value) / 100

    def prepare_value(self, value: Any) -> Any:
        return f"{value * 100:.4g}" if isinstance(value, float) else value


class SettingsForm(forms.ModelForm):
    double_share = PercentField(label=_("Double readings"), help_text=_("per cent of new cases, read by two people"))
    review_share = PercentField(label=_("Reviews"), help_text=_("per cent of submitted cases, seen by a reviewer"))

    class Meta:
        model = Project
        fields = [name for name in projects.SETTINGS if name != "window_presets"]
        labels = {
            "name": _("Name"),
            "guidelines": _("Guidelines"),
            "overlap": _("Where masks meet"),
            "reviews_own": _("Reviewers may review their own work"),
            "model_version": _("Model version"),
            "order": _("Which case is next"),
            "gold_feedback": _("People see at once how they did on a gold case"),
        }
        help_texts = {
            "guidelines": _("Markdown: # heading, **bold**, lists, tables, links"),
            "reviews_own": "",
            "gold_feedback": "",
            "model_version": _("It answers the clicks of this project."),
            "order": _("Priority and date go first. Each choice is in the record, so that it can be judged later."),
        }
        widgets = {"guidelines": forms.Textarea({"rows": 14})}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        version = self.fields["model_version"]
        assert isinstance(version, forms.ModelChoiceField)
        version.empty_label = _("the site's active one")


class PresetForm(forms.Form):
    """One row of window presets; an empty row is none."""

    name = forms.CharField(label=_("Name"), required=False, max_length=32)
    level = forms.IntegerField(label=_("Level (HU)"), required=False)
    width = forms.IntegerField(label=_("Width (HU)"), required=False)


PresetFormSet = forms.formset_factory(PresetForm, extra=3, max_num=projects.MOST_PRESETS, validate_max=True)


class LabelForm(forms.ModelForm):
    class Meta:
        model = Label
        fields = ["name", "colour", "hotkey", "snomed", "locked"]
        labels = {
            "name": _("Name"),
            "colour": _("Colour"),
            "hotkey": _("Key on the canvas"),
            "snomed": _("SNOMED CT code"),
            "locked": _("Locked when a case begins"),
        }
        help_texts = {
            "hotkey": _("a digit or a sign; the letters are commands of the canvas"),
            "snomed": "",
            "locked": "",
        }
        widgets = {
            "colour": forms.TextInput({"type": "color"}),
            "snomed": forms.TextInput({"inputmode": "numeric", "placeholder": "10200004"}),
        }

    def _post_clean(self) -> None:
        """Nothing: the rules of labels are `labelsets`'s, and so is the writing."""

    def touches(self, label: Label) -> bool:
        """Whether something changes by which the label's masks are known."""
        return any(self.cleaned_data[name] != getattr(label, name) for name in labelsets.TOUCHING)


class CaseFilter(forms.Form):
    """What of the cases is shown; in the address, so that a view can be kept as a bookmark."""

    standing = forms.ChoiceField(label=_("State"), required=False)
    person = forms.TypedChoiceField(label=_("Person"), required=False, coerce=int, empty_value=None)
    text = forms.CharField(label=_("Text"), required=False, max_length=100, widget=forms.TextInput({"type": "search"}))
    due = forms.ChoiceField(label=_("Due"), required=False)
    order = forms.ChoiceField(label=_("Order"), required=False)
    gold = forms.BooleanField(label=_("Gold"), required=False)

    def __init__(self, data: Any, members: Iterable[Membership]) -> None:
        super().__init__(data)
        _offer(self, "standing", [("", _("any")), *cases.Standing.choices])
        _offer(self, "person", [("", _("anybody")), *_people(members)])
        _offer(self, "due", [("", _("any")), *cases.Due.choices])
        _offer(self, "order", cases.Order.choices)

    def wanted(self) -> cases.Wanted:
        """Of fields that make no sense, as in an old address, the rest is left."""
        self.is_valid()
        return cases.Wanted(**{name: value for name, value in self.cleaned_data.items() if value})


class DeedForm(forms.Form):
    """What is to be done with the ticked cases; which fields count is up to the deed."""

    person = forms.TypedChoiceField(label=_("Person"), required=False, coerce=int, empty_value=None)
    other = forms.TypedChoiceField(label=_("Person"), required=False, coerce=int, empty_value=None)
    people = forms.TypedMultipleChoiceField(
        label=_("People"), required=False, coerce=int, widget=forms.CheckboxSelectMultiple
    )
    by_skill = forms.BooleanField(label=_("Only to whoever has the skill that a case asks for"), required=False)
    priority = forms.IntegerField(label=_("Priority"), required=False, help_text=_("higher is handed out earlier"))
    due_on = forms.DateField(label=_("Due on"), required=False, widget=forms.DateInput({"type": "date"}))
    no_date = forms.BooleanField(label=_("No due date"), required=False)
    skill = forms.CharField(label=_("Skill"), required=False, max_length=32, widget=forms.TextInput({"list": "skills"}))
    no_skill = forms.BooleanField(label=_("No skill asked for"), required=False)
    readings = forms.IntegerField(label=_("Readings"), required=False, min_value=1, max_value=cases.MOST_READINGS)
    keep_work = forms.ChoiceField(
        label=_("The work so far"), required=False, choices=[("yes", _("goes with it")), ("no", _("stays behind"))]
    )

    def __init__(self, data: Any, members: Iterable[Membership]) -> None:
        super().__init__(data)
        people = _people(members)
        _offer(self, "people", people)
        for name in ("person", "other"):
            _offer(self, name, [("", _("choose…")), *people])

    def plan(self) -> dict[str, Any]:
        """The fields of a plan that the person has filled in."""
        data = self.cleaned_data
        filled = {
            name: data[name] for name in ("priority", "due_on", "skill", "readings") if data[name] not in (None, "")
        }
        if data["no_date"]:
            filled["due_on"] = None
        if data["no_skill"]:
            filled["skill"] = ""
        return filled


def first_error(form: Any) -> str:
    """One sentence of a form that is not valid, with the field's name where it has one."""
    name, errors = next(iter(form.errors.items()))
    return str(errors[0]) if name == NON_FIELD_ERRORS else f"{form.fields[name].label}: {errors[0]}"


def _offer(form: forms.Form, name: str, choices: list[Any]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices


def _people(members: Iterable[Membership]) -> list[tuple[int, str]]:
    return [(one.person_id, f"{one.person.get_username()} ({one.get_role_display()})") for one in members]
