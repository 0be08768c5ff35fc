"""A simulated user who outlines a whole structure: a slice, its propagation, and a click where it went most wrong.

The person clicks on the largest slice until content, lets the mask propagate, then looks through the slices and clicks once
on the one with the most wrong voxels. The click is added to those that the propagation had made there; the slice is then
confirmed, and the correction flows to the slices beside it that are not. A slice beyond the structure is cleared, which
counts as a click and ends the structure there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from .clicks import Click
from .dataset import DatasetError, Parts, read_case
from .evaluation import ClickModel
from .metrics import dice
from .propagation import Read, Rules, Slices, propagate
from .simulation import PLACEMENTS, Placement

Mask = NDArray[np.bool_]
CONTENT, FIRST = 0.95, 3  # the Dice at which the first slice is left alone, and the most clicks that it gets before


@dataclass
class VolumeUser:
    """One structure of one volume; `truth` [z, y, x]."""

    slices: Slices
    truth: Mask
    place: Placement
    rng: np.random.Generator
    pixel: float
    rules: Rules = field(default_factory=Rules)

    def __post_init__(self) -> None:
        self.mask = np.zeros_like(self.truth)
        self.largest = int(self.truth.sum(axis=(1, 2)).argmax())
        self.clicks: dict[int, list[Click]] = {}
        self.previous: dict[int, Mask | None] = {}
        self.quality: dict[int, float] = {}
        self.confirmed: set[int] = set()
        self.confirmed_before: set[int] = set()

    def outline(self, most: int) -> list[float]:
        """3-D Dice after 1, 2 … `most` clicks; a structure that is right to the voxel needs no more, and keeps its 1.0."""
        scores: list[float] = []
        while len(scores) < most:
            z = self.largest if self._is_unsettled(len(scores)) else self._worst()
            if z is None:
                break
            self._click(z)
            if not self._is_unsettled(len(scores) + 1):
                self._flow_from(z)
            scores.append(dice(self.mask, self.truth))
        return scores + [scores[-1]] * (most - len(scores))

    def _is_unsettled(self, clicks: int) -> bool:
        """Whether the first slice still gets its clicks."""
        first_only = clicks < FIRST and self.confirmed <= {self.largest}
        return first_only and dice(self.mask[self.largest], self.truth[self.largest]) < CONTENT

    def _worst(self) -> int | None:
        wrong = (self.mask ^ self.truth).sum(axis=(1, 2))
        return int(wrong.argmax()) if wrong.any() else None

    def _click(self, z: int) -> None:
        self.confirmed.add(z)
        if not self.truth[z].any():
            self.mask[z] = False  # "clear slice"
            return
        click = self.place(self.truth[z], self.mask[z], self.rng, self.pixel)
        if click is not None:
            if z not in self.confirmed_before:
                self.previous[z] = self.mask[z].copy() if self.mask[z].any() else None
                self.clicks[z] = []
            self.confirmed_before.add(z)
            self.clicks[z] = [*self.clicks.get(z, []), click]
            self.mask[z] = self.slices.predict(z, self.clicks[z], self.previous.get(z)).mask

    def _flow_from(self, z: int) -> None:
        """To both sides, up to confirmed slices and to answers that the model believes in no more than in what is there.

        A slice that was cleared is an end: nothing stays beyond it, seen from the largest slice.
        """
        if not self.mask[z].any():
            outwards = 1 if z > self.largest else -1
            for other in range(z, len(self.slices) if outwards > 0 else -1, outwards):
                self.mask[other] = False
            return
        for step in (1, -1):
            beyond = [other for other in self.confirmed if (other - z) * step > 0]
            end = min(beyond, key=lambda other: abs(other - z)) if beyond else None
            for found in propagate(self.slices, z, self.mask[z], step, end, self.rules):
                other, quality = found.z, found.prediction.quality
                if self.mask[other].any() and quality <= self.quality.get(other, 0.0):
                    break
                self.previous[other], self.quality[other] = self.mask[other - step].copy(), quality
                self.clicks[other], self.mask[other] = found.clicks, found.prediction.mask


def evaluate_volumes(
    datasets: Parts,
    model: ClickModel,
    placement: str = "paper",
    most: int = 30,
    seed: int = 4242,
    structures: Sequence[str] = (),
    rules: Rules | None = None,
) -> list[dict[str, Any]]:
    """A row for every structure of every case: its slices, and 3-D Dice after 1 … `most` clicks in all.

    `structures` limits it to some. Raises DatasetError where the cases show none of them.
    """
    cases = [(dataset, case) for dataset, members in datasets for case in members]
    rows: list[dict[str, Any]] = []
    for dataset, case in tqdm(cases, desc="volumes"):
        volume, labels = read_case(case)
        spacing = (volume.spacing[1], volume.spacing[2])
        read = Read(model, volume.voxels, spacing)
        for value, name in dataset.structures.items():
            truth = labels == value
            if not truth.any() or (structures and name not in structures):
                continue
            rng = np.random.default_rng([seed, *f"{case.name}/{name}".encode()])
            user = VolumeUser(
                read, truth, PLACEMENTS[placement], rng, math.sqrt(spacing[0] * spacing[1]), rules or Rules()
            )
            scores = user.outline(most)
            slices = int(truth.any(axis=(1, 2)).sum())
            rows.append({"structure": name, "case": case.name, "slices": slices, "dice": scores})
    if not rows:
        raise DatasetError("The cases show none of the structures.")
    return rows
