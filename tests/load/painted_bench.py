"""How clicks go on best from a mask that a person painted: with the mask, with clicks made of it, with both, with neither.

    python tests/load/painted_bench.py DATA … [--every 6]

Truths of the validation patients are spoilt as a hurried brush would leave them, then corrected by up to three clicks of the
paper's user. Prints the mean Dice as painted and after each click, for the structures of each data set together.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from segmodel import checkpoint, layouts
from segmodel.clicks import Click
from segmodel.dataset import LabelledSlice
from segmodel.evaluation import Mask, read_slices, shown
from segmodel.metrics import dice
from segmodel.predictor import EncodedSlice, Predictor
from segmodel.propagation import seeds
from segmodel.pseudo import spoil
from segmodel.simulation import paper_click

WAYS = {"neither": (False, False), "mask": (True, False), "clicks": (False, True), "both": (True, True)}
CLICKS = 3


def corrected(
    predictor: Predictor, encoded: EncodedSlice, item: LabelledSlice, truth: Mask, base: Mask, way: str
) -> Iterator[float]:
    """Dice as painted and after each click."""
    with_mask, with_clicks = WAYS[way]
    rng, pixel = np.random.default_rng(7), math.sqrt(math.prod(item.spacing))
    clicks: list[Click] = seeds(base, 2) if with_clicks else []
    mask = base
    yield dice(mask, truth)
    for _ in range(CLICKS):
        click = paper_click(truth, mask, rng, pixel)
        if click is not None:
            clicks.append(click)
            mask = predictor.predict(encoded, clicks, base if with_mask else None).mask
        yield dice(mask, truth)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--every", type=int, default=6)
    options = parser.parse_args()
    predictor = Predictor(checkpoint.load("default"))
    scores: dict[tuple[str, str], list[list[float]]] = defaultdict(list)
    for dataset in map(layouts.read, options.data):
        for case in dataset.part("validation"):
            for item in read_slices(case, options.every).items:
                encoded = predictor.encode(item.image, item.spacing)
                for name, truth in shown(item, dataset):
                    rng = np.random.default_rng([1, *f"{item.case}/{item.z}/{name}".encode()])
                    base = spoil(truth, rng)
                    for way in WAYS if base.any() else ():
                        scores[dataset.name, way].append(list(corrected(predictor, encoded, item, truth, base, way)))
    for (name, way), rows in scores.items():
        print(f"{name:12} {way:8} {len(rows):4} truths", *(f"{score:.3f}" for score in np.mean(rows, axis=0)))


if __name__ == "__main__":
    main()
