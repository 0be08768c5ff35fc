"""The log of an assignment: what it says now, and how one more interaction is stored.

Nothing but the stored rows is the truth. The state is their replay, so undo, redo and reload work on any process. Every
interaction is one `Change`: some slices before and after. Undo puts them back as they were before, redo as they were after.
"""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotator import masks
from annotator.annotation.models import Assignment, Interaction
from annotator.protocol import (
    MAX_CLICKS,
    TOOLS,
    AddClick,
    DeleteClick,
    MoveClick,
    Paint,
    PlacedClick,
    Propagate,
    ProtocolError,
    Redo,
    SliceClicks,
    Undo,
)

Message = AddClick | MoveClick | DeleteClick | Paint | Propagate | Undo | Redo
PAINTED = (Paint.type, Propagate.type)  # kinds that leave a mask of their own


@dataclass(frozen=True)
class Recorded:
    """An interaction that is stored, and the slices that it changed, as they are after it."""

    interaction: int  # the row's id
    sequence: int
    kind: str
    slices: tuple[SliceClicks, ...]
    can_undo: bool
    can_redo: bool
    fresh: bool  # False where the same interaction had been stored before


@dataclass(frozen=True)
class State:
    """What the log says: the part of `protocol.Welcome` that comes from it, and each slice's newest interaction."""

    last_sequence: int
    can_undo: bool
    can_redo: bool
    clicks: tuple[SliceClicks, ...]
    newest: dict[Place, int]


class Painted(NamedTuple):
    """A mask (bytes of `annotator.masks`) that clicks go on from; its estimate and model where it was propagated."""

    mask: bytes
    quality: float | None = None
    model_version: int | None = None

    def made_by(self) -> dict[str, Any]:
        return {"quality": self.quality, "model_version": self.model_version}


def record(
    assignment_id: int,
    person_id: int,
    message: Message,
    locked: Collection[int] = (),
    propagated: Painted | None = None,
    log: Log | None = None,
) -> Recorded:
    """Store one interaction of an assignment that the person may write to; `locked` are labels that must not change.

    `propagated` is what a `propagate` led to. `log` is the caller's own of this assignment: it reads on where it stopped, so
    that the thousandth interaction is stored as fast as the first.

    The same message again is answered as the first time. Raises ProtocolError: `outside`, `unknown_label`,
    `unknown_click`, `nothing_to_undo`, `nothing_to_redo`, `too_many_clicks`, `bad_mask`, `locked`; `sequence_taken` where
    the number is not the next one or was used for something else.
    """
    log = _read_on(assignment_id, log)
    if message.sequence <= log.last_sequence:
        return _stored_before(_rows(assignment_id), message)
    change = _checked(log, assignment_id, message, locked)
    label_id, z = next(iter(change))
    try:
        with transaction.atomic():
            row = Interaction.objects.create(
                assignment_id=assignment_id,
                sequence=message.sequence,
                kind=message.type,
                label_id=label_id,
                z=z,
                payload={**_payload(message), **(propagated.made_by() if propagated else {})},
                mask=message.mask_bytes() if isinstance(message, Paint) else propagated and propagated.mask,
                person_id=person_id,
            )
    except IntegrityError:  # another connection was faster with this number; the constraint has decided
        return _stored_before(_rows(assignment_id), message)
    log.apply(Row(row.pk, row.sequence, row.kind, label_id, z, row.payload), change)
    return log.recorded(row.pk, message.type, change, fresh=True)


def state(assignment_id: int) -> State:
    """What the stored log of an assignment says now."""
    log = _read_on(assignment_id)
    slices = tuple(one.at(*place) for place, one in sorted(log.slices.items()))
    return State(log.last_sequence, bool(log.undoable), bool(log.redoable), slices, log.newest)


@dataclass(frozen=True)
class Step:
    """An interaction that undo or redo can reach, and the slice as it was after it."""

    sequence: int
    kind: str
    tool: str  # of a paint, else empty
    slice: SliceClicks
    person: str
    at: datetime
    in_force: bool  # False where it was undone and redo would bring it back


@dataclass(frozen=True)
class Steps:
    """Some steps in the order in which they were made, those that were undone last."""

    steps: list[Step]
    older: int  # steps before these
    in_force: int  # of all steps; the others were undone


def check(
    assignment_id: int, message: Message, locked: Collection[int] = (), log: Log | None = None
) -> Recorded | None:
    """What `record` would raise for this message now; what it answered where the message is stored already, else None."""
    log = _read_on(assignment_id, log)
    if message.sequence <= log.last_sequence:
        return _stored_before(_rows(assignment_id), message)
    _checked(log, assignment_id, message, locked)
    return None


