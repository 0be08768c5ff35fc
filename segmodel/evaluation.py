"""How good the masks are after 1, 2, 3 … simulated clicks, on whole slices at their own resolution."""

from __future__ import annotations

import json
import math
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from .clicks import Click
from .dataset import Case, Dataset, DatasetError, LabelledSlice, labelled_slices
from .interaction import interact
from .metrics import dice
from .predictor import Predictor
from .simulation import PLACEMENTS

NOC_CAP = 20
NOC_TARGETS = (80, 85, 90)


@dataclass(frozen=True)
class Record:
    """One structure on one slice of one patient: `dice[k - 1]` after k clicks."""

    structure: str
    case: str
    z: int
    dice: tuple[float, ...]

    def clicks_to(self, target: float) -> int:
        """Number of clicks until Dice ≥ target, `NOC_CAP` where it is never reached (NoC@target)."""
        return next((k for k, value in enumerate(self.dice[:NOC_CAP], 1) if value >= target), NOC_CAP)


class Evaluator:
    """Runs the click loop over slices and keeps the times of the network (ms)."""

    def __init__(self, predictor: Predictor, placement: str, clicks: int, seed: int) -> None:
        self.predictor, self.place, self.clicks, self.seed = predictor, PLACEMENTS[placement], clicks, seed
        self.encode_ms: list[float] = []
        self.click_ms: list[float] = []

    def evaluate(self, item: LabelledSlice, structures: dict[int, str]) -> Iterable[Record]:
        """A record for every structure that the slice shows."""
        started = time.perf_counter()
        encoded = self.predictor.encode(item.image, item.spacing)
        self.encode_ms.append(1000 * (time.perf_counter() - started))
        for value, name in structures.items():
            truth = item.label == value
            if not truth.any():
                continue
            scores: list[float] = []

            def predict(
                clicks: list[list[Click]], truth: NDArray[np.bool_] = truth, scores: list[float] = scores
            ) -> list[NDArray[np.bool_]]:
                started = time.perf_counter()
                mask = self.predictor.predict(encoded, clicks[0]).mask
                self.click_ms.append(1000 * (time.perf_counter() - started))
                scores.append(dice(mask, truth))
                return [mask]

            # of the record alone, so that adding patients or structures changes nobody else's clicks
            rng = np.random.default_rng([self.seed, *f"{item.case}/{item.z}/{name}".encode()])
            pixel = math.sqrt(item.spacing[0] * item.spacing[1])
            interact([truth], predict, self.place, self.clicks, [rng], pixel=pixel)
            yield Record(name, item.case, item.z, tuple(scores))


def evaluate(
    datasets: Sequence[tuple[Dataset, Sequence[Case]]],
    predictor: Predictor,
    placement: str = "paper",
    clicks: Sequence[int] = (1, 2, 3, 5, 10, 15),
    seed: int = 4242,
    every: int = 1,
) -> dict[str, Any]:
    """The report of these cases; `every` takes one labelled slice in so many. See `report` for its fields.

    Raises ValueError where the cases show no structure.
    """
    evaluator = Evaluator(predictor, placement, max(*clicks, NOC_CAP), seed)
    records: list[Record] = []
    for dataset, cases in datasets:
        for case in tqdm(cases, desc=f"evaluate {dataset.name}", unit="case"):
            for item in list(labelled_slices(case))[::every]:
                records += evaluator.evaluate(item, dataset.structures)
    if not records:
        raise DatasetError("The cases show none of their structures.")
    times = {
        "ms_per_click": statistics.median(evaluator.click_ms),
        "encode_ms": statistics.median(evaluator.encode_ms),
    }
    return {**report(records, clicks), **times, "placement": placement, "seed": seed}


def report(records: Sequence[Record], clicks: Sequence[int]) -> dict[str, Any]:
    """`structures.<name>.{count, patients, dice.<k>, noc.<q>, never.<q>}` and `mean` of them over the structures.

    Every figure is a mean over the slices of a patient, then over patients.
    """
    named: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        named[record.structure].append(record)
    structures = {name: _of_structure(members, clicks) for name, members in sorted(named.items())}
    mean = {
        kind: {
            k: statistics.fmean(s[kind][k] for s in structures.values()) for k in next(iter(structures.values()))[kind]
        }
        for kind in ("dice", "noc")
    }
    return {"structures": structures, "mean": mean}


def _of_structure(records: Sequence[Record], clicks: Sequence[int]) -> dict[str, Any]:
    patients: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        patients[record.case].append(record)

    def mean(figure: Any) -> float:
        return statistics.fmean(statistics.fmean(figure(r) for r in members) for members in patients.values())

    return {
        "count": len(records),
        "patients": len(patients),
        "dice": {str(k): mean(lambda r, k=k: r.dice[k - 1]) for k in clicks},
        "noc": {str(q): mean(lambda r, q=q: r.clicks_to(q / 100)) for q in NOC_TARGETS},
        "never": {str(q): mean(lambda r, q=q: max(r.dice[:NOC_CAP]) < q / 100) for q in NOC_TARGETS},
    }


def write_report(result: dict[str, Any], out: Path) -> None:
    """`out/report.json`, whole or not at all."""
    out.mkdir(parents=True, exist_ok=True)
    temporary = out / "report.json.partial"
    temporary.write_text(json.dumps(result, indent=1) + "\n")
    temporary.rename(out / "report.json")


def table(result: dict[str, Any]) -> str:
    """The report as a Markdown table, structures by clicks."""
    clicks = list(result["mean"]["dice"])
    lines = ["| structure | slices | patients | " + " | ".join(f"Dice@{k}" for k in clicks) + " | NoC@85 |"]
    lines.append("|---|" + "---:|" * (len(clicks) + 3))
    for name, figures in result["structures"].items():
        scores = " | ".join(f"{figures['dice'][k]:.3f}" for k in clicks)
        lines.append(f"| {name} | {figures['count']} | {figures['patients']} | {scores} | {figures['noc']['85']:.1f} |")
    scores = " | ".join(f"{result['mean']['dice'][k]:.3f}" for k in clicks)
    lines.append(f"| **mean** | | | {scores} | {result['mean']['noc']['85']:.1f} |")
    return "\n".join(lines)
