"""A click's path: stored, answered with a mask, saved; and what refuses one."""

import base64

import numpy as np
import pytest

from annotator import masks, protocol
from annotator.annotation.models import Interaction, SliceMask
from annotator.protocol import (
    AddClick,
    DeleteClick,
    Error,
    Lock,
    LockedLabel,
    Locks,
    MaskFrame,
    MoveClick,
    Paint,
    Preview,
    PreviewClick,
    Propagate,
    Redo,
    Saved,
    SliceClicks,
    Stored,
    TakeOver,
    Undo,
    View,
    Welcome,
)
from tests.annotator.factories import make_person
from tests.live.conftest import in_database

pytestmark = pytest.mark.usefixtures("worker")
Z = 5


async def saved_mask(case, label):
    row = await in_database(SliceMask.objects.filter(assignment=case, label=label, z=Z).first)()
    return row and masks.decode(bytes(row.mask))


async def test_a_click_is_stored_answered_and_saved_in_this_order(case, labels, connect):
    window = await connect(case.pk, case.person)
    welcome = await window.hello()
    assert (welcome.last_sequence, welcome.inference, welcome.clicks) == (0, "ready", ())
    await window.send(AddClick(1, labels["liver"], Z, 22, 20, True))
    stored, frame, saved = [await window.receive() for _ in range(3)]
    assert isinstance(stored, Stored) and [c.id for c in stored.slices[0].clicks] == [1] and stored.can_undo
    assert isinstance(frame, MaskFrame) and (frame.kind, frame.number, frame.z) == (MaskFrame.STORED, 1, Z)
    assert 0 < frame.network_ms <= frame.total_ms
    assert saved == Saved(1, labels["liver"], Z)
    np.testing.assert_array_equal(await saved_mask(case, labels["liver"]), masks.decode(frame.mask))


async def test_a_resent_click_is_stored_once_and_answered_again(case, labels, connect):
    window = await connect(case.pk, case.person)
    await window.hello()
    click = AddClick(1, labels["liver"], Z, 22, 20, True)
    await window.send(click)
    first = [await window.receive() for _ in range(3)]
    await window.send(click)
    second = [await window.receive() for _ in range(3)]
    assert second[0] == first[0] and second[1].mask == first[1].mask
    assert await in_database(Interaction.objects.count)() == 1


async def test_undo_to_no_click_empties_the_mask_and_redo_brings_it_back(case, labels, connect):
    window = await connect(case.pk, case.person)
    await window.hello()
    await window.send(AddClick(1, labels["liver"], Z, 22, 20, True))
    before = (await window.receive_until(MaskFrame)).mask
    await window.send(Undo(2))
    stored = await window.receive_until(Stored)
    assert (stored.slices[0].clicks, stored.can_undo, stored.can_redo) == ((), False, True)
    assert not masks.decode((await window.receive_until(MaskFrame)).mask).any()
    await window.receive_until(Saved)
    assert not (await saved_mask(case, labels["liver"])).any()
    await window.send(Redo(3))
    assert (await window.receive_until(MaskFrame)).mask == before


async def test_moving_and_deleting_a_click(case, labels, connect):
    window = await connect(case.pk, case.person)
    await window.hello()
    await window.send(AddClick(1, labels["liver"], Z, 22, 20, True))
    await window.send(AddClick(2, labels["liver"], Z, 5, 60, False))
    await window.send(MoveClick(3, 2, 6, 61))
    await window.send(DeleteClick(4, 1))
    lists = [[(c.id, c.y, c.x) for c in (await window.receive_until(Stored)).slices[0].clicks] for _ in range(4)]
    assert lists == [[(1, 22, 20)], [(1, 22, 20), (2, 5, 60)], [(1, 22, 20), (2, 6, 61)], [(2, 6, 61)]]


async def test_a_preview_is_answered_and_leaves_nothing(case, labels, connect):
    window = await connect(case.pk, case.person)
    await window.hello()
    await window.send(Preview(7, labels["spleen"], Z, 0, (PreviewClick(22, 50, True),)))
    frame = await window.receive_until(MaskFrame)
    assert (frame.kind, frame.number, frame.label) == (MaskFrame.PREVIEW, 7, labels["spleen"])
    assert await in_database(Interaction.objects.count)() == await in_database(SliceMask.objects.count)() == 0


