"""The stored log: what it says, what it takes, and what it refuses."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotator import masks
from annotator.annotation import history
from annotator.annotation.models import Assignment, Interaction
from annotator.protocol import (
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
from tests.annotator import factories
from tests.annotator.factories import SHAPE, Cast
from tests.annotator.together import at_once


class Writer:
    """Numbers the messages, as the browser does."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.sequence = 0
        self.log = history.Log()

    def send(self, kind: type, **fields: Any) -> history.Recorded:
        recorded = self.again(kind, self.sequence + 1, **fields)
        self.sequence += 1
        return recorded

    def again(self, kind: type, sequence: int, **fields: Any) -> history.Recorded:
        message = kind(sequence=sequence, **fields)
        return history.record(self.assignment.pk, self.assignment.person_id, message, log=self.log)

    def refused(self, kind: type, **fields: Any) -> str:
        with pytest.raises(ProtocolError) as refusal:
            self.send(kind, **fields)
        return refusal.value.code


@pytest.fixture
def writer(cast: Cast) -> Writer:
    return Writer(cast.alices)


def click(cast: Cast, **fields: Any) -> dict[str, Any]:
    return {"label": cast.liver.pk, "z": 1, "y": 2, "x": 3, "positive": True, **fields}


def paint(cast: Cast, rows: int = 2, **fields: Any) -> dict[str, Any]:
    """A mask of the first `rows` rows."""
    mask = np.zeros(SHAPE[1:], bool)
    mask[:rows] = True
    return {"label": cast.liver.pk, "z": 1, "tool": "brush", "mask": text(masks.encode(mask)), **fields}


def text(mask: bytes) -> str:
    return base64.b64encode(mask).decode()


def only(recorded: history.Recorded) -> SliceClicks:
    """The one slice that an interaction changed."""
    (of,) = recorded.slices
    return of


def test_an_empty_log(cast: Cast) -> None:
    assert history.state(cast.alices.pk) == history.State(0, False, False, (), {})


def test_a_click_is_stored_with_who_and_where(cast: Cast, writer: Writer) -> None:
    recorded = writer.send(AddClick, **click(cast))
    row = Interaction.objects.get()
    assert (row.kind, row.label, row.z, row.person) == ("add_click", cast.liver, 1, cast.alice)
    assert row.payload == {"y": 2, "x": 3, "positive": True}
    clicks = (PlacedClick(1, 2, 3, True),)
    here = SliceClicks(cast.liver.pk, 1, 0, 1, False, clicks)
    assert recorded == history.Recorded(row.pk, 1, "add_click", (here,), True, False, True)


def test_only_the_clicks_of_the_same_label_and_slice_come_back(cast: Cast, writer: Writer) -> None:
    writer.send(AddClick, **click(cast, z=0))
    writer.send(AddClick, **click(cast, label=cast.spleen.pk))
    assert [c.id for c in only(writer.send(AddClick, **click(cast))).clicks] == [3]
    assert [(s.label, s.z) for s in history.state(cast.alices.pk).clicks] == [
        (cast.liver.pk, 0),
        (cast.liver.pk, 1),
        (cast.spleen.pk, 1),
    ]


def test_a_deleted_click_comes_back_with_its_id_in_its_place(cast: Cast, writer: Writer) -> None:
    writer.send(AddClick, **click(cast, x=0))
    writer.send(AddClick, **click(cast, x=1))
    writer.send(DeleteClick, click=1)
    undone = writer.send(Undo)
    assert [c.id for c in only(undone).clicks] == [1, 2]
    assert (undone.can_undo, undone.can_redo) == (True, True)


def test_undo_and_redo_of_a_move(cast: Cast, writer: Writer) -> None:
    writer.send(AddClick, **click(cast))
    writer.send(MoveClick, click=1, y=5, x=7)
    assert only(writer.send(Undo)).clicks == (PlacedClick(1, 2, 3, True),)
    redone = writer.send(Redo)
    assert only(redone).clicks == (PlacedClick(1, 5, 7, True),)
    assert not redone.can_redo


def test_a_new_interaction_ends_redo(cast: Cast, writer: Writer) -> None:
    writer.send(AddClick, **click(cast))
    writer.send(Undo)
    writer.send(AddClick, **click(cast))
    assert writer.refused(Redo) == "nothing_to_redo"


