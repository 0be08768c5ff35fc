"""The people of the site, for its admins: found, let in, shut out, made admins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from annotator.annotation.people import OPEN
from annotator.api import tokens
from annotator.events import audit


class AdminRefused(ValueError):
    """One sentence why an admin cannot do this."""


def search(words: str = "") -> QuerySet[User]:
    """Everybody whose username, name or e-mail has each of the words, with `open_cases` and `projects` counted."""
    found = User.objects.all()
    for word in words.replace("\x00", "").split():
        anywhere = Q(username__icontains=word) | Q(first_name__icontains=word) | Q(last_name__icontains=word)
        found = found.filter(anywhere | Q(email__icontains=word))
    return found.annotate(
        open_cases=Count("assignments", filter=Q(assignments__state__in=OPEN), distinct=True),
        projects=Count("memberships", distinct=True),
    ).order_by("-is_active", "username")


def deactivate(person: User, by: User) -> None:
    """Shut somebody out at once: sessions end, tokens stop. Their work stays, and their open cases stay theirs.

    Raises AdminRefused.
    """
    if person == by:
        raise AdminRefused(_("You cannot deactivate yourself; another admin can."))
    with _roll_call():
        _set(person, is_active=False)
        _end_sessions(person)
        for token in tokens.of(person):
            tokens.revoke(token, by)
        audit.note(by, "deactivated", person)


def reactivate(person: User, by: User) -> None:
    """Let somebody log in again, with the roles that they had; tokens have to be made anew."""
    with _roll_call():
        _set(person, is_active=True)
        audit.note(by, "reactivated", person)


def make_admin(person: User, by: User) -> None:
    """Raises AdminRefused where the person is deactivated."""
    with _roll_call():
        if not person.is_active:
            name = person.get_username()
            raise AdminRefused(_("%(name)s is deactivated; reactivate them first.") % {"name": name})
        _set(person, is_staff=True, is_superuser=True)
        audit.note(by, "made admin", person)


def end_admin(person: User, by: User) -> None:
    """Raises AdminRefused for oneself, so that the site keeps an admin."""
    if person == by:
        raise AdminRefused(_("You cannot take this from yourself; another admin can."))
    with _roll_call():
        _set(person, is_staff=False, is_superuser=False)
        audit.note(by, "ended admin", person)


@contextmanager
def _roll_call() -> Iterator[None]:
    """One such change at a time, so that two admins cannot shut each other out."""
    with transaction.atomic():
        list(User.objects.select_for_update().filter(is_staff=True).order_by("pk").values_list("pk"))
        yield


def _set(person: User, **fields: bool) -> None:
    User.objects.filter(pk=person.pk).update(**fields)
    person.refresh_from_db()


def _end_sessions(person: User) -> None:
    """What a session holds can only be read one by one."""
    for session in Session.objects.filter(expire_date__gte=timezone.now()).iterator():
        if session.get_decoded().get(SESSION_KEY) == str(person.pk):
            session.delete()
