"""The only click loop. Training passes the network and the paper's placement, evaluation the predictor and either one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from .clicks import Click
from .simulation import Placement

Mask = NDArray[np.bool_]


def interact(
    truths: Sequence[Mask],
    predict: Callable[[list[list[Click]]], Sequence[Mask]],
    place: Placement,
    rounds: int,
    rng: np.random.Generator,
    chance: Callable[[int], float] = lambda k: 1.0,
    pixel: float = 1.0,
) -> list[list[Click]]:
    """Clicks on each truth [y, x] after one first click and `rounds` times "predict, then perhaps click again".

    `predict` takes the click list of every truth and returns the masks, in the same order; after round k (1, 2, …) each
    truth gets another click with probability `chance(k)`. A truth that is predicted perfectly gets none.
    `pixel` is the side of a pixel in mm.
    """
    clicks: list[list[Click]] = [[] for _ in truths]
    predictions: Sequence[Mask] = [np.zeros_like(truth) for truth in truths]
    for k in range(rounds + 1):
        if k:
            predictions = predict(clicks)
        for truth, prediction, placed in zip(truths, predictions, clicks, strict=True):
            if k == 0 or rng.random() < chance(k):
                click = place(truth, prediction, rng, pixel)
                if click:
                    placed.append(click)
    return clicks


def falling_chance(passes: int) -> Callable[[int], float]:
    """The paper's linear fall: after pass k of K another click comes with probability 1 − k / (K + 1).

    The paper gives no end points; these leave some images with one click and a few with K + 1, for every K ≥ 1.
    """
    return lambda k: 1.0 - k / (passes + 1)