def test_clicks_go_on_from_what_was_painted(cast: Cast, writer: Writer) -> None:
    writer.send(AddClick, **click(cast))
    painted = paint(cast)
    assert only(writer.send(Paint, **painted)) == SliceClicks(cast.liver.pk, 1, 2, 2, False, ())
    assert only(writer.send(AddClick, **click(cast))) == SliceClicks(
        cast.liver.pk, 1, 2, 3, False, (PlacedClick(3, 2, 3, True),)
    )
    kept = history.painted(cast.alices.pk, 2)
    assert kept and (text(kept.mask), kept.quality) == (painted["mask"], None)
    writer.send(Undo)
    assert only(writer.send(Undo)) == SliceClicks(cast.liver.pk, 1, 0, 1, False, (PlacedClick(1, 2, 3, True),))
    assert only(writer.send(Redo)).base == 2


def test_what_is_no_paint_has_no_mask(cast: Cast, writer: Writer) -> None:
    writer.send(AddClick, **click(cast))
    writer.send(Paint, **paint(cast))
    assert history.painted(cast.alices.pk, 1) is None
    assert history.painted(factories.assign(cast.project, cast.alice).pk, 2) is None


def test_several_steps_are_undone_at_once(cast: Cast, writer: Writer) -> None:
    writer.send(AddClick, **click(cast, z=0))
    writer.send(AddClick, **click(cast, z=2))
    writer.send(AddClick, **click(cast, z=2))
    undone = writer.send(Undo, steps=3)
    assert undone.slices == (
        SliceClicks(cast.liver.pk, 0, 0, 0, False, ()),
        SliceClicks(cast.liver.pk, 2, 0, 0, False, ()),
    )
    assert history.state(cast.alices.pk).newest == {(cast.liver.pk, 0): 4, (cast.liver.pk, 2): 4}
    assert [len(of.clicks) for of in writer.send(Redo, steps=2).slices] == [1, 1]
    assert writer.refused(Undo, steps=3) == "nothing_to_undo"
    assert writer.refused(Redo, steps=2) == "nothing_to_redo"
    assert writer.refused(Redo, steps=0) == "nothing_to_redo"


def test_the_steps_are_what_undo_and_redo_can_reach(cast: Cast, writer: Writer) -> None:
    writer.send(AddClick, **click(cast))
    writer.send(Undo)
    writer.send(AddClick, **click(cast))  # ends what was undone
    writer.send(Paint, **paint(cast, tool="lasso"))
    writer.send(AddClick, **click(cast, z=2))
    writer.send(Undo)
    listed = history.steps(cast.alices.pk, most=100)
    steps = listed.steps
    assert (listed.older, listed.in_force) == (0, 2)
    assert [(s.sequence, s.kind, s.tool, s.slice.z, s.in_force) for s in steps] == [
        (3, "add_click", "", 1, True),
        (4, "paint", "lasso", 1, True),
        (5, "add_click", "", 2, False),
    ]
    assert [(s.slice.base, len(s.slice.clicks)) for s in steps] == [(0, 1), (4, 0), (0, 1)]
    assert steps[0].person == "alice" and steps[0].at <= steps[1].at
    newest = history.steps(cast.alices.pk, most=2)
    assert ([s.sequence for s in newest.steps], newest.older, newest.in_force) == ([4, 5], 1, 2)


@pytest.mark.parametrize("axis", ["z", "y", "x"])
def test_a_click_outside_the_volume_is_refused(cast: Cast, writer: Writer, axis: str) -> None:
    size = dict(zip("zyx", SHAPE, strict=True))[axis]
    assert writer.refused(AddClick, **click(cast, **{axis: size})) == "outside"
    writer.send(AddClick, **click(cast, **{axis: size - 1}))


def test_a_click_is_not_moved_out_of_the_volume(cast: Cast, writer: Writer) -> None:
    writer.send(AddClick, **click(cast))
    assert writer.refused(MoveClick, click=1, y=SHAPE[1], x=0) == "outside"


def test_a_mask_of_another_size_is_refused(cast: Cast, writer: Writer) -> None:
    assert writer.refused(Paint, **paint(cast, mask=text(masks.empty(SHAPE[1], SHAPE[2] + 1)))) == "bad_mask"
    assert writer.refused(Paint, **paint(cast, z=SHAPE[0])) == "outside"


