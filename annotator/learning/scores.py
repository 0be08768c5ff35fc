"""The figures of an evaluation as rows of the tables that its pages show, and its worst slices as pictures."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotator import masks
from annotator.annotation.models import Assignment
from annotator.learning import freeze
from annotator.learning.models import EvaluationRun, Patient
from annotator.studies.models import Series

Figures = Mapping[str, Any]

TARGETS = ("80", "85", "90")
INSIDE, OUTSIDE = "#5fe08a", "#ff8d85"  # colours of clicks
DISC = 2.3  # pixels from a click's middle to its edge, in the viewer
MARGIN = 0.35  # of a structure's size, around it in its picture


@dataclass(frozen=True)
class Figure:
    """A mean and its interval, None where there is none."""

    value: float | None
    low: float | None = None
    high: float | None = None

    @property
    def is_certain(self) -> bool:
        """Of a difference: whether its interval leaves out 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def figure(of: Figures, kind: str, key: str) -> Figure:
    """A figure of a label, or of their mean, e.g. (…, "dice", "3")."""
    low, high = of["interval"].get(kind, {}).get(key) or (None, None)
    return Figure(of.get(kind, {}).get(key), low, high)


def labels(figures: Figures) -> list[tuple[str, Figures]]:
    """(name, figures) of every label, and of their mean under "" where there are several."""
    found = list(figures["structures"].items())
    return [*found, ("", figures["mean"])] if len(found) > 1 else found


def by_clicks(figures: Figures, kind: str = "dice") -> list[tuple[str, list[Figure]]]:
    """A row for each number of clicks, with a figure for each of `labels`."""
    return [(k, [figure(of, kind, k) for _, of in labels(figures)]) for k in figures["mean"][kind]]


def by_label(figures: Figures, kind: str, keys: tuple[str, ...]) -> list[tuple[str, list[Figure]]]:
    """A row for each of `labels`."""
    return [(name, [figure(of, kind, key) for key in keys]) for name, of in labels(figures)]


def never(figures: Figures) -> list[tuple[str, list[Figure], list[float]]]:
    """Of each label NoC, and in per cent the share of slices that never get there."""
    shares = [[100 * of["never"][q] for q in TARGETS] for _, of in labels(figures)]
    return [(name, noc, share) for (name, noc), share in zip(by_label(figures, "noc", TARGETS), shares, strict=True)]


def distances(figures: Figures, k: str) -> list[tuple[str, Figure, Figure, float]]:
    """Of each label HD95 and the mean absolute surface distance in mm after k clicks, and in per cent the empty masks."""
    return [
        (name, figure(of, "hd95", k), figure(of, "masd", k), 100 * of["empty"][k])
        for name, of in labels(figures)
        if "hd95" in of
    ]


@dataclass(frozen=True)
class Box:
    """The Dice of a label's slices, 0 to 1; `start` and `width` of the box in per cent, for its picture."""

    label: str
    least: float
    low: float
    median: float
    high: float
    most: float

    @property
    def places(self) -> dict[str, float]:
        ends = {"least": self.least, "low": self.low, "median": self.median, "high": self.high, "most": self.most}
        return {name: round(100 * value, 2) for name, value in ends.items()}

    @property
    def width(self) -> float:
        return round(100 * (self.high - self.low), 2)


def boxes(figures: Figures, k: str) -> list[Box]:
    """A box of each label after k clicks."""
    return [Box(name, *of[k]) for name, of in figures["boxes"].items()]


@dataclass(frozen=True)
class OfPatient:
    """A label of a patient: the number of slices, and the mean Dice after each number of clicks."""

    patient: str
    label: str
    slices: int
    dice: list[float]
    noc: float


def patients(run: EvaluationRun) -> list[OfPatient]:
    """Every label of every patient, by the names of the ledger."""
    known = {freeze.alias(key): key for key in Patient.objects.filter(part=run.part).values_list("key", flat=True)}
    rows = [
        OfPatient(known.get(alias, alias), name, one["count"], list(one["dice"].values()), one["noc"]["85"])
        for name, of in run.figures["structures"].items()
        for alias, one in of["per_patient"].items()
    ]
    return sorted(rows, key=lambda row: (row.patient, row.label))


# ------------------------------------------------------------------------------------------ the worst slices


