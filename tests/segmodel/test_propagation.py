"""From slice to slice: where seeds go, how far a structure is followed, and a person who corrects what went wrong."""

from __future__ import annotations

import numpy as np
import pytest

from segmodel.clicks import Click
from segmodel.metrics import dice
from segmodel.predictor import Prediction
from segmodel.propagation import Ahead, Rules, between, going_on_from, propagate, seeds
from segmodel.simulation import centre_click
from segmodel.volume_user import VolumeUser

SIDE = 40


def disk(y, x, radius):
    rows, columns = np.ogrid[:SIDE, :SIDE]
    return np.hypot(rows - y, columns - x) <= radius


class Ball:
    """A ball of 100 HU in slices 3 to 12; a model that finds it wherever there is a foreground click or a previous mask."""

    def __init__(self):
        self.truth = np.stack([disk(20, 20, 14 - 1.5 * abs(z - 7)) & (3 <= z <= 12) for z in range(16)])
        self.asked = []

    def __len__(self):
        return len(self.truth)

    def grey(self, z):
        return np.where(self.truth[z], 100, -50).astype(np.int16)

    def predict(self, z, clicks, previous):
        self.asked.append((z, list(clicks), previous))
        found = previous is not None or any(self.truth[z][c.y, c.x] for c in clicks if c.positive)
        return Prediction(self.truth[z] & found, 0.9)


def test_seeds_are_innermost_and_apart():
    bar = np.zeros((SIDE, SIDE), bool)
    bar[10:15, 2:38] = True
    mask = bar | disk(30, 30, 4) | disk(25, 5, 1)
    found = seeds(mask, 2)
    assert all(mask[c.y, c.x] and c.positive for c in found)
    assert [c.y for c in found[:2]] == [12, 12] and abs(found[1].x - found[0].x) >= 4
    assert (found[2].y, found[2].x) == (30, 30)
    assert len(found) == 3  # the third piece is too small


def test_a_single_pixel_gets_a_seed_and_nothing_gets_none():
    assert seeds(disk(5, 5, 0), 3) == [Click(5, 5, True)]
    assert seeds(np.zeros((SIDE, SIDE), bool), 3) == []


def test_a_structure_is_followed_to_its_ends_and_no_further():
    ball = Ball()
    for step, last in ((1, 12), (-1, 3)):
        found = list(propagate(ball, 7, ball.truth[7], step))
        assert [f.z for f in found] == list(range(7 + step, last + step, step))
        assert all((f.prediction.mask == ball.truth[f.z]).all() for f in found)
    z, clicks, previous = ball.asked[0]
    assert z == 8 and clicks == seeds(ball.truth[7], 3)
    np.testing.assert_array_equal(previous, ball.truth[7])


def test_a_confirmed_slice_is_not_entered():
    ball = Ball()
    assert [f.z for f in propagate(ball, 7, ball.truth[7], 1, ahead=Ahead(10, np.zeros((SIDE, SIDE), bool)))] == [8, 9]


class Echo(Ball):
    """A model that answers with the mask it is given, and believes in it as far as it is told."""

    def __init__(self, quality):
        super().__init__()
        self.quality = quality

    def predict(self, z, clicks, previous):
        return Prediction(previous, self.quality)


@pytest.mark.parametrize("quality", [0.9, 0.1])
def test_between_two_confirmed_slices_a_mask_is_drawn_from_one_to_the_other(quality):
    near, far = disk(10, 10, 4), disk(16, 16, 8)
    found = list(propagate(Echo(quality), 2, near, 1, Ahead(6, far)))
    assert [f.z for f in found] == [3, 4, 5]
    areas = [f.prediction.mask.sum() for f in found]
    assert areas == sorted(areas) and areas[-1] < far.sum()
    closeness = [dice(f.prediction.mask, far) for f in found]
    assert closeness == sorted(closeness) and closeness[0] > dice(near, far)
    assert all(f.prediction.quality == (0.9 if quality == 0.9 else 0.0) for f in found)


def test_shapes_that_do_not_meet_leave_no_slice_between_them_empty():
    found = list(propagate(Echo(0.9), 12, disk(8, 8, 3), -1, Ahead(8, disk(30, 30, 3))))
    assert [f.z for f in found] == [11, 10, 9]
    assert all(f.prediction.mask.any() for f in found)


def test_the_shape_half_way_between_two_disks_is_a_disk_half_as_far():
    small, large = disk(20, 20, 4), disk(20, 20, 12)
    assert dice(between(small, large, 0.5), disk(20, 20, 8)) > 0.95
    np.testing.assert_array_equal(between(small, large, 0.0), small)


def test_nothing_to_follow():
    assert list(propagate(Ball(), 7, np.zeros((SIDE, SIDE), bool), 1)) == []


@pytest.mark.parametrize("rules", [Rules(least_quality=0.95), Rules(least_overlap=0.999)])
def test_what_the_rules_do_not_allow_ends_it(rules):
    ball = Ball()
    assert list(propagate(ball, 7, ball.truth[7], 1, rules=rules)) == []


def test_one_click_on_one_slice_outlines_the_ball():
    ball = Ball()
    user = VolumeUser(ball, ball.truth, centre_click, np.random.default_rng(0), 1.0)
    assert user.outline(3) == [1.0, 1.0, 1.0]
    assert user.largest == 7 and list(user.confirmed) == [7]


class Leaky(Ball):
    """From slice 10 on its answer spills over, and it doubts itself, until it is told or has a mask that does not."""

    LEAK = disk(32, 32, 5)

    def predict(self, z, clicks, previous):
        mask, quality = super().predict(z, clicks, previous)
        told = any(not click.positive for click in clicks)
        knows = previous is not None and z > 10 and not (previous & self.LEAK).any()
        return Prediction(mask, quality) if z < 10 or told or knows else Prediction(mask | self.LEAK, 0.8)


def test_a_click_corrects_the_worst_slice_and_flows_on():
    ball = Leaky()
    user = VolumeUser(ball, ball.truth, centre_click, np.random.default_rng(0), 1.0)
    scores = user.outline(4)
    assert scores == sorted(scores) and scores[0] < scores[1] < 1 and scores[2:] == [1.0, 1.0]
    assert list(user.confirmed) == [7, 10]  # what was told there is enough for those above it
    assert dice(user.mask, ball.truth) == 1.0


def test_a_painted_mask_speaks_for_itself_but_not_where_the_person_denies_it():
    mask = disk(12, 12, 6) | disk(30, 30, 4)
    here, there = seeds(mask, 2)
    more = Click(3, 3, True)
    assert going_on_from(mask, [more]) == [here, there, more]
    denied = Click(31, 31, False)
    assert going_on_from(mask, [denied]) == [here, denied]
