"""`/ws/assignments/<id>/`: clicks in, masks out.

Every handler returns at once: a request to the network is sent by one handler and its answer comes to another, because a
consumer takes one message at a time and would wait for itself. An interaction is stored before anything else happens.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotator import masks, protocol
from annotator.annotation import access, history, lease, overlap, progress, slicemasks, versions, windows
from annotator.annotation.history import Painted
from annotator.annotation.models import Assignment, LabelLock, Lease, ModelVersion, Project
from annotator.events import language
from annotator.inference import requests
from annotator.live.database import in_database
from annotator.protocol import MaskFrame, PlacedClick, ProtocolError, SliceClicks

log = logging.getLogger(__name__)

NOT_LOGGED_IN, NOT_FOUND = 4401, 4404  # close codes
LEFT = (1000, 1001)  # close codes of a window that is gone for good, not of a line that broke
NOTHING = Painted(b"")
BASES_KEPT = 32  # painted masks of a window
AWAY_AFTER = 5.0  # seconds without an answer; then the request is sent again, as often


@dataclass(frozen=True)
class Sent:
    """A request that waits for its answer, when its message came, and when it was last sent (monotonic seconds)."""

    request: requests.Request
    of: SliceClicks
    came: float
    sent: float
    base: Painted  # what the clicks go on from, or what a propagation would replace
    propagates: protocol.Propagate | None = None


class AssignmentConsumer(AsyncWebsocketConsumer):
    """One browser window on one assignment."""

    assignment: Assignment
    window: lease.Window
    version: ModelVersion
    labels: frozenset[int]
    locked: frozenset[int]

    async def connect(self) -> None:
        self.waiting: dict[tuple[int, int, int], Sent] = {}  # by z, label, kind
        self.log = history.Log()
        self.bases: dict[int, Painted] = {}  # by the sequence of their interaction
        self.watch: asyncio.Task[None] | None = None
        self.heart: asyncio.Task[None] | None = None
        self.acted = lease.now()
        self.pinged = 0.0  # when a ping that nobody has answered yet was sent
        self.greeted = self.away = False
        person = self.scope["user"]
        assignment_id = self.scope["url_route"]["kwargs"]["assignment_id"]
        assignment = await in_database(access.assignment_for)(person, assignment_id)
        await self.accept()  # a browser is told a close code only after the handshake
        if not person.is_authenticated:
            await self.close(NOT_LOGGED_IN)
        elif assignment is None:
            await self.close(NOT_FOUND)
        else:
            self.assignment = assignment
            translation.activate(await in_database(language.of)(person.pk))  # for as long as this task
            await self.channel_layer.group_add(self.group, self.channel_name)

    @property
    def group(self) -> str:
        return windows.group(self.assignment.pk)

    async def disconnect(self, code: int) -> None:
        for task in (self.watch, self.heart):
            if task:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        if self.greeted:
            await self.channel_layer.group_discard(self.group, self.channel_name)
            if code in LEFT and await in_database(lease.let_go)(self.window):
                await self._tell_of_lease()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        came = time.monotonic()
        message = None
        try:
            if text_data is None:
                raise ProtocolError("malformed", "The browser sends text frames only.")
            message = protocol.decode(text_data)
            await self.take(message, came)
        except ProtocolError as error:
            sequence, request = getattr(message, "sequence", 0), getattr(message, "request", 0)
            await self.say(protocol.Error(error.code, str(error), sequence, request))

    async def take(self, message: protocol.ClientMessage, came: float) -> None:
        """One decoded message. Raises ProtocolError."""
        if isinstance(message, protocol.Hello):
            return await self.greet(message)
        if not self.greeted:
            raise ProtocolError("hello_first", "The first frame must be `hello`.")
        self.acted = lease.now()
        if isinstance(message, protocol.TakeOver):
            await self._settle(lease.take_over)
        elif isinstance(message, protocol.View):
            await self.look(message)
        elif isinstance(message, protocol.Preview):
            await self.preview(message, came)
        elif isinstance(message, protocol.Lock):
            await self.lock(message)
        elif isinstance(message, protocol.Propagate):
            await self.propagate(message, came)
        else:
            await self.store(message, came)

    # ------------------------------------------------------------------------------------------ the browser's messages

    async def greet(self, message: protocol.Hello) -> None:
        if message.protocol != protocol.PROTOCOL_VERSION:
            sentence = _("This page speaks protocol %(page)s, the server %(server)s: reload it.")
            versions_are = {"page": message.protocol, "server": protocol.PROTOCOL_VERSION}
            raise ProtocolError("protocol_version", sentence % versions_are)
        if not 0 < len(message.window) <= protocol.MAX_WINDOW:
            raise ProtocolError("malformed", f"A window's name has 1 to {protocol.MAX_WINDOW} characters.")
        await self._open(message.window)
        await self._settle(lease.begin)
        state, behind = await self._read_state()
        self.greeted = True
        self.heart = self.heart or asyncio.create_task(self._beat())
        inference = "away" if self.away else "ready"
        log_says = (state.last_sequence, state.can_undo, state.can_redo, inference, self.version.name, state.clicks)
        await self.say(protocol.Welcome(protocol.PROTOCOL_VERSION, *log_says, self._locked_labels()))
        self.pinged = time.monotonic()
        self._watch()
        await self._send(requests.Ping(self.channel_name))
        slices = {(of.label, of.z): of for of in state.clicks}
        for label, z, sequence in behind:  # masks that a crash kept from being saved
            of = slices.get((label, z), SliceClicks(label, z, 0, sequence, False, ()))
            await self.ask(MaskFrame.STORED, sequence, of, time.monotonic())

    async def look(self, message: protocol.View) -> None:
        await self._check_place(message.label, message.z)
        series = self.assignment.task.series
        await self._send(requests.View(self.channel_name, str(series.pk), message.z, series.depth, self.version.path))

    async def preview(self, message: protocol.Preview, came: float) -> None:
        await self._check_place(message.label, message.z)
        _depth, height, width = self.assignment.task.series.shape
        if any(click.y >= height or click.x >= width for click in message.clicks):
            sentence = _("The click is outside the slice of %(height)d×%(width)d pixels.")
            raise ProtocolError("outside", sentence % {"height": height, "width": width})
        clicks = tuple(PlacedClick(0, click.y, click.x, click.positive) for click in message.clicks)
        of = SliceClicks(message.label, message.z, message.base, 0, False, clicks)
        await self.ask(MaskFrame.PREVIEW, message.request, of, came)

    async def propagate(self, message: protocol.Propagate, came: float) -> None:
        """Asks the network first: the interaction is the mask that it answers with."""
        before, mask, ahead, rival = await self._check_propagation(message)
        if before:
            return await self._say_stored(before, came)
        of = SliceClicks(message.label, message.z, 0, message.sequence, True, ())
        request = self._request(MaskFrame.STORED, message.sequence, of, Painted(mask))
        request = replace(request, source=message.source, ahead=message.ahead, ahead_mask=ahead)
        self.waiting[of.z, of.label, MaskFrame.STORED] = Sent(request, of, came, time.monotonic(), rival, message)
        self._watch()
        await self._send(request)

    async def _propagated(self, sent: Sent, answer: requests.Answer) -> None:
        message = sent.propagates
        assert message is not None
        if answer.ended:
            sentence = _("The structure does not go on to slice %(slice)d.") % {"slice": message.z + 1}
            return await self.say(protocol.Error("ended", sentence, message.sequence))
        if message.better and answer.quality <= (sent.base.quality or 0.0):
            sentence = _("What slice %(slice)d has is as good.") % {"slice": message.z + 1}
            return await self.say(protocol.Error("ended", sentence, message.sequence))
        painted = Painted(answer.mask, answer.quality, answer.model_version)
        try:
            recorded = await self._record(message, painted)
        except ProtocolError as error:
            return await self.say(protocol.Error(error.code, str(error), message.sequence))
        await self._say_stored(recorded, sent.came, answer.network_ms)

    async def lock(self, message: protocol.Lock) -> None:
        await in_database(self._read_labels)()
        await self._check_place(message.label, 0)
        await self._set_lock(message)
        await self.channel_layer.group_send(self.group, {"type": "locks.changed"})

    async def locks_changed(self, _: dict[str, Any]) -> None:
        """A label was locked or unlocked, in this window or another."""
        await in_database(self._read_labels)()
        await self.say(protocol.Locks(self._locked_labels()))

    def _locked_labels(self) -> tuple[protocol.LockedLabel, ...]:
        return tuple(protocol.LockedLabel(label) for label in sorted(self.locked))

    async def store(self, message: history.Message, came: float) -> None:
        await self._say_stored(await self._record(message), came)

    async def _say_stored(self, recorded: history.Recorded, came: float, network_ms: float = 0.0) -> None:
        what = (recorded.sequence, recorded.kind, recorded.slices, recorded.can_undo, recorded.can_redo)
        await self.say(protocol.Stored(*what))
        if recorded.fresh:
            await self._tell_others(text_data=protocol.encode(protocol.Changed(*what)))
        for of in recorded.slices:
            self.waiting.pop((of.z, of.label, MaskFrame.PREVIEW), None)
            await self.ask(MaskFrame.STORED, recorded.sequence, of, came, network_ms)

    # ------------------------------------------------------------------------------------------ the other windows

    async def _tell_others(self, **frame: Any) -> None:
        """A frame for all other windows on this assignment; one that misses a `changed` says `hello` at the next."""
        await self._send_to_all({"type": "other.window", "by": self.channel_name, **frame})

    async def _send_to_all(self, event: dict[str, Any]) -> None:
        try:
            await self.channel_layer.group_send(self.group, event)
        except Exception as error:
            log.warning("Other windows were not told: %s", error)

    async def other_window(self, event: dict[str, Any]) -> None:
        if self.greeted and event["by"] != self.channel_name:
            await self.send(text_data=event.get("text_data"), bytes_data=event.get("bytes_data"))

    async def case_news(self, event: dict[str, Any]) -> None:
        """A part of the case has changed; where it can be worked on now, or no longer, so has its lease."""
        if self.greeted:
            if event["what"] == "progress":
                await self._settle()
            await self.say(protocol.News(event["what"]))

    # ------------------------------------------------------------------------------------------ the lease

    async def lease_changed(self, event: dict[str, Any]) -> None:
        if self.greeted and event["by"] != self.channel_name:
            await self._settle()

    async def _settle(self, take: Callable[[lease.Window], bool] = lease.hold) -> None:
        """Takes the lease as `take` may, says who has it, and lets the other windows do the same if that is news to them."""
        held, is_news = await self._stand(take)
        mine = lease.is_of(held, self.window)
        person, since = (held.person.get_username(), held.since.isoformat()) if held else ("", "")
        await self.say(protocol.Lease(mine, person, since))
        if is_news:
            await self._tell_of_lease()

    async def _tell_of_lease(self) -> None:
        await self._send_to_all({"type": "lease.changed", "by": self.channel_name})

    async def _beat(self) -> None:
        """The signs of life of a window that has the lease; the others look whether it has become free."""
        while True:
            await asyncio.sleep(lease.BEAT.total_seconds())
            try:
                await self._live_on()
            except Exception as error:
                log.warning("The lease was not renewed: %s", error)

    async def _live_on(self) -> None:
        if not await in_database(lease.beat)(self.window, self.acted) and await self._is_free():
            await self._settle()

    # ------------------------------------------------------------------------------------------ the network

    async def ask(self, kind: int, number: int, of: SliceClicks, came: float, network_ms: float = 0.0) -> None:
        """Sends the click list to the slot of the series, or answers at once where there is no click.

        `network_ms` is what the network took for what is there without a click.
        """
        base = await self._base(of)
        request = self._request(kind, number, of, base)
        sent = Sent(request, of, came, time.monotonic(), base)
        if not of.clicks:
            self.waiting.pop((of.z, of.label, kind), None)
            series = self.assignment.task.series
            mask = base.mask or masks.empty(series.height, series.width)
            quality = MaskFrame.NO_ESTIMATE if base.quality is None else base.quality
            return await self._show(sent, mask, quality, network_ms)
        self.waiting[of.z, of.label, kind] = sent
        self._watch()
        await self._send(request)

    async def _base(self, of: SliceClicks) -> Painted:
        """What the clicks go on from, which never changes; its mask has no bytes where there is nothing."""
        if of.base and of.base not in self.bases:
            self.bases[of.base] = await in_database(history.painted)(self.assignment.pk, of.base) or NOTHING
            while len(self.bases) > BASES_KEPT:
                del self.bases[next(iter(self.bases))]
        return self.bases.get(of.base, NOTHING)

    async def inference_answer(self, packed: dict[str, Any]) -> None:
        """An answer of the worker; one that a newer request has outdated is not shown."""
        answer = requests.unpack(packed)
        assert isinstance(answer, requests.Answer)
        await self._is_back()
        key = (answer.z, answer.label, answer.kind)
        sent = self.waiting.get(key)
        if sent is None or sent.request.number > answer.number:
            if sent is None or answer.kind == MaskFrame.STORED:
                return
            # A preview that the next one has overtaken: still the newest mask there is, so the drag is seen to follow.
            sent = replace(sent, request=replace(sent.request, number=answer.number))
        else:
            del self.waiting[key]
        if answer.error:
            stored = answer.kind == MaskFrame.STORED
            number = (answer.number, 0) if stored else (0, answer.number)
            return await self.say(protocol.Error("inference", _(answer.error), *number))
        if sent.propagates:
            return await self._propagated(sent, answer)
        await self._show(sent, answer.mask, answer.quality, answer.network_ms)

    async def inference_pong(self, packed: dict[str, Any]) -> None:
        self.pinged = 0.0
        await self._is_back()

    async def _show(self, sent: Sent, mask: bytes, quality: float, network_ms: float) -> None:
        """Paints first, saves then."""
        request = sent.request
        if self.locked or self.assignment.task.project.overlap == Project.Overlap.BACKGROUND:
            mask = await self._cut(mask, request.label, request.z)
        total_ms = 1000 * (time.monotonic() - sent.came)
        head = (request.kind, request.z, request.number, request.label, request.model_version, network_ms, total_ms)
        frame = MaskFrame(*head, quality, mask).to_bytes()
        await self.send(bytes_data=frame)
        if request.kind == MaskFrame.STORED:
            await self._save(sent, mask, quality)
            await self.say(protocol.Saved(request.number, request.label, request.z))
            await self._tell_others(bytes_data=frame)

    def _request(self, kind: int, number: int, of: SliceClicks, base: Painted) -> requests.Request:
        return requests.Request(
            reply=self.channel_name,
            assignment=self.assignment.pk,
            person=self.scope["user"].pk,
            series=str(self.assignment.task.series_id),
            z=of.z,
            label=of.label,
            clicks=[[click.y, click.x, click.positive] for click in of.clicks],
            kind=kind,
            number=number,
            model=self.version.path,
            model_version=self.version.pk,
            base=base.mask,
            by_hand=base.quality is None,
        )

    # ------------------------------------------------------------------------------------------ when nobody answers

    def _watch(self) -> None:
        if self.watch is None or self.watch.done():
            self.watch = asyncio.create_task(self._resend())

    async def _resend(self) -> None:
        """While anything waits: says after a while that inference is away, and asks again, until an answer comes."""
        while self.waiting or self.pinged:
            await asyncio.sleep(AWAY_AFTER / 5)
            now = time.monotonic()
            late = {key: sent for key, sent in self.waiting.items() if now - sent.sent > AWAY_AFTER}
            unheard = self.pinged and now - self.pinged > AWAY_AFTER
            if (late or unheard) and not self.away:
                self.away = True
                await self.say(protocol.InferenceState("away"))
            if unheard:
                self.pinged = now
                await self._send(requests.Ping(self.channel_name))
            for key, sent in late.items():
                self.waiting[key] = replace(sent, sent=now)
                await self._send(sent.request)

    async def _is_back(self) -> None:
        if self.away:
            self.away = False
            await self.say(protocol.InferenceState("ready"))

    async def _send(self, message: requests.Message) -> None:
        """To the slot of this series; what gets lost is sent again by the watch."""
        try:
            await requests.send(requests.slot_of(str(self.assignment.task.series_id)), message)
        except Exception as error:
            log.warning("The inference channel did not take a message: %s", error)

    # ------------------------------------------------------------------------------------------ the database

    async def send(self, text_data: str | None = None, bytes_data: bytes | None = None, close: bool = False) -> None:
        """Nothing to a browser that is gone: `disconnect` comes next and puts everything in order.

        An error here would end the consumer before that, and its heart would beat on for a window that is no more.
        """
        with contextlib.suppress(OSError):
            await super().send(text_data, bytes_data, close)

    async def say(self, message: protocol.ServerMessage) -> None:
        await self.send(text_data=protocol.encode(message))

    @in_database
    def _open(self, name: str) -> None:
        """Says which model version answers this window, once for as long as it has the case open."""
        window = lease.Window(self.assignment.pk, self.scope["user"].pk, name)
        if not self.greeted or name != self.window.name:
            self.version = versions.of_window(window, self.assignment.task.project_id)
        self.window = window._replace(version_id=self.version.pk)

    @in_database
    def _read_state(self) -> tuple[history.State, list[tuple[int, int, int]]]:
        self._read_labels()
        state = history.state(self.assignment.pk)
        return state, slicemasks.behind(self.assignment.pk, state.newest)

    def _check_right(self) -> None:
        try:
            progress.check_editable(self.scope["user"], self.assignment)
        except progress.MoveRefused as refused:
            raise ProtocolError("read_only", str(refused)) from None
        if not lease.hold(self.window):
            raise ProtocolError("lease", _("Another window works on this case; nothing was changed."))

    @in_database
    def _stand(self, take: Callable[[lease.Window], bool]) -> tuple[Lease | None, bool]:
        """Who has the lease once this window has tried to `take` it, or let it go where it cannot work; whether it moved."""
        before = lease.holder(self.assignment.pk)
        try:
            progress.check_editable(self.scope["user"], self.assignment)
            take(self.window)
        except progress.MoveRefused:
            lease.let_go(self.window)
        after = lease.holder(self.assignment.pk)
        return after, (before and before.window) != (after and after.window)

    @in_database
    def _is_free(self) -> bool:
        return lease.holder(self.assignment.pk) is None

    @in_database
    def _record(self, message: history.Message, propagated: Painted | None = None) -> history.Recorded:
        """Rights may have changed since the connection was made.

        What was stored before the lease was lost is answered once more.
        """
        try:
            self._check_right()
        except ProtocolError as refused:
            before = history.answered(self.assignment.pk, message) if refused.code == "lease" else None
            if before is None:
                raise
            return before
        recorded = history.record(self.assignment.pk, self.scope["user"].pk, message, self.locked, propagated, self.log)
        progress.start(self.scope["user"], self.assignment)
        return recorded

    @in_database
    def _check_propagation(self, message: protocol.Propagate) -> tuple[history.Recorded | None, bytes, bytes, Painted]:
        """What was answered before, or else the mask to go on from, the one ahead, and what would be replaced.

        Raises ProtocolError.
        """
        self._check_right()
        before = history.check(self.assignment.pk, message, self.locked, self.log)
        slices = (message.source, message.z, message.ahead)
        rows = self.assignment.masks.filter(label=message.label, z__in=slices, pixels__gt=0)
        kept = {row.z: Painted(bytes(row.mask), row.quality) for row in rows}
        if not before and message.source not in kept:
            sentence = _("Slice %(slice)d has no mask to go on from.") % {"slice": message.source + 1}
            raise ProtocolError("ended", sentence)
        ahead = kept.get(message.ahead, NOTHING) if message.ahead != message.z else NOTHING
        return before, kept.get(message.source, NOTHING).mask, ahead.mask, kept.get(message.z, NOTHING)

    @in_database
    def _save(self, sent: Sent, mask: bytes, quality: float) -> None:
        request = sent.request
        place = (request.assignment, request.label, request.z, request.number, sent.of.since)
        made = Painted(mask, quality, request.model_version) if sent.of.clicks else sent.base
        slicemasks.save(*place, mask, made.model_version, sent.of.clicks, request.person, made.quality)

    def _read_labels(self) -> None:
        project = self.assignment.task.project
        project.refresh_from_db(fields=["overlap"])
        self.labels = frozenset(project.labels.values_list("pk", flat=True))
        self.locked = frozenset(self.assignment.locks.values_list("label", flat=True))

    @in_database
    def _set_lock(self, message: protocol.Lock) -> None:
        self._check_right()
        if message.locked:
            LabelLock.objects.get_or_create(assignment=self.assignment, label_id=message.label)
        else:
            LabelLock.objects.filter(assignment=self.assignment, label=message.label).delete()

    @in_database
    def _cut(self, mask: bytes, label: int, z: int) -> bytes:
        return overlap.cut(mask, overlap.barred(self.assignment, self.locked, label, z))

    async def _check_place(self, label: int, z: int) -> None:
        if label not in self.labels:
            await in_database(self._read_labels)()  # a manager may have added it just now
        if label not in self.labels:
            raise history.unknown_label()
        if z >= self.assignment.task.series.depth:
            depth = self.assignment.task.series.depth
            sentence = ngettext("The volume has %(n)d slice.", "The volume has %(n)d slices.", depth)
            raise ProtocolError("outside", sentence % {"n": depth})
