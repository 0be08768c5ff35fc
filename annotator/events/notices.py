"""News for people: kept as rows, and shown at once to whoever has a page open."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from annotator.events.layer import send_on_commit
from annotator.events.models import Notice

LONGEST = 200  # characters of anything that a sentence speaks of


def tell(person: User, kind: str, url: str, **about: str | int) -> Notice:
    """Keep the news, and send it to the person's open pages once it is committed.

    `about` is what the kind's sentence speaks of (`annotator.events.sentences`); it is put into words where it is read.
    """
    short = {name: value[:LONGEST] if isinstance(value, str) else value for name, value in about.items()}
    notice = Notice.objects.create(person=person, kind=kind, about=short, url=url)
    send_on_commit(group(person.pk), {"type": "notice", "id": notice.pk})
    return notice


def tell_anew(person: User, kind: str, url: str, **about: str | int) -> Notice:
    """The same, in the place of news of this kind and address that the person has not seen yet."""
    unseen(person).filter(kind=kind, url=url).delete()
    return tell(person, kind, url, **about)


def unseen(person: User) -> QuerySet[Notice]:
    """The news that the person has not seen; none for whoever may not log in any more."""
    return Notice.objects.filter(person=person.pk, person__is_active=True, seen_at=None)


def see(person: User, *notices: Notice) -> None:
    """The person has seen these, or all where none is named; their other pages count anew."""
    seen = unseen(person).filter(pk__in=[one.pk for one in notices]) if notices else unseen(person)
    if seen.update(seen_at=timezone.now()):
        send_on_commit(group(person.pk), {"type": "notice"})


def group(person_id: int) -> str:
    """The channel group of all pages that the person has open."""
    return f"person-{person_id}"
