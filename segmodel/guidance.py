"""The one guidance encoder: clicks become two maps (paper, section II-B)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def guidance_maps(
    points: Iterable[tuple[float, float, bool]], shape: tuple[int, int], sigma: float, disk: float = 0.0
) -> NDArray[np.float32]:
    """Foreground and background maps, float32 [2, rows, columns] in [0, 1].

    `points` are (row, column, positive) in grid pixels, fractions allowed, so that a map follows a dragged click
    smoothly. A click is the paper's impulse under a Gaussian of `sigma` pixels, scaled to peak at 1 and 0 beyond 4 sigma;
    or, where `disk` is above 0, a disk of that radius whose edge falls over a pixel. Where clicks are close the sum is
    clipped to 1, so that a click never dims another.
    """
    maps = np.zeros((2, *shape), np.float32)
    for y, x, positive in points:
        reach = disk + 0.5 if disk else 4 * sigma
        rows, columns = _reach(y, shape[0], reach), _reach(x, shape[1], reach)
        dy, dx = np.arange(rows.start, rows.stop) - y, np.arange(columns.start, columns.stop) - x
        if disk:
            spot = np.clip(disk + 0.5 - np.hypot(dy[:, None], dx), 0, 1)
        else:
            spot = np.outer(np.exp(-0.5 * (dy / sigma) ** 2), np.exp(-0.5 * (dx / sigma) ** 2))
        maps[0 if positive else 1, rows, columns] += spot.astype(np.float32)
    return np.minimum(maps, 1, out=maps)


def _reach(centre: float, size: int, reach: float) -> slice:
    start = min(max(0, int(np.ceil(centre - reach))), size)
    return slice(start, max(start, min(size, int(np.floor(centre + reach)) + 1)))
