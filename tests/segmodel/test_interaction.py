"""The one click loop: a first click for everybody, then predict, and perhaps another, K times."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from segmodel.clicks import Click
from segmodel.interaction import falling_chance, interact
from segmodel.simulation import centre_click, paper_click
from tests.segmodel.toys import disk, rectangle

SHAPE = (16, 16)
TRUTHS = [disk(SHAPE, (5, 5), 3), rectangle(SHAPE, (8, 14), (2, 12))]


def nothing(clicks, who):
    return [np.zeros(SHAPE, bool) for _ in who]


def rngs(seed=0, count=2):
    """Return the own randomness of every truth."""
    return np.random.default_rng(seed).spawn(count)


def test_every_truth_gets_its_first_click_even_with_no_chance_of_more():
    clicks = interact(TRUTHS, nothing, paper_click, 5, rngs(), lambda k: 0.0)
    assert [len(placed) for placed in clicks] == [1, 1]
    assert all(truth[placed[0].y, placed[0].x] for truth, placed in zip(TRUTHS, clicks, strict=True))


@pytest.mark.parametrize("rounds", [0, 1, 4])
def test_with_certainty_a_click_follows_every_prediction(rounds):
    clicks = interact(TRUTHS, nothing, paper_click, rounds, rngs())
    assert [len(placed) for placed in clicks] == [rounds + 1] * 2


def test_the_predictor_sees_the_clicks_so_far_of_everybody():
    seen = []

    def predict(clicks, who):
        seen.append([len(placed) for placed in clicks])
        return nothing(clicks, who)

    interact(TRUTHS, predict, paper_click, 3, rngs())
    assert seen == [[1, 1], [2, 2], [3, 3]]


def test_nothing_is_predicted_that_no_click_answers():
    seen = []

    def predict(clicks, who):
        seen.append(list(who))
        return nothing(clicks, who)

    clicks = interact(TRUTHS * 20, predict, paper_click, 4, rngs(count=40), lambda k: 0.5)
    assert len(seen) == 4
    assert all(0 < len(who) < 40 for who in seen)
    assert sum(map(len, seen)) == sum(len(placed) - 1 for placed in clicks)


def test_each_click_answers_the_prediction_before_it():
    everything = np.ones(SHAPE, bool)
    clicks = interact(TRUTHS, lambda clicks, who: [everything] * 2, centre_click, 1, rngs())
    assert [placed[0].positive for placed in clicks] == [True, True]
    assert [placed[1].positive for placed in clicks] == [False, False]


def test_a_perfect_mask_gets_no_more_clicks_while_others_do():
    clicks = interact(TRUTHS, lambda clicks, who: [TRUTHS[0], np.zeros(SHAPE, bool)], paper_click, 3, rngs())
    assert [len(placed) for placed in clicks] == [1, 4]


def test_a_truth_that_shows_nothing_gets_no_click():
    assert interact([np.zeros(SHAPE, bool)], nothing, paper_click, 2, rngs(count=1)) == [[]]


@pytest.mark.parametrize("passes", [1, 2, 5, 10, 15])
def test_the_chance_falls_linearly_from_below_one_to_above_zero(passes):
    chances = [falling_chance(passes)(k) for k in range(1, passes + 1)]
    assert chances[0] == pytest.approx(passes / (passes + 1))
    assert chances[-1] == pytest.approx(1 / (passes + 1))
    np.testing.assert_allclose(np.diff(chances), -1 / (passes + 1))


@pytest.mark.parametrize("passes", [1, 5, 15])
def test_with_the_papers_schedule_half_of_the_passes_bring_a_click(passes):
    truths = [TRUTHS[0]] * 800
    clicks = interact(truths, nothing, centre_click, passes, rngs(4242, 800), falling_chance(passes))
    counts = [len(placed) for placed in clicks]
    assert np.mean(counts) == pytest.approx(1 + passes / 2, abs=0.2)
    assert min(counts) >= 1
    assert max(counts) <= passes + 1


def test_the_same_seed_gives_the_same_clicks():
    first, again, other = (
        interact(TRUTHS, nothing, paper_click, 6, rngs(seed), falling_chance(6)) for seed in (1, 1, 2)
    )
    assert first == again != other
    assert all(isinstance(click, Click) for placed in first for click in placed)


def test_a_truths_clicks_do_not_depend_on_its_neighbours():
    both = interact(TRUTHS, nothing, paper_click, 6, rngs(), falling_chance(6))
    alone = interact(TRUTHS[1:], nothing, paper_click, 6, rngs()[1:], falling_chance(6))
    assert both[1:] == alone


def test_threads_place_the_same_clicks():
    with ThreadPoolExecutor(2) as pool:
        side_by_side = interact(TRUTHS, nothing, paper_click, 6, rngs(), run=pool.map)
    assert side_by_side == interact(TRUTHS, nothing, paper_click, 6, rngs())


def test_the_first_clicks_correct_the_masks_to_start_from():
    too_much = np.ones(SHAPE, bool)
    clicks = interact(TRUTHS, nothing, centre_click, 0, rngs(), start=[too_much, TRUTHS[1]])
    assert [[click.positive for click in placed] for placed in clicks] == [[False], []]
