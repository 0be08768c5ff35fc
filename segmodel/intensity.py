"""Hounsfield units to network intensities: clipped, then zero mean and unit deviation (paper, section III-A)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass
class Moments:
    """Count, mean and standard deviation of values that come piece by piece; the sums are kept in float64."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, values: NDArray) -> None:
        values = values.astype(np.float64)
        self.count += values.size
        self.total += float(values.sum())
        self.squares += float(np.square(values).sum())

    @property
    def mean(self) -> float:
        """Not a number where nothing was added."""
        return self.total / self.count if self.count else math.nan

    @property
    def std(self) -> float:
        """Of the values themselves (not an estimate from a sample); not a number where nothing was added."""
        return math.sqrt(max(0.0, self.squares / self.count - self.mean**2)) if self.count else math.nan


@dataclass(frozen=True)
class Intensity:
    """Clipping limits and the mean and standard deviation of clipped training pixels, all in Hounsfield units."""

    low: float = -125.0
    high: float = 275.0
    mean: float = 0.0
    std: float = 1.0

    def standardise(self, hu: NDArray[np.int16]) -> NDArray[np.float32]:
        clipped = np.clip(hu.astype(np.float32), self.low, self.high)
        return (clipped - np.float32(self.mean)) / np.float32(self.std)

    @classmethod
    def measured(cls, images: Iterable[NDArray[np.int16]], low: float, high: float) -> Intensity:
        """The statistics of all pixels of `images` between these limits; one image at a time is in memory.

        Raises ValueError where all pixels are alike there.
        """
        moments, lowest, highest = Moments(), math.inf, -math.inf
        for image in images:
            clipped = np.clip(image, low, high)
            moments.add(clipped)
            lowest, highest = min(lowest, float(clipped.min())), max(highest, float(clipped.max()))
        if not lowest < highest:
            raise ValueError(f"Between {low:g} and {high:g} HU all training pixels are alike.")
        return cls(low, high, moments.mean, moments.std)
