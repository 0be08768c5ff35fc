"""A slice goes to the network's grid and its mask comes back, and a click stays on the same tissue."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segmodel.grid import AIR, Grid
from tests.segmodel.toys import disk

quick = settings(deadline=None, max_examples=40)
GRID = Grid(1.6, 32)
sides = st.integers(20, 150)
spacings = st.floats(0.4, 3.0)
slices = st.tuples(st.tuples(sides, sides), st.tuples(spacings, spacings))


def ramp(shape, axis):
    """Return an image that says how far along an axis each of its pixels lies, times 20."""
    return (20 * np.indices(shape)[axis]).astype(np.int16)


def test_a_slice_at_the_grids_spacing_is_not_touched():
    hu = np.random.default_rng(0).integers(-1024, 3000, (40, 50), np.int16)
    placement = GRID.place(hu.shape, (1.6, 1.6))
    image = GRID.image(hu, placement)
    assert placement.content == (40, 50)
    np.testing.assert_array_equal(image[:40, :50], hu)
    assert placement.to_grid(7, 11) == (7, 11)


def test_the_grid_is_padded_with_air_at_the_bottom_and_right():
    image = GRID.image(np.zeros((40, 50), np.int16), GRID.place((40, 50), (1.6, 1.6)))
    assert image.shape == (64, 64)
    assert (image[40:] == AIR).all()
    assert (image[:, 50:] == AIR).all()


@quick
@given(slices)
def test_the_grid_is_no_larger_than_the_slice_needs(drawn):
    shape, spacing = drawn
    placement = GRID.place(shape, spacing)
    for count, step, content, padded in zip(shape, spacing, placement.content, placement.padded, strict=True):
        assert abs(content * GRID.spacing - count * step) <= GRID.spacing / 2 + 1e-9
        assert padded % 32 == 0
        assert 0 <= padded - content < 32


@quick
@given(slices, st.integers(0, 1))
def test_clicks_and_pixels_agree_where_they_are(drawn, axis):
    shape, spacing = drawn
    placement = GRID.place(shape, spacing)
    image = GRID.image(ramp(shape, axis), placement)[: placement.content[0], : placement.content[1]]
    step = shape[axis] / placement.content[axis]
    centres = (np.arange(placement.content[axis]) + 0.5) * step - 0.5  # of grid pixels, in slice pixels
    inner = slice(int(2 / step) + 2, -int(2 / step) - 2)
    shown = image.mean(axis=1 - axis) / 20
    np.testing.assert_allclose(shown[inner], centres[inner], atol=0.15)
    there = [placement.to_grid(c, c)[axis] for c in centres]
    np.testing.assert_allclose(there, np.arange(placement.content[axis]), atol=1e-9)


@quick
@given(slices)
def test_the_slices_edges_are_the_contents_edges(drawn):
    placement = GRID.place(*drawn)
    rows, columns = placement.slice_shape
    assert placement.to_grid(-0.5, -0.5) == (-0.5, -0.5)
    assert placement.to_grid(rows - 0.5, columns - 0.5) == pytest.approx([side - 0.5 for side in placement.content])


@quick
@given(slices)
def test_resampling_invents_no_intensities(drawn):
    shape, spacing = drawn
    hu = np.random.default_rng(1).integers(-1024, 3000, shape, np.int16)
    image = GRID.image(hu, GRID.place(shape, spacing))
    assert image.dtype == np.int16
    assert hu.min() <= image.max() <= hu.max()
    assert image.min() >= AIR


@quick
@given(slices)
def test_logits_come_back_on_the_slices_own_pixels(drawn):
    placement = GRID.place(*drawn)
    logits = torch.arange(placement.padded[1], dtype=torch.float32).repeat(1, 1, placement.padded[0], 1)
    back = placement.logits_to_slice(logits)
    assert back.shape == (1, 1, *placement.slice_shape)
    x = np.arange(placement.slice_shape[1])
    wanted = np.clip([placement.to_grid(0, c)[1] for c in x], 0, placement.content[1] - 1)
    np.testing.assert_allclose(back[0, 0, 0], wanted, atol=1e-3)


def test_logits_on_the_slices_own_grid_are_only_cropped():
    placement = GRID.place((40, 50), (1.6, 1.6))
    logits = torch.randn(2, 1, 64, 64)
    assert torch.equal(placement.logits_to_slice(logits), logits[..., :40, :50])


@pytest.mark.parametrize("spacing", [(0.8, 0.8), (1.6, 1.6), (2.5, 2.5), (0.8, 1.2)])
def test_a_mask_keeps_its_area_and_middle(spacing):
    mask = disk((120, 100), (70, 40), 20)
    placement = GRID.place(mask.shape, spacing)
    moved = GRID.mask(mask, placement)
    area = np.count_nonzero(mask) * spacing[0] * spacing[1]
    assert np.count_nonzero(moved) * GRID.spacing**2 == pytest.approx(area, rel=0.03)
    assert np.argwhere(moved).mean(axis=0) == pytest.approx(placement.to_grid(70, 40), abs=0.2)


def test_a_slice_that_is_too_large_is_coarsened_alike_in_both_directions():
    placement = Grid(1.0, 32, max_side=128).place((1000, 500), (0.5, 0.5))
    assert placement.content == (128, 64)
    assert placement.padded == (128, 64)


@pytest.mark.parametrize("shape", [(0, 10), (10, 0)])
def test_an_empty_slice_is_refused(shape):
    with pytest.raises(ValueError, match=r"cannot be placed on a grid\.$"):
        GRID.place(shape, (1.0, 1.0))


@pytest.mark.parametrize("spacing", [(0.0, 1.0), (1.0, -1.0), (float("nan"), 1.0), (1.0, float("inf"))])
def test_a_spacing_that_is_no_length_is_refused(spacing):
    with pytest.raises(ValueError, match=r"cannot be placed on a grid\.$"):
        GRID.place((10, 10), spacing)
