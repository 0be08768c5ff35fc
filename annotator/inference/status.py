"""Whether masks can be had."""

from __future__ import annotations

import asyncio

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings

from annotator.inference import embedded
from annotator.inference.requests import Ping, send_to_all_slots

PATIENCE = 2.0  # seconds for a worker's pong; it answers pings between masks


def ready() -> bool:
    """The embedded loop is running, or every separate worker answers a ping."""
    if settings.INFERENCE_EMBEDDED:
        return embedded.running()
    return async_to_sync(_all_answer)()


async def _all_answer() -> bool:
    layer = get_channel_layer()
    reply = await layer.new_channel()
    try:
        async with asyncio.timeout(PATIENCE):
            await send_to_all_slots(Ping(reply))
            for _ in range(settings.INFERENCE_SLOTS):
                await layer.receive(reply)
    except Exception:  # no answer in time, or no channel layer to ask over
        return False
    return True
