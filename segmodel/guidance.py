"""The one guidance encoder: clicks become two maps (paper, section II-B)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def guidance_maps(
    points: Iterable[tuple[float, float, bool]], shape: tuple[int, int], sigma: float
) -> NDArray[np.float32]:
    """Foreground and background maps, float32 [2, rows, columns] in [0, 1].

    `points` are (row, column, positive) in grid pixels, fractions allowed, so that a map follows a dragged click
    smoothly. Each click is an impulse under a Gaussian of `sigma` pixels scaled to peak at 1; where clicks are close
    the sum is clipped to 1, so that a click never dims another. Beyond 4 sigma a map is 0.
    """
    maps = np.zeros((2, *shape), np.float32)
    for y, x, positive in points:
        rows, columns = _reach(y, shape[0], sigma), _reach(x, shape[1], sigma)
        bell_y = np.exp(-0.5 * ((np.arange(rows.start, rows.stop) - y) / sigma) ** 2)
        bell_x = np.exp(-0.5 * ((np.arange(columns.start, columns.stop) - x) / sigma) ** 2)
        maps[0 if positive else 1, rows, columns] += np.outer(bell_y, bell_x).astype(np.float32)
    return np.minimum(maps, 1, out=maps)


def _reach(centre: float, size: int, sigma: float) -> slice:
    start = min(max(0, int(np.ceil(centre - 4 * sigma))), size)
    return slice(start, max(start, min(size, int(np.floor(centre + 4 * sigma)) + 1)))
