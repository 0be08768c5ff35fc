"""Two segmentations of one structure, compared slice by slice and as volumes, with no more than a few slices in memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .distances import Surface, distances, surface, surface_dice

Mask = NDArray[np.bool_]
TOLERANCE = 2.0  # mm
"""Surfaces that are no farther apart than this agree."""


class Figures(NamedTuple):
    """Of one slice, or of the volume where `z` is None; the sizes of both segmentations are in ml."""

    z: int | None
    dice: float | None  # None where neither has the structure
    surface_dice: float | None  # the same
    hd95: float | None  # mm; None where one of them has no surface
    first_ml: float
    second_ml: float


class Comparison:
    """Of one structure; its slices come one by one, from the lowest up, and those without the structure may be left out."""

    def __init__(self, spacing: Sequence[float]) -> None:
        """`spacing` is (z, y, x) in mm."""
        self.spacing, self._common = spacing, 0
        self._sides = (Stack(spacing), Stack(spacing))

    def add(self, z: int, first: Mask, second: Mask) -> Figures:
        """The figures of a slice, two masks [y, x]."""
        common = int(np.count_nonzero(first & second))
        self._common += common
        sizes = [side.add(z, mask) for side, mask in zip(self._sides, (first, second), strict=True)]
        return self._figures(z, [surface(mask, self.spacing[1:]) for mask in (first, second)], common, sizes)

    def volume(self) -> Figures:
        """The figures of all slices together; none can be added afterwards."""
        sizes = [side.voxels for side in self._sides]
        return self._figures(None, [side.surface() for side in self._sides], self._common, sizes)

    def _figures(self, z: int | None, surfaces: Sequence[Surface], common: int, voxels: Sequence[int]) -> Figures:
        sizes = [count * math.prod(self.spacing) / 1000 for count in voxels]
        if not any(voxels):
            return Figures(z, None, None, None, *sizes)
        first, second = surfaces
        hd95 = distances(first.points, second.points).hd95 if all(voxels) else None
        return Figures(z, 2 * common / sum(voxels), surface_dice(first, second, TOLERANCE), hd95, *sizes)


class Stack:
    """A volume that comes slice by slice, from the lowest up; only its surface is kept, and two of its slices."""

    def __init__(self, spacing: Sequence[float]) -> None:
        self.spacing, self.voxels = spacing, 0
        self._below: Mask | None = None  # the slice under `_here`
        self._here: Mask | None = None
        self._z = 0
        self._found: list[Surface] = []

    def add(self, z: int, mask: Mask) -> int:
        """The next slice that is given; those between are empty. Returns its number of voxels."""
        voxels = int(np.count_nonzero(mask))
        self.voxels += voxels
        if self._here is not None and z > self._z + 1:
            self._move_up(None)
        self._move_up(mask)
        self._z = z
        return voxels

    def surface(self) -> Surface:
        """The whole surface in mm; nothing can be added afterwards."""
        self._move_up(None)
        if not self._found:
            return Surface(np.zeros((0, 3)), np.zeros(0))
        points, sizes = zip(*self._found, strict=True)
        return Surface(np.concatenate(points), np.concatenate(sizes))

    def _move_up(self, above: Mask | None) -> None:
        """The slice above `_here` is known, so what of `_here` is surface is known as well."""
        here = self._here
        if here is not None and here.any():
            nothing = np.zeros_like(here)
            three = np.stack([nothing if one is None else one for one in (self._below, here, above)])
            found = surface(three, self.spacing)
            middle = np.isclose(found.points[:, 0], self.spacing[0])
            lift = [(self._z - 1) * self.spacing[0], 0, 0]
            self._found.append(Surface(found.points[middle] + lift, found.sizes[middle]))
        self._below, self._here = here, above
