"""What an assignment's masks measure, as a table: a row for every slice of a label and one for all of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

from annotator import tables
from annotator.annotation import overlap
from annotator.annotation.models import Assignment, Label
from annotator.studies import store


class Measures(NamedTuple):
    """Of one slice (counted from 1, as on screen), or of `slice` "all". SD is that of the voxels themselves (divisor n)."""

    label: str
    slice: int | str
    area_mm2: float | None
    volume_ml: float
    mean_hu: float
    sd_hu: float
    longest_diameter_mm: float


def table(assignment: Assignment) -> Iterator[Measures]:
    """Labels in their order, slices from feet to head. Raises FileNotFoundError where the voxels are gone."""
    visible: dict[int, list[tuple[int, NDArray[np.bool_]]]] = {}
    rows = assignment.masks.order_by("z")
    for z, here in itertools.groupby(rows.iterator(), key=lambda row: row.z):
        for label_id, mask in overlap.visible(here, assignment.task.project.overlap).items():
            visible.setdefault(label_id, []).append((z, mask))
    for label in assignment.task.project.labels.all():
        yield from _measure(assignment, label, visible.get(label.pk, []))


def write_csv(assignment: Assignment) -> str:
    """The table as comma-separated values with a line of names. Raises FileNotFoundError."""
    return tables.to_csv(Measures._fields, (_in_words(row) for row in table(assignment)))


def _in_words(row: Measures) -> list[object]:
    """Figures with two decimals."""
    return [row.label, row.slice, *("" if figure is None else f"{figure:.2f}" for figure in row[2:])]


def _measure(
    assignment: Assignment, label: Label, visible: Iterable[tuple[int, NDArray[np.bool_]]]
) -> Iterator[Measures]:
    depth_mm, *spacing = assignment.task.series.spacing
    pixel = math.prod(spacing)
    values, longest = [], 0.0
    for z, mask in visible:
        if not mask.any():
            continue
        inside = store.read_slice(assignment.task.series, z)[mask]
        diameter = longest_diameter(mask, spacing)
        values.append(inside)
        longest = max(longest, diameter)
        area = inside.size * pixel
        yield Measures(label.name, z + 1, area, area * depth_mm / 1000, inside.mean(), inside.std(), diameter)
    if values:
        every = np.concatenate(values)
        volume = every.size * pixel * depth_mm / 1000
        yield Measures(label.name, "all", None, volume, every.mean(), every.std(), longest)


def longest_diameter(mask: NDArray[np.bool_], spacing: list[float]) -> float:
    """mm from one end of a mask [y, x] to the other, outer edges of pixels included; `spacing` (y, x) in mm.

    A mask of several pieces is measured across all of them.
    """
    y, x = np.nonzero(mask)
    corners = np.concatenate([np.stack([y + dy, x + dx], 1) for dy in (0, 1) for dx in (0, 1)]) * spacing
    return float(pdist(corners[ConvexHull(corners).vertices]).max())
