"""The newest answer wins, whatever order the answers come in."""

from __future__ import annotations

import itertools
import struct

import numpy as np
import pytest

from annotator import masks
from annotator.annotation import history, slicemasks
from annotator.annotation.models import SliceMask
from annotator.protocol import AddClick, MaskFrame, PlacedClick
from tests.annotator import factories
from tests.annotator.factories import Cast
from tests.annotator.together import at_once


def save(cast: Cast, sequence: int, z: int = 1, **fields) -> bool:
    values = {"mask": bytes([sequence]), "model_version_id": None, "clicks": [PlacedClick(1, 2, 3, True)]}
    return slicemasks.save(
        cast.alices.pk, cast.liver.pk, z, sequence, sequence, **{**values, **fields}, person_id=cast.alice.pk
    )


def kept() -> tuple[int, bytes]:
    row = SliceMask.objects.get()
    return row.sequence, bytes(row.mask)


@pytest.mark.parametrize("order", list(itertools.permutations([1, 2, 3])))
def test_any_order_leaves_the_newest(cast: Cast, order: tuple[int, ...]) -> None:
    outcomes = [save(cast, sequence) for sequence in order]
    assert kept() == (3, b"\x03")
    assert outcomes == [sequence >= max(order[:i], default=0) for i, sequence in enumerate(order)]


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_many_at_once_leave_the_newest() -> None:
    cast = factories.make_cast()
    at_once(8, lambda i: save(cast, i + 1))
    assert kept() == (8, b"\x08")


def test_the_same_interaction_may_be_answered_again(cast: Cast) -> None:
    version = factories.make_version()
    assert save(cast, 5)
    assert save(cast, 5, mask=b"new", model_version_id=version.pk)
    assert kept() == (5, b"new")


def test_a_mask_remembers_what_made_it(cast: Cast) -> None:
    version = factories.make_version()
    save(cast, 1, model_version_id=version.pk)
    before = SliceMask.objects.get()
    assert before.clicks == [{"id": 1, "y": 2, "x": 3, "positive": True}]
    assert (before.model_version, before.person) == (version, cast.alice)
    save(cast, 2)
    assert SliceMask.objects.get().saved_at > before.saved_at


def test_frames_are_what_the_browser_reads(cast: Cast) -> None:
    version = factories.make_version()
    mask = masks.encode(np.eye(6, 8, dtype=bool))
    save(cast, 7, mask=mask, model_version_id=version.pk, quality=0.75)
    save(cast, 8, z=3)
    data, frames = slicemasks.frames(cast.alices.pk), []
    while data:
        (length,) = struct.unpack_from("<I", data)
        frames.append(MaskFrame.from_bytes(data[4 : 4 + length]))
        data = data[4 + length :]
    assert frames[0] == MaskFrame(MaskFrame.SAVED, 1, 7, cast.liver.pk, version.pk, 0.0, 0.0, 0.75, mask)
    assert [(frame.z, frame.number, frame.model_version) for frame in frames] == [(1, 7, version.pk), (3, 8, 0)]
    assert frames[1].quality == MaskFrame.NO_ESTIMATE


def test_slices_whose_last_interaction_has_no_mask_are_behind(cast: Cast) -> None:
    for sequence, z in enumerate([0, 1, 1, 2], start=1):
        history.record(cast.alices.pk, cast.alice.pk, AddClick(sequence, cast.liver.pk, z, 0, 0, True))
    save(cast, 2, z=1)
    save(cast, 4, z=2)
    newest = history.state(cast.alices.pk).newest
    assert slicemasks.behind(cast.alices.pk, newest) == [(cast.liver.pk, 0, 1), (cast.liver.pk, 1, 3)]
