"""Log-ins for the audit record: who came, who left, and who was turned away."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.utils.translation import get_language

from annotator.events import audit, language


@receiver(user_logged_in)
def logged_in(user: User, **rest: Any) -> None:
    audit.note(user, "logged in", user)
    language.remember(user, get_language() or "")


@receiver(user_logged_out)
def logged_out(user: AbstractBaseUser | None, **rest: Any) -> None:
    if user is not None:
        audit.note(user, "logged out", user)


@receiver(user_login_failed)
def failed(credentials: dict[str, Any], **rest: Any) -> None:
    """A name that nobody has is not kept: people type their password into the wrong field."""
    name = str(credentials.get("username", ""))
    person = User.objects.filter(username=name).first()
    audit.note(None, "failed to log in", person or User(username=UNKNOWN))


UNKNOWN = "an unknown name"
