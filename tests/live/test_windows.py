"""Two windows on one assignment, of which one works at a time, and a label that a manager deletes under them."""

import base64

import numpy as np
import pytest

from annotator import masks
from annotator.annotation.models import Interaction, Label
from annotator.protocol import (
    Changed,
    Error,
    Lock,
    Locks,
    MaskFrame,
    Paint,
    Saved,
    SliceClicks,
    Stored,
    TakeOver,
    Undo,
)
from tests.live.conftest import in_database

pytestmark = pytest.mark.usefixtures("worker")
Z = 5


@pytest.fixture
async def two(case, connect):
    windows = [await connect(case.pk, case.person) for _ in range(2)]
    for window in windows:
        await window.hello()
    return windows


def brush(rows):
    mask = np.zeros((48, 64), bool)
    mask[rows, 12:28] = True
    return base64.b64encode(masks.encode(mask)).decode()


async def test_what_one_window_does_is_told_to_the_other_with_its_mask(two, labels):
    here, there = two
    liver = labels["liver"]
    await here.send(Paint(1, liver, Z, "brush", brush(slice(10, 20))))
    stored = await here.receive_until(Stored)
    frame = await here.receive_until(MaskFrame)
    changed = await there.receive()
    assert isinstance(changed, Changed) and vars(changed) == vars(stored)
    assert await there.receive_until(MaskFrame) == frame
    await there.send(TakeOver())
    await there.send(Undo(2))
    await there.receive_until(Saved)
    undone = await here.receive_until(Changed)
    assert (undone.kind, undone.slices, undone.can_redo) == (
        "undo",
        (SliceClicks(liver, Z, 0, 0, False, ()),),
        True,
    )
    assert not masks.area((await here.receive_until(MaskFrame)).mask)


async def test_a_write_made_on_an_older_log_is_refused_and_both_are_kept_where_that_is_wanted(two, labels):
    here, there = two
    liver = labels["liver"]
    await here.send(Paint(1, liver, Z, "brush", brush(slice(10, 20))))
    await here.receive_until(Saved)
    await there.send(TakeOver())
    await there.send(Paint(1, liver, Z, "brush", brush(slice(30, 40))))
    assert (await there.receive_until(Error)).code == "sequence_taken"
    assert (await there.hello()).last_sequence == 1
    await there.send(Paint(2, liver, Z, "brush", brush(slice(30, 40))))
    await there.receive_until(Saved)
    await here.receive_until(MaskFrame)
    await here.send(TakeOver())
    await here.send(Undo(3))  # gives back what was painted over
    while (frame := await here.receive_until(MaskFrame)).number != 3:
        pass
    assert base64.b64encode(frame.mask).decode() == brush(slice(10, 20))


async def test_a_resend_is_no_news_to_other_windows(two, labels):
    here, there = two
    paint = Paint(1, labels["liver"], Z, "brush", brush(slice(10, 20)))
    for _ in range(2):
        await here.send(paint)
        await here.receive_until(Saved)
    await here.send(Undo(2))
    assert [(await there.receive_until(Changed)).kind for _ in range(2)] == ["paint", "undo"]


async def test_a_label_deleted_while_it_is_drawn_costs_that_stroke_only(two, labels):
    window, _ = two
    liver, spleen = labels["liver"], labels["spleen"]
    await in_database(Label.objects.filter(pk=spleen).delete)()
    await window.send(Paint(1, spleen, Z, "brush", brush(slice(10, 20))))
    error = await window.receive_until(Error)
    assert (error.code, error.sequence) == ("unknown_label", 1)
    assert (
        error.message
        == "This label was deleted from the project. Go on with the others; a reload shows which there are."
    )
    await window.send(Lock(spleen, True))
    assert (await window.receive_until(Error)).code == "unknown_label"
    await window.send(Paint(1, liver, Z, "brush", brush(slice(10, 20))))
    await window.receive_until(Saved)
    await window.send(Lock(liver, True))
    assert len((await window.receive_until(Locks)).labels) == 1
    assert await in_database(Interaction.objects.count)() == 1