@pytest.mark.parametrize("mask", ["", "AAAA", "/////////////w==", "AAAAAAAAAAAAAAAAAAAAAAAA"])
def test_what_is_no_mask_is_refused(cast: Cast, writer: Writer, mask: str) -> None:
    assert writer.refused(Paint, **paint(cast, mask=mask)) == "bad_mask"


def test_a_damaged_mask_is_refused(cast: Cast, writer: Writer) -> None:
    whole = base64.b64decode(paint(cast)["mask"])
    assert writer.refused(Paint, **paint(cast, mask=text(whole[:-1]))) == "bad_mask"
    assert writer.refused(Paint, **paint(cast, mask="é")) == "malformed"


def test_a_propagated_mask_is_unconfirmed_until_a_person_clicks_or_paints(cast: Cast, writer: Writer) -> None:
    mask = masks.empty(*SHAPE[1:])
    message = Propagate(1, cast.liver.pk, 2, 1, 2, False)
    assert history.check(cast.alices.pk, message) is None
    made = history.Painted(mask, 0.75, 3)
    recorded = history.record(cast.alices.pk, cast.alice.pk, message, propagated=made)
    writer.sequence = 1
    assert only(recorded) == SliceClicks(cast.liver.pk, 2, 1, 1, True, ())
    assert history.painted(cast.alices.pk, 1) == made
    assert history.check(cast.alices.pk, message) == history.Recorded(**{**vars(recorded), "fresh": False})
    clicked = only(writer.send(AddClick, **click(cast, z=2)))
    assert (clicked.base, clicked.unconfirmed) == (1, False)
    writer.send(Undo)
    assert not only(writer.send(Paint, **paint(cast, z=2, tool="accept"))).unconfirmed
    assert only(writer.send(Undo)).unconfirmed


@pytest.mark.parametrize(
    ("z", "source", "ahead", "code"),
    [(1, 1, 1, "malformed"), (0, 2, 0, "malformed"), (2, 1, 0, "malformed"), (SHAPE[0], 3, 4, "outside")],
)
def test_a_mask_propagates_to_the_slice_beside_it_only(cast: Cast, writer: Writer, z, source, ahead, code) -> None:
    assert writer.refused(Propagate, label=cast.liver.pk, z=z, source=source, ahead=ahead, better=False) == code


def test_a_locked_label_is_not_changed_nor_undone(cast: Cast, writer: Writer) -> None:
    writer.send(AddClick, **click(cast))
    for kind, fields in [(AddClick, click(cast)), (Paint, paint(cast)), (DeleteClick, {"click": 1}), (Undo, {})]:
        with pytest.raises(ProtocolError, match="locked"):
            message = kind(sequence=2, **fields)
            history.record(cast.alices.pk, cast.alice.pk, message, {cast.liver.pk})
    writer.send(AddClick, **click(cast, label=cast.spleen.pk))


def test_an_unknown_tool_is_refused(cast: Cast, writer: Writer) -> None:
    assert writer.refused(Paint, **paint(cast, tool="magic")) == "malformed"


def test_a_label_of_another_project_is_refused(cast: Cast, writer: Writer) -> None:
    stranger = cast.elsewhere.labels.get(name="liver")
    assert writer.refused(AddClick, **click(cast, label=stranger.pk)) == "unknown_label"


def test_a_click_that_is_not_in_force_is_refused(cast: Cast, writer: Writer) -> None:
    writer.send(AddClick, **click(cast))
    writer.send(DeleteClick, click=1)
    assert writer.refused(DeleteClick, click=1) == "unknown_click"
    assert writer.refused(MoveClick, click=1, y=0, x=0) == "unknown_click"
    assert writer.refused(MoveClick, click=2, y=0, x=0) == "unknown_click"


def test_nothing_to_undo_or_redo(writer: Writer) -> None:
    assert writer.refused(Undo) == "nothing_to_undo"
    assert writer.refused(Redo) == "nothing_to_redo"