async def test_a_preview_and_the_click_it_becomes_have_the_same_mask(case, labels, connect):
    window = await connect(case.pk, case.person)
    await window.hello()
    await window.send(Preview(1, labels["liver"], Z, 0, (PreviewClick(22, 20, True),)))
    preview = await window.receive_until(MaskFrame)
    await window.send(AddClick(1, labels["liver"], Z, 22, 20, True))
    assert (await window.receive_until(MaskFrame)).mask == preview.mask


def painted(rows):
    mask = np.zeros((48, 64), bool)
    mask[rows, 12:28] = True
    return masks.encode(mask)


async def test_a_painted_mask_is_kept_as_it_is_and_clicks_go_on_from_it(case, labels, connect):
    window = await connect(case.pk, case.person)
    await window.hello()
    liver, mask = labels["liver"], painted(slice(14, 30))
    await window.send(Paint(1, liver, Z, "brush", base64.b64encode(mask).decode()))
    stored, frame, saved = [await window.receive() for _ in range(3)]
    assert stored.slices == (SliceClicks(liver, Z, 1, 1, False, ()),)
    assert (frame.kind, frame.number, frame.mask) == (MaskFrame.STORED, 1, mask)
    assert saved == Saved(1, liver, Z)
    row = await in_database(SliceMask.objects.get)()
    assert (bytes(row.mask), row.model_version_id, row.clicks) == (mask, None, [])
    await window.send(Preview(1, liver, Z, 1, (PreviewClick(22, 20, True),)))
    preview = await window.receive_until(MaskFrame)
    await window.send(AddClick(2, liver, Z, 22, 20, True))
    assert (await window.receive_until(Stored)).slices[0].base == 1
    assert (await window.receive_until(MaskFrame)).mask == preview.mask
    await window.send(Undo(3))
    assert (await window.receive_until(MaskFrame)).mask == mask


async def test_several_slices_come_back_with_one_undo(case, labels, connect):
    window = await connect(case.pk, case.person)
    await window.hello()
    mask = base64.b64encode(painted(slice(14, 30))).decode()
    for sequence, z in enumerate((4, 5, 6), start=1):
        await window.send(Paint(sequence, labels["liver"], z, "lasso", mask))
        await window.receive_until(Saved)
    await window.send(Undo(4, steps=2))
    assert [of.z for of in (await window.receive_until(Stored)).slices] == [5, 6]
    frames = [await window.receive_until(MaskFrame) for _ in range(2)]
    assert [(frame.z, masks.area(frame.mask)) for frame in frames] == [(5, 0), (6, 0)]


async def test_another_window_finds_the_clicks_and_a_missing_mask_is_made_up_for(case, labels, connect):
    window = await connect(case.pk, case.person)
    await window.hello()
    await window.send(AddClick(1, labels["liver"], Z, 22, 20, True))
    mask = (await window.receive_until(MaskFrame)).mask
    await window.receive_until(Saved)
    await in_database(SliceMask.objects.all().delete)()  # as if the server had died before saving
    again = await connect(case.pk, case.person)
    welcome = await again.hello()
    assert [(c.label, c.z, [p.id for p in c.clicks]) for c in welcome.clicks] == [(labels["liver"], Z, [1])]
    assert (await again.receive_until(MaskFrame)).mask == mask
    await again.receive_until(Saved)
    assert (await saved_mask(case, labels["liver"])).sum() == masks.decode(mask).sum()


async def test_looking_at_a_slice_is_silent(case, labels, connect):
    window = await connect(case.pk, case.person)
    await window.hello()
    await window.send(View(labels["liver"], Z))
    assert await window.application.receive_nothing(0.2)


REFUSALS = {
    "click outside": (AddClick(1, 0, Z, 48, 0, True), "outside"),
    "slice outside": (AddClick(1, 0, 12, 0, 0, True), "outside"),
    "unknown label": (AddClick(1, 999_999, Z, 0, 0, True), "unknown_label"),
    "unknown click": (DeleteClick(1, 5), "unknown_click"),
    "nothing to undo": (Undo(1), "nothing_to_undo"),
    "nothing to redo": (Redo(1), "nothing_to_redo"),
    "a number too far": (AddClick(3, 0, Z, 0, 0, True), "sequence_taken"),
    "preview outside": (Preview(4, 0, Z, 0, (PreviewClick(0, 64, True),)), "outside"),
    "preview of a slice outside": (Preview(4, 0, 12, 0, ()), "outside"),
    "view of an unknown label": (View(999_999, Z), "unknown_label"),
}


