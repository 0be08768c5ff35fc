"""Forms about oneself."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from annotator.api.models import ApiToken
from annotator.api.tokens import MOST_DAYS


class SignUp(BaseUserCreationForm):
    """A new account; the username is free in any spelling of its case."""

    class Meta:
        model = User
        fields = ("username", "first_name", "last_name", "email")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].required = True

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=username).exists():
            raise forms.ValidationError(_("A user with that username already exists."))
        return username


class Profile(forms.ModelForm):
    """Name and address of an account."""

    class Meta:
        model = User
        fields = ("first_name", "last_name", "email")


class NewToken(forms.Form):
    """What a token is for, what it may do and for how long."""

    name = forms.CharField(label=_("What it is for"), max_length=64)
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=[
            (ApiToken.Scope.READ, _("see what you see")),
            (ApiToken.Scope.WORK, _("do your own cases, review and comment")),
            (ApiToken.Scope.MANAGE, _("manage projects, people and cases")),
        ],
        initial=[ApiToken.Scope.READ],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.IntegerField(label=_("For how many days"), min_value=1, max_value=MOST_DAYS, initial=90)
