"""The inference loop: takes requests from one channel, answers the newest of each place, encodes ahead while idle.

The network runs in a thread of its own, so that the loop goes on receiving and an outdated request is replaced instead of
answered. A checkpoint is read in another thread, so that nobody waits but those who asked for that one. The same loop runs
inside the web process (`embedded`) and as `manage.py inference_worker`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from channels.layers import get_channel_layer
from django.db import close_old_connections
from django.utils.translation import gettext_noop
from numpy.typing import NDArray

from annotator.engine import ClickEngine, SliceKey
from annotator.inference.requests import Answer, Load, Message, Ping, Pong, Request, View, send, slot_name, unpack
from annotator.protocol import MaskFrame
from annotator.studies import store
from annotator.studies.models import Series

if TYPE_CHECKING:
    from annotator.engine import Predictor

log = logging.getLogger(__name__)
NOT_LOADED = gettext_noop("The model could not be loaded.")
FAILED = gettext_noop("The network failed on this slice.")
AHEAD = (0, 1, -1, 2, -2)  # slices encoded around the one in view, in this order


class Worker:
    """One slot. `run()` ends only by cancellation."""

    def __init__(self, slot: int, engine: ClickEngine) -> None:
        self.channel, self.engine = slot_name(slot), engine
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="network")
        self.reader = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self.reading: dict[str, asyncio.Future[Predictor]] = {}  # by model, until the network's thread has it
        self.pending: dict[tuple[tuple[int, int, int, int], int], Request] = {}  # by place and kind, oldest first
        self.ahead: dict[str, deque[SliceKey]] = {}  # by whoever looks
        self.work = asyncio.Event()

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._receive())
                tasks.create_task(self._answer())
        finally:
            for thread in (self.thread, self.reader):
                thread.shutdown(wait=False, cancel_futures=True)

    async def warm_up(self, model: str) -> None:
        """Reads a checkpoint before anybody waits for it. Raises ValueError with one sentence."""
        await asyncio.get_running_loop().run_in_executor(self.thread, self.engine.load, model)

    # ------------------------------------------------------------------------------------------ receiving

    async def _receive(self) -> None:
        layer = get_channel_layer()
        while True:
            try:
                packed = await layer.receive(self.channel)
            except Exception as error:  # the broker is away: nothing to do but to try again
                log.warning("The channel layer is away: %s", error)
                await asyncio.sleep(1)
                continue
            try:
                await self.take(unpack(packed))
            except Exception:
                log.exception("A message could not be taken.")

    async def take(self, message: Message) -> None:
        """Queues one message; a ping is answered at once."""
        if isinstance(message, Ping):
            await send(message.reply, Pong())
        elif isinstance(message, Load):
            self._want(message.model)
        elif isinstance(message, View):
            self._want(message.model)
            self._look(message)
            self.work.set()
        elif isinstance(message, Request):
            if message.kind == MaskFrame.STORED:  # the release of a drag makes its last preview pointless
                self.pending.pop((message.place, MaskFrame.PREVIEW), None)
            self._want(message.model)
            self.pending[message.place, message.kind] = message  # an older one's turn is kept, its clicks are not
            self.work.set()

    def _want(self, model: str) -> None:
        """Has the checkpoint read where it is not there."""
        if model not in self.reading and not self.engine.has(model):
            loop = asyncio.get_running_loop()
            self.reading[model] = loop.run_in_executor(self.reader, self.engine.read, model)
            self.reading[model].add_done_callback(lambda _: self.work.set())

    def _look(self, view: View) -> None:
        slices = (view.z + step for step in AHEAD)
        self.ahead.pop(view.reply, None)
        self.ahead[view.reply] = deque(SliceKey(view.model, view.series, z) for z in slices if 0 <= z < view.depth)
        while len(self.ahead) > 64:  # people who have left
            del self.ahead[next(iter(self.ahead))]

    # ------------------------------------------------------------------------------------------ answering

    async def _answer(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self.work.wait()
            if model := self._next_read():
                await self._put(model)
            elif request := self._next_request():
                await self._reply(request, await loop.run_in_executor(self.thread, self._mask, request))
            elif key := self._next_ahead():
                await loop.run_in_executor(self.thread, self._encode_ahead, key)
            else:
                self.work.clear()

    async def _reply(self, request: Request, answer: Answer) -> None:
        try:
            await send(request.reply, answer)
        except Exception as error:  # the consumer asks again
            log.warning("An answer could not be sent: %s", error)

    async def _put(self, model: str) -> None:
        """Gives the network's thread a checkpoint that was read, or tells who waits for it why it could not be."""
        try:
            predictor = self.reading[model].result()
            await asyncio.get_running_loop().run_in_executor(self.thread, self.engine.put, model, predictor)
        except Exception as error:
            log.exception("%s could not be loaded.", model)
            sentence = str(error) if isinstance(error, ValueError) else NOT_LOADED
            for key in [key for key, request in self.pending.items() if request.model == model]:
                request = self.pending.pop(key)
                await self._reply(request, Answer(*_head(request), 0.0, error=sentence))
        finally:
            del self.reading[model]

    def _next_read(self) -> str | None:
        return next((model for model, reading in self.reading.items() if reading.done()), None)

    def _next_request(self) -> Request | None:
        """The oldest whose checkpoint is there; those of the others are read meanwhile."""
        for key, request in self.pending.items():
            if self.engine.has(request.model):
                return self.pending.pop(key)
            self._want(request.model)  # where it was there when the request came, and had to give way since
        return None

    def _next_ahead(self) -> SliceKey | None:
        for reply, keys in list(self.ahead.items()):
            while keys and self.engine.has(keys[0].model):
                key = keys.popleft()
                if key not in self.engine.encoded:
                    return key
            if not keys:
                del self.ahead[reply]
        return None

    def _mask(self, request: Request) -> Answer:
        """In the network's thread."""
        key = SliceKey(request.model, request.series, request.z)
        head = _head(request)
        try:
            if request.source >= 0:
                return self._propagated(request, head)
            clicks = [(y, x, positive) for y, x, positive in request.clicks]
            mask, quality, ms = self.engine.mask(key, lambda: _read(key), clicks, request.base, request.by_hand)
        except Exception as error:
            log.exception("No mask for %s", key)
            sentence = str(error) if isinstance(error, ValueError) else FAILED
            return Answer(*head, 0.0, error=sentence)
        return Answer(*head, ms, mask, quality)

    def _propagated(self, request: Request, head: Head) -> Answer:
        keys = [SliceKey(request.model, request.series, z) for z in (request.source, request.z)]
        ahead = (request.ahead, request.ahead_mask) if request.ahead_mask else None
        found = self.engine.propagate(keys[0], keys[1], _read, request.base, ahead)
        return Answer(*head, *found) if found else Answer(*head, 0.0, ended=True)

    def _encode_ahead(self, key: SliceKey) -> None:
        """In the network's thread."""
        try:
            self.engine.encode(key, lambda: _read(key))
        except Exception:
            log.exception("%s could not be encoded ahead.", key)


Head = tuple[int, int, int, int, int]


def _head(request: Request) -> Head:
    """What an answer begins with."""
    return request.z, request.label, request.kind, request.number, request.model_version


def _read(key: SliceKey) -> tuple[NDArray[np.int16], tuple[float, float]]:
    series = _series(key.series)
    return store.read_slice(series, key.z), (series.spacing[1], series.spacing[2])


@lru_cache(maxsize=64)
def _series(series_id: str) -> Series:
    """A series never changes once it is imported."""
    close_old_connections()
    return Series.objects.get(pk=series_id)
