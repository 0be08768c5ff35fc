"""The simulated user: where the next click goes, given the truth and the prediction (paper, section II-C).

With the difference D = G − P, D⁺ holds the false negatives and D⁻ the false positives. If the false positives cover the
larger area the click is a background click in D⁻, else a foreground click in D⁺.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from .clicks import Click

Mask = NDArray[np.bool_]


class Placement(Protocol):
    """Where the next click goes: truth and prediction [y, x], randomness, and the side of a pixel in mm."""

    def __call__(self, truth: Mask, prediction: Mask, rng: np.random.Generator, pixel: float = 1.0) -> Click | None: ...


def chamfer_distance(mask: Mask) -> NDArray[np.float32]:
    """Distance in pixels of every mask pixel [y, x] to the nearest pixel outside it (5×5 chamfer; 0 outside).

    Beyond the border counts as outside, so that a structure cut by the border has its middle inside the slice.
    """
    padded = np.pad(mask.astype(np.uint8), 1)
    distance: NDArray[np.float32] = cv2.distanceTransform(padded, cv2.DIST_L2, 5)  # type: ignore[assignment]
    return distance[1:-1, 1:-1]


def wrong_region(truth: Mask, prediction: Mask) -> tuple[Mask, bool] | None:
    """The error region to click in and whether the click is a foreground click; None where nothing is wrong."""
    missed, excess = truth & ~prediction, prediction & ~truth
    missed_area, excess_area = np.count_nonzero(missed), np.count_nonzero(excess)
    if missed_area == excess_area == 0:
        return None
    return (excess, False) if excess_area > missed_area else (missed, True)


def paper_click(truth: Mask, prediction: Mask, rng: np.random.Generator, pixel: float = 1.0) -> Click | None:
    """A random click, a pixel's probability ∝ exp(distance) − 1; None where prediction equals truth.

    The distance is in millimetres, as it is in the paper, whose pixels are 1 mm; `pixel` is the side of a pixel in mm.
    """
    return _place(truth, prediction, pixel, lambda weights: weights + rng.gumbel(size=weights.shape))


def centre_click(
    truth: Mask, prediction: Mask, rng: np.random.Generator | None = None, pixel: float = 1.0
) -> Click | None:
    """The innermost pixel of the error region, the first in row-major order of several; None where nothing is wrong."""
    return _place(truth, prediction, pixel, lambda weights: weights)


def _place(
    truth: Mask, prediction: Mask, pixel: float, score: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> Click | None:
    found = wrong_region(truth, prediction)
    if found is None:
        return None
    region, positive = found
    corner, box = _crop(region)
    distance = chamfer_distance(box)
    pixels = np.flatnonzero(box)
    # Distances reach hundreds, so exp would overflow: log(exp(d) − 1) = d + log(1 − exp(−d)), and the argmax of
    # log-weights plus Gumbel noise is a draw from the normalised weights.
    depth = pixel * distance.ravel()[pixels].astype(np.float64)
    chosen = pixels[np.argmax(score(depth + np.log1p(-np.exp(-depth))))]
    y, x = divmod(int(chosen), box.shape[1])
    return Click(y + corner[0], x + corner[1], positive)


def _crop(mask: Mask) -> tuple[tuple[int, int], Mask]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    y, x = int(rows[0]), int(columns[0])
    return (y, x), mask[y : rows[-1] + 1, x : columns[-1] + 1]


PLACEMENTS: dict[str, Placement] = {"paper": paper_click, "centre": centre_click}
