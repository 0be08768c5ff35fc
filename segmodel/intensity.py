"""Hounsfield units to network intensities: clipped, then zero mean and unit deviation (paper, section III-A)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
    def measured(cls, hu: NDArray[np.int16], low: float, high: float) -> Intensity:
        """The statistics of `hu` between these limits. Raises ValueError where all pixels are alike there."""
        clipped = np.clip(hu, low, high)
        if clipped.min() == clipped.max():
            raise ValueError(f"Between {low:g} and {high:g} HU all training pixels are alike.")
        return cls(low, high, float(clipped.mean(dtype=np.float64)), float(clipped.std(dtype=np.float64)))
