"""How sure a model is of a volume that nobody has labelled."""

import numpy as np
import pytest

from segmodel.first_guess import first_guess, soft_points
from segmodel.predictor import Predictor
from tests.segmodel import toys


@pytest.fixture(scope="module")
def predictor():
    return Predictor(toys.checkpoint())


@pytest.fixture(scope="module")
def volume():
    """Two soft things in air, the same on every slice but the last."""
    hu = np.full((8, 64, 96), -1000, np.int16)
    hu[:, 8:40, 8:40] = 60
    hu[:, 20:56, 56:90] = 110
    return hu


def test_clicks_lie_deep_in_what_is_soft_and_even(volume):
    points = soft_points(volume[0], 2)
    assert [(point.y in range(16, 48), volume[0][point.y, point.x] > 0) for point in points] == [(True, True)] * 2
    assert points[0].x > 48 > points[1].x  # the larger one first
    assert all(point.positive for point in points)


def test_it_is_the_same_for_the_same_volume(predictor, volume):
    one, other = (first_guess(predictor, lambda z: volume[z], len(volume), (1.6, 1.6)) for _ in range(2))
    assert one == other
    assert 0 <= one.quality <= 1


def test_equal_slices_do_not_disagree_and_different_ones_do(predictor, volume):
    assert first_guess(predictor, lambda z: volume[z], len(volume), (1.6, 1.6)).disagreement == 0
    rng = np.random.default_rng(0)
    noisy = volume + rng.normal(0, 12, volume.shape).astype(np.int16)
    assert first_guess(predictor, lambda z: noisy[z], len(volume), (1.6, 1.6)).disagreement > 0


def test_air_tells_nothing(predictor):
    air = np.full((4, 64, 64), -1000, np.int16)
    assert soft_points(air[0], 4) == []
    assert first_guess(predictor, lambda z: air[z], 4, (1.6, 1.6)) is None


def test_a_volume_of_one_slice_is_compared_with_itself(predictor, volume):
    assert first_guess(predictor, lambda z: volume[z], 1, (1.6, 1.6)).disagreement == 0
