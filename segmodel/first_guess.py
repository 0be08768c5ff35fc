"""How sure a model is of a volume that nobody has labelled: what it answers to single clicks into soft tissue.

Where it expects little of its own masks, or answers otherwise on the next slice, a person's labels may teach it most.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .clicks import Click
from .metrics import dice
from .predictor import Predictor

ReadSlice = Callable[[int], NDArray[np.int16]]

SLICES, POINTS = 6, 4
EVEN = (-20.0, 180.0)  # HU; soft tissue, with and without contrast
WITHIN = 30.0  # HU from the local mean: a point is inside something even


class FirstGuess(NamedTuple):
    """Means over the clicks: `quality` is the model's estimate of Dice, `disagreement` 1 − Dice with the next slice."""

    quality: float
    disagreement: float


def first_guess(predictor: Predictor, read: ReadSlice, depth: int, spacing: tuple[float, float]) -> FirstGuess | None:
    """Click into a few slices of a volume of `depth` slices and `spacing` (y, x) mm; `read(z)` gives Hounsfield units [y, x].

    The same volume gets the same clicks whatever the model. None where no slice shows soft tissue.
    """
    found = [
        answer
        for z in np.unique(np.linspace(0.1 * depth, 0.9 * (depth - 1), SLICES).astype(int)).tolist()
        for answer in _of_slice(predictor, read, z, min(z + 1, depth - 1), spacing)
    ]
    if not found:
        return None
    return FirstGuess(*(statistics.fmean(column) for column in zip(*found, strict=True)))


def _of_slice(
    predictor: Predictor, read: ReadSlice, z: int, beside: int, spacing: tuple[float, float]
) -> list[tuple[float, float]]:
    """(quality, disagreement) of each point."""
    hu = read(z)
    points = soft_points(hu, POINTS)
    if not points:
        return []
    here, there = predictor.encode(hu, spacing), predictor.encode(read(beside), spacing)
    answers = []
    for point in points:
        one, other = predictor.predict(here, [point]), predictor.predict(there, [point])
        answers.append((one.quality, 1 - dice(one.mask, other.mask)))
    return answers


def soft_points(hu: NDArray[np.int16], count: int) -> list[Click]:
    """Foreground clicks at the innermost points of even soft tissue of a slice [y, x], the deepest first, far apart."""
    smooth = cv2.blur(hu.astype(np.float32), (9, 9))
    even = (smooth > EVEN[0]) & (smooth < EVEN[1]) & (np.abs(hu - smooth) < WITHIN)
    opened = cv2.morphologyEx(even.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    depth = cv2.distanceTransform(np.pad(opened, 1), cv2.DIST_L2, 5)[1:-1, 1:-1].copy()
    points: list[Click] = []
    while len(points) < count and depth.max() > 0:
        y, x = (int(at) for at in np.unravel_index(depth.argmax(), depth.shape))
        points.append(Click(y, x, True))
        cv2.circle(depth, (x, y), max(int(1.5 * depth[y, x]), 24), 0.0, -1)
    return points
