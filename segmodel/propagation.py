"""From a slice that a person is content with to its neighbours: the mask of one slice asks for that of the next.

The next slice gets a few foreground clicks, the innermost points of the mask before it, and that mask itself as the
previous mask. It ends by itself where the structure does: where the answer no longer overlaps, is of another grey, or is
one that the model itself does not believe in. Between two slices that a person is content with it does not end, and the mask
that goes on is drawn towards the one that lies ahead, by shape interpolation (Raya and Udupa, "Shape-based interpolation of
multidimensional objects", 1990).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from .clicks import Click
from .metrics import dice
from .predictor import Prediction
from .simulation import chamfer_distance

Mask = NDArray[np.bool_]
NEAR = 3.0  # pixels


class Slices(Protocol):
    """A volume as a click model has read it."""

    def __len__(self) -> int: ...

    def grey(self, z: int) -> NDArray[np.int16]:
        """Hounsfield units of a slice [y, x]."""

    def predict(self, z: int, clicks: list[Click], previous: Mask | None) -> Prediction:
        """The model's answer on a slice."""


@dataclass(frozen=True)
class Rules:
    """How many clicks a slice gets, and when propagation ends; tried on validation patients."""

    seeds: int = 3  # clicks into the largest piece; each of the next two pieces gets one
    least_overlap: float = 0.3  # Dice of a slice's mask and the one before
    least_quality: float = 0.4  # the model's own estimate
    most_grey: float = 1.5  # means may differ from the start's by so many of its standard deviations
    least_spread: float = 15.0  # HU; a structure is not taken for more even than this


class Ahead(NamedTuple):
    """A slice that a person is content with, and its mask [y, x]."""

    z: int
    mask: Mask


class Propagated(NamedTuple):
    """A slice that the propagation reached, and the model's answer there."""

    z: int
    prediction: Prediction


def propagate(
    slices: Slices, start: int, mask: Mask, step: int, ahead: Ahead | None = None, rules: Rules | None = None
) -> Iterator[Propagated]:
    """Slice by slice from `start`, whose accepted mask [y, x] is given, in steps of 1 or −1, as far as the structure goes.

    `ahead` is a slice in that direction that is not entered, e.g. because a person has confirmed it: every slice before it is
    reached if it has a mask. The caller may stop at any time.
    """
    rules = rules or Rules()
    if not mask.any():
        return
    if ahead is not None and ahead.mask.any():
        yield from _interpolate(slices, start, mask, step, ahead, rules)
        return
    inside = slices.grey(start)[mask]
    mean, spread = float(inside.mean()), max(float(inside.std()), rules.least_spread)
    z = start + step
    while 0 <= z < len(slices) and (ahead is None or z != ahead.z):
        prediction = slices.predict(z, seeds(mask, rules.seeds), mask)
        if not prediction.mask.any() or prediction.quality < rules.least_quality:
            return
        if dice(prediction.mask, mask) < rules.least_overlap:
            return
        if abs(float(slices.grey(z)[prediction.mask].mean()) - mean) > rules.most_grey * spread:
            return
        yield Propagated(z, prediction)
        mask = prediction.mask
        z += step


def _interpolate(slices: Slices, start: int, mask: Mask, step: int, ahead: Ahead, rules: Rules) -> Iterator[Propagated]:
    """Where the model does not believe in its answer, the interpolated shape stands, with an estimate of 0."""
    for z in range(start + step, ahead.z, step):
        guess = between(mask, ahead.mask, 1 / (abs(ahead.z - z) + 1))
        prediction = slices.predict(z, seeds(guess, rules.seeds), guess) if guess.any() else Prediction(guess, 0.0)
        if not prediction.mask.any() or prediction.quality < rules.least_quality:
            prediction = Prediction(guess if guess.any() else mask, 0.0)
        yield Propagated(z, prediction)
        mask = prediction.mask


def between(one: Mask, other: Mask, share: float) -> Mask:
    """The shape [y, x] that lies `share` of the way from one mask to another; neither is empty."""
    return (1 - share) * _depth(one) + share * _depth(other) > 0


def _depth(mask: Mask) -> NDArray[np.float32]:
    """Distance to the border in pixels, negative outside."""
    pixels = mask.astype(np.uint8)
    return cv2.distanceTransform(pixels, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - pixels, cv2.DIST_L2, 5)


def going_on_from(mask: Mask, clicks: Sequence[Click]) -> list[Click]:
    """The clicks to give a model together with the `mask` [y, x] that a person's `clicks` are to correct.

    What is there becomes two clicks of its own, none where the person says "not here", which measured better than either
    alone (tests/load/painted_bench.py). It is for masks that a person made: of a wrong one the clicks would be wrong too.
    """
    denied = [click for click in clicks if not click.positive]
    kept = [s for s in seeds(mask, 2) if all(math.hypot(s.y - d.y, s.x - d.x) > NEAR for d in denied)]
    return [*kept, *clicks]


def seeds(mask: Mask, count: int, pieces: int = 3, least: int = 20) -> list[Click]:
    """Foreground clicks on the innermost points of a mask [y, x]: up to `count` in its largest piece, apart from one another.

    Each of the next largest, up to `pieces` in all and of at least so many pixels, gets one.
    """
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    sizes = statistics[1:, cv2.CC_STAT_AREA]
    order = np.argsort(-sizes, kind="stable")[:pieces]
    clicks: list[Click] = []
    for rank, piece in enumerate(order):
        if rank and sizes[piece] < least:
            break
        clicks += _innermost(labels == piece + 1, 1 if rank else count)
    return clicks


def _innermost(piece: Mask, count: int) -> list[Click]:
    depth = chamfer_distance(piece)
    rows, columns = np.ogrid[: piece.shape[0], : piece.shape[1]]
    clicks: list[Click] = []
    while len(clicks) < count:
        y, x = np.unravel_index(int(depth.argmax()), depth.shape)
        if depth[y, x] < 1:
            break
        clicks.append(Click(int(y), int(x), True))
        apart = max(1.5 * float(depth[y, x]), 3.0)  # pixels
        depth[np.hypot(rows - y, columns - x) < apart] = 0
    return clicks


class Read:
    """`Slices` of a volume [z, y, x] (HU) with `spacing` (y, x) in mm, each encoded by the model when it is first asked for."""

    def __init__(self, model: Any, voxels: NDArray[np.int16], spacing: tuple[float, float]) -> None:
        self.model, self.voxels, self.spacing = model, voxels, spacing
        self.encoded: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self.voxels)

    def grey(self, z: int) -> NDArray[np.int16]:
        return self.voxels[z]

    def predict(self, z: int, clicks: list[Click], previous: Mask | None) -> Prediction:
        if z not in self.encoded:
            self.encoded[z] = self.model.encode(self.voxels[z], self.spacing)
        return self.model.predict(self.encoded[z], clicks, previous)
