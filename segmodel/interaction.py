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
    predict: Callable[[list[list[Click]], Sequence[int]], Sequence[Mask]],
    place: Placement,
    rounds: int,
    rngs: Sequence[np.random.Generator],
    chance: Callable[[int], float] = lambda k: 1.0,
    pixel: float = 1.0,
    start: Sequence[Mask] | None = None,
    run: Callable[..., Iterable[Any]] = map,
    begun: Sequence[Sequence[Click]] | None = None,
) -> list[list[Click]]:
    """Clicks on each truth [y, x] after one first click and `rounds` times "predict, then perhaps click again".

    In round k (1, 2, …) each truth gets another click with probability `chance(k)`. Nobody looks at a prediction that no
    click answers, so `predict` takes the click lists of those truths alone, with their places in `truths`, and returns their
    masks in the same order. A truth that is predicted perfectly gets no click. `rngs` holds each truth's own randomness,
    `pixel` is the side of a pixel in mm, `start` the masks that the first clicks correct (empty ones if not given), and
    `run` maps the placing over the truths: that of a thread pool does it side by side. A truth whose clicks have
    `begun` goes on from those and gets no first one.
    """
    clicks: list[list[Click]] = [[] for _ in truths] if begun is None else [list(first) for first in begun]
    start = [np.zeros_like(truth) for truth in truths] if start is None else start
    for k in range(rounds + 1):
        again = [i for i, rng in enumerate(rngs) if (rng.random() < chance(k) if k else not clicks[i])]
        masks = predict([clicks[i] for i in again], again) if k and again else [start[i] for i in again]
        placed = run(lambda i, mask: place(truths[i], mask, rngs[i], pixel), again, masks)
        for i, click in zip(again, placed, strict=True):
            if click:
                clicks[i].append(click)
    return clicks


def falling_chance(passes: int) -> Callable[[int], float]:
    """The paper's linear fall: after pass k of K another click comes with probability 1 − k / (K + 1).

    The paper gives no end points; these leave some images with one click and a few with K + 1, for every K ≥ 1.
    """
    return lambda k: 1.0 - k / (passes + 1)
