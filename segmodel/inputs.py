"""The only place that builds the tensors a network sees, for training, evaluation and serving alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .clicks import Click
from .grid import Grid, Placement
from .guidance import guidance_maps
from .intensity import Intensity


@dataclass(frozen=True)
class InputSpec:
    """How slices and clicks become tensors. It lives inside the checkpoint, so that serving reads it nowhere else."""

    grid: Grid = field(default_factory=Grid)
    intensity: Intensity = field(default_factory=Intensity)
    sigma: float = 2.0  # pixels of the grid

    def image(self, hu: NDArray[np.int16], placement: Placement) -> Tensor:
        """float32 [1, 1, rows, columns] of a slice [y, x] in Hounsfield units."""
        return self.image_on_grid(self.grid.image(hu, placement))

    def image_on_grid(self, hu: NDArray[np.int16]) -> Tensor:
        """float32 [1, 1, rows, columns] of Hounsfield units that lie on the grid already (the training cache)."""
        return torch.from_numpy(self.intensity.standardise(hu))[None, None]

    def guidance(self, clicks: Sequence[Click], placement: Placement) -> Tensor:
        """float32 [1, 2, rows, columns]; clicks are in slice pixels."""
        points = [(*placement.to_grid(c.y, c.x), c.positive) for c in clicks]
        return torch.from_numpy(guidance_maps(points, placement.padded, self.sigma))[None]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> InputSpec:
        """Raises KeyError or TypeError where fields are missing or unknown."""
        return cls(Grid(**fields["grid"]), Intensity(**fields["intensity"]), float(fields["sigma"]))
