"""News for people: kept as rows, and shown at once to whoever has a page open."""

from __future__ import annotations

from django.contrib.auth.models import User

from annotator.events.layer import send_on_commit
from annotator.events.models import Notice


def tell(person: User, kind: str, text: str, url: str) -> Notice:
    """Keep the news, and send it to the person's open pages once it is committed."""
    notice = Notice.objects.create(person=person, kind=kind, text=text[:255], url=url)
    send_on_commit(group(person.pk), {"type": "notice", "id": notice.pk})
    return notice


def group(person_id: int) -> str:
    """The channel group of all pages that the person has open."""
    return f"person-{person_id}"
