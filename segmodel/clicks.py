"""A click, the only thing that a person says to the network, and what it may never be denied."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

REACH = 1.0  # mm about a click's pixel that are as the click says


class Click(NamedTuple):
    """Row `y` and column `x` of a slice's pixel, zero-based; `positive` for foreground, else background."""

    y: int
    x: int
    positive: bool


def obey(mask: NDArray[np.bool_], clicks: Sequence[Click], spacing: tuple[float, float]) -> NDArray[np.bool_]:
    """The mask [y, x] with every click inside or outside, as it says, and the pixels within REACH of it.

    `spacing` (y, x) in mm. Of two clicks that reach a pixel the nearer one decides, of two as near the later one. A network
    mostly does what clicks say; a person who is not obeyed once clicks again on the same spot and loses trust.
    """
    rows, columns = (math.ceil(REACH / side) for side in spacing)
    dy, dx = (offset.ravel() for offset in np.mgrid[-rows : rows + 1, -columns : columns + 1])
    far = np.hypot(dy * spacing[0], dx * spacing[1])
    dy, dx, far = dy[far <= REACH], dx[far <= REACH], far[far <= REACH]
    centres = np.array([(click.y, click.x) for click in clicks], int).reshape(-1, 2)
    y, x = (centres[:, :1] + dy).ravel(), (centres[:, 1:] + dx).ravel()
    says = np.repeat([click.positive for click in clicks], len(far)).astype(bool)
    inside = (y >= 0) & (x >= 0) & (y < mask.shape[0]) & (x < mask.shape[1])
    order = np.argsort(-np.tile(far, len(clicks)), kind="stable")  # the last one written stays: the nearest, the latest
    order = order[inside[order]]
    obedient = mask.copy()
    obedient[y[order], x[order]] = says[order]
    return obedient
