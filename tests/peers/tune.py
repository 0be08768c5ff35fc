"""Chooses the settings of the classical methods on a few validation slices: one setting after the other, the best kept.

    .venv-peers/bin/python tests/peers/tune.py --data … [--every 40] [--methods grabcut]

Each starts from its defaults in `classical.py`, which are the best of several such rounds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from numpy.typing import NDArray

from segmodel import layouts
from segmodel.dataset import LabelledSlice
from segmodel.evaluation import CLICKS, User, read_slices, shown
from segmodel.metrics import dice
from tests.peers.classical import METHODS, Seeded

CHOICES: dict[str, Sequence[float]] = {
    "alike": (0, 0.04, 0.08),
    "margin": (30, 40, 60),
    "radius": (0, 2, 3, 5),
    "smoothing": (1.0, 1.5),
    "beta": (300, 1000, 3000, 10000, 30000),
    "core": (6, 10, 20),
    "rounds": (1, 3, 5),
    "edges": (16, 32, 64),
    "deviation": (0.05, 0.08),
    "contrast": (30, 100, 300),
}
Items = Sequence[tuple[LabelledSlice, str, NDArray[np.bool_]]]  # slice, structure, its mask


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--every", type=int, default=40)
    parser.add_argument("--methods", default=",".join(METHODS))
    options = parser.parse_args()
    items = [
        (item, *pair)
        for dataset in map(layouts.read, options.data)
        for case in dataset.part("validation")
        for item in read_slices(case, options.every).items
        for pair in shown(item, dataset)
    ]
    print(f"{len(items)} structures on slices")
    for name in options.methods.split(","):
        print(f"{name}: {tuned(METHODS[name](), items)}", flush=True)


def tuned(method: Seeded, items: Items) -> Seeded:
    best = score(method, items)
    print(f"  {best:.4f} {method}", flush=True)
    for setting in (f.name for f in fields(method)):
        for value in CHOICES[setting]:
            candidate = replace(method, **{setting: type(getattr(method, setting))(value)})
            if candidate == method:
                continue
            reached = score(candidate, items)
            print(f"  {reached:.4f} {candidate}", flush=True)
            if reached > best:
                best, method = reached, candidate
    return method


def score(method: Seeded, items: Items) -> float:
    """Dice: mean over the numbers of clicks of the table, then over slices, then over structures."""
    user, scores = User(method, "paper", seed=4242), defaultdict(list)
    for item, structure, truth in items:
        answers = user.outline(user.open(item), item, structure, truth, max(CLICKS))
        scores[structure].append(statistics.fmean(dice(answers[k - 1].mask, truth) for k in CLICKS))
    return statistics.fmean(map(statistics.fmean, scores.values()))


if __name__ == "__main__":
    main()
