"""Batches of a training run: slices, the structures asked for on them, and the randomness of their clicks.

Every slice of every step has a random generator of its own, so that a batch is the same whether one process draws all of it
or several draw a part each, and whether the run was broken off before or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .augmentation import Augmentation
from .clicks import Click
from .dataset import GridSlices, Point
from .inputs import InputSpec
from .pseudo import grow_region, paint_lesions
from .recipe import Recipe, RecipeError

Mask = NDArray[np.bool_]
Points = list[list[Point]]


@dataclass(frozen=True)
class Batch:
    """`images` float32 [n, 1, H, W]; `truths` bool [m, 1, H, W], each of the image `owner[i]`, with `rngs[i]` for its clicks.

    `weights` [m] let every image count alike however many of its structures are asked for; they sum to n. `begun` [m] are the
    clicks that the simulation begins with, those that a person made there; mostly none.
    """

    images: Tensor
    truths: Tensor
    owner: Tensor
    weights: Tensor
    rngs: tuple[np.random.Generator, ...]
    begun: tuple[list[Click], ...]


class _Pool:
    """Some of the slices, and where each structure is to be found among them. Raises RecipeError where none shows any."""

    def __init__(
        self, slices: NDArray[np.int64], shown: NDArray[np.bool_], areas: NDArray[np.int64], name: str
    ) -> None:
        self.size = len(slices)
        self.where = [slices[column] for column in shown[slices].T]
        self.empty = slices[~areas[slices].any(axis=1)]
        self.present = [k for k, found in enumerate(self.where) if found.size]
        if not self.present:
            raise RecipeError(f"The {name} data show no structure.")


class Sampler:
    """Draws a structure first, then a slice that shows it, so that small structures are not drowned.

    Slices that show none come as often as they are there; what is asked for on them is nothing, and clicks on them can only
    be background clicks. Where slices are old, the recipe's `replay` is the share of a batch that comes from them.
    """

    def __init__(self, slices: GridSlices, spec: InputSpec, recipe: Recipe, smallest: int = 12) -> None:
        self.slices, self.spec, self.recipe, self.smallest = slices, spec, recipe, smallest
        self.shown = slices.areas >= smallest  # [slice, structure]
        old = np.zeros(len(self.shown), bool) if slices.old is None else slices.old
        recipe.check_replay(bool(old.any()))
        self.new = _Pool(np.flatnonzero(~old), self.shown, slices.areas, "training")
        self.old = _Pool(np.flatnonzero(old), self.shown, slices.areas, "replayed") if old.any() else None
        self.augmentation = Augmentation(recipe.crop) if recipe.augment else None

    def batch(self, step: int, members: Iterable[int]) -> Batch:
        """The slices number `members` of a step's batch."""
        rngs = [np.random.default_rng([self.recipe.seed, step, k]) for k in members]
        drawn = [self._draw(rng) for rng in rngs]
        counts = torch.tensor([len(truths) for _, truths, _ in drawn])
        owner = torch.repeat_interleave(torch.arange(len(drawn)), counts)
        return Batch(
            torch.cat([image for image, _, _ in drawn]),
            torch.cat([truths for _, truths, _ in drawn]),
            owner,
            (1 / counts)[owner],
            tuple(child for rng, count in zip(rngs, counts, strict=True) for child in rng.spawn(int(count))),
            tuple(self._beginning(row, rng) for rng, (_, _, clicks) in zip(rngs, drawn, strict=True) for row in clicks),
        )

    def _beginning(self, clicks: Sequence[Click], rng: np.random.Generator) -> list[Click]:
        """The first few of the clicks, one to all, in the recipe's share of cases."""
        if not clicks or rng.random() >= self.recipe.real_clicks:
            return []
        return list(clicks[: int(rng.integers(1, len(clicks) + 1))])

    def _draw(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, list[list[Click]]]:
        """One slice [1, 1, H, W], the truths asked for on it [m, 1, H, W], m ≥ 1, and the clicks of people on each."""
        pool = self.old if self.old and rng.random() < self.recipe.replay else self.new
        while True:
            if pool.empty.size and rng.random() < pool.empty.size / pool.size:
                hu = self.slices.images[int(rng.choice(pool.empty))]
                image, nothing, _ = self._moved(hu, [np.zeros(hu.shape, bool)], [[]], rng)
                return image, nothing[0].bool()[:, None], [[]]
            first = int(rng.choice(pool.present))
            index = int(rng.choice(pool.where[first]))
            hu, masks, points = self._asked(index, first, rng)
            image, truths, points = self._moved(hu, masks, points, rng)
            large = truths[0].sum((1, 2)) >= self.smallest  # augmentation may have moved one out of the picture
            if large.any():
                kept = truths[0][large].bool()
                clicks = [_borne_out(points[int(k)], truths[0][int(k)]) for k in large.nonzero()]
                return image, kept[:, None], clicks

    def _moved(
        self, hu: NDArray[np.int16], masks: Sequence[Mask], points: Points, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor, Points]:
        """The slice standardised [1, 1, H, W], masks uint8 [1, m, H, W] and clicks, augmented alike if the recipe says so."""
        image = self.spec.image_on_grid(hu)
        truths = torch.from_numpy(np.stack(masks).astype(np.uint8))[None]
        if not self.augmentation:
            return image, truths, points
        return self.augmentation.with_points(image, truths, points, rng)

    def _asked(self, index: int, first: int, rng: np.random.Generator) -> tuple[NDArray[np.int16], list[Mask], Points]:
        """The slice in Hounsfield units and the masks asked for on it: painted, grown or drawn by people, with their clicks."""
        recipe, label = self.recipe, self.slices.labels[index]
        hu: NDArray[np.int16] = self.slices.images[index]
        others = rng.permutation(np.setdiff1d(np.flatnonzero(self.shown[index]), first))
        masks = [label == value + 1 for value in (first, *others)]
        made = self.slices.clicks[index] if self.slices.clicks and recipe.real_clicks else {}
        points: Points = [list(made.get(int(value) + 1, ())) for value in (first, *others)]
        extra: list[Mask] = []
        if rng.random() < recipe.lesions:
            sizes = np.sqrt([np.count_nonzero(mask) for mask in masks])
            organ = masks[int(rng.choice(len(masks), p=sizes / sizes.sum()))]
            hu, lesions = paint_lesions(hu, organ, recipe.spacing, rng)
            masks = [mask & ~lesions for mask in masks]  # as the data sets have it: a tumour is not its liver
            extra.append(lesions)
        elif rng.random() < recipe.regions:
            region = grow_region(hu, label > 0, recipe.spacing, rng)
            extra += [] if region is None else [region]
        return hu, [*extra, *masks][: recipe.structures], [*([] for _ in extra), *points][: recipe.structures]


def _borne_out(points: Sequence[Point], truth: Tensor) -> list[Click]:
    """The clicks at points of a truth [H, W] that say what it says: a lesion, a correction or an edge may deny others."""
    clicks = [Click(round(y), round(x), positive) for y, x, positive in points]
    return [click for click in clicks if bool(truth[click.y, click.x]) == click.positive]
