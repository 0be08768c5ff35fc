"""The simulated user clicks where the paper says: in the larger kind of error, the likelier the deeper inside."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import distance_transform_edt
from scipy.stats import chisquare

from segmodel.clicks import Click
from segmodel.simulation import PLACEMENTS, centre_click, chamfer_distance, paper_click, wrong_region
from tests.segmodel.toys import disk, rectangle

SHAPE = (20, 24)
EMPTY = np.zeros(SHAPE, bool)
L_SHAPE = rectangle(SHAPE, (2, 14), (3, 6)) | rectangle(SHAPE, (11, 14), (3, 15))

quick = settings(deadline=None, max_examples=50)
masks = arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def euclidean(mask):
    """Return the exact distance to the outside, beyond the border included."""
    return distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]


def draws(truth, prediction, count=3000, seed=4242):
    rng = np.random.default_rng(seed)
    return Counter((c.y, c.x) for c in (paper_click(truth, prediction, rng) for _ in range(count)))


def agreement(counted, distances):
    """Return the p-value of the counts against exp(distance) − 1, with rare pixels taken together."""
    weight = {pixel: np.expm1(d) for pixel, d in distances.items()}
    expected = {pixel: counted.total() * w / sum(weight.values()) for pixel, w in weight.items()}
    common = [pixel for pixel, e in expected.items() if e >= 5]
    observed = [counted[pixel] for pixel in common]
    wanted = [expected[pixel] for pixel in common]
    if len(common) < len(expected):
        observed.append(counted.total() - sum(observed))
        wanted.append(counted.total() - sum(wanted))
    return chisquare(observed, wanted).pvalue


@pytest.mark.parametrize("name", PLACEMENTS)
def test_the_first_click_is_a_foreground_click_inside(name):
    truth = disk(SHAPE, (10, 12), 5)
    click = PLACEMENTS[name](truth, EMPTY, np.random.default_rng(0))
    assert click.positive
    assert truth[click.y, click.x]


def test_along_a_line_every_pixel_is_as_likely():
    line = rectangle(SHAPE, (9, 10), (4, 20))
    counted = draws(line, EMPTY)
    assert set(counted) == {(9, x) for x in range(4, 20)}
    assert chisquare(list(counted.values())).pvalue > 0.01


def test_in_a_square_rings_are_as_likely_as_the_paper_says():
    square = rectangle(SHAPE, (5, 10), (6, 11))
    rings = {(y, x): 3 - max(abs(y - 7), abs(x - 8)) for y in range(5, 10) for x in range(6, 11)}
    counted = draws(square, EMPTY)
    assert set(counted) <= set(rings)
    assert agreement(counted, rings) > 0.01


@pytest.mark.parametrize("shape", [disk(SHAPE, (9, 11), 4.2), L_SHAPE], ids=["disk", "L"])
def test_in_any_shape_a_pixel_is_as_likely_as_its_depth_says(shape):
    depth = chamfer_distance(shape).astype(float)
    distances = {(y, x): depth[y, x] for y, x in np.argwhere(shape).tolist()}
    assert agreement(draws(shape, EMPTY), distances) > 0.01


def test_the_check_above_tells_another_rule_apart():
    shape = disk(SHAPE, (9, 11), 4.2)
    flat = dict.fromkeys(map(tuple, np.argwhere(shape).tolist()), 1.0)
    assert agreement(draws(shape, EMPTY), flat) < 1e-6


@pytest.mark.parametrize("place", PLACEMENTS.values(), ids=PLACEMENTS)
def test_where_more_is_too_much_than_missed_a_background_click_comes(place):
    truth = rectangle(SHAPE, (2, 8), (2, 8))
    prediction = rectangle(SHAPE, (4, 16), (2, 8))  # 12 pixels missed, 48 too many
    for seed in range(20):
        click = place(truth, prediction, np.random.default_rng(seed))
        assert not click.positive
        assert prediction[click.y, click.x]
        assert not truth[click.y, click.x]


@pytest.mark.parametrize("place", PLACEMENTS.values(), ids=PLACEMENTS)
def test_where_more_is_missed_than_too_much_a_foreground_click_comes(place):
    truth = rectangle(SHAPE, (4, 16), (2, 8))
    prediction = rectangle(SHAPE, (2, 8), (2, 8))
    for seed in range(20):
        click = place(truth, prediction, np.random.default_rng(seed))
        assert click.positive
        assert truth[click.y, click.x]
        assert not prediction[click.y, click.x]


def test_a_tie_is_a_foreground_click():
    truth, prediction = rectangle(SHAPE, (2, 6), (2, 6)), rectangle(SHAPE, (10, 14), (2, 6))
    region, positive = wrong_region(truth, prediction)
    assert positive
    np.testing.assert_array_equal(region, truth)


@pytest.mark.parametrize("place", PLACEMENTS.values(), ids=PLACEMENTS)
@pytest.mark.parametrize("truth", [EMPTY, L_SHAPE], ids=["empty", "L"])
def test_a_perfect_prediction_gets_no_click(place, truth):
    assert place(truth, truth.copy(), np.random.default_rng(0)) is None


def test_the_innermost_pixel_is_the_middle_and_needs_no_chance():
    assert centre_click(disk(SHAPE, (9, 11), 5), EMPTY) == Click(9, 11, True)
    assert centre_click(EMPTY, disk(SHAPE, (9, 11), 5)) == Click(9, 11, False)


def test_of_several_innermost_pixels_the_first_is_taken():
    two = rectangle(SHAPE, (10, 15), (12, 17)) | rectangle(SHAPE, (3, 8), (15, 20))
    assert centre_click(two, EMPTY) == Click(5, 17, True)


def test_a_structure_cut_by_the_border_has_its_middle_inside_the_slice():
    corner = rectangle(SHAPE, (0, 7), (0, 7))
    assert centre_click(corner, EMPTY) == Click(3, 3, True)
    assert centre_click(np.ones((9, 9), bool), np.zeros((9, 9), bool)) == Click(4, 4, True)


@pytest.mark.parametrize("place", PLACEMENTS.values(), ids=PLACEMENTS)
def test_shapes_hundreds_of_pixels_deep_do_not_overflow(place):
    whole = np.ones((1501, 1501), bool)
    with np.errstate(over="raise", invalid="raise"):
        click = place(whole, ~whole, np.random.default_rng(0))
    assert max(abs(click.y - 750), abs(click.x - 750)) < 20  # exp(751) is past every float


def test_the_same_seed_clicks_at_the_same_places():
    first, again, other = (draws(L_SHAPE, EMPTY, 20, seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@quick
@given(masks)
def test_chamfer_distance_is_the_euclidean_within_2_percent(mask):
    np.testing.assert_allclose(chamfer_distance(mask), euclidean(mask), rtol=0.02)


@pytest.mark.parametrize("shape", [disk((401, 401), (200, 200), 190), disk((300, 401), (30, 370), 260)])
def test_chamfer_distance_stays_within_2_percent_in_large_shapes(shape):
    assert chamfer_distance(shape).max() > 100
    np.testing.assert_allclose(chamfer_distance(shape), euclidean(shape), rtol=0.02)


@quick
@given(masks, st.randoms(use_true_random=False))
def test_a_click_is_always_on_an_error_of_its_own_kind(truth, random):
    prediction = np.array([random.random() < 0.5 for _ in range(truth.size)]).reshape(truth.shape)
    for place in PLACEMENTS.values():
        click = place(truth, prediction, np.random.default_rng(0))
        if click is None:
            assert (truth == prediction).all()
        else:
            assert truth[click.y, click.x] == click.positive != prediction[click.y, click.x]