def answered(assignment_id: int, message: Message) -> Recorded | None:
    """The first answer to a message that is stored already, else None; it changes nothing."""
    try:
        return _stored_before(_rows(assignment_id), message)
    except ProtocolError:
        return None


def steps(assignment_id: int, most: int) -> Steps:
    """The newest steps of an assignment."""
    log = _read_on(assignment_id)
    every = [(done, True) for done in log.undoable] + [(done, False) for done in reversed(log.redoable)]
    reached = every[-most:]
    rows = Interaction.objects.filter(pk__in=[done.row.pk for done, _ in reached])
    about = {pk: (person, at) for pk, person, at in rows.values_list("pk", "person__username", "created_at")}
    found = []
    for (row, change), in_force in reached:
        place = (row.label_id, row.z)
        person, at = about[row.pk]
        made = change[place][1].at(*place)
        found.append(Step(row.sequence, row.kind, row.payload.get("tool", ""), made, person, at, in_force))
    return Steps(found, len(every) - len(found), len(log.undoable))


def painted(assignment_id: int, sequence: int) -> Painted | None:
    """What a `paint` or `propagate` of this sequence left; None where it is neither."""
    found = Interaction.objects.filter(assignment=assignment_id, sequence=sequence, kind__in=PAINTED)
    row = found.values_list("mask", "payload").first()
    if row is None or row[0] is None:
        return None
    return Painted(bytes(row[0]), row[1].get("quality"), row[1].get("model_version"))


# ------------------------------------------------------------------------------------------------ the replay

Place = tuple[int, int]  # label id, z


class Slice(NamedTuple):
    """One label on one slice: the `paint` that clicks go on from (0: none), and the clicks in force, oldest first."""

    base: int = 0
    clicks: tuple[PlacedClick, ...] = ()
    since: int = 0  # the interaction that made it so
    unconfirmed: bool = False

    @property
    def is_blank(self) -> bool:
        return not self.base and not self.clicks

    def at(self, label_id: int, z: int) -> SliceClicks:
        return SliceClicks(label_id, z, self.base, self.since, self.unconfirmed, self.clicks)


BLANK = Slice()
Change = dict[Place, tuple[Slice, Slice]]  # before and after


class Done(NamedTuple):
    """A row that undo or redo can reach, and what it did."""

    row: Row
    change: Change


def _reversed(change: Change) -> Change:
    return {place: (after, before) for place, (before, after) in change.items()}


def _together(changes: Iterable[Change]) -> Change:
    """One change that does what these do one after the other."""
    whole: Change = {}
    for change in changes:
        for place, (before, after) in change.items():
            whole[place] = (whole[place][0] if place in whole else before, after)
    return whole


class Row(NamedTuple):
    """The columns of an interaction that the replay reads."""

    pk: int
    sequence: int
    kind: str
    label_id: int
    z: int
    payload: dict[str, Any]


@dataclass
class Log:
    """The state after some rows. Rows are only ever added, so it stays true as far as it goes; one thread at a time uses it."""

    last_sequence: int = 0
    slices: dict[Place, Slice] = field(default_factory=dict)  # those that are not blank
    newest: dict[Place, int] = field(default_factory=dict)  # the last interaction that changed a slice
    homes: dict[int, Place] = field(default_factory=dict)  # of every click that ever was; it never leaves it
    undoable: list[Done] = field(default_factory=list)
    redoable: list[Done] = field(default_factory=list)

    def apply(self, row: Row, change: Change) -> None:
        """Take one interaction, which is valid."""
        steps = row.payload.get("steps", 1)
        if row.kind == Undo.type:
            self.redoable += [self.undoable.pop() for _ in range(steps)]
        elif row.kind == Redo.type:
            self.undoable += [self.redoable.pop() for _ in range(steps)]
        else:
            self.undoable.append(Done(row, change))
            self.redoable.clear()
        if row.kind == AddClick.type:
            self.homes[row.sequence] = (row.label_id, row.z)
        for place, (_before, after) in change.items():
            self.newest[place] = row.sequence
            if after.is_blank:
                self.slices.pop(place, None)
            else:
                self.slices[place] = after
        self.last_sequence = row.sequence

    def change_of(self, row: Row) -> Change:
        """What a stored row did to the slices as they are now."""
        fields, place = row.payload, (row.label_id, row.z)
        if row.kind == Undo.type:
            return self.back(fields.get("steps", 1))
        if row.kind == Redo.type:
            return self.forth(fields.get("steps", 1))
        before = self.slices.get(place, BLANK)
        if row.kind in PAINTED:
            unconfirmed = row.kind == Propagate.type
            return {place: (before, Slice(row.sequence, (), row.sequence, unconfirmed))}
        if row.kind == AddClick.type:
            click = PlacedClick(row.sequence, fields["y"], fields["x"], fields["positive"])
            return {place: (before, Slice(before.base, (*before.clicks, click), row.sequence))}
        moved = None if row.kind == DeleteClick.type else (fields["y"], fields["x"])
        return {place: (before, Slice(before.base, _with(before.clicks, fields["click"], moved), row.sequence))}

    def back(self, steps: int) -> Change:
        return _together(_reversed(done.change) for done in self.undoable[: -steps - 1 : -1])

    def forth(self, steps: int) -> Change:
        return _together(done.change for done in self.redoable[: -steps - 1 : -1])

    def click(self, click: int) -> tuple[Place, PlacedClick] | None:
        """Where a click lies, if it is in force."""
        place = self.homes.get(click)
        clicks = self.slices.get(place, BLANK).clicks if place else ()
        return next(((place, one) for one in clicks if place and one.id == click), None)

    def recorded(self, pk: int, kind: str, change: Change, fresh: bool) -> Recorded:
        slices = tuple(after.at(*place) for place, (_, after) in sorted(change.items()))
        return Recorded(pk, self.last_sequence, kind, slices, bool(self.undoable), bool(self.redoable), fresh)


