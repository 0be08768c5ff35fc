"""The live protocol: every message between the browser and `/ws/assignments/<id>/`.

Text frames are JSON objects with a `type`; the only binary frame is a `MaskFrame`. `frontend/src/protocol` mirrors this
file, and both test suites read the golden frames in `tests/protocol/frames/`. Coordinates are zero-based voxel indices
of the stored volume: x towards the patient's left, y towards posterior, z towards superior.

The life of a click: the browser numbers its interactions (`sequence`, one more than the last one that the server has
stored for the assignment), sends one, gets `stored` as soon as it is durable, then a mask, then `saved`. A resend of the
same sequence with the same content is answered as the first time. While a click is held and dragged, the browser sends
`preview`: a complete click list that stands alone and is not stored; the release stores one `add_click` or `move_click`.

One window of a case works, the one that has its lease (`annotation.lease`); all others look on. A write is made on the log as
the window knows it: its `sequence` says so, and where another window stored that number meanwhile, it is refused.

What the person's own hand makes of a slice (brush, lasso, fill …) is one `paint` with the whole new mask. Clicks that come
after it go on from there: the slice's `base` is the sequence of that paint, and its click list begins anew.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import struct
import types
import typing
from dataclasses import dataclass
from typing import Any, ClassVar

PROTOCOL_VERSION = 3
MAX_WINDOW = 36  # characters of a window's name
MAX_TEXT_BYTES = 512 * 1024
MAX_CLICKS = 500  # of one label on one slice
TOOLS = (
    *("accept", "brush", "eraser", "lasso", "fill", "largest", "grow", "shrink", "threshold", "copy", "clear"),
    *("agreed", "first", "second", "union", "intersection"),
)
"""What a `paint` can come from; the last line is of adjudications: which of two readings, or what was made of both."""


class ProtocolError(ValueError):
    """A frame that cannot be taken. `code` is for programs, the message is one sentence for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


# ---------------------------------------------------------------------------------------------- shared pieces


@dataclass(frozen=True)
class PreviewClick:
    """A click of a preview: voxel row `y`, column `x`, foreground or background."""

    y: int
    x: int
    positive: bool


@dataclass(frozen=True)
class PlacedClick:
    """A stored click; `id` is the sequence of the interaction that placed it."""

    id: int
    y: int
    x: int
    positive: bool


@dataclass(frozen=True)
class SliceClicks:
    """The clicks of one label on one slice, oldest first, and the `paint` (its sequence, or 0) that they go on from.

    `since` is the interaction that made it what it is; undo brings the earlier one back. Where masks may not overlap, the
    later `since` has the voxel. `unconfirmed`: it was propagated from a neighbour, and no person has clicked or painted there.
    """

    label: int
    z: int
    base: int
    since: int
    unconfirmed: bool
    clicks: tuple[PlacedClick, ...]


@dataclass(frozen=True)
class LockedLabel:
    """A label of the assignment that is locked."""

    label: int


# ---------------------------------------------------------------------------------------------- browser → server


@dataclass(frozen=True)
class Hello:
    """The first frame of every connection. `window` is the browser window's own name, made when the page was loaded."""

    type: ClassVar[str] = "hello"
    protocol: int
    window: str


@dataclass(frozen=True)
class TakeOver:
    """The person goes on in this window; the one that had the lease looks on from now."""

    type: ClassVar[str] = "take_over"


@dataclass(frozen=True)
class View:
    """The slice and label now on screen, so that it (then its neighbours) can be encoded ahead of the first click."""

    type: ClassVar[str] = "view"
    label: int
    z: int


@dataclass(frozen=True)
class Preview:
    """Asks for the mask of these clicks without storing anything. `request` is a counter of the connection."""

    type: ClassVar[str] = "preview"
    request: int
    label: int
    z: int
    base: int
    clicks: tuple[PreviewClick, ...]


@dataclass(frozen=True)
class Lock:
    """Locks a label of this assignment, so that nothing changes its masks or takes a voxel of them, or unlocks it."""

    type: ClassVar[str] = "lock"
    label: int
    locked: bool


@dataclass(frozen=True)
class AddClick:
    type: ClassVar[str] = "add_click"
    sequence: int
    label: int
    z: int
    y: int
    x: int
    positive: bool


@dataclass(frozen=True)
class MoveClick:
    """Moves click `click` (its id) within its slice."""

    type: ClassVar[str] = "move_click"
    sequence: int
    click: int
    y: int
    x: int


@dataclass(frozen=True)
class DeleteClick:
    type: ClassVar[str] = "delete_click"
    sequence: int
    click: int


