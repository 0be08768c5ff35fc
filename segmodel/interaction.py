"""The only click loop. Training passes the network and the paper's placement, evaluation the predictor and either one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

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
    rngs: Sequence[np.random.Generator],
    chance: Callable[[int], float] = lambda k: 1.0,
    pixel: float = 1.0,
    start: Sequence[Mask] | None = None,
    run: Callable[..., Iterable[Any]] = map,
) -> list[list[Click]]:
    """Clicks on each truth [y, x] after one first click and `rounds` times "predict, then perhaps click again".

    `predict` takes the click list of every truth and returns the masks, in the same order; after round k (1, 2, …) each
    truth gets another click with probability `chance(k)`. A truth that is predicted perfectly gets none. `rngs` holds each
    truth's own randomness, `pixel` is the side of a pixel in mm, `start` the masks that the first clicks correct (empty ones
    if not given), and `run` maps the placing over the truths: that of a thread pool does it side by side.
    """
    clicks: list[list[Click]] = [[] for _ in truths]
    predictions = [np.zeros_like(truth) for truth in truths] if start is None else start
    for k in range(rounds + 1):
        if k:
            predictions = predict(clicks)
        again = [i for i, rng in enumerate(rngs) if k == 0 or rng.random() < chance(k)]
        placed = run(lambda i, seen=predictions: place(truths[i], seen[i], rngs[i], pixel), again)
        for i, click in zip(again, placed, strict=True):
            if click:
                clicks[i].append(click)
    return clicks


def falling_chance(passes: int) -> Callable[[int], float]:
    """The paper's linear fall: after pass k of K another click comes with probability 1 − k / (K + 1).

    The paper gives no end points; these leave some images with one click and a few with K + 1, for every K ≥ 1.
    """
    return lambda k: 1.0 - k / (passes + 1)
