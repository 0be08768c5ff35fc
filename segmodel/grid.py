"""The pixel grid that a network works on, and the way between it and a slice.

The paper resamples every slice to 1.0 × 1.0 mm (section III-A); here the spacing is a setting of the checkpoint. The
network is fully convolutional, so the grid is as large as the slice needs, padded at the bottom and right to a multiple
of the network's coarsest pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

AIR = -1024


@dataclass(frozen=True)
class Placement:
    """Where one slice lies on the grid: slice shape, its content on the grid, and the padded grid; all (rows, columns)."""

    slice_shape: tuple[int, int]
    content: tuple[int, int]
    padded: tuple[int, int]

    def to_grid(self, y: float, x: float) -> tuple[float, float]:
        """Grid coordinates of a slice's pixel; pixel centres are integers on both sides."""
        return (
            (y + 0.5) * self.content[0] / self.slice_shape[0] - 0.5,
            (x + 0.5) * self.content[1] / self.slice_shape[1] - 0.5,
        )

    def logits_to_slice(self, logits: Tensor) -> Tensor:
        """[B, C, rows, columns] of the grid, interpolated to the slice's pixels."""
        inside = logits[..., : self.content[0], : self.content[1]]
        if self.content == self.slice_shape:
            return inside
        return F.interpolate(inside, size=self.slice_shape, mode="bilinear", align_corners=False)


@dataclass(frozen=True)
class Grid:
    """`spacing` in mm, sides a multiple of `multiple` pixels and at most about `max_side` (a larger slice is coarsened)."""

    spacing: float = 1.6
    multiple: int = 32
    max_side: int = 512

    def place(self, shape: tuple[int, int], spacing: tuple[float, float]) -> Placement:
        """Placement of a slice of `shape` pixels, `spacing` mm apart, (rows, columns). Raises ValueError."""
        if min(shape) < 1 or not all(np.isfinite(s) and s > 0 for s in spacing):
            raise ValueError(f"A slice of {shape} pixels at {spacing} mm cannot be placed on a grid.")
        sides = [n * s / self.spacing for n, s in zip(shape, spacing, strict=True)]
        shrink = max(1.0, max(sides) / self.max_side)
        content = tuple(max(1, round(side / shrink)) for side in sides)
        padded = tuple(-(-side // self.multiple) * self.multiple for side in content)
        return Placement(shape, content, padded)  # type: ignore[arg-type]

    def image(self, hu: NDArray[np.int16], placement: Placement) -> NDArray[np.int16]:
        """The slice [y, x] in Hounsfield units on the padded grid: area-averaged down, bilinear up, padded with air."""
        pixels = torch.from_numpy(np.ascontiguousarray(hu, np.float32))[None, None]
        if placement.content != placement.slice_shape:
            pixels = F.interpolate(pixels, size=placement.content, mode="bilinear", antialias=True)
        resampled = pixels[0, 0].round().to(torch.int16).numpy()
        return self._pad(resampled, placement, AIR)

    def mask(self, mask: NDArray[np.bool_], placement: Placement) -> NDArray[np.bool_]:
        """A mask [y, x] on the padded grid: a grid pixel is inside where at least half of it is."""
        pixels = torch.from_numpy(np.ascontiguousarray(mask, np.float32))[None, None]
        if placement.content != placement.slice_shape:
            pixels = F.interpolate(pixels, size=placement.content, mode="bilinear", antialias=True)
        return self._pad((pixels[0, 0] >= 0.5).numpy(), placement, False)

    @staticmethod
    def _pad(pixels: NDArray, placement: Placement, value: int) -> NDArray:
        after = [(0, p - c) for p, c in zip(placement.padded, placement.content, strict=True)]
        return np.pad(pixels, after, constant_values=value)
