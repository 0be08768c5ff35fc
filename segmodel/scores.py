"""Figures of an evaluation: from one record for every structure of every slice to means, spreads and intervals.

A figure of a structure is a mean over the slices of a patient, then over patients, so that a long patient counts no more
than a short one. Its SD is that of the patients' means; its interval is the 95 % percentile bootstrap over patients. A
figure that does not exist (a distance to an empty mask, an SD of one patient) is None and left out of the mean above it.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .distances import Distances
from .metrics import iou_of_dice

NOC_CAP = 20
NOC_TARGETS = (80, 85, 90)
RESAMPLES = 2000

T = TypeVar("T")

Figures = dict[tuple[str, str], float]  # (kind, click number or target) → value, NaN where there is none


class ComparisonError(ValueError):
    """Two reports that cannot be compared; the message is one sentence."""


@dataclass(frozen=True)
class Record:
    """One structure on one slice of one case: `dice[k - 1]` and the model's own estimate of it after k clicks.

    `distances[k]` are those in the slice, after the reported clicks; none were measured where it is empty.
    """

    structure: str
    case: str
    z: int
    dice: tuple[float, ...]
    quality: tuple[float, ...] = ()
    distances: Mapping[int, Distances] = field(default_factory=dict)
    patient: str = ""

    @property
    def whose(self) -> str:
        """The patient; the case where it is not known who that is."""
        return self.patient or self.case

    @property
    def key(self) -> tuple[str, str, int]:
        return self.structure, self.case, self.z

    def clicks_to(self, target: float) -> int:
        """Number of clicks until Dice ≥ target, `NOC_CAP` where it is never reached (NoC@target)."""
        return next((k for k, value in enumerate(self.dice[:NOC_CAP], 1) if value >= target), NOC_CAP)

    def to_json(self) -> dict[str, Any]:
        return {
            "structure": self.structure,
            "case": self.case,
            "z": self.z,
            "dice": self.dice,
            "quality": [_known(value) for value in self.quality],
            "distances": _distances_to_json(self.distances),
            "patient": self.patient,
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Record:
        """Raises KeyError, TypeError or ValueError where `row` is not what `to_json` gives."""
        quality = tuple(math.nan if value is None else float(value) for value in row["quality"])
        distances = _distances_from_json(row["distances"])
        scores = tuple(float(value) for value in row["dice"])
        patient = str(row.get("patient", ""))  # older reports have none
        return cls(str(row["structure"]), str(row["case"]), int(row["z"]), scores, quality, distances, patient)


@dataclass(frozen=True)
class VolumeRecord:
    """One structure of one patient, all its slices together: `dice[k]` and 3-D `distances[k]` after k clicks a slice."""

    structure: str
    case: str
    slices: int
    dice: Mapping[int, float]
    distances: Mapping[int, Distances]
    patient: str = ""

    @property
    def whose(self) -> str:
        return self.patient or self.case

    def to_json(self) -> dict[str, Any]:
        return {
            "structure": self.structure,
            "case": self.case,
            "slices": self.slices,
            "dice": {str(k): value for k, value in self.dice.items()},
            "distances": _distances_to_json(self.distances),
            "patient": self.patient,
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> VolumeRecord:
        """Raises KeyError, TypeError or ValueError where `row` is not what `to_json` gives."""
        scores = {int(k): float(value) for k, value in row["dice"].items()}
        distances = _distances_from_json(row["distances"])
        named = str(row["structure"]), str(row["case"])
        return cls(*named, int(row["slices"]), scores, distances, str(row.get("patient", "")))


def _distances_to_json(distances: Mapping[int, Distances]) -> dict[str, list[float | None]]:
    return {str(k): [_known(value) for value in d] for k, d in distances.items()}


def _distances_from_json(row: Mapping[str, Any]) -> dict[int, Distances]:
    """An unknown one is that of an empty mask, infinite."""
    return {int(k): Distances(*(math.inf if v is None else float(v) for v in d)) for k, d in row.items()}


def report(
    records: Sequence[Record], clicks: Sequence[int], volumes: Sequence[VolumeRecord] = (), seed: int = 4242
) -> dict[str, Any]:
    """`structures.<name>` and `mean`, the mean of the structures, after each of `clicks`.

    Both hold `dice.<k>`, `iou.<k>`, `noc.<q>`, `never.<q>` (share of slices that never reach q), where distances were
    measured `hd.<k>`, `hd95.<k>`, `masd.<k>` (mm) and `empty.<k>` (share of slices whose empty mask has none), and
    `interval.<kind>.<k>`: [low, high]. A structure also has `count` (slices), `patients`, `sd`, `per_patient` and
    `quality`. `volume` holds the same of the volumes. `quality` compares the model's estimate of Dice with Dice.
    """
    result = aggregate(((r.structure, r.whose, _of_slice(r, clicks)) for r in records), seed)
    for name, figures in result["structures"].items():
        figures["quality"] = quality([r for r in records if r.structure == name], clicks)
    if volumes:
        together = aggregate(((v.structure, v.whose, _of_volume(v)) for v in volumes), seed)
        result["mean"]["volume"] = together["mean"]
        for name, figures in together["structures"].items():
            result["structures"][name]["volume"] = figures
    return {**result, "quality": quality(records, clicks)}


def compare(a: Sequence[Record], b: Sequence[Record], clicks: Sequence[int], seed: int) -> dict[str, Any]:
    """The paired difference b − a of Dice and NoC as `aggregate` gives it, over the slices that both have.

    Raises ComparisonError where they share none.
    """
    others = {record.key: record for record in b}
    pairs = [(record, others[record.key]) for record in a if record.key in others]
    if not pairs:
        raise ComparisonError("The reports share no slice of any patient.")
    rows = []
    for first, second in pairs:
        before, after = _of_slice(first, clicks), _of_slice(second, clicks)
        difference = {cell: after[cell] - before[cell] for cell in before if cell[0] in ("dice", "noc")}
        rows.append((first.structure, first.whose, difference))
    return aggregate(rows, seed)


def curves(records: Sequence[Record], seed: int) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Of every structure the Dice after 1, 2, 3 … clicks: `mean`, `low` and `high` (NaN with one patient)."""
    rows = ((r.structure, r.whose, {("dice", str(k)): value for k, value in enumerate(r.dice, 1)}) for r in records)
    result = {}
    for name, figures in aggregate(rows, seed)["structures"].items():
        ends = [figures["interval"]["dice"][k] or (math.nan, math.nan) for k in figures["dice"]]
        low, high = np.array(ends).T
        result[name] = {"mean": np.array(list(figures["dice"].values())), "low": low, "high": high}
    return result


