"""The page of a project's people: who belongs to it, who is invited, and the way out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotator.accounts import letters
from annotator.annotation import access, assign, people, progress
from annotator.annotation.models import Membership, Project
from annotator.login import person_of
from annotator.projects.rooms import room, show

REFUSALS = (people.PeopleRefused, assign.AssignRefused, progress.MoveRefused)


class Invite(forms.Form):
    """Whom to invite, as what."""

    role = forms.ChoiceField(label=_("As"), choices=Membership.Role.choices)
    email = forms.EmailField(label=_("E-mail, or empty for a link"), required=False, max_length=254)


class MemberChoice(forms.ModelChoiceField):
    """Members by name and role."""

    def label_from_instance(self, obj: Membership) -> str:
        return f"{obj.person.get_username()} ({obj.get_role_display()})"


class Leave(forms.Form):
    """Who gets the open cases of somebody who leaves."""

    heir = MemberChoice(
        queryset=Membership.objects.none(),
        label=_("Give the open cases to"),
        required=False,
        empty_label=_("nobody: back into the queue"),
    )
    keep_work = forms.BooleanField(label=_("With the work so far"), required=False, initial=True)

    def __init__(self, *args: Any, leaver: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        heir = self.fields["heir"]
        assert isinstance(heir, MemberChoice)
        others = people.members(leaver.project).filter(person__is_active=True)
        heir.queryset = others.exclude(pk=leaver.pk)


@never_cache
@require_safe
@room(access.projects_managed_by)
def project_people(request: HttpRequest, project: Project) -> HttpResponse:
    """Members and invitations."""
    return _page(request, project)


@require_POST
@room(access.projects_managed_by)
def change_member(request: HttpRequest, project: Project, person_id: int) -> HttpResponse:
    """Another role, other skills; the page of it all is the answer, of which htmx takes the row."""
    membership = get_object_or_404(project.memberships.select_related("person"), person=person_id)
    skills = people.skills_from(request.POST["skills"]) if "skills" in request.POST else None
    try:
        people.change(membership, person_of(request), request.POST.get("role"), skills)
    except people.PeopleRefused as refused:
        return _page(request, project, status=409, row=membership.pk, row_error=str(refused))
    return _page(request, project, row=membership.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@room(access.projects_managed_by)
def remove_member(request: HttpRequest, project: Project, person_id: int) -> HttpResponse:
    """Lists the open cases and asks what becomes of them; then the person is out."""
    membership = get_object_or_404(project.memberships.select_related("person"), person=person_id)
    form = Leave(request.POST or None, leaver=membership)
    if request.method != "POST" or not form.is_valid():
        return _leaving(request, membership, form)
    heir = form.cleaned_data["heir"]
    try:
        people.remove(membership, person_of(request), heir and heir.person, form.cleaned_data["keep_work"])
    except REFUSALS as refused:
        return _leaving(request, membership, form, str(refused), status=409)
    if membership.person_id == request.user.pk and not access.administers(request.user):
        return redirect("projects")
    return redirect("project_people", project.pk)


@never_cache
@require_POST
@room(access.projects_managed_by)
def invite(request: HttpRequest, project: Project) -> HttpResponse:
    """Invite somebody: by e-mail, or by a link that is shown this once."""
    form = Invite(request.POST)
    if not form.is_valid():
        return _page(request, project, status=400, invite=form)
    asked = form.cleaned_data
    try:
        made, secret = people.invite(project, asked["role"], person_of(request), asked["email"])
    except people.PeopleRefused as refused:
        form.add_error(None, str(refused))
        return _page(request, project, status=409, invite=form)
    return _page(request, project, **letters.invite(request, made, secret)._asdict())


@never_cache
@require_POST
@room(access.projects_managed_by)
def renew_invitation(request: HttpRequest, project: Project, invitation_id: int) -> HttpResponse:
    """A new link instead of the old one, sent again where there is an address."""
    found = get_object_or_404(project.invitations, pk=invitation_id)
    try:
        secret = people.renew(found, person_of(request))
    except people.PeopleRefused as refused:
        return _page(request, project, status=409, error=str(refused))
    return _page(request, project, **letters.invite(request, found, secret)._asdict())


@require_POST
@room(access.projects_managed_by)
def withdraw_invitation(request: HttpRequest, project: Project, invitation_id: int) -> HttpResponse:
    """The link ends."""
    found = get_object_or_404(project.invitations, pk=invitation_id)
    try:
        people.withdraw(found, person_of(request))
    except people.PeopleRefused as refused:
        return _page(request, project, status=409, error=str(refused))
    return _page(request, project)


def _page(request: HttpRequest, project: Project, status: int = 200, **context: Any) -> HttpResponse:
    whole = {
        "members": people.members(project),
        "roles": Membership.Role.choices,
        "invitations": people.invitations(project),
        "invite": Invite(),
        "now": timezone.now(),
        **context,
    }
    return show(request, project, "projects/people.html", whole, status=status)


def _leaving(
    request: HttpRequest, membership: Membership, form: Leave, error: str = "", status: int = 200
) -> HttpResponse:
    cases = people.open_cases(membership.person).filter(task__project=membership.project_id)
    context = {"member": membership, "form": form, "cases": cases, "error": error}
    return show(request, membership.project, "projects/remove_member.html", context, status=status)
