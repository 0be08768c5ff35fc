"""Structures that nobody drew, so that a network learns to follow clicks into things that no label set names.

A painted lesion is a blob of another brightness inside an organ, as tumours and cysts are; a region is what an evenly grey
part of the real picture happens to be: a vessel, a vertebra, a muscle, a bowel loop.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def paint_lesions(
    image: NDArray[np.int16], organ: Mask, spacing: float, rng: np.random.Generator
) -> tuple[NDArray[np.int16], Mask]:
    """A copy of `image` [y, x] (HU, pixels of `spacing` mm) with lesions inside `organ`, and the mask of all of them.

    One, or in one case of three two to five that look alike, as metastases and cysts do. Radius 3 to 40 mm and contrast 8 to
    70 HU, both log-uniform; one in six cases is brighter than the organ, the others darker. Outlines are of a few low
    harmonics. The edge may be sharp or soft, and the organ's own texture may go on within or give way to another one: were
    they always the same, a network would learn to know paint from tumours by them.
    """
    inside = np.flatnonzero(organ)
    largest = np.exp(rng.uniform(np.log(3.0), np.log(40.0))) / spacing
    count = 1 if rng.random() < 2 / 3 else int(rng.integers(2, 6))
    radii = largest * np.concatenate([[1.0], rng.uniform(0.3, 1.0, count - 1)])
    depths = [_depth(organ.shape, divmod(int(rng.choice(inside)), organ.shape[1]), radius, rng) for radius in radii]
    depth = np.max(depths, axis=0)
    middle = np.clip(np.max([d / radius for d, radius in zip(depths, radii, strict=True)], axis=0), 0, 1)
    cover = 1 / (1 + np.exp(-np.clip(depth / np.exp(rng.uniform(np.log(0.3), np.log(1.5))), -30, 30)))
    cover *= _blurred(organ, 0.7)
    contrast = np.exp(rng.uniform(np.log(8.0), np.log(70.0))) * (1 if rng.random() < 1 / 6 else -1)
    core = 1 + rng.uniform(-0.5, 0.5) * middle
    coarseness = rng.uniform(0.8, 3.0)
    grain = _blurred(rng.standard_normal(organ.shape), coarseness) * coarseness * rng.uniform(0, 20)
    even = _blurred(np.where(organ, image, 0), 4.0) / np.maximum(_blurred(organ, 4.0), 1e-3)
    painted = image + cover * (contrast * core + grain + rng.uniform(0, 0.8) * (even - image))
    return np.clip(np.rint(painted), -32768, 32767).astype(np.int16), cover > 0.5


def _depth(
    shape: tuple[int, ...], centre: tuple[int, int], radius: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """How many pixels each of a picture lies inside (outside: below 0) the outline of a blob of about this radius."""
    y, x = centre
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    turn, squash = rng.uniform(0, np.pi), rng.uniform(0.6, 1.0)
    across = (columns - x) * np.cos(turn) + (rows - y) * np.sin(turn)
    along = ((rows - y) * np.cos(turn) - (columns - x) * np.sin(turn)) / squash
    angle, distance = np.arctan2(along, across), np.hypot(along, across)
    waves = [rng.normal(0, 0.16) / n * np.cos(n * angle + rng.uniform(0, 2 * np.pi)) for n in (2, 3, 4, 5)]
    inside: NDArray[np.float64] = radius * (1 + np.sum(waves, axis=0)) - distance
    return inside


def grow_region(
    image: NDArray[np.int16], drawn: Mask, spacing: float, rng: np.random.Generator, tries: int = 8
) -> Mask | None:
    """A compact, evenly grey part of the body in `image` [y, x] (HU, pixels of `spacing` mm); None where none is found.

    A flood from a random pixel of the smoothed picture, opened and filled; kept where it covers 60 to 8000 mm² and most of
    its convex hull. It keeps out of what people have `drawn`: a part of a liver, asked for as a thing of its own, would
    teach the network that a click on a liver may mean a part of it.
    """
    smooth = _blurred(image, 1.0)
    smooth[drawn] = -10_000  # no flood gets in
    body = np.flatnonzero((smooth > -30) & (smooth < 600))
    if not body.size:
        return None
    for _ in range(tries):
        y, x = divmod(int(rng.choice(body)), image.shape[1])
        tolerance = float(rng.uniform(8, 32))
        flooded = np.zeros((image.shape[0] + 2, image.shape[1] + 2), np.uint8)
        flags = 4 | cv2.FLOODFILL_FIXED_RANGE | cv2.FLOODFILL_MASK_ONLY | (1 << 8)
        cv2.floodFill(smooth, flooded, (x, y), 0, tolerance, tolerance, flags)
        region = _compact(flooded[1:-1, 1:-1], (y, x))
        if region is not None and not (region & drawn).any() and 60 <= np.count_nonzero(region) * spacing**2 <= 8000:
            return region
    return None


def spoil(truth: Mask, rng: np.random.Generator) -> Mask:
    """What a person may start to correct: the truth grown, shrunk, shifted, or cut along a line."""
    kind = rng.integers(4)
    size = int(rng.integers(2, 6))
    if kind < 2:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * size + 1, 2 * size + 1))
        return (cv2.dilate if kind else cv2.erode)(truth.astype(np.uint8), kernel).astype(bool)
    if kind == 2:
        moved = np.array([[1, 0, rng.normal(0, size)], [0, 1, rng.normal(0, size)]], np.float32)
        return cv2.warpAffine(truth.astype(np.uint8), moved, truth.shape[::-1], flags=cv2.INTER_NEAREST).astype(bool)
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.nonzero(truth)
    side = (y - y.mean()) * np.sin(angle) + (x - x.mean()) * np.cos(angle)
    kept = side < np.quantile(side, rng.uniform(0.3, 0.9))
    cut = np.zeros_like(truth)
    cut[y[kept], x[kept]] = True
    return cut


def _compact(flooded: NDArray[np.uint8], seed: tuple[int, int]) -> Mask | None:
    """The opened and filled piece of a flood about its seed, where it covers 0.7 of its convex hull."""
    opened = cv2.morphologyEx(flooded, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)))
    _, pieces = cv2.connectedComponents(opened, connectivity=4)
    if not pieces[seed]:
        return None
    outlines, _ = cv2.findContours((pieces == pieces[seed]).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros_like(flooded), outlines, -1, 1, cv2.FILLED)
    hull = cv2.contourArea(cv2.convexHull(outlines[0]))
    return filled.astype(bool) if hull and cv2.contourArea(outlines[0]) >= 0.7 * hull else None


def _blurred(picture: NDArray[np.generic], sigma: float) -> NDArray[np.float32]:
    return cv2.GaussianBlur(picture.astype(np.float32), (0, 0), sigma)  # type: ignore[return-value]