def aggregate(rows: Iterable[tuple[str, str, Figures]], seed: int) -> dict[str, Any]:
    """`structures` and their `mean` of rows (structure, patient, figures)."""
    grouped: dict[str, dict[str, list[Figures]]] = defaultdict(lambda: defaultdict(list))
    for structure, patient, figures in rows:
        grouped[structure][patient].append(figures)
    patients = {
        name: {patient: _over(members, _mean) for patient, members in sorted(group.items())}
        for name, group in sorted(grouped.items())
    }
    structures = {name: _of_structure(grouped[name], means, seed) for name, means in patients.items()}
    return {"structures": structures, "mean": _of_all(patients, seed)}


def interval(table: NDArray[np.float64], seed: int) -> list[float] | None:
    """95 % bootstrap interval over the rows of [patients, structures] of the mean over rows, then over columns.

    NaN cells are left out, and so is a draw in which no patient shows one of the structures: its mean would be of others.
    None where a structure has fewer than two patients, who say nothing of a spread.
    """
    known = np.isfinite(table)
    table = table[known.any(axis=1)][:, known.any(axis=0)]
    if not table.size or np.isfinite(table).sum(axis=0).min() < 2:
        return None
    drawn = table[np.random.default_rng(seed).integers(len(table), size=(RESAMPLES, len(table)))]
    shown = np.isfinite(drawn)
    with np.errstate(invalid="ignore"):  # 0 / 0 of a structure that is not shown is NaN
        draws = (np.where(shown, drawn, 0).sum(axis=1) / shown.sum(axis=1)).mean(axis=1)
    draws = draws[np.isfinite(draws)]
    return [float(limit) for limit in np.percentile(draws, [2.5, 97.5])] if len(draws) else None


