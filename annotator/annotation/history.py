"""The log of an assignment: what it says now, and how one more interaction is stored.

Nothing but the stored rows is the truth. The state is their replay, so undo, redo and reload work on any process. Every
interaction is one `Change` of one click, forwards or backwards: undo puts the click back as it was before, redo as it was
after. A click keeps its id and its place among the others through all of it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import TextField
from django.db.models.functions import Cast

from annotator.annotation.models import Assignment, Interaction
from annotator.protocol import (
    MAX_CLICKS,
    AddClick,
    DeleteClick,
    MoveClick,
    PlacedClick,
    ProtocolError,
    Redo,
    SliceClicks,
    Undo,
)

Message = AddClick | MoveClick | DeleteClick | Undo | Redo


@dataclass(frozen=True)
class Recorded:
    """An interaction that is stored, and the clicks of its slice and label after it."""

    interaction: int  # the row's id
    sequence: int
    kind: str
    label_id: int
    z: int
    clicks: tuple[PlacedClick, ...]
    can_undo: bool
    can_redo: bool
    fresh: bool  # False where the same interaction had been stored before


@dataclass(frozen=True)
class State:
    """What the log says: the part of `protocol.Welcome` that comes from it."""

    last_sequence: int
    can_undo: bool
    can_redo: bool
    clicks: tuple[SliceClicks, ...]


def record(assignment_id: int, person_id: int, message: Message) -> Recorded:
    """Store one interaction of an assignment that the person may write to.

    The same message again is answered as the first time. Raises ProtocolError: `outside`, `unknown_label`,
    `unknown_click`, `nothing_to_undo`, `nothing_to_redo`, `too_many_clicks`; `sequence_taken` where the number is not the
    next one or was used for something else.
    """
    rows = _rows(assignment_id)
    if message.sequence <= len(rows):
        return _stored_before(rows, message)
    log = _replay(rows)
    if message.sequence != log.last_sequence + 1:
        raise _sequence_taken(message)
    change = _change(log, assignment_id, message)
    place = change.place
    try:
        with transaction.atomic():
            row = Interaction.objects.create(
                assignment_id=assignment_id,
                sequence=message.sequence,
                kind=message.type,
                label_id=place.label_id,
                z=place.z,
                payload=_payload(message),
                person_id=person_id,
            )
    except IntegrityError:  # another connection was faster with this number; the constraint has decided
        return _stored_before(_rows(assignment_id), message)
    log.apply(message.sequence, message.type, change)
    return log.recorded(row.pk, message.type, place, fresh=True)


def state(assignment_id: int) -> State:
    """What the stored log of an assignment says now."""
    log = _replay(_rows(assignment_id))
    return State(log.last_sequence, bool(log.undoable), bool(log.redoable), log.slices())


# ------------------------------------------------------------------------------------------------ the replay


class Placed(NamedTuple):
    """Where and what a click is."""

    label_id: int
    z: int
    y: int
    x: int
    positive: bool


class Change(NamedTuple):
    """One click before and after an interaction; None where it is not there."""

    click: int
    before: Placed | None
    after: Placed | None

    @property
    def place(self) -> Placed:
        """Any of the two: a click never leaves its label and slice."""
        return self.after or self.before  # type: ignore[return-value]  # one of them is there

    def reversed(self) -> Change:
        return Change(self.click, self.after, self.before)


class Row(NamedTuple):
    """The columns of an interaction that the replay reads."""

    pk: int
    sequence: int
    kind: str
    label_id: int
    z: int
    payload: dict[str, Any]


@dataclass
class _Log:
    """The state after some rows."""

    last_sequence: int = 0
    clicks: dict[int, Placed] = field(default_factory=dict)  # those in force, by id
    undoable: list[Change] = field(default_factory=list)
    redoable: list[Change] = field(default_factory=list)

    def apply(self, sequence: int, kind: str, change: Change) -> None:
        """Take one interaction, which is valid."""
        if kind == Undo.type:
            self.redoable.append(self.undoable.pop())
        elif kind == Redo.type:
            self.undoable.append(self.redoable.pop())
        else:
            self.undoable.append(change)
            self.redoable.clear()
        if change.after is None:
            del self.clicks[change.click]
        else:
            self.clicks[change.click] = change.after
        self.last_sequence = sequence

    def change_of(self, row: Row) -> Change:
        """What a stored row did to the clicks as they are now."""
        if row.kind == Undo.type:
            return self.undoable[-1].reversed()
        if row.kind == Redo.type:
            return self.redoable[-1]
        fields = row.payload
        if row.kind == AddClick.type:
            placed = Placed(row.label_id, row.z, fields["y"], fields["x"], fields["positive"])
            return Change(row.sequence, None, placed)
        before = self.clicks[fields["click"]]
        after = before._replace(y=fields["y"], x=fields["x"]) if row.kind == MoveClick.type else None
        return Change(fields["click"], before, after)

    def on(self, label_id: int, z: int) -> tuple[PlacedClick, ...]:
        """The clicks in force of one label on one slice, oldest first."""
        here = [(click, p) for click, p in self.clicks.items() if p.z == z and p.label_id == label_id]
        return tuple(PlacedClick(click, p.y, p.x, p.positive) for click, p in sorted(here))

    def slices(self) -> tuple[SliceClicks, ...]:
        """All clicks in force, by label and slice."""
        found: dict[tuple[int, int], list[PlacedClick]] = {}
        for click, p in sorted(self.clicks.items()):
            found.setdefault((p.label_id, p.z), []).append(PlacedClick(click, p.y, p.x, p.positive))
        return tuple(SliceClicks(label_id, z, tuple(clicks)) for (label_id, z), clicks in sorted(found.items()))

    def recorded(self, pk: int, kind: str, place: Placed, fresh: bool) -> Recorded:
        clicks = self.on(place.label_id, place.z)
        undo, redo = bool(self.undoable), bool(self.redoable)
        return Recorded(pk, self.last_sequence, kind, place.label_id, place.z, clicks, undo, redo, fresh)


def _rows(assignment_id: int) -> list[Row]:
    """The log, oldest first; its sequences are 1, 2, 3 … without a gap."""
    found = Interaction.objects.filter(assignment=assignment_id).order_by("sequence")
    text = Cast("payload", TextField())  # parsed all at once below: that halves the time of a long log
    rows = list(found.values_list("pk", "sequence", "kind", "label_id", "z", text))
    payloads = json.loads(f"[{','.join([payload for *_, payload in rows])}]")
    return [Row._make((*columns, payload)) for (*columns, _), payload in zip(rows, payloads, strict=True)]


def _replay(rows: Iterable[Row]) -> _Log:
    log = _Log()
    for row in rows:
        log.apply(row.sequence, row.kind, log.change_of(row))
    return log


# ------------------------------------------------------------------------------------------------ one message


def _stored_before(rows: list[Row], message: Message) -> Recorded:
    """The first answer to this message once more; `sequence_taken` where the stored row says something else."""
    if not 1 <= message.sequence <= len(rows):
        raise _sequence_taken(message)
    row = rows[message.sequence - 1]
    if not _says_the_same(row, message):
        raise _sequence_taken(message)
    log = _replay(rows[: message.sequence - 1])
    change = log.change_of(row)
    log.apply(row.sequence, row.kind, change)
    return log.recorded(row.pk, row.kind, change.place, fresh=False)


def _says_the_same(row: Row, message: Message) -> bool:
    same_place = not isinstance(message, AddClick) or (message.label, message.z) == (row.label_id, row.z)
    return same_place and row.kind == message.type and row.payload == _payload(message)


def _payload(message: Message) -> dict[str, Any]:
    """The message's fields that have no column of their own."""
    return {k: v for k, v in dataclasses.asdict(message).items() if k not in ("sequence", "label", "z")}