@pytest.mark.parametrize("message, code", REFUSALS.values(), ids=REFUSALS)
async def test_refusals_have_a_code_and_a_sentence_and_store_nothing(message, code, case, labels, connect):
    window = await connect(case.pk, case.person)
    await window.hello()
    if getattr(message, "label", None) == 0:
        message = type(message)(**{**vars(message), "label": labels["liver"]})
    await window.send(message)
    error = await window.receive_until(Error)
    assert error.code == code and error.message.endswith(".")
    assert (error.sequence, error.request) == (getattr(message, "sequence", 0), getattr(message, "request", 0))
    assert await in_database(Interaction.objects.count)() == 0


@pytest.mark.parametrize(
    "frame, code",
    [
        ("{", "malformed"),
        ('{"type":"nonsense"}', "malformed"),
        ("[" * (protocol.MAX_TEXT_BYTES + 1), "too_large"),
        ("[" * 60_000, "malformed"),
    ],
)
async def test_a_frame_that_is_no_message(frame, code, case, connect):
    window = await connect(case.pk, case.person)
    await window.hello()
    await window.send_frame(text=frame)
    assert (await window.receive_until(Error)).code == code


async def test_binary_frames_are_refused(case, connect):
    window = await connect(case.pk, case.person)
    await window.send_frame(bytes=b"\0")
    assert (await window.receive()).code == "malformed"


async def test_an_old_page_is_asked_to_reload(case, connect):
    window = await connect(case.pk, case.person)
    await window.send(protocol.Hello(protocol.PROTOCOL_VERSION + 1, "window"))
    error = await window.receive()
    assert error.code == "protocol_version" and "reload" in error.message


async def test_hello_comes_first(case, labels, connect):
    window = await connect(case.pk, case.person)
    await window.send(AddClick(1, labels["liver"], Z, 0, 0, True))
    assert (await window.receive()).code == "hello_first"


async def test_a_stranger_is_turned_away(case, connect):
    window = await connect(case.pk, await in_database(make_person)("stranger"))
    assert (await window.output())["code"] == 4404


async def test_staff_may_look_but_not_click(case, labels, connect):
    window = await connect(case.pk, await in_database(make_person)("boss", is_staff=True))
    assert isinstance(await window.hello(), Welcome)
    await window.send(AddClick(1, labels["liver"], Z, 0, 0, True))
    assert (await window.receive_until(Error)).code == "read_only"


async def test_whoever_leaves_the_project_can_no_longer_click(case, labels, connect):
    window = await connect(case.pk, case.person)
    await window.hello()
    await in_database(case.task.project.memberships.all().delete)()
    await window.send(AddClick(1, labels["liver"], Z, 0, 0, True))
    assert (await window.receive_until(Error)).code == "read_only"


async def test_a_locked_label_keeps_its_voxels_and_refuses_changes(case, labels, connect):
    window = await connect(case.pk, case.person)
    other = await connect(case.pk, case.person)
    for one in (window, other):
        assert (await one.hello()).locked == ()
    liver, spleen = labels["liver"], labels["spleen"]
    mask = painted(slice(0, 48))
    await window.send(Paint(1, spleen, Z, "brush", base64.b64encode(mask).decode()))
    await window.receive_until(Saved)
    await window.send(Lock(spleen, True))
    for one in (window, other):
        assert (await one.receive_until(Locks)).labels == (LockedLabel(spleen),)
    await window.send(AddClick(2, liver, Z, 22, 20, True))
    frame = await window.receive_until(MaskFrame)
    assert not (masks.decode(frame.mask) & masks.decode(mask)).any()
    await window.receive_until(Saved)
    await window.send(Undo(3))
    await window.receive_until(Saved)
    await window.send(Undo(4))
    assert (await window.receive_until(Error)).code == "locked"
    await other.send(TakeOver())
    await other.send(Lock(spleen, False))
    assert (await window.receive_until(Locks)).labels == ()
    await window.send(TakeOver())
    assert (await (await connect(case.pk, case.person)).hello()).locked == ()
    await window.send(Undo(4))
    assert (await window.receive_until(Stored)).sequence == 4