def quality(records: Sequence[Record], clicks: Sequence[int]) -> dict[str, Any]:
    """`mae.<k>` and `r.<k>` (Pearson) of the estimated against the true Dice, slice by slice; `all` of them together."""
    pairs = {
        str(k): [(r.quality[k - 1], r.dice[k - 1]) for r in records if r.quality and math.isfinite(r.quality[k - 1])]
        for k in clicks
    }
    pairs["all"] = [pair for members in pairs.values() for pair in members]
    mae = {k: _known(_mean([abs(estimate - true) for estimate, true in members])) for k, members in pairs.items()}
    return {"mae": mae, "r": {k: _correlation(members) for k, members in pairs.items()}}


def _correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    try:
        return statistics.correlation(*zip(*pairs, strict=True))
    except (statistics.StatisticsError, TypeError):  # fewer than two pairs, or one side all alike
        return None


def _of_slice(record: Record, clicks: Sequence[int]) -> Figures:
    figures: Figures = {}
    figures |= {("dice", str(k)): record.dice[k - 1] for k in clicks}
    figures |= {("iou", str(k)): iou_of_dice(record.dice[k - 1]) for k in clicks}
    figures |= {("noc", str(q)): record.clicks_to(q / 100) for q in NOC_TARGETS}
    figures |= {("never", str(q)): float(max(record.dice[:NOC_CAP]) < q / 100) for q in NOC_TARGETS}
    return figures | _of_distances(record.distances)


def _of_volume(volume: VolumeRecord) -> Figures:
    figures: Figures = {("dice", str(k)): value for k, value in volume.dice.items()}
    figures |= {("iou", str(k)): iou_of_dice(value) for k, value in volume.dice.items()}
    return figures | _of_distances(volume.distances)


def _of_distances(distances: Mapping[int, Distances]) -> Figures:
    figures = {
        (kind, str(k)): value if math.isfinite(value) else math.nan
        for kind in Distances._fields
        for k, value in ((k, getattr(d, kind)) for k, d in distances.items())
    }
    return figures | {("empty", str(k)): float(math.isinf(d.hd)) for k, d in distances.items()}


def _of_structure(group: Mapping[str, Sequence[Figures]], means: Mapping[str, Figures], seed: int) -> dict[str, Any]:
    of_patients = list(means.values())
    return {
        "count": sum(len(members) for members in group.values()),
        "patients": len(means),
        **_nested(_over(of_patients, _mean)),
        "sd": _nested(_over(of_patients, _sd)),
        "interval": _nested(_over(of_patients, lambda values: interval(np.array(values)[:, None], seed))),
        "per_patient": {
            patient: {"count": len(group[patient]), **_nested(mean), "sd": _nested(_over(group[patient], _sd))}
            for patient, mean in means.items()
        },
    }


def _of_all(patients: Mapping[str, Mapping[str, Figures]], seed: int) -> dict[str, Any]:
    """The mean of the structures; its interval draws a patient with all the structures that the patient shows."""
    everyone = sorted({patient for means in patients.values() for patient in means})

    def drawn(cell: tuple[str, str]) -> list[float] | None:
        rows = [[means.get(p, {}).get(cell, math.nan) for means in patients.values()] for p in everyone]
        return interval(np.array(rows), seed)

    mean = _over([_over(list(means.values()), _mean) for means in patients.values()], _mean)
    return {**_nested(mean), "interval": _nested({cell: drawn(cell) for cell in mean})}


def _over(tables: Sequence[Figures], function: Callable[[list[float]], T]) -> dict[tuple[str, str], T]:
    """`function` of every cell's values, one of each table."""
    cells = dict.fromkeys(cell for table in tables for cell in table)
    return {cell: function([table.get(cell, math.nan) for table in tables]) for cell in cells}


def _nested(cells: Mapping[tuple[str, str], Any]) -> dict[str, dict[str, Any]]:
    """{kind: {key: value}}, None for NaN."""
    result: dict[str, dict[str, Any]] = {}
    for (kind, key), value in cells.items():
        result.setdefault(kind, {})[key] = _known(value)
    return result


def _known(value: Any) -> Any:
    """None for a number that JSON cannot hold."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return statistics.fmean(known) if known else math.nan


def _sd(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return statistics.stdev(known) if len(known) > 1 else math.nan
