"""Who works in the demo, each with the same password."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User

from annotator.annotation.models import Membership

PASSWORD = "demo"
Role = Membership.Role
ROLES = {"annotator": Role.ANNOTATOR, "bob": Role.ANNOTATOR, "reviewer": Role.REVIEWER, "manager": Role.MANAGER}
"""Those who are invited to the project by the admin, who makes it."""


@dataclass(frozen=True)
class Cast:
    """Everybody."""

    annotator: User
    bob: User
    reviewer: User
    manager: User
    admin: User


def cast() -> Cast:
    """Their accounts, made where they are missing."""
    return Cast(**{name: _person(name) for name in ROLES}, admin=_person("admin", everything=True))


def _person(name: str, everything: bool = False) -> User:
    create = User.objects.create_superuser if everything else User.objects.create_user
    return User.objects.filter(username=name).first() or create(name, password=PASSWORD)
