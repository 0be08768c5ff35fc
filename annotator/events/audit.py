"""The audit record: one call for every deed that somebody may ask about later."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Model

from annotator.events.models import Event


def note(
    person: AbstractBaseUser | AnonymousUser | None,
    verb: str,
    thing: Model,
    project_id: int | None = None,
    **details: Any,
) -> Event:
    """Write down that the person (None: the program) did `verb` to the thing; `details` are plain JSON values."""
    known = person is not None and person.is_authenticated
    return Event.objects.create(
        person_id=person.pk if person is not None and known else None,
        person=person.get_username() if person is not None and known else "",
        verb=verb,
        kind=str(thing._meta.model_name),
        thing_id=str(thing.pk or ""),
        thing=str(thing)[:255],
        project_id=project_id,
        details=details,
    )
