"""What travels between a consumer and an inference worker over the channel layer.

A request stands alone: it carries the whole click list and the checkpoint, so that a worker that was restarted needs no
recovery, and undo is "send the shorter list".
"""

from __future__ import annotations

import logging
import zlib
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction

from annotator.protocol import MaskFrame

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ping:
    """Is anybody there? Answered by `Pong`."""

    type: ClassVar[str] = "inference.ping"
    reply: str


@dataclass(frozen=True)
class Pong:
    type: ClassVar[str] = "inference.pong"


@dataclass(frozen=True)
class Load:
    """This checkpoint will be asked soon: read it while others answer. There is no answer."""

    type: ClassVar[str] = "inference.load"
    model: str


@dataclass(frozen=True)
class View:
    """Somebody looks at this slice: encode it, then its neighbours, while nobody waits for a mask."""

    type: ClassVar[str] = "inference.view"
    reply: str
    series: str
    z: int
    depth: int
    model: str


@dataclass(frozen=True)
class Request:
    """One mask wanted. `kind` and `number` are those of `protocol.MaskFrame` and come back with the answer."""

    type: ClassVar[str] = "inference.request"
    reply: str
    assignment: int
    person: int
    series: str
    z: int
    label: int
    clicks: list[list[Any]]  # [y, x, positive]; lists, as message packing knows no tuples
    kind: int
    number: int
    model: str
    model_version: int
    base: bytes = b""  # the mask that the clicks go on from (annotator.masks), where there is one
    by_hand: bool = True  # whether a person made it
    source: int = -1  # the slice that `base` is the mask of, where it is to propagate from there
    ahead: int = -1  # a slice that it is drawn towards then
    ahead_mask: bytes = b""

    @property
    def place(self) -> tuple[int, int, int, int]:
        """Of two requests for one place only the newer is worth an answer."""
        return self.assignment, self.person, self.z, self.label


@dataclass(frozen=True)
class Answer:
    """The mask, or in `error` one sentence why there is none."""

    type: ClassVar[str] = "inference.answer"
    z: int
    label: int
    kind: int
    number: int
    model_version: int
    network_ms: float
    mask: bytes = b""
    quality: float = MaskFrame.NO_ESTIMATE
    ended: bool = False  # the structure does not go on here
    error: str = ""


Message = Ping | Pong | Load | View | Request | Answer


def pack(message: Message) -> dict[str, Any]:
    """The channel layer's form of a message."""
    return {"type": message.type, **asdict(message)}


def unpack(packed: dict[str, Any]) -> Message:
    """Raises KeyError or TypeError for what is no message of this file."""
    kinds: dict[str, type[Any]] = {kind.type: kind for kind in (Ping, Pong, Load, View, Request, Answer)}
    kind = kinds[packed["type"]]
    return kind(**{field.name: packed[field.name] for field in fields(kind)})


def slot_of(series: str) -> str:
    """The channel of the worker that keeps this series warm: always the same one for the same number of slots."""
    return slot_name(zlib.crc32(series.encode()) % settings.INFERENCE_SLOTS)


def slot_name(number: int) -> str:
    return f"inference-slot-{number}"


async def send(channel: str, message: Message) -> None:
    await get_channel_layer().send(channel, pack(message))


async def send_to_all_slots(message: Message) -> None:
    for number in range(settings.INFERENCE_SLOTS):
        await send(slot_name(number), message)


def load_on_commit(model: str) -> None:
    """Have every worker read a checkpoint once the transaction is committed.

    A worker that cannot be told, as from a job where inference is inside the web process, reads it when it is first asked.
    """
    transaction.on_commit(lambda: _load(model))


def _load(model: str) -> None:
    try:
        async_to_sync(send_to_all_slots)(Load(model))
    except Exception as error:
        log.warning("The workers were not told to load %s: %s", model, error)
