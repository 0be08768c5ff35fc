"""Random geometry and intensities for training batches."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .dataset import Point


class Augmentation:
    """Flips, rotation, scale, shift, bending; brightness, contrast, gamma, a narrower window, noise.

    `crop` is (rows, columns) put out. Ranges: rotation ±20°, scale 0.75 to 1.35 (real spacings differ by as much), shift ±4 %
    of the input's sides; two of three pictures are bent smoothly, by up to a few pixels over a quarter of their sides.
    """

    def __init__(self, crop: tuple[int, int]) -> None:
        self.crop = crop

    def __call__(self, images: Tensor, labels: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """float32 images and uint8 labels [B, 1, H, W], transformed alike; images stay standardised."""
        return self.with_points(images, labels, (), rng)[:2]

    def with_points(
        self, images: Tensor, labels: Tensor, points: Sequence[Sequence[Point]], rng: np.random.Generator
    ) -> tuple[Tensor, Tensor, list[list[Point]]]:
        """And clicks, lists of (row, column, positive) of the first image; those that leave the picture are dropped.

        A click goes to the pixel whose value comes from nearest to where it was.
        """
        count = len(images)
        theta = torch.from_numpy(np.stack([self._affine(images.shape[2:], rng) for _ in range(count)]))
        field = F.affine_grid(theta, [count, 1, *self.crop], align_corners=False) + self._bend(count, rng)
        # grid_sample pads with 0, so the darkest value is made 0 for the while
        floor = images.amin()
        moved = F.grid_sample(images - floor, field, align_corners=False) + floor
        marked = F.grid_sample(labels.float(), field, mode="nearest", align_corners=False).to(torch.uint8)
        source = ((field[0].numpy() + 1) * np.array(images.shape[:1:-1]) - 1) / 2  # (x, y) of every pixel put out
        followed = [[there for point in row if (there := _follow(source, point))] for row in points]
        return self._intensities(moved, rng), marked, followed

    def _bend(self, count: int, rng: np.random.Generator) -> Tensor:
        """[B, rows, columns, 2] displacements: noise on a coarse lattice, drawn smooth over the picture."""
        strength = np.where(rng.random((count, 1, 1, 1)) < 2 / 3, rng.uniform(0.003, 0.018, (count, 1, 1, 1)), 0.0)
        lattice = torch.from_numpy((rng.standard_normal((count, 2, 7, 9)) * strength).astype(np.float32))
        return F.interpolate(lattice, self.crop, mode="bicubic", align_corners=True).permute(0, 2, 3, 1)

    def _affine(self, shape: torch.Size, rng: np.random.Generator) -> np.ndarray:
        """[2, 3] float32 of affine_grid: output positions in [-1, 1] to input positions."""
        angle, scale = math.radians(rng.uniform(-20, 20)), math.exp(rng.uniform(math.log(0.75), math.log(1.35)))
        flip_x, flip_y = rng.choice([-1, 1]), 1 if rng.random() < 0.75 else -1
        rows, columns = self.crop[0] / shape[0], self.crop[1] / shape[1]  # of the input that the output spans
        cos, sin = math.cos(angle) / scale, math.sin(angle) / scale
        shift = rng.uniform(-0.08, 0.08, 2)
        aspect = shape[0] / shape[1]
        return np.array(
            [
                [cos * columns * flip_x, -sin * rows * aspect * flip_y, shift[0]],
                [sin * columns / aspect * flip_x, cos * rows * flip_y, shift[1]],
            ],
            np.float32,
        )

    @staticmethod
    def _intensities(images: Tensor, rng: np.random.Generator) -> Tensor:
        count = len(images)

        def column(low: float, high: float) -> Tensor:
            return torch.from_numpy(rng.uniform(low, high, (count, 1, 1, 1)).astype(np.float32))

        low, high = images.amin((1, 2, 3), keepdim=True), images.amax((1, 2, 3), keepdim=True)
        narrow = torch.from_numpy((rng.random((count, 1, 1, 1)) < 0.3).astype(np.float32))
        bottom, top = low + (high - low) * column(0, 0.22) * narrow, high - (high - low) * column(0, 0.3) * narrow
        images = torch.minimum(torch.maximum(images, bottom), top)
        low, span = bottom, (top - bottom).clamp(min=1e-6)
        images = low + span * ((images - low) / span).clamp(min=0) ** torch.exp(column(-0.3, 0.3))
        images = images * column(0.85, 1.15) + column(-0.2, 0.2)
        noise = torch.from_numpy(rng.standard_normal(images.shape, np.float32))
        return images + noise * column(0, 0.12)


def _follow(source: NDArray[np.float64], point: Point) -> Point | None:
    """The pixel of a picture that shows what was at a point; None where none does. `source` [rows, columns, (x, y)]."""
    y, x, positive = point
    far = np.hypot(source[..., 0] - x, source[..., 1] - y)
    row, column = np.unravel_index(int(far.argmin()), far.shape)
    return (float(row), float(column), positive) if far[row, column] < 1 else None
