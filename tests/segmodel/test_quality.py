"""The estimate of a mask's Dice: what the probabilities expect, corrected by what was seen on other patients."""

import numpy as np
import pytest
import torch

from segmodel.quality import Calibration, expected_dice, fit


def test_a_network_that_is_sure_expects_a_perfect_mask():
    assert expected_dice(torch.tensor([[30.0, -30.0], [30.0, -30.0]])) == pytest.approx(1)


def test_doubt_lowers_the_expectation():
    # two pixels of p = 0.75 in the mask, two of 0.25 outside: 2 · 1.5 / (2 + 2)
    doubt = float(np.log(3))
    assert expected_dice(torch.tensor([[doubt, doubt], [-doubt, -doubt]])) == pytest.approx(0.75)


def test_an_empty_mask_is_expected_to_be_wrong():
    assert expected_dice(torch.full((4, 4), -1.0)) == 0


def test_without_a_calibration_the_expectation_is_the_estimate():
    assert Calibration().estimate(0.8, 1) == pytest.approx(0.8)
    assert Calibration().estimate(0.8, 15) == pytest.approx(0.8)


@pytest.mark.parametrize("expected", [0.0, 1.0])
@pytest.mark.parametrize("calibration", [Calibration(), Calibration(-8, 5, 3), Calibration(9, 0.1, -2)], ids=str)
def test_an_estimate_lies_between_0_and_1(expected, calibration):
    assert 0 <= calibration.estimate(expected, 20) <= 1


def test_a_fit_finds_the_curve_that_made_the_figures():
    true = Calibration(-0.7, 0.6, 0.4)
    rng = np.random.default_rng(0)
    expected, counts = rng.uniform(0.3, 0.99, 400), rng.integers(1, 15, 400)
    dice = [true.estimate(e, int(k)) for e, k in zip(expected, counts, strict=True)]
    found = fit(expected, counts, dice)
    assert (found.offset, found.slope, found.clicks) == pytest.approx((-0.7, 0.6, 0.4), abs=1e-3)


def test_a_fit_lowers_the_error_of_an_overconfident_network():
    rng = np.random.default_rng(1)
    dice = rng.beta(5, 2, 300)
    expected, counts = dice**0.3, rng.integers(1, 10, 300)
    found = fit(expected, counts, dice)
    before = np.abs(expected - dice).mean()
    after = np.mean([abs(found.estimate(e, int(k)) - d) for e, k, d in zip(expected, counts, dice, strict=True)])
    assert after < 0.2 * before


def test_too_few_masks_are_no_calibration():
    with pytest.raises(ValueError, match=r"^A calibration needs at least ten masks, not 3\.$"):
        fit([0.5] * 3, [1, 2, 3], [0.4] * 3)