def test_too_many_clicks(cast: Cast, writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MAX_CLICKS", 2)
    writer.send(AddClick, **click(cast))
    writer.send(AddClick, **click(cast))
    assert writer.refused(AddClick, **click(cast)) == "too_many_clicks"
    writer.send(AddClick, **click(cast, z=0))


def test_a_refusal_stores_nothing(cast: Cast, writer: Writer) -> None:
    writer.refused(AddClick, **click(cast, x=99))
    assert not Interaction.objects.exists()


def test_a_resend_is_answered_as_the_first_time(cast: Cast, writer: Writer) -> None:
    sent = [
        (AddClick, click(cast)),
        (MoveClick, {"click": 1, "y": 0, "x": 0}),
        (Undo, {}),
        (Redo, {}),
        (DeleteClick, {"click": 1}),
        (Paint, paint(cast)),
        (Undo, {"steps": 2}),
    ]
    answers = [writer.send(kind, **fields) for kind, fields in sent]
    for sequence, ((kind, fields), first) in enumerate(zip(sent, answers, strict=True), start=1):
        second = writer.again(kind, sequence, **fields)
        assert not second.fresh
        assert second == history.Recorded(**{**vars(first), "fresh": False})
    assert Interaction.objects.count() == len(sent)


@pytest.mark.parametrize("changed", [{"x": 0}, {"positive": False}, {"z": 0}])
def test_a_number_is_not_used_twice(cast: Cast, writer: Writer, changed: dict[str, Any]) -> None:
    writer.send(AddClick, **click(cast))
    writer.sequence = 0
    assert writer.refused(AddClick, **click(cast, **changed)) == "sequence_taken"
    assert writer.refused(Undo) == "sequence_taken"


def test_another_mask_does_not_take_the_number_of_the_first(cast: Cast, writer: Writer) -> None:
    writer.send(Paint, **paint(cast))
    writer.sequence = 0
    assert writer.refused(Paint, **paint(cast, rows=3)) == "sequence_taken"


@pytest.mark.parametrize("sequence", [-1, 1])
def test_a_gap_is_refused(cast: Cast, writer: Writer, sequence: int) -> None:
    writer.sequence = sequence
    assert writer.refused(AddClick, **click(cast)) == "sequence_taken"


# ------------------------------------------------------------------------------------------------ against a naive model

Place = tuple[str, int]
Slices = dict[Place, tuple[int, int, dict[int, tuple[int, int, bool]]]]  # the paint, since when, and the clicks by id


class Naive:
    """Every state is kept whole; undo and redo walk along them."""

    def __init__(self) -> None:
        self.states: list[Slices] = [{}]
        self.now = 0

    @property
    def slices(self) -> Slices:
        return self.states[self.now]

    def push(self, place: Place, base: int, since: int, clicks: dict[int, tuple[int, int, bool]]) -> None:
        self.states[self.now + 1 :] = [{**self.slices, place: (base, since, clicks)}]
        self.now += 1

    def take(self, sequence: int, action: tuple[Any, ...]) -> tuple[type, dict[str, Any]] | None:
        """The message for an action, with which the model goes on; None where there is nothing to act on."""
        placed = sorted((click, place) for place, (_, _, clicks) in self.slices.items() for click in clicks)
        match action:
            case ("add", label, z, y, x, positive):
                base, _, clicks = self.slices.get((label, z), (0, 0, {}))
                self.push((label, z), base, sequence, {**clicks, sequence: (y, x, positive)})
                return AddClick, {"label": label, "z": z, "y": y, "x": x, "positive": positive}
            case ("paint", label, z):
                self.push((label, z), sequence, sequence, {})
                return Paint, {"label": label, "z": z, "tool": "lasso", "mask": text(masks.empty(*SHAPE[1:]))}
            case ("move", which, y, x) if placed:
                click_id, place = placed[which % len(placed)]
                base, _, clicks = self.slices[place]
                self.push(place, base, sequence, {**clicks, click_id: (y, x, clicks[click_id][2])})
                return MoveClick, {"click": click_id, "y": y, "x": x}
            case ("delete", which) if placed:
                click_id, place = placed[which % len(placed)]
                base, _, clicks = self.slices[place]
                self.push(place, base, sequence, {k: v for k, v in clicks.items() if k != click_id})
                return DeleteClick, {"click": click_id}
            case ("undo", steps) if self.now >= steps:
                self.now -= steps
                return Undo, {"steps": steps}
            case ("redo", steps) if self.now < len(self.states) - steps:
                self.now += steps
                return Redo, {"steps": steps}
        return None

    def said(self, label_ids: dict[str, int]) -> tuple[SliceClicks, ...]:
        places = {(label_ids[label], z): of for (label, z), of in self.slices.items()}
        return tuple(
            SliceClicks(
                *place, base, since, False, tuple(PlacedClick(k, *click) for k, click in sorted(clicks.items()))
            )
            for place, (base, since, clicks) in sorted(places.items())
            if base or clicks
        )


zs, ys, xs = (st.integers(0, size - 1) for size in SHAPE)
actions = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from(["liver", "spleen"]), zs, ys, xs, st.booleans()),
        st.tuples(st.just("move"), st.integers(0, 99), ys, xs),
        st.tuples(st.just("delete"), st.integers(0, 99)),
        st.tuples(st.just("paint"), st.sampled_from(["liver", "spleen"]), zs),
        st.tuples(st.sampled_from(["undo", "undo", "redo"]), st.integers(1, 3)),
    ),
    max_size=25,
)