@dataclass(frozen=True)
class Worst:
    """A slice to be looked at: its place in the list, its case and slice in the viewer, and what is drawn over it.

    `view` is the part that is shown, `scale` the size of a pixel (x, y), both in mm; `clicks` are (x, y, positive, number)
    at the middle of their pixels; `areas` has paths in pixels of what both claim, what is missed, and what is too much;
    `mask` [y, x] is the model's.
    """

    place: int
    case: Assignment
    z: int
    label: str
    dice: float
    view: str
    scale: tuple[float, float]
    clicks: list[tuple[float, float, bool, int]]
    areas: dict[str, str]
    mask: NDArray[np.bool_]

    @property
    def radius(self) -> float:
        """Of a click, in pixels."""
        return float(self.view.split()[2]) / self.scale[0] / 22


def worst(run: EvaluationRun) -> list[Worst]:
    """The worst first; those whose case is gone are left out."""
    cases = run.figures["cases"]
    numbers = {cases[row["case"]]["assignment"] for row in run.figures["worst"]}
    found = Assignment.objects.select_related("task__series__study", "task__project", "person").in_bulk(numbers)
    rows = enumerate(run.figures["worst"])
    return [
        _shown(place, found[number], row, cases[row["case"]]["z0"])
        for place, row in rows
        if (number := cases[row["case"]]["assignment"]) in found
    ]


def _shown(place: int, case: Assignment, row: Mapping[str, Any], z0: int) -> Worst:
    series = case.task.series
    mask, truth = (_mask(row[name], series) for name in ("mask", "truth"))
    areas = {"both": mask & truth, "missed": truth & ~mask, "extra": mask & ~truth}
    _, dy, dx = series.spacing
    return Worst(
        place=place,
        case=case,
        z=row["z"] + z0,
        label=row["structure"],
        dice=row["dice"],
        view=_view(truth | mask, (dy, dx)),
        scale=(dx, dy),
        clicks=[(x + 0.5, y + 0.5, positive, n) for n, (y, x, positive) in enumerate(row["clicks"], 1)],
        areas={name: _path(area) for name, area in areas.items()},
        mask=mask,
    )


def for_viewer(one: Worst) -> dict[str, Any]:
    """The slice as the viewer shows it (`frontend/src/desk/simulated.ts`): the model's mask, and the clicks as discs."""
    labels = {freeze.name_of(label.name): label.pk for label in one.case.task.project.labels.all()}
    drawn = {
        ("#56b4e9", "dashes"): one.mask,
        (INSIDE, "line"): _discs(one, True),
        (OUTSIDE, "line"): _discs(one, False),
    }
    guides = [
        {"mask": base64.b64encode(masks.encode(mask)).decode(), "colour": colour, "style": style}
        for (colour, style), mask in drawn.items()
    ]
    return {"z": one.z, "label": labels.get(one.label), "guides": guides}


def _discs(one: Worst, positive: bool) -> NDArray[np.bool_]:
    y, x = np.indices(one.mask.shape) + 0.5
    discs = np.zeros(one.mask.shape, bool)
    for column, row, is_inside, _ in one.clicks:
        if is_inside == positive:
            discs |= np.hypot(x - column, y - row) <= DISC
    return discs


def _mask(runs: list[list[int]], series: Series) -> NDArray[np.bool_]:
    """The pixels [first, end) of the flattened slice as a mask [y, x]."""
    flat = np.zeros(series.height * series.width, bool)
    for first, end in runs:
        flat[first:end] = True
    return flat.reshape(series.height, series.width)


def _view(area: NDArray[np.bool_], spacing: tuple[float, float]) -> str:
    """An SVG's viewBox in mm: a square around the area, or the slice where that is smaller."""
    (y0, y1), (x0, x1) = (
        (found[0] * step, (found[-1] + 1) * step)
        for found, step in zip((np.flatnonzero(area.any(1)), np.flatnonzero(area.any(0))), spacing, strict=True)
    )
    height, width = (edge * step for edge, step in zip(area.shape, spacing, strict=True))
    side = min((1 + 2 * MARGIN) * max(y1 - y0, x1 - x0, 20), height, width)
    left = min(max((x0 + x1 - side) / 2, 0), width - side)
    top = min(max((y0 + y1 - side) / 2, 0), height - side)
    return f"{left:.2f} {top:.2f} {side:.2f} {side:.2f}"


def _path(area: NDArray[np.bool_]) -> str:
    """An SVG path that fills the area, a rectangle for each run of pixels in a row."""
    return "".join(f"M{x0} {y}h{x1 - x0}v1h{x0 - x1}z" for y, x0, x1 in _rows(area))


def _rows(area: NDArray[np.bool_]) -> Iterator[tuple[int, int, int]]:
    for y in np.flatnonzero(area.any(1)):
        edges = np.flatnonzero(np.diff(area[y].astype(np.int8), prepend=0, append=0))
        for x0, x1 in edges.reshape(-1, 2).tolist():
            yield int(y), x0, x1
