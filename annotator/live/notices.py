"""`/ws/notices/`: tells a person's open pages how much news there is, and what the newest says."""

from __future__ import annotations

import json
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from annotator.events import language, notices
from annotator.live.consumers import NOT_LOGGED_IN
from annotator.live.database import in_database


class NoticeConsumer(AsyncWebsocketConsumer):
    """One page of one person. Every frame is `{"unseen": 3, "text": "…", "url": "/notices/7/"}`; the browser sends none.

    The text is empty where only the count has changed.
    """

    async def connect(self) -> None:
        person = self.scope["user"]
        await self.accept()  # a browser is told a close code only after the handshake
        if not person.is_authenticated:
            await self.close(NOT_LOGGED_IN)
            return
        await self.channel_layer.group_add(notices.group(person.pk), self.channel_name)
        await self.notice({})

    async def disconnect(self, code: int) -> None:
        if self.scope["user"].is_authenticated:
            await self.channel_layer.group_discard(notices.group(self.scope["user"].pk), self.channel_name)

    async def notice(self, event: dict[str, Any]) -> None:
        """There is news, or some was seen."""
        frame = await in_database(self._frame)(event.get("id"))
        await self.send(text_data=json.dumps(frame))

    def _frame(self, notice_id: int | None) -> dict[str, Any]:
        unseen = notices.unseen(self.scope["user"])
        newest = unseen.filter(pk=notice_id).first() if notice_id else None
        if newest is None:
            return {"unseen": unseen.count(), "text": "", "url": ""}
        with language.reading(newest.person_id):
            return {"unseen": unseen.count(), "text": newest.sentence, "url": f"/notices/{newest.pk}/"}