@dataclass(frozen=True)
class Paint:
    """A slice's mask as the person's own hand left it: base64 of the bytes of `annotator.masks`; `tool` is one of TOOLS.

    `since` is that of the slice that it was painted over, as the person saw it; the paint's own sequence where the browser
    could not know it yet. So a browser can tell what another window did meanwhile, and the log says it too.
    """

    type: ClassVar[str] = "paint"
    sequence: int
    label: int
    z: int
    tool: str
    mask: str
    since: int = 0

    def mask_bytes(self) -> bytes:
        """Raises ProtocolError (`malformed`)."""
        try:
            return base64.b64decode(self.mask, validate=True)
        except ValueError:  # binascii.Error, or letters beyond ASCII
            raise ProtocolError("malformed", "paint.mask is not base64.") from None


@dataclass(frozen=True)
class Propagate:
    """Asks for the mask of slice `z` as it follows from that of the slice `source` beside it, and stores it.

    `ahead` is a confirmed slice farther on whose mask it is drawn towards, or `z` itself where there is none.

    Answered like a paint; by the error `ended` where the structure does not go on there, or where `better` is asked for and
    the model believes in its answer no more than in the mask that is there: then nothing is stored.
    """

    type: ClassVar[str] = "propagate"
    sequence: int
    label: int
    z: int
    source: int
    ahead: int
    better: bool


@dataclass(frozen=True)
class Undo:
    """Takes back the newest `steps` interactions that are still in force, whichever slices or labels they are on."""

    type: ClassVar[str] = "undo"
    sequence: int
    steps: int = 1


@dataclass(frozen=True)
class Redo:
    type: ClassVar[str] = "redo"
    sequence: int
    steps: int = 1


# ---------------------------------------------------------------------------------------------- server → browser


@dataclass(frozen=True)
class Welcome:
    """The answer to `hello`: everything that the stored log says, so that a reload needs nothing else but the masks."""

    type: ClassVar[str] = "welcome"
    protocol: int
    last_sequence: int  # 0 when nothing is stored yet
    can_undo: bool
    can_redo: bool
    inference: str  # "ready" or "away"
    model: str  # name of the model version that answers
    clicks: tuple[SliceClicks, ...]
    locked: tuple[LockedLabel, ...]


@dataclass(frozen=True)
class Stored:
    """Interaction `sequence` is durable. `slices` are those that it changed, as they are after it."""

    type: ClassVar[str] = "stored"
    sequence: int
    kind: str  # the type of the message that was stored
    slices: tuple[SliceClicks, ...]
    can_undo: bool
    can_redo: bool


@dataclass(frozen=True)
class Changed(Stored):
    """`Stored`, as all other windows on the assignment hear it. The masks that it leads to come to them as frames, too."""

    type: ClassVar[str] = "changed"


@dataclass(frozen=True)
class Saved:
    """The mask that interaction `sequence` led to is in the database."""

    type: ClassVar[str] = "saved"
    sequence: int
    label: int
    z: int


@dataclass(frozen=True)
class Locks:
    """All labels that are locked now, whenever one is locked or unlocked in any window."""

    type: ClassVar[str] = "locks"
    labels: tuple[LockedLabel, ...]


@dataclass(frozen=True)
class Lease:
    """Who has the case open for work: before every `welcome`, and whenever it changes.

    `since` is ISO 8601; both texts are empty where nobody has it.
    """

    type: ClassVar[str] = "lease"
    mine: bool  # this very window
    person: str
    since: str


@dataclass(frozen=True)
class News:
    """A part of the case that is read over HTTP is another by now: "progress" or "comments"."""

    type: ClassVar[str] = "news"
    what: str


@dataclass(frozen=True)
class InferenceState:
    """Whether masks can be expected; clicks are stored all the same while it is away."""

    type: ClassVar[str] = "inference"
    state: str  # "ready" or "away"


@dataclass(frozen=True)
class Error:
    """One refused frame. `sequence` or `request` names it where it had one, else both are 0.

    Codes: malformed, too_large, protocol_version, hello_first, outside, unknown_label, unknown_click, nothing_to_undo,
    nothing_to_redo, bad_mask, sequence_taken (another window stored that number meanwhile: say `hello` again to see what it
    did), too_many_clicks, locked, ended (a propagation), read_only, lease (another window works on the case; nothing was
    stored), inference (the network failed on this request).
    """

    type: ClassVar[str] = "error"
    code: str
    message: str
    sequence: int = 0
    request: int = 0


ClientMessage = (
    Hello | TakeOver | View | Preview | Lock | AddClick | MoveClick | DeleteClick | Paint | Propagate | Undo | Redo
)
ServerMessage = Welcome | Stored | Changed | Saved | Locks | Lease | News | InferenceState | Error
STORED_KINDS: dict[str, type[Any]] = {
    m.type: m for m in (AddClick, MoveClick, DeleteClick, Paint, Propagate, Undo, Redo)
}
CLIENT_MESSAGES: dict[str, type[Any]] = {m.type: m for m in typing.get_args(ClientMessage)}
SERVER_MESSAGES: dict[str, type[Any]] = {m.type: m for m in typing.get_args(ServerMessage)}