@given(actions=actions)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence_of_actions_agrees_with_the_naive_model(cast: Cast, actions: list[tuple[Any, ...]]) -> None:
    writer, naive = Writer(factories.assign(cast.project, cast.alice)), Naive()
    label_ids = {"liver": cast.liver.pk, "spleen": cast.spleen.pk}
    for action in actions:
        message = naive.take(writer.sequence + 1, action)
        if message is None:
            continue
        kind, fields = message
        if "label" in fields:
            fields = {**fields, "label": label_ids[fields["label"]]}
        recorded = writer.send(kind, **fields)
        said = {(of.label, of.z): of for of in naive.said(label_ids)}
        for of in recorded.slices:
            assert of == said.get((of.label, of.z), SliceClicks(of.label, of.z, 0, of.since, False, ()))
        assert (recorded.can_undo, recorded.can_redo) == (naive.now > 0, naive.now < len(naive.states) - 1)
    now = history.state(writer.assignment.pk)
    assert now.clicks == naive.said(label_ids)
    assert (now.last_sequence, now.can_undo, now.can_redo) == (
        writer.sequence, naive.now > 0, naive.now < len(naive.states) - 1,
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------ several writers


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_of_two_windows_one_gets_the_number() -> None:
    cast = factories.make_cast()
    results = at_once(6, lambda i: Writer(cast.alices).send(AddClick, **click(cast, x=i)))
    assert sorted(getattr(result, "code", "stored") for result in results) == ["sequence_taken"] * 5 + ["stored"]
    assert Interaction.objects.count() == 1


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_the_same_message_at_once_is_stored_once() -> None:
    cast = factories.make_cast()
    results = at_once(6, lambda i: Writer(cast.alices).send(AddClick, **click(cast)))
    assert [result.fresh for result in results].count(True) == 1
    assert len({result.interaction for result in results}) == 1


def test_a_long_log_is_read_with_one_query(cast: Cast, django_assert_num_queries: Any) -> None:
    rows = [
        Interaction(
            assignment=cast.alices, sequence=i, kind="add_click", label=cast.liver, z=i % 4,
            payload={"y": 0, "x": 0, "positive": True}, person=cast.alice,
        )
        for i in range(1, 301)
    ]  # fmt: skip
    Interaction.objects.bulk_create(rows)
    with django_assert_num_queries(1):
        assert history.state(cast.alices.pk).last_sequence == 300


def test_a_log_that_was_read_before_is_not_read_again(
    cast: Cast, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for x in range(3):
        writer.send(AddClick, **click(cast, x=x))
    rows, read = history._rows, []

    def counted(*where: int) -> list[history.Row]:
        found = rows(*where)
        read.append(len(found))
        return found

    monkeypatch.setattr(history, "_rows", counted)
    writer.send(AddClick, **click(cast, x=3))
    assert read == [0]
    Writer(cast.alices).again(AddClick, 5, **click(cast, x=4))
    assert read == [0, 4]


def test_a_window_goes_on_from_what_another_one_stored(cast: Cast) -> None:
    one, other = Writer(cast.alices), Writer(cast.alices)
    one.send(AddClick, **click(cast, y=1, x=1))
    other.again(MoveClick, 2, click=1, y=2, x=2)
    recorded = one.again(Undo, 3, steps=1)
    assert [(at.y, at.x) for at in recorded.slices[0].clicks] == [(1, 1)]
    with pytest.raises(ProtocolError, match="only 1"):
        other.again(Undo, 4, steps=2)