def _with(clicks: tuple[PlacedClick, ...], moved: int, to: tuple[int, int] | None) -> tuple[PlacedClick, ...]:
    """The list with one click moved, or without it."""
    if to is None:
        return tuple(click for click in clicks if click.id != moved)
    return tuple(dataclasses.replace(c, y=to[0], x=to[1]) if c.id == moved else c for c in clicks)


def _rows(assignment_id: int, after: int = 0) -> list[Row]:
    """The log after a sequence, oldest first; its sequences are 1, 2, 3 … without a gap."""
    found = Interaction.objects.filter(assignment=assignment_id, sequence__gt=after).order_by("sequence")
    text = Cast("payload", TextField())  # parsed all at once below: that halves the time of a long log
    rows = list(found.values_list("pk", "sequence", "kind", "label_id", "z", text))
    payloads = json.loads(f"[{','.join([payload for *_, payload in rows])}]")
    return [Row._make((*columns, payload)) for (*columns, _), payload in zip(rows, payloads, strict=True)]


def _read_on(assignment_id: int, log: Log | None = None) -> Log:
    """The log with all that is stored now."""
    log = log or Log()
    return _replay(_rows(assignment_id, log.last_sequence), log)


def _replay(rows: Iterable[Row], log: Log) -> Log:
    for row in rows:
        log.apply(row, log.change_of(row))
    return log


# ------------------------------------------------------------------------------------------------ one message


def _stored_before(rows: list[Row], message: Message) -> Recorded:
    """The first answer to this message once more; `sequence_taken` where the stored row says something else."""
    if not 1 <= message.sequence <= len(rows):
        raise _sequence_taken(message)
    row = rows[message.sequence - 1]
    if not _says_the_same(row, message):
        raise _sequence_taken(message)
    log = _replay(rows[: message.sequence - 1], Log())
    change = log.change_of(row)
    log.apply(row, change)
    return log.recorded(row.pk, row.kind, change, fresh=False)


def _checked(log: Log, assignment_id: int, message: Message, locked: Collection[int]) -> Change:
    """What a message that is not stored yet would change. Raises ProtocolError as `record` does."""
    if message.sequence != log.last_sequence + 1:
        raise _sequence_taken(message)
    change = _change(log, assignment_id, message)
    if any(label_id in locked for label_id, _z in change):
        raise ProtocolError("locked", _("The label is locked; unlock it to change its masks."))
    return change


def _says_the_same(row: Row, message: Message) -> bool:
    same_place = not isinstance(message, AddClick | Paint | Propagate) or (message.label, message.z) == (
        row.label_id,
        row.z,
    )
    return same_place and row.kind == message.type and _payload(message).items() <= row.payload.items()


def _payload(message: Message) -> dict[str, Any]:
    """The message's fields that have no column of their own; of a mask, its checksum."""
    fields = {k: v for k, v in dataclasses.asdict(message).items() if k not in ("sequence", "label", "z")}
    if isinstance(message, Paint):
        fields["mask"] = zlib.crc32(message.mask.encode())
    return fields


