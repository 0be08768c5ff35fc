"""The only place that builds the tensors a network sees, for training, evaluation and serving alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    sigma: float = 2.0  # of a click's Gaussian, pixels of the grid
    disk: float = 0.0  # radius of the disk that a click is instead; 0: a Gaussian
    previous_mask: bool = False  # whether a third map tells the network the mask that the clicks correct

    @property
    def maps(self) -> int:
        """Number of guidance maps: foreground clicks, background clicks, and perhaps the previous mask."""
        return 3 if self.previous_mask else 2

    def image(self, hu: NDArray[np.int16], placement: Placement) -> Tensor:
        """float32 [1, 1, rows, columns] of a slice [y, x] in Hounsfield units."""
        return self.image_on_grid(self.grid.image(hu, placement))

    def image_on_grid(self, hu: NDArray[np.int16]) -> Tensor:
        """float32 [1, 1, rows, columns] of Hounsfield units that lie on the grid already (the training cache)."""
        return torch.from_numpy(self.intensity.standardise(hu))[None, None]

    def guidance(
        self, clicks: Sequence[Click], placement: Placement, previous: NDArray[np.bool_] | None = None
    ) -> Tensor:
        """float32 [1, maps, rows, columns]; clicks and the previous mask [y, x] are in slice pixels."""
        points = [(*placement.to_grid(c.y, c.x), c.positive) for c in clicks]
        shown = None if previous is None or not self.previous_mask else self.grid.mask(previous, placement)
        return self.guidance_on_grid(points, placement.padded, shown)

    def guidance_on_grid(
        self,
        points: Iterable[tuple[float, float, bool]],
        shape: tuple[int, int],
        previous: NDArray[np.bool_] | None = None,
    ) -> Tensor:
        """float32 [1, maps, rows, columns] of (row, column, positive) and a mask that lie on the grid already."""
        maps = guidance_maps(points, shape, self.sigma, self.disk)
        if self.previous_mask:
            maps = np.concatenate([maps, np.zeros((1, *shape), np.float32) if previous is None else previous[None]])
        return torch.from_numpy(maps.astype(np.float32, copy=False))[None]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> InputSpec:
        """Raises KeyError or TypeError where fields are missing or unknown."""
        nested = {"grid": Grid(**fields["grid"]), "intensity": Intensity(**fields["intensity"])}
        return cls(**{"sigma": fields["sigma"], **fields, **nested})
