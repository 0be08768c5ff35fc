"""Tokens: with one a program acts for a person, within its scopes, until it expires or is revoked."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from annotator import onetime
from annotator.api.models import ApiToken
from annotator.events import audit

PREFIX = "ann_"
"""Begins every token, so that whoever finds one in a file knows what it is."""
MOST_DAYS = 365
_USED_EVERY = timedelta(minutes=1)  # noting each use would be a write for every read


class TokenRefused(ValueError):
    """One sentence why there is no such token, or why it opens nothing."""


def make(person: User, name: str, scopes: list[str], days: int) -> tuple[ApiToken, str]:
    """A token and its secret, which is told this once. Raises TokenRefused."""
    if not name.strip():
        raise TokenRefused(_("Say what the token is for."))
    if not scopes or not set(scopes) <= set(ApiToken.Scope.values):
        sentence = _("Choose at least one scope of %(scopes)s.")
        raise TokenRefused(sentence % {"scopes": ", ".join(ApiToken.Scope.values)})
    if not 1 <= days <= MOST_DAYS:
        raise TokenRefused(_("A token is good for 1 to %(most)d days.") % {"most": MOST_DAYS})
    secret = PREFIX + onetime.secret()
    expires_at = timezone.now() + timedelta(days=days)
    with transaction.atomic():
        token = ApiToken.objects.create(
            person=person, name=name.strip(), scopes=scopes, digest=onetime.digest(secret), expires_at=expires_at
        )
        audit.note(person, "made", token, scopes=scopes, days=days)
    return token, secret


def of(person: User) -> QuerySet[ApiToken]:
    """The person's tokens that have not been revoked, the newest first."""
    return ApiToken.objects.filter(person=person, revoked_at=None)


def revoke(token: ApiToken, by: User) -> None:
    """It opens nothing from now on; a second time changes nothing."""
    with transaction.atomic():
        if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
            audit.note(by, "revoked", token)


def holder(secret: str) -> ApiToken:
    """The token of a secret, with its person, now noted as used. Raises TokenRefused."""
    token = ApiToken.objects.select_related("person").filter(digest=onetime.digest(secret)).first()
    if token is None:
        raise TokenRefused(_("There is no such token."))
    if token.revoked_at:
        raise TokenRefused(_("This token was revoked."))
    if token.expires_at <= timezone.now():
        sentence = _("This token expired on %(day)s; make another one on the account page.")
        raise TokenRefused(sentence % {"day": f"{token.expires_at:%Y-%m-%d}"})
    if not token.person.is_active:
        raise TokenRefused(_("The person of this token is deactivated."))
    _note_use(token)
    return token


def _note_use(token: ApiToken) -> None:
    now = timezone.now()
    long_ago = Q(last_used_at=None) | Q(last_used_at__lt=now - _USED_EVERY)
    if token.last_used_at is None or token.last_used_at < now - _USED_EVERY:
        ApiToken.objects.filter(long_ago, pk=token.pk).update(last_used_at=now)