def _change(log: _Log, assignment_id: int, message: Message) -> Change:
    """What the message does to the log's clicks; raises ProtocolError where it cannot."""
    if isinstance(message, Undo):
        return _last(log.undoable, "nothing_to_undo", "There is nothing to undo.").reversed()
    if isinstance(message, Redo):
        return _last(log.redoable, "nothing_to_redo", "There is nothing to redo.")
    if isinstance(message, AddClick):
        return Change(message.sequence, None, _new_click(log, assignment_id, message))
    before = log.clicks.get(message.click)
    if before is None:
        raise ProtocolError("unknown_click", f"There is no click {message.click}.")
    if isinstance(message, DeleteClick):
        return Change(message.click, before, None)
    after = before._replace(y=message.y, x=message.x)
    _check_inside(_shape(assignment_id, before.label_id), after)
    return Change(message.click, before, after)


def _last(changes: list[Change], code: str, sentence: str) -> Change:
    if not changes:
        raise ProtocolError(code, sentence)
    return changes[-1]


def _new_click(log: _Log, assignment_id: int, message: AddClick) -> Placed:
    shape = _shape(assignment_id, message.label)
    if shape is None:
        raise ProtocolError("unknown_label", f"This project has no label {message.label}.")
    placed = Placed(message.label, message.z, message.y, message.x, message.positive)
    _check_inside(shape, placed)
    if len(log.on(placed.label_id, placed.z)) >= MAX_CLICKS:
        raise ProtocolError("too_many_clicks", f"A slice takes at most {MAX_CLICKS} clicks per label.")
    return placed


def _shape(assignment_id: int, label_id: int) -> tuple[int, int, int] | None:
    """(z, y, x) of the assignment's volume; None where the label is not one of its project's."""
    sizes = ("task__series__depth", "task__series__height", "task__series__width")
    found = Assignment.objects.filter(pk=assignment_id, task__project__labels=label_id)
    return found.values_list(*sizes).first()


def _check_inside(shape: tuple[int, int, int] | None, placed: Placed) -> None:
    depth, height, width = shape or (0, 0, 0)
    if placed.z >= depth or placed.y >= height or placed.x >= width:
        raise ProtocolError("outside", f"The click is outside the volume: {depth} slices of {height}×{width} pixels.")


def _sequence_taken(message: Message) -> ProtocolError:
    return ProtocolError(
        "sequence_taken", f"Interaction {message.sequence} is not the next one; another window may be open."
    )
