"""Click-guided segmentation without learning, behind the two calls of segmodel.predictor.Predictor.

All four methods see the same: the slice between −125 and 275 HU, as [0, 1], in the box around the foreground clicks and a
margin (mm). A click is a disk of seeds. A first click comes with no background click and every method needs both, so the
ring of pixels at the box's edge is background, except where it looks like the clicked tissue: there the object may well go on.
What lies outside the box is not in the mask; the next click there moves the box. Of the answer those connected parts are kept
that a foreground click is in. The settings were chosen by `tune.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from segmodel.clicks import Click
from segmodel.predictor import Prediction

LOW, HIGH = -125, 275  # HU, the window of the recipe that ours was trained with

Image = NDArray[np.float32]
Seeds = NDArray[np.uint8]
Mask = NDArray[np.bool_]

FOREGROUND, BACKGROUND = 1, 2  # in Seeds; 0 is to be decided


class Windowed(NamedTuple):
    """A slice [y, x] with values in [0, 1], and the side of a pixel in mm."""

    image: Image
    pixel: float


@dataclass(frozen=True)
class Seeded:
    """What the methods share: the box, the seeds, and which parts are kept. `margin` and `radius` are in mm."""

    alike: float = 0.04  # a ring pixel this near to the clicks' mean intensity is no seed; 0 makes all of them seeds
    margin: float = 40.0
    radius: float = 2.0
    smoothing: float = 1.0  # mm, Gaussian; CT noise is finer than the organs' edges

    def encode(self, hu: NDArray[np.int16], spacing: tuple[float, float]) -> Windowed:
        """A slice [y, x] in Hounsfield units with `spacing` (y, x) in mm."""
        image = ((np.clip(hu, LOW, HIGH) - LOW) / (HIGH - LOW)).astype(np.float32)
        pixel = math.sqrt(spacing[0] * spacing[1])
        if self.smoothing:
            image[:] = cv2.GaussianBlur(image, (0, 0), self.smoothing / pixel)
        return Windowed(image, pixel)

    def predict(self, encoded: Windowed, clicks: Sequence[Click], previous: Mask | None = None) -> Prediction:
        """The mask that these clicks ask for. The methods estimate no quality: it is not a number."""
        mask = np.zeros(encoded.image.shape, bool)
        if any(click.positive for click in clicks):
            box = self._box(encoded, clicks)
            image, seeds = encoded.image[box], self._seeds(encoded, clicks)[box]
            self._close(image, seeds)
            both = (seeds == BACKGROUND).any()
            found = self.segment(image, seeds, encoded.pixel) if both else np.ones(image.shape, bool)
            mask[box] = _clicked_parts((found | (seeds == FOREGROUND)) & (seeds != BACKGROUND), seeds)
        return Prediction(mask, math.nan)

    def segment(self, image: Image, seeds: Seeds, pixel: float) -> Mask:
        raise NotImplementedError

    def _close(self, image: Image, seeds: Seeds) -> None:
        """Makes background seeds of the ring, where it is neither clicked nor like the foreground clicks."""
        ring = np.pad(np.zeros(np.subtract(image.shape, 2), bool), 1, constant_values=True)
        other = np.abs(image - image[seeds == FOREGROUND].mean()) >= self.alike
        seeds[ring & other & (seeds == 0)] = BACKGROUND

    def _box(self, encoded: Windowed, clicks: Sequence[Click]) -> tuple[slice, slice]:
        margin = math.ceil(self.margin / encoded.pixel)
        points = np.array([(click.y, click.x) for click in clicks if click.positive])
        low, high = points.min(axis=0) - margin, points.max(axis=0) + margin + 1
        rows, columns = (slice(max(0, int(a)), int(b)) for a, b in zip(low, high, strict=True))
        return rows, columns

    def _seeds(self, encoded: Windowed, clicks: Sequence[Click]) -> Seeds:
        """A disk for every click, a later one over an earlier one, and each click's own pixel in any case."""
        seeds = np.zeros(encoded.image.shape, np.uint8)
        values = [(click, FOREGROUND if click.positive else BACKGROUND) for click in clicks]
        for click, value in values:
            cv2.circle(seeds, (click.x, click.y), round(self.radius / encoded.pixel), value, cv2.FILLED)
        for click, value in values:
            seeds[click.y, click.x] = value
        return seeds


def _clicked_parts(mask: Mask, seeds: Seeds) -> Mask:
    _, parts = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    return mask & np.isin(parts, np.unique(parts[seeds == FOREGROUND]))


@dataclass(frozen=True)
class RandomWalker(Seeded):
    """Grady 2006, by scikit-image: a pixel goes to the seeds that a walker from it reaches first.

    `beta`: how much an edge in the image stops the walker. The linear system is solved exactly: at this beta the conjugate
    gradients, which are scikit-image's default, take some ten times as long and end at other masks.
    """

    beta: float = 10000.0

    def segment(self, image: Image, seeds: Seeds, pixel: float) -> Mask:
        from skimage.segmentation import random_walker

        return random_walker(image, seeds.astype(np.int32), beta=self.beta, mode="bf") == FOREGROUND


