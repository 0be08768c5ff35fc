"""Sending to open pages from code that is not asynchronous."""

from __future__ import annotations

import logging
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

log = logging.getLogger(__name__)


def send_on_commit(group: str, event: dict[str, Any]) -> None:
    """Send the event to a channel group once the transaction is committed; what gets lost is only not shown at once."""
    transaction.on_commit(lambda: _send(group, event))


def _send(group: str, event: dict[str, Any]) -> None:
    try:
        async_to_sync(get_channel_layer().group_send)(group, event)
    except Exception as error:
        log.warning("Open pages were not told: %s", error)