def _change(log: Log, assignment_id: int, message: Message) -> Change:
    """What the message does to the log's slices; raises ProtocolError where it cannot."""
    if isinstance(message, Undo):
        _check_steps(message.steps, log.undoable, "undo")
        return log.back(message.steps)
    if isinstance(message, Redo):
        _check_steps(message.steps, log.redoable, "redo")
        return log.forth(message.steps)
    if isinstance(message, AddClick):
        place = (message.label, message.z)
        _check_inside(_shape(assignment_id, message.label), message.z, message.y, message.x)
        if len(log.slices.get(place, BLANK).clicks) >= MAX_CLICKS:
            sentence = _("A slice takes at most %(n)s clicks per label.") % {"n": MAX_CLICKS}
            raise ProtocolError("too_many_clicks", sentence)
    elif isinstance(message, Paint):
        place = (message.label, message.z)
        _check_painted(_shape(assignment_id, message.label), message)
    elif isinstance(message, Propagate):
        place = (message.label, message.z)
        _check_inside(_shape(assignment_id, message.label), max(message.z, message.source), 0, 0)
        step = message.z - message.source
        if abs(step) != 1:
            raise ProtocolError("malformed", "A mask propagates to a slice beside its own.")
        if (message.ahead - message.z) * step < 0:
            raise ProtocolError("malformed", "What a mask is drawn towards lies ahead of it.")
    else:
        found = log.click(message.click)
        if found is None:
            raise ProtocolError("unknown_click", _("This click is gone; it may have been deleted in another window."))
        place = found[0]
        if isinstance(message, MoveClick):
            _check_inside(_shape(assignment_id, place[0]), place[1], message.y, message.x)
    return log.change_of(Row(0, message.sequence, message.type, *place, _payload(message)))


def _check_steps(steps: int, done: list[Done], what: str) -> None:
    if not done or steps < 1:
        sentence = _("There is nothing to undo.") if what == "undo" else _("There is nothing to redo.")
        raise ProtocolError(f"nothing_to_{what}", sentence)
    if steps > len(done):
        sentence = (
            ngettext(
                "There is only %(n)d step to undo, not %(wanted)d.",
                "There are only %(n)d steps to undo, not %(wanted)d.",
                len(done),
            )
            if what == "undo"
            else ngettext(
                "There is only %(n)d step to redo, not %(wanted)d.",
                "There are only %(n)d steps to redo, not %(wanted)d.",
                len(done),
            )
        )
        raise ProtocolError(f"nothing_to_{what}", sentence % {"n": len(done), "wanted": steps})


def _check_painted(shape: tuple[int, int, int], message: Paint) -> None:
    _check_inside(shape, message.z, 0, 0)
    if message.tool not in TOOLS:
        raise ProtocolError("malformed", f"There is no tool {message.tool[:40]!r}.")
    mask, (_depth, height, width) = message.mask_bytes(), shape
    try:
        if masks.shape(mask) != (height, width):
            sentence = _("The mask is not of the slice's %(height)d×%(width)d pixels.")
            raise ProtocolError("bad_mask", sentence % {"height": height, "width": width})
        masks.decode(mask)
    except masks.MaskError as error:
        raise ProtocolError("bad_mask", str(error)) from None


def _shape(assignment_id: int, label_id: int) -> tuple[int, int, int]:
    """(z, y, x) of the assignment's volume. Raises ProtocolError where the label is not one of its project's."""
    sizes = ("task__series__depth", "task__series__height", "task__series__width")
    found = Assignment.objects.filter(pk=assignment_id, task__project__labels=label_id).values_list(*sizes).first()
    if found is None:
        raise unknown_label()
    return found


def unknown_label() -> ProtocolError:
    """Of a label that was deleted while somebody had it on screen."""
    sentence = _("This label was deleted from the project. Go on with the others; a reload shows which there are.")
    return ProtocolError("unknown_label", sentence)


def _check_inside(shape: tuple[int, int, int], z: int, y: int, x: int) -> None:
    depth, height, width = shape
    if z >= depth or y >= height or x >= width:
        raise ProtocolError("outside", outside(depth, height, width))


def outside(depth: int, height: int, width: int) -> str:
    """Of a place that no volume of this size has."""
    sentence = _("This is outside the volume: %(depth)s slices of %(height)s×%(width)s pixels.")
    return sentence % {"depth": depth, "height": height, "width": width}


def _sequence_taken(message: Message) -> ProtocolError:
    return ProtocolError(
        "sequence_taken",
        _("Interaction %(n)d is not the next one; another window may be open.") % {"n": message.sequence},
    )
