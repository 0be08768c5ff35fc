"""The mask codec: every mask comes back, nothing else is taken for one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from annotator import masks

bool_masks = arrays.arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 40)))


@given(bool_masks)
def test_every_mask_comes_back(mask: np.ndarray) -> None:
    np.testing.assert_array_equal(masks.decode(masks.encode(mask)), mask)


@given(bool_masks)
def test_area_is_the_number_of_pixels(mask: np.ndarray) -> None:
    assert masks.area(masks.encode(mask)) == mask.sum()


@given(bool_masks, st.integers(0, 3), st.integers(0, 3))
def test_only_the_box_costs_bytes(mask: np.ndarray, rows: int, columns: int) -> None:
    assert len(masks.encode(np.pad(mask, ((rows, rows), (columns, columns))))) == len(masks.encode(mask))


@given(bool_masks, st.data())
def test_a_cut_mask_is_refused(mask: np.ndarray, data: st.DataObject) -> None:
    encoded = masks.encode(mask)
    with pytest.raises(masks.MaskError):
        masks.decode(encoded[: data.draw(st.integers(0, len(encoded) - 1))])


@given(st.binary(max_size=64))
def test_any_bytes_are_a_mask_or_refused(data: bytes) -> None:
    try:
        mask = masks.decode(data)
    except masks.MaskError:
        return
    assert mask.dtype == bool


def test_long_runs() -> None:
    mask = np.zeros((1024, 1024), bool)
    mask[0, 0] = mask[-1, -1] = True
    assert len(masks.encode(mask)) == 12 + 6
    np.testing.assert_array_equal(masks.decode(masks.encode(mask)), mask)


def test_an_organ_is_small() -> None:
    y, x = np.mgrid[:512, :512]
    assert len(masks.encode((y - 256) ** 2 + (x - 200) ** 2 < 90**2)) < 600
