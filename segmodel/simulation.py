"""The simulated user: where the next click goes, given the truth and the prediction (paper, section II-C).

With the difference D = G − P, D⁺ holds the false negatives and D⁻ the false positives. If the false positives cover the
larger area the click is a background click in D⁻, else a foreground click in D⁺.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from .clicks import Click

Mask = NDArray[np.bool_]
Placement = Callable[[Mask, Mask, np.random.Generator], Click | None]


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


def paper_click(truth: Mask, prediction: Mask, rng: np.random.Generator) -> Click | None:
    """A random click, a pixel's probability ∝ exp(distance) − 1; None where prediction equals truth."""
    return _place(truth, prediction, lambda weights: weights + rng.gumbel(size=weights.shape))


def centre_click(truth: Mask, prediction: Mask, rng: np.random.Generator | None = None) -> Click | None:
    """The innermost pixel of the error region, the first in row-major order of several; None where nothing is wrong."""
    return _place(truth, prediction, lambda weights: weights)


def _place(truth: Mask, prediction: Mask, score: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Click | None:
    found = wrong_region(truth, prediction)
    if found is None:
        return None
    region, positive = found
    corner, box = _crop(region)
    distance = chamfer_distance(box)
    pixels = np.flatnonzero(box)
    # Distances reach hundreds, so exp would overflow: log(exp(d) − 1) = d + log(1 − exp(−d)), and the argmax of
    # log-weights plus Gumbel noise is a draw from the normalised weights.
    depth = distance.ravel()[pixels].astype(np.float64)
    chosen = pixels[np.argmax(score(depth + np.log1p(-np.exp(-depth))))]
    y, x = divmod(int(chosen), box.shape[1])
    return Click(y + corner[0], x + corner[1], positive)


def _crop(mask: Mask) -> tuple[tuple[int, int], Mask]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    y, x = int(rows[0]), int(columns[0])
    return (y, x), mask[y : rows[-1] + 1, x : columns[-1] + 1]


PLACEMENTS: dict[str, Placement] = {"paper": paper_click, "centre": centre_click}