@dataclass(frozen=True)
class GrabCut(Seeded):
    """Rother et al. 2004, by OpenCV: Gaussian mixtures of both sides and a graph cut, in turns.

    Its three colour channels are all the grey value. Before the first cut pixels within `core` mm of a foreground click are
    probable foreground, all others probable background.
    """

    alike: float = 0.08
    radius: float = 5.0
    core: float = 20.0
    rounds: int = 1

    def segment(self, image: Image, seeds: Seeds, pixel: float) -> Mask:
        distance = cv2.distanceTransform((seeds != FOREGROUND).astype(np.uint8), cv2.DIST_L2, 5)
        labels = np.where(distance * pixel <= self.core, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        labels[seeds == FOREGROUND], labels[seeds == BACKGROUND] = cv2.GC_FGD, cv2.GC_BGD
        colours = np.repeat(np.round(255 * image).astype(np.uint8)[..., None], 3, axis=-1)
        cv2.setRNGSeed(0)  # the mixtures begin at random
        cv2.grabCut(
            colours, labels, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), self.rounds, cv2.GC_INIT_WITH_MASK
        )
        return (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)


@dataclass(frozen=True)
class GraphCut(Seeded):
    """Boykov and Jolly 2001, with PyMaxflow: one minimum cut.

    Foreground is a normal distribution of the seeds' intensities, no narrower than `deviation`; background is what the
    box shows altogether. `edges` weighs the 8 neighbours' contrast term, whose scale is the box's own mean contrast.
    """

    alike: float = 0.08
    radius: float = 5.0
    edges: float = 32.0
    deviation: float = 0.05

    def segment(self, image: Image, seeds: Seeds, pixel: float) -> Mask:
        import maxflow

        graph = maxflow.GraphFloat()
        nodes = graph.add_grid_nodes(image.shape)
        scale = 2 * float(np.mean(np.diff(image, axis=0) ** 2) + np.mean(np.diff(image, axis=1) ** 2)) / 2 + 1e-9
        for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
            there = np.roll(image, (-dy, -dx), axis=(0, 1))  # what is rolled over the border has no edge in the graph
            weights = self.edges * np.exp(-((image - there) ** 2) / scale) / math.hypot(dy, dx)
            structure = np.zeros((3, 3))
            structure[1 + dy, 1 + dx] = 1
            graph.add_grid_edges(nodes, weights=weights, structure=structure, symmetric=True)
        likelier = self._log_ratio(image, seeds)
        never = 1e6
        to_foreground = np.select([seeds == FOREGROUND, seeds == BACKGROUND], [never, 0.0], np.maximum(likelier, 0))
        to_background = np.select([seeds == BACKGROUND, seeds == FOREGROUND], [never, 0.0], np.maximum(-likelier, 0))
        graph.add_grid_tedges(nodes, to_foreground, to_background)
        graph.maxflow()
        return ~graph.get_grid_segments(nodes)

    def _log_ratio(self, image: Image, seeds: Seeds) -> NDArray[np.float64]:
        """log p(intensity | foreground) − log p(intensity | box)."""
        known = image[seeds == FOREGROUND]
        deviation = max(self.deviation, float(known.std()))
        foreground = -0.5 * ((image - known.mean()) / deviation) ** 2 - math.log(deviation * math.sqrt(2 * math.pi))
        counts, edges = np.histogram(image, bins=64, range=(0, 1))
        density = (counts + 1) / (counts.sum() + len(counts)) * len(counts)
        return foreground - np.log(density[np.clip(np.digitize(image, edges) - 1, 0, len(counts) - 1)])


@dataclass(frozen=True)
class Geodesic(Seeded):
    """Criminisi et al. 2008, with scikit-image's cheapest paths: a pixel goes to the seeds with the cheaper path to it.

    A step costs its length and `contrast` times the image's gradient there.
    """

    alike: float = 0.0
    radius: float = 0.0
    smoothing: float = 1.5
    contrast: float = 100.0

    def segment(self, image: Image, seeds: Seeds, pixel: float) -> Mask:
        from skimage.graph import MCP_Geometric

        gradient = np.hypot(*np.gradient(image)) / pixel  # per mm
        costs = pixel * (0.05 + self.contrast * gradient)
        near, far = (
            MCP_Geometric(costs).find_costs(np.argwhere(seeds == value))[0] for value in (FOREGROUND, BACKGROUND)
        )
        return near < far


METHODS: dict[str, type[Seeded]] = {
    "random-walker": RandomWalker,
    "grabcut": GrabCut,
    "graph-cut": GraphCut,
    "geodesic": Geodesic,
}
