"""`/ws/learning/training/<id>/`: how far a training run is, for admins.

The run's job is another process, which the in-memory channel layer does not reach; both know the row, so it is looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from annotator.annotation import access
from annotator.learning import shown
from annotator.learning.models import TrainingRun
from annotator.live.consumers import NOT_FOUND, NOT_LOGGED_IN
from annotator.live.database import in_database

EVERY = 1.0  # seconds between two looks at the row


class TrainingConsumer(AsyncWebsocketConsumer):
    """One page of one run. Every frame is what `shown.as_json` says, sent when it has changed; the browser sends none."""

    watch: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        await self.accept()  # a browser is told a close code only after the handshake
        if not self.scope["user"].is_authenticated:
            await self.close(NOT_LOGGED_IN)
        elif await in_database(self._look)() is None:
            await self.close(NOT_FOUND)
        else:
            self.watch = asyncio.create_task(self._watch())

    async def disconnect(self, code: int) -> None:
        if self.watch:
            self.watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.watch

    async def _watch(self) -> None:
        """Until the run is over."""
        before = None
        while found := await in_database(self._look)():
            if found != before:
                await self.send(text_data=json.dumps(found))
            if not found["is_open"]:
                return
            before = found
            await asyncio.sleep(EVERY)

    def _look(self) -> dict[str, Any] | None:
        """None where there is no such run, or not for this person."""
        if not access.administers(self.scope["user"]):
            return None
        run = TrainingRun.objects.filter(pk=self.scope["url_route"]["kwargs"]["run_id"]).first()
        return shown.as_json(run) if run else None
