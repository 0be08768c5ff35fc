"""The audit record: one call for every deed that somebody may ask about later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from annotator.events.models import Event
from annotator.spans import midnight

VERBS = (
    "saw", "started", "assigned", "reassigned", "withdrew", "submitted", "took back", "skipped", "handed back", "returned",
    "accepted", "reopened", "exported", "uploaded", "imported", "created", "changed", "deleted", "archived", "restored",
    "invited", "joined", "removed", "logged in", "logged out", "failed to log in",
)  # fmt: skip
"""What is offered where the record is searched; a deed may have any other verb."""
ONCE_IN = timedelta(hours=1)
COLUMNS = ("at", "person", "verb", "kind", "thing_id", "thing", "project", "details")


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


def saw(person: AbstractBaseUser | AnonymousUser, thing: Model, project_id: int | None = None) -> None:
    """Write down that the person opened the thing: once an hour, however often they look."""
    lately = Event.objects.filter(at__gt=timezone.now() - ONCE_IN, verb="saw", person_id=person.pk)
    if not lately.filter(kind=thing._meta.model_name, thing_id=str(thing.pk)).exists():
        note(person, "saw", thing, project_id)


@dataclass(frozen=True)
class Search:
    """What is looked for in the record; empty is everything. Days are inclusive, by the site's clock."""

    person: str = ""
    verb: str = ""
    kind: str = ""
    text: str = ""
    since: date | None = None
    until: date | None = None


def find(search: Search, project_id: int | None = None) -> QuerySet[Event]:
    """The matching lines of the record, the newest first; of one project where it is given."""
    wanted = Q() if project_id is None else Q(project_id=project_id)
    if search.person:
        wanted &= Q(person__icontains=search.person)
    if search.verb:
        wanted &= Q(verb=search.verb)
    if search.kind:
        wanted &= Q(kind=search.kind)
    if search.text:
        wanted &= Q(thing__icontains=search.text)
    if search.since:
        wanted &= Q(at__gte=midnight(search.since))
    if search.until:
        wanted &= Q(at__lt=midnight(search.until + timedelta(days=1)))
    return Event.objects.filter(wanted)
