"""Clicks become two maps: a bell of height 1 on every click, foreground and background apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from segmodel.guidance import guidance_maps

SHAPE = (24, 31)
SIGMA = 2.0
points = st.tuples(st.floats(-3, 27), st.floats(-3, 34), st.booleans())


def bell(y, x, sigma=SIGMA, shape=SHAPE):
    """Return the filtered impulse as scipy makes it, scaled so that it would peak at 1 away from every border."""
    impulse, free = np.zeros(shape), np.zeros((101, 101))
    impulse[y, x] = free[50, 50] = 1
    return gaussian_filter(impulse, sigma, mode="constant") / gaussian_filter(free, sigma).max()


def test_without_clicks_both_maps_are_zero():
    maps = guidance_maps([], SHAPE, SIGMA)
    assert maps.shape == (2, *SHAPE)
    assert maps.dtype == np.float32
    assert not maps.any()


@pytest.mark.parametrize(("positive", "own", "other"), [(True, 0, 1), (False, 1, 0)])
def test_a_click_peaks_at_1_on_its_pixel_in_its_own_map(positive, own, other):
    maps = guidance_maps([(5, 17, positive)], SHAPE, SIGMA)
    assert maps[own, 5, 17] == maps.max() == 1
    assert np.count_nonzero(maps[own] == 1) == 1
    assert not maps[other].any()


@given(st.integers(0, 23), st.integers(0, 30), st.sampled_from([1.0, 1.5, 2.0, 3.0]))
def test_a_click_is_the_gaussian_of_an_impulse_also_at_the_borders(y, x, sigma):
    maps = guidance_maps([(y, x, True)], SHAPE, sigma)
    np.testing.assert_allclose(maps[0], bell(y, x, sigma), atol=1e-6)


def test_a_map_ends_4_sigma_from_the_click():
    row = guidance_maps([(12, 15, True)], SHAPE, SIGMA)[0, 12]
    assert np.flatnonzero(row).tolist() == list(range(15 - 8, 15 + 8 + 1))


def test_a_click_between_pixels_is_as_near_to_all_of_them():
    row = guidance_maps([(12, 14.5, True)], SHAPE, SIGMA)[0, 12]
    assert row[14] == row[15] == row.max() == pytest.approx(np.exp(-0.5 * (0.5 / SIGMA) ** 2))
    np.testing.assert_array_equal(row[:15], row[29:14:-1])


@given(st.floats(8, 15), st.floats(8, 22))
def test_a_dragged_click_moves_smoothly(y, x):
    before, after = (guidance_maps([(y, x + step, True)], SHAPE, SIGMA) for step in (0, 0.01))
    assert np.abs(after - before).max() < 0.004
    assert np.abs(after - before).max() > 0


@given(st.lists(points, max_size=6))
def test_every_map_stays_within_0_and_1(clicks):
    maps = guidance_maps(clicks, SHAPE, SIGMA)
    assert maps.min() >= 0
    assert maps.max() <= 1


@given(st.lists(points, min_size=1, max_size=5))
def test_no_click_dims_another(clicks):
    together = guidance_maps(clicks, SHAPE, SIGMA)
    alone = [guidance_maps([click], SHAPE, SIGMA) for click in clicks]
    assert (together >= np.max(alone, axis=0)).all()


@given(st.lists(points, max_size=6), st.randoms())
def test_the_order_of_clicks_does_not_matter(clicks, random):
    shuffled = random.sample(clicks, len(clicks))
    maps = guidance_maps(clicks, SHAPE, SIGMA)
    np.testing.assert_allclose(guidance_maps(shuffled, SHAPE, SIGMA), maps, atol=1e-6)


def test_a_click_far_outside_leaves_no_trace():
    assert not guidance_maps([(-50, 5, True), (5, 400, False)], SHAPE, SIGMA).any()


@given(y=st.floats(-5, 30), x=st.floats(-5, 40), radius=st.floats(0.5, 6))
def test_a_disk_is_1_inside_0_outside_and_falls_over_a_pixel(y, x, radius):
    maps = guidance_maps([(y, x, False)], SHAPE, SIGMA, radius)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    distance = np.hypot(rows - y, columns - x)
    np.testing.assert_allclose(maps[1], np.clip(radius + 0.5 - distance, 0, 1), atol=1e-6)
    assert not maps[0].any()


def test_disks_that_overlap_are_no_brighter():
    assert guidance_maps([(10, 10, True), (11, 10, True)], SHAPE, SIGMA, 3.0).max() == 1
