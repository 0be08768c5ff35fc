"""Does it pay to label first what the model is unsure of? A simulation on data that are labelled already.

A small network learns from two patients; of the others, so many are chosen as a project's order would choose them, by the
network's own first guesses or at random; it learns from these too, always with the same steps; then it is evaluated on the
validation patients. Nothing but the choice differs.

    python tests/load/ranking_bench.py --data btcv --out ranking
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from segmodel import checkpoint, evaluation, layouts
from segmodel.dataset import Case, Dataset, read_case
from segmodel.first_guess import first_guess
from segmodel.grid import Grid
from segmodel.predictor import Predictor
from segmodel.preparation import on_grid
from segmodel.recipe import Recipe
from segmodel.training import train

CLICKS = (1, 2, 3, 5, 10)
SMALL = {"architecture": {"name": "encode_once", "width": 16, "click_width": 8}, "images": 4, "bfloat16": False}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--first-steps", type=int, default=350)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--chosen", type=int, default=3, help="patients that are labelled next")
    parser.add_argument("--random", type=int, default=3, help="random choices")
    parser.add_argument("--every", type=int, default=4)
    options = parser.parse_args()
    Simulation(options).run()


class Simulation:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.out = options, options.out
        self.dataset: Dataset = layouts.read(options.data)
        self.patients = sorted(self.dataset.part("training"), key=lambda case: case.name)
        self.recipe = Recipe.load("default").changed({**SMALL, "lesions": 0.0, "regions": 0.0})

    def run(self) -> None:
        first, pool = self.patients[:2], self.patients[2:]
        base = self._train("first", first, self.options.first_steps)
        guesses = {case.name: self._guess(base, case) for case in pool}
        found: dict[str, Any] = {"none": self._evaluate("none", base), "guesses": guesses}
        count = self.options.chosen
        orders: dict[str, Sequence[Case]] = {
            "quality": sorted(pool, key=lambda case: guesses[case.name][0])[:count],
            "disagreement": sorted(pool, key=lambda case: -guesses[case.name][1])[:count],
        }
        for seed in range(self.options.random):
            chosen = np.random.default_rng(seed).choice(len(pool), count, replace=False)
            orders[f"random {seed + 1}"] = [pool[i] for i in sorted(chosen)]
        for name, chosen in orders.items():
            model = self._train(name, [*first, *chosen], self.options.steps, base)
            found[name] = {**self._evaluate(name, model), "patients": [case.name for case in chosen]}
            (self.out / "figures.json").write_text(json.dumps(found, indent=1))
            print(row(name, found[name]), flush=True)

    def _train(self, name: str, cases: Iterable[Case], steps: int, base: Path | None = None) -> Path:
        out, recipe = self.out / name, self.recipe.changed({"steps": steps, "learning_rate": 4e-4 if base else 1e-3})
        if (out / "model.safetensors").exists():
            return out / "model.safetensors"
        slices = on_grid([(self.dataset, list(cases))], Grid(recipe.spacing), recipe.size, {}, self.out / "cache")
        return train(recipe, slices, out, {}, start=checkpoint.load(base) if base else None)

    def _guess(self, model: Path, case: Case) -> tuple[float, float]:
        volume, _ = read_case(case)
        spacing = (float(volume.spacing[1]), float(volume.spacing[2]))
        found = first_guess(Predictor(checkpoint.load(model)), lambda z: volume.voxels[z], len(volume.voxels), spacing)
        assert found is not None
        return tuple(found)

    def _evaluate(self, name: str, model: Path) -> dict[str, Any]:
        parts = [(self.dataset, self.dataset.part("validation"))]
        predictor = Predictor(checkpoint.load(model))
        result = evaluation.evaluate(parts, predictor, clicks=CLICKS, every=self.options.every, distances="none")
        return {"dice": {k: round(value, 4) for k, value in result["mean"]["dice"].items()}}


def row(name: str, figures: dict[str, Any]) -> str:
    return f"| {name} | " + " | ".join(f"{value:.3f}" for value in figures["dice"].values()) + " |"


if __name__ == "__main__":
    main()
