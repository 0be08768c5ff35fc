"""News for people: kept as rows, and shown at once to whoever has a page open."""

from __future__ import annotations

import logging

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.contrib.auth.models import User
from django.db import transaction

from annotator.events.models import Notice

log = logging.getLogger(__name__)


def tell(person: User, kind: str, text: str, url: str) -> Notice:
    """Keep the news, and send it to the person's open pages once it is committed."""
    notice = Notice.objects.create(person=person, kind=kind, text=text[:255], url=url)
    transaction.on_commit(lambda: _send(notice))
    return notice


def group(person_id: int) -> str:
    """The channel group of all pages that the person has open."""
    return f"person-{person_id}"


def _send(notice: Notice) -> None:
    """What gets lost here is still in the list."""
    layer = get_channel_layer()
    try:
        async_to_sync(layer.group_send)(group(notice.person_id), {"type": "notice", "id": notice.pk})
    except Exception as error:
        log.warning("A notice was not shown at once: %s", error)
