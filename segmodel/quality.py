"""The network's own estimate of how good its mask is, so that people know when to stop clicking.

Taken at its word, a network that gives each pixel a probability p also gives its mask an expected Dice. Networks are
too sure of themselves, so a logistic curve, fitted on patients that were not trained on, makes an estimate of that expectation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import least_squares
from scipy.special import expit, logit
from torch import Tensor

_FROM, _TO = 1e-4, 1 - 1e-4  # an expectation of exactly 0 or 1 has no logit


def expected_dice(logits: Tensor) -> float:
    """2Σp over the mask / (Σp + the mask's area), for logits [rows, columns] cut at 0; 0 where the mask is empty."""
    probability, mask = torch.sigmoid(logits), logits > 0
    area = mask.sum()
    return float(2 * (probability * mask).sum() / (probability.sum() + area)) if area else 0.0


@dataclass(frozen=True)
class Calibration:
    """estimate = sigmoid(offset + slope · logit(expected Dice) + clicks · log(number of clicks)); by default the identity."""

    offset: float = 0.0
    slope: float = 1.0
    clicks: float = 0.0

    def estimate(self, expected: float, count: int) -> float:
        """Estimated Dice in [0, 1] of a mask made by `count` ≥ 1 clicks."""
        inside = min(max(expected, _FROM), _TO)
        score = self.offset + self.slope * math.log(inside / (1 - inside)) + self.clicks * math.log(count)
        return 1 / (1 + math.exp(-score))


def fit(expected: Sequence[float], counts: Sequence[int], dice: Sequence[float]) -> Calibration:
    """The calibration that misses the true Dice of these masks least, in squares. Raises ValueError for fewer than ten."""
    if len(expected) < 10:
        raise ValueError(f"A calibration needs at least ten masks, not {len(expected)}.")
    scores = logit(np.clip(expected, _FROM, _TO))
    columns = np.stack([np.ones(len(scores)), scores, np.log(counts)])
    found = least_squares(lambda weights: expit(weights @ columns) - np.asarray(dice), (0.0, 1.0, 0.0)).x
    return Calibration(*(round(float(value), 6) for value in found))