# ---------------------------------------------------------------------------------------------- text codec


def encode(message: ClientMessage | ServerMessage) -> str:
    """The text frame of a message: compact JSON, `type` first, fields in declared order."""
    return json.dumps({"type": message.type, **dataclasses.asdict(message)}, separators=(",", ":"), ensure_ascii=False)


def decode(text: str, messages: dict[str, type[Any]] = CLIENT_MESSAGES) -> Any:
    """The message of a text frame, every field checked for presence and type, none unknown.

    Raises ProtocolError (`too_large`, `malformed`).
    """
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise ProtocolError("too_large", f"The message is larger than {MAX_TEXT_BYTES // 1024} KiB.")
    try:
        fields = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        raise ProtocolError("malformed", "The message is not JSON.") from None
    if not isinstance(fields, dict):
        raise ProtocolError("malformed", "The message is not a JSON object.")
    name = fields.pop("type", None)
    if not isinstance(name, str) or name not in messages:
        raise ProtocolError("malformed", f"Unknown message type {str(name)[:40]!r}.")
    return _build(messages[name], fields, name)


def _build(cls: type[Any], fields: Any, where: str) -> Any:
    """`cls` from a JSON object; `where` names the place for the error sentence."""
    if not isinstance(fields, dict):
        raise ProtocolError("malformed", f"{where} is not an object.")
    hints = typing.get_type_hints(cls)
    declared = {f.name: f for f in dataclasses.fields(cls)}
    if unknown := fields.keys() - declared.keys():
        raise ProtocolError("malformed", f"{where} has an unknown field {min(unknown)[:40]!r}.")
    values = {}
    for name, field in declared.items():
        if name in fields:
            values[name] = _value(hints[name], fields[name], f"{where}.{name}")
        elif field.default is dataclasses.MISSING:
            raise ProtocolError("malformed", f"{where} lacks the field {name!r}.")
    return cls(**values)


def _value(hint: Any, value: Any, where: str) -> Any:
    if isinstance(hint, types.GenericAlias):  # tuple[X, ...] is the only generic used here
        if not isinstance(value, list):
            raise ProtocolError("malformed", f"{where} is not a list.")
        if len(value) > MAX_CLICKS and typing.get_args(hint)[0] is PreviewClick:
            raise ProtocolError("too_many_clicks", f"A slice takes at most {MAX_CLICKS} clicks per label.")
        return tuple(_value(typing.get_args(hint)[0], item, where) for item in value)
    if dataclasses.is_dataclass(hint):
        return _build(typing.cast("type[Any]", hint), value, where)
    if type(value) is not hint:  # `bool` is an `int` to isinstance
        raise ProtocolError("malformed", f"{where} is not {'an' if hint is int else 'a'} {hint.__name__}.")
    if hint is int and not 0 <= value < 2**31:
        raise ProtocolError("malformed", f"{where} is not between 0 and 2147483647.")
    return value


# ---------------------------------------------------------------------------------------------- binary codec


@dataclass(frozen=True)
class MaskFrame:
    """One mask, little-endian: the header below, then the mask in the codec of `annotator.masks`.

    u8 protocol, u8 kind, u16 z, u32 number, u32 label, u32 model_version, f32 network_ms, f32 total_ms, f32 quality,
    mask bytes.
    `number` is the interaction's sequence (STORED, SAVED) or the preview's request (PREVIEW); `quality` is the model's own
    estimate of the mask's Dice, or NO_ESTIMATE where a person made the mask.
    """

    STORED: ClassVar[int] = 0
    PREVIEW: ClassVar[int] = 1
    SAVED: ClassVar[int] = 2  # from the database, over HTTP
    HEADER: ClassVar[struct.Struct] = struct.Struct("<BBHIIIfff")
    NO_ESTIMATE: ClassVar[float] = -1.0

    kind: int
    z: int
    number: int
    label: int
    model_version: int
    network_ms: float
    total_ms: float
    quality: float
    mask: bytes

    def to_bytes(self) -> bytes:
        times = (self.network_ms, self.total_ms)
        header = (self.kind, self.z, self.number, self.label, self.model_version, *times, self.quality)
        return self.HEADER.pack(PROTOCOL_VERSION, *header) + self.mask

    @classmethod
    def from_bytes(cls, data: bytes) -> MaskFrame:
        """Raises ProtocolError (`malformed`, `protocol_version`)."""
        if len(data) < cls.HEADER.size:
            raise ProtocolError("malformed", "The mask frame is shorter than its header.")
        protocol, kind, z, number, label, version, network_ms, total_ms, quality = cls.HEADER.unpack_from(data)
        if protocol != PROTOCOL_VERSION:
            raise ProtocolError(
                "protocol_version", f"The mask frame speaks protocol {protocol}, not {PROTOCOL_VERSION}."
            )
        return cls(kind, z, number, label, version, network_ms, total_ms, quality, data[cls.HEADER.size :])
