"""One's own account, the door for who was invited, and the admins' list of people."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import i18n
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotator.accounts import directory
from annotator.accounts.forms import NewToken, Profile, SignUp
from annotator.annotation import access, people
from annotator.annotation.models import Invitation
from annotator.api import tokens
from annotator.events import audit, language
from annotator.login import person_of

Page = Callable[..., HttpResponse]
DEEDS: dict[str, Callable[[User, User], None]] = {
    "deactivate": directory.deactivate,
    "reactivate": directory.reactivate,
    "make_admin": directory.make_admin,
    "end_admin": directory.end_admin,
}
_PER_PAGE = 50


# ------------------------------------------------------------------------------------------------ one's own account


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Name and address, password, language, tokens."""
    person = person_of(request)
    if request.method != "POST":
        return _account(request)
    form = Profile(request.POST, instance=User.objects.get(pk=person.pk))
    if not form.is_valid():
        return _account(request, profile=form, status=400)
    form.save()
    messages.success(request, _("Your account is saved."))
    return redirect("account")


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Pages are in this language from now on, and so are mails."""
    language.remember(person_of(request), request.POST.get("language", ""))
    return i18n.set_language(request)


@never_cache
@require_POST
def make_token(request: HttpRequest) -> HttpResponse:
    """Make a token and show its secret, this once."""
    form = NewToken(request.POST)
    if not form.is_valid():
        return _account(request, new_token=form, status=400)
    asked = form.cleaned_data
    made, secret = tokens.make(person_of(request), asked["name"], asked["scopes"], asked["days"])
    return _account(request, made=made, secret=secret)


@require_POST
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """End one of one's own tokens."""
    person = person_of(request)
    token = get_object_or_404(tokens.of(person), pk=token_id)
    tokens.revoke(token, person)
    messages.success(request, _("The token “%(name)s” is revoked.") % {"name": token.name})
    return redirect("account")


def _account(request: HttpRequest, status: int = 200, **context: Any) -> HttpResponse:
    person = person_of(request)
    whole = {
        "profile": Profile(instance=person),
        "new_token": NewToken(),
        "tokens": tokens.of(person),
        "memberships": person.memberships.select_related("project").order_by("project__name"),
        "now": timezone.now(),
        **context,
    }
    return render(request, "accounts/account.html", whole, status=status)


# ------------------------------------------------------------------------------------------------ invited


@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Whoever is logged in joins with one press; whoever is not logs in, or signs up here."""
    found = people.find(secret)
    if found is None:
        raise Http404
    if request.method == "POST" and request.user.is_authenticated:
        return _join(request, found, person_of(request))
    if request.method == "POST":
        return _sign_up(request, found)
    return _invitation(request, found, SignUp(initial={"email": found.email}))


def _sign_up(request: HttpRequest, found: Invitation) -> HttpResponse:
    form = SignUp(request.POST)
    if people.why_ended(found) or not form.is_valid():
        return _invitation(request, found, form, status=400)
    person = cast("User", form.save())
    audit.note(person, "signed up", person)
    login(request, person)
    return _join(request, found, person)


def _join(request: HttpRequest, found: Invitation, person: User) -> HttpResponse:
    try:
        people.join(found, person)
    except people.PeopleRefused:
        return _invitation(request, found, SignUp(), status=409)
    messages.success(request, _("Welcome to %(project)s.") % {"project": found.project})
    return redirect("project", found.project_id)


def _invitation(request: HttpRequest, found: Invitation, form: SignUp, status: int = 200) -> HttpResponse:
    is_member = access.is_member(request.user, found.project_id)
    context = {"invitation": found, "form": form, "ended": people.why_ended(found), "is_member": is_member}
    return render(request, "accounts/invitation.html", context, status=status)


# ------------------------------------------------------------------------------------------------ for admins


def for_admins(page: Page) -> Page:
    """Nobody else learns that there is such a page."""

    @wraps(page)
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not access.administers(request.user):
            raise Http404
        return page(request, *args, **kwargs)

    return view


@require_safe
@for_admins
def site_people(request: HttpRequest) -> HttpResponse:
    """Everybody, or whom the search finds."""
    words = request.GET.get("q", "")
    page = Paginator(directory.search(words), _PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "accounts/people.html", {"page": page, "q": words})


@require_safe
@for_admins
def site_person(request: HttpRequest, person_id: int) -> HttpResponse:
    """One person: projects, open cases, and what an admin can do."""
    return _person(request, get_object_or_404(User, pk=person_id))


@require_POST
@for_admins
def change_person(request: HttpRequest, person_id: int, deed: str) -> HttpResponse:
    """Deactivate, reactivate, make or unmake an admin."""
    person = get_object_or_404(User, pk=person_id)
    if deed not in DEEDS:
        raise Http404
    try:
        DEEDS[deed](person, person_of(request))
    except directory.AdminRefused as refused:
        return _person(request, person, str(refused), status=409)
    return redirect("site_person", person.pk)


def _person(request: HttpRequest, person: User, error: str = "", status: int = 200) -> HttpResponse:
    context = {
        "who": person,
        "memberships": person.memberships.select_related("project").order_by("project__name"),
        "cases": people.open_cases(person),
        "tokens": tokens.of(person).count(),
        "error": error,
    }
    return render(request, "accounts/person.html", context, status=status)
