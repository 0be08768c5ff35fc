"""Surface distances agree with hand counts and with brute force over border pixels; empty masks are infinitely far away."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import distance_transform_edt
from scipy.spatial.distance import cdist

from segmodel.distances import border, surface_distances
from tests.segmodel.toys import disk, rectangle

spacings = st.sampled_from([0.4, 0.8, 1.0, 2.5])


def one(shape, *index):
    mask = np.zeros(shape, bool)
    mask[index] = True
    return mask


def by_neighbours(mask):
    """Return the border pixels by asking every neighbour of every pixel."""
    found = []
    for index in zip(*np.nonzero(mask), strict=True):
        neighbours = [
            tuple(place + step * (axis == moved) for axis, place in enumerate(index))
            for moved, step in itertools.product(range(mask.ndim), (-1, 1))
        ]
        inside = [
            all(0 <= p < n for p, n in zip(place, mask.shape, strict=True)) and mask[place] for place in neighbours
        ]
        if not all(inside):
            found.append(index)
    return found


def brute_force(a, b, spacing):
    between = cdist(np.array(by_neighbours(a)) * spacing, np.array(by_neighbours(b)) * spacing)
    ways = between.min(axis=1), between.min(axis=0)
    hd95 = max(np.percentile(way, 95) for way in ways)
    return max(way.max() for way in ways), hd95, (ways[0].mean() + ways[1].mean()) / 2


@pytest.mark.parametrize("shape", [(9, 7), (4, 5, 6)], ids=["2-D", "3-D"])
@given(data=st.data())
def test_distances_are_those_of_brute_force_at_any_spacing(shape, data):
    masks = arrays(bool, shape).filter(np.any)
    a, b = data.draw(masks), data.draw(masks)
    spacing = data.draw(st.tuples(*[spacings] * len(shape)))
    assert surface_distances(a, b, spacing) == pytest.approx(brute_force(a, b, spacing))


def test_distances_of_smooth_shapes_are_those_of_a_distance_map():
    a, b, spacing = disk((80, 90), (40, 40), 25), disk((80, 90), (44, 38), 22), (0.7, 1.3)
    edges = [np.zeros(a.shape, bool) for _ in range(2)]
    for edge, mask in zip(edges, (a, b), strict=True):
        edge[tuple(border(mask).T)] = True
    there = distance_transform_edt(~edges[1], sampling=spacing)[edges[0]]
    back = distance_transform_edt(~edges[0], sampling=spacing)[edges[1]]
    wanted = (
        max(there.max(), back.max()),
        max(np.percentile(there, 95), np.percentile(back, 95)),
        (there.mean() + back.mean()) / 2,
    )
    assert surface_distances(a, b, spacing) == pytest.approx(wanted)


@given(arrays(bool, (6, 8)), arrays(bool, (6, 8)))
def test_either_mask_may_come_first(a, b):
    assert surface_distances(a, b, (1, 2)) == surface_distances(b, a, (1, 2))


@given(arrays(bool, (6, 8)))
def test_a_mask_is_no_distance_from_itself_even_if_empty(mask):
    assert surface_distances(mask, mask, (1, 2)) == (0, 0, 0)


def test_an_empty_mask_is_infinitely_far_from_any_other():
    assert surface_distances(np.zeros((5, 5), bool), one((5, 5), 2, 2), (1, 1)) == (math.inf,) * 3
    assert surface_distances(one((5, 5), 2, 2), np.zeros((5, 5), bool), (1, 1)) == (math.inf,) * 3


def test_single_pixels_are_as_far_apart_as_their_centres():
    assert surface_distances(one((9, 9), 2, 3), one((9, 9), 5, 7), (1, 1)) == (5, 5, 5)


def test_spacing_belongs_to_its_axis():
    a, b = one((9, 9), 2, 3), one((9, 9), 5, 7)
    assert surface_distances(a, b, (2, 0.5)).hd == pytest.approx(math.hypot(3 * 2, 4 * 0.5))
    assert surface_distances(a, b, (0.5, 2)).hd == pytest.approx(math.hypot(3 * 0.5, 4 * 2))
    assert surface_distances(one((4, 9, 9), 0, 3, 3), one((4, 9, 9), 3, 3, 3), (3, 1, 1)).hd == 9


def test_a_mask_that_fills_the_image_has_its_surface_at_the_images_border():
    whole, middle = np.ones((5, 5), bool), rectangle((5, 5), (1, 4), (1, 4))
    hd, hd95, masd = surface_distances(whole, middle, (1, 1))
    assert hd == hd95 == pytest.approx(math.sqrt(2))  # of 16 border pixels the 4 corners
    assert masd == pytest.approx(((12 + 4 * math.sqrt(2)) / 16 + 1) / 2)


def test_a_hole_has_a_surface():
    whole = np.ones((5, 5), bool)
    holed = whole & ~one((5, 5), 2, 2)
    assert surface_distances(holed, whole, (1, 1)) == (1, 1, pytest.approx((4 / 20 + 0) / 2))


def test_a_distant_speck_counts_for_the_maximum_but_not_for_the_95th_percentile():
    line = rectangle((60, 100), (0, 1), (0, 100))
    hd, hd95, masd = surface_distances(line | one(line.shape, 50, 10), line, (1, 1))
    assert (hd, hd95) == (50, 0)
    assert masd == pytest.approx(50 / 101 / 2)


def test_what_is_beyond_the_masks_does_not_matter():
    a, b = disk((20, 20), (10, 10), 6), disk((20, 20), (11, 9), 5)
    assert surface_distances(np.pad(a, 7), np.pad(b, 7), (1, 1)) == surface_distances(a, b, (1, 1))
