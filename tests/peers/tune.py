"""Chooses the settings of the classical methods on a few validation slices: one setting after the other, the best kept.

    .venv-peers/bin/python tests/peers/tune.py --data … [--every 40] [--methods grabcut]

Its last line for each method is what `classical.py` has as defaults.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from segmodel.dataset import read_decathlon
from segmodel.evaluation import evaluate
from tests.peers.classical import METHODS, Seeded

CHOICES: dict[str, Sequence[float]] = {
    "alike": (0, 0.04, 0.08),
    "margin": (30, 40, 60, 90),
    "radius": (0, 1, 2, 3),
    "smoothing": (0.7, 1.0, 1.5),
    "beta": (100, 300, 1000, 3000, 10000),
    "core": (6, 10, 20),
    "rounds": (1, 3, 5),
    "edges": (8, 16, 32, 64),
    "deviation": (0.035, 0.05, 0.08),
    "contrast": (30, 100, 300),
}
CLICKS = (1, 2, 3, 5, 10, 15)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--every", type=int, default=40)
    parser.add_argument("--methods", default=",".join(METHODS))
    options = parser.parse_args()
    parts = [(d, d.part("validation")) for d in map(read_decathlon, options.data)]
    for name in options.methods.split(","):
        print(f"{name}: {tuned(METHODS[name](), parts, options.every)}", flush=True)


def tuned(method: Seeded, parts: Any, every: int) -> Seeded:
    best = score(method, parts, every)
    for setting in (f.name for f in fields(method)):
        for value in CHOICES[setting]:
            candidate = replace(method, **{setting: type(getattr(method, setting))(value)})
            if candidate == method:
                continue
            reached = score(candidate, parts, every)
            print(f"  {reached:.4f} {candidate}", flush=True)
            if reached > best:
                best, method = reached, candidate
    return method


def score(method: Seeded, parts: Any, every: int) -> float:
    """Mean Dice over all numbers of clicks of the table."""
    with Path(os.devnull).open("w") as silent, contextlib.redirect_stderr(silent):
        figures = evaluate(parts, method, clicks=CLICKS, every=every)["mean"]["dice"]
    return statistics.fmean(figures.values())


if __name__ == "__main__":
    main()