async def test_only_the_background_is_taken_where_the_project_says_so(case, labels, connect):
    project = case.task.project
    project.overlap = project.Overlap.BACKGROUND
    await in_database(project.save)()
    window = await connect(case.pk, case.person)
    await window.hello()
    for sequence, (label, rows) in enumerate([("spleen", slice(0, 24)), ("liver", slice(12, 36))], start=1):
        mask = base64.b64encode(painted(rows)).decode()
        await window.send(Paint(sequence, labels[label], Z, "brush", mask))
        await window.receive_until(Saved)
    np.testing.assert_array_equal(await saved_mask(case, labels["liver"]), masks.decode(painted(slice(24, 36))))


async def test_nobody_else_locks(case, labels, connect):
    boss = await in_database(make_person)("boss", is_staff=True)
    window = await connect(case.pk, boss)
    await window.hello()
    await window.send(Lock(labels["liver"], True))
    assert (await window.receive_until(Error)).code == "read_only"


async def test_a_mask_propagates_to_the_slices_beside_it_and_ends_where_the_structure_does(case, labels, connect):
    window = await connect(case.pk, case.person)
    await window.hello()
    liver = labels["liver"]
    await window.send(AddClick(1, liver, Z, 22, 20, True))
    await window.receive_until(Saved)
    message = Propagate(2, liver, Z + 1, Z, Z + 1, False)
    await window.send(message)
    stored, frame, saved = [await window.receive() for _ in range(3)]
    assert stored.slices == (SliceClicks(liver, Z + 1, 2, 2, True, ()),)
    assert (frame.z, frame.number) == (Z + 1, 2) and frame.quality > 0 and masks.area(frame.mask) > 0
    assert saved == Saved(2, liver, Z + 1)
    row = await in_database(SliceMask.objects.get)(z=Z + 1)
    assert row.quality == pytest.approx(frame.quality, abs=1e-6) and row.model_version_id
    await window.send(message)  # a resend is answered as the first time
    assert (await window.receive_until(Stored)) == stored
    again = await window.receive_until(MaskFrame)
    assert (again.mask, again.quality) == (frame.mask, frame.quality)
    await window.receive_until(Saved)
    await window.send(Propagate(3, labels["spleen"], Z + 1, Z, Z + 1, False))
    assert (await window.receive_until(Error)).code == "ended"  # nothing to go on from
    await window.send(Undo(3))
    assert masks.area((await window.receive_until(MaskFrame)).mask) == 0
    await window.receive_until(Saved)
    await window.send(Redo(4))
    assert (await window.receive_until(MaskFrame)).quality == frame.quality
    await window.receive_until(Saved)
    row = await in_database(SliceMask.objects.get)(z=Z + 1)
    assert row.quality == pytest.approx(frame.quality, abs=1e-6) and row.model_version_id
    await window.send(Propagate(5, liver, Z + 1, Z, Z + 1, True))  # the same answer is no better
    assert (await window.receive_until(Error)).code == "ended"


async def test_between_confirmed_slices_a_mask_is_drawn_towards_the_one_ahead(case, labels, connect):
    window = await connect(case.pk, case.person)
    await window.hello()
    liver, (height, width) = labels["liver"], (case.task.series.height, case.task.series.width)
    small, large = np.zeros((height, width), bool), np.zeros((height, width), bool)
    small[20:24, 20:24] = large[10:34, 10:34] = True
    for sequence, (z, mask) in enumerate([(Z, small), (Z + 2, large)], start=1):
        await window.send(Paint(sequence, liver, z, "brush", base64.b64encode(masks.encode(mask)).decode()))
        await window.receive_until(Saved)
    await window.send(Propagate(3, liver, Z + 1, Z, Z + 2, False))
    frame = await window.receive_until(MaskFrame)
    assert frame.z == Z + 1 and masks.area(frame.mask) > 0
    await window.receive_until(Saved)
    await window.send(Propagate(4, liver, Z + 1, Z, Z - 1, False))
    assert (await window.receive_until(Error)).code == "malformed"
