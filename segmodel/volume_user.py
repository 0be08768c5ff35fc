"""A simulated user who outlines a whole structure: a slice, its propagation, and clicks where it went most wrong.

The person clicks on the largest slice until content, lets the mask propagate, then looks through the slices and does the same
on the one with the most wrong voxels. Clicks there correct the mask that is there; the slice is confirmed then, and its mask
propagates: between confirmed slices all the way, else over what is there as long as the model believes in it more. Where the
mask goes on beyond the structure, the first slice that has none of it is cleared, which counts as a click and ends it there.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from .clicks import Click
from .dataset import DatasetError, Parts, read_case
from .evaluation import ClickModel
from .metrics import dice
from .propagation import Ahead, Read, Rules, Slices, propagate
from .simulation import PLACEMENTS, Placement

Mask = NDArray[np.bool_]
CONTENT, PATIENCE = 0.95, 3  # a slice is left alone at this Dice, or after so many clicks


@dataclass
class VolumeUser:
    """One structure of one volume; `truth` [z, y, x], `pixel` the side of a pixel in mm."""

    slices: Slices
    truth: Mask
    place: Placement
    rng: np.random.Generator
    pixel: float
    rules: Rules = field(default_factory=Rules)

    def __post_init__(self) -> None:
        self.mask = np.zeros_like(self.truth)
        areas = self.truth.sum(axis=(1, 2))
        self.largest = int(areas.argmax())
        self.lowest, self.highest = int(areas.nonzero()[0].min()), int(areas.nonzero()[0].max())
        self.confirmed: dict[int, list[Click]] = {}  # by slice, the person's clicks
        self.base: dict[int, Mask] = {}  # what those clicks correct
        self.quality: dict[int, float] = {}  # the model's estimate of what it propagated

    def outline(self, most: int) -> list[float]:
        """3-D Dice after 1, 2 … `most` clicks; a structure that is right to the voxel needs no more."""
        scores: list[float] = []
        z: int | None = self.largest
        while len(scores) < most and z is not None:
            self._click(z)
            self._flow_from(z)
            scores.append(dice(self.mask, self.truth))
            z = z if self._is_unsettled(z) else self._worst()
        return scores + [scores[-1]] * (most - len(scores))

    def _is_unsettled(self, z: int) -> bool:
        """Whether the person goes on clicking on the slice."""
        has_some = bool(self.truth[z].any())
        return has_some and len(self.confirmed[z]) < PATIENCE and dice(self.mask[z], self.truth[z]) < CONTENT

    def _worst(self) -> int | None:
        wrong = (self.mask ^ self.truth).sum(axis=(1, 2))
        if not wrong.any():
            return None
        return min(max(int(wrong.argmax()), self.lowest - 1), self.highest + 1)

    def _click(self, z: int) -> None:
        if z not in self.confirmed:
            self.confirmed[z], self.base[z] = [], self.mask[z].copy()
        if not self.truth[z].any():
            self.mask[z] = False
            return
        click = self.place(self.truth[z], self.mask[z], self.rng, self.pixel)
        if click is not None:
            self.confirmed[z].append(click)
            base = self.base[z] if self.base[z].any() else None
            self.mask[z] = self.slices.predict(z, self.confirmed[z], base).mask

    def _flow_from(self, z: int) -> None:
        """To both sides, up to confirmed slices, else to answers that the model believes in no more than in what is there."""
        if not self.mask[z].any():
            self._end_at(z)
            return
        for step in (1, -1):
            ahead = self._ahead(z, step)
            is_bridge = ahead is not None and ahead.mask.any()
            for found in propagate(self.slices, z, self.mask[z], step, ahead, self.rules):
                there = self.quality.get(found.z, 0.0) if self.mask[found.z].any() else -1.0
                if not is_bridge and found.prediction.quality <= there:
                    break
                self.mask[found.z], self.quality[found.z] = found.prediction

    def _ahead(self, z: int, step: int) -> Ahead | None:
        """The next confirmed slice in a direction."""
        beyond = [other for other in self.confirmed if (other - z) * step > 0]
        if not beyond:
            return None
        nearest = min(beyond, key=lambda other: abs(other - z))
        return Ahead(nearest, self.mask[nearest])

    def _end_at(self, z: int) -> None:
        """Nothing stays beyond the structure."""
        if z > self.highest:
            self.mask[z:] = False
        elif z < self.lowest:
            self.mask[: z + 1] = False


def evaluate_volumes(
    datasets: Parts,
    model: ClickModel,
    placement: str = "paper",
    clicks: Sequence[int] = (3, 5, 10, 15, 30),
    seed: int = 4242,
    rules: Rules | None = None,
    tell: Callable[..., None] = lambda done, **more: None,
) -> dict[str, Any]:
    """By structure, 3-D Dice after so many `clicks` in all (mean over patients), and `records`, one for each of a case.

    The same arguments give the same figures. `tell` hears of the share that is done, with the name of the `case`.
    Raises DatasetError where the cases show none of their structures.
    """
    clicks = sorted(set(clicks))
    if not clicks or clicks[0] < 1:
        raise DatasetError("Clicks are counted from 1.")
    rows: list[dict[str, Any]] = []
    cases = [(dataset, case) for dataset, members in datasets for case in members]
    for number, (dataset, case) in enumerate(tqdm(cases, desc="volumes")):
        tell(number / len(cases), case=case.name)
        volume, labels = read_case(case)
        spacing = (volume.spacing[1], volume.spacing[2])
        read = Read(model, volume.voxels, spacing)
        for value, name in dataset.structures.items():
            truth = labels == value
            if not truth.any():
                continue
            rng = np.random.default_rng([seed, *f"{case.name}/{name}".encode()])
            user = VolumeUser(read, truth, PLACEMENTS[placement], rng, math.sqrt(math.prod(spacing)), rules or Rules())
            scores = user.outline(clicks[-1])
            slices = int(truth.any(axis=(1, 2)).sum())
            rows.append({"structure": name, "case": case.name, "slices": slices, "dice": scores})
    if not rows:
        raise DatasetError("The cases show none of their structures.")
    names = dict.fromkeys(row["structure"] for row in rows)
    structures = {name: _mean([row for row in rows if row["structure"] == name], clicks) for name in names}
    return {"structures": structures, "records": rows, "placement": placement, "clicks": clicks, "seed": seed}


def _mean(rows: Sequence[dict[str, Any]], clicks: Iterable[int]) -> dict[str, Any]:
    dice_after = {str(k): statistics.fmean(row["dice"][k - 1] for row in rows) for k in clicks}
    return {"count": len(rows), "slices": statistics.fmean(row["slices"] for row in rows), "dice": dice_after}
