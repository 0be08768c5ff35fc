"""make bench-peers: our masks beside those of other methods, on the same slices and with the same simulated clicks.

Every method has a folder of its own in --out with its weights (where it is trained here) and its report.json. A method with a
report is not run again, so an interrupted run goes on where it was. docs/peers.md says what is compared, and how fairly.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from segmodel import checkpoint, evaluation, layouts, report, training
from segmodel.dataset import SPLITS, Case, Dataset, DatasetError, GridSlices
from segmodel.files import write_whole
from segmodel.grid import Grid
from segmodel.predictor import Predictor
from segmodel.preparation import on_grid
from segmodel.recipe import RECIPES, Recipe
from tests.peers import classical, steps

CLICKS = evaluation.CLICKS
DEEPGROW_PASSES = 15  # K by default


@dataclass(frozen=True)
class Bench:
    """What all methods have in common."""

    datasets: Sequence[Dataset]
    out: Path
    cache: Path
    split: str
    every: int
    minutes: float
    width: int  # of the paper's network

    @property
    def recipe(self) -> Recipe:
        """The recipe of the shipped weights, ended by the clock."""
        return Recipe.load("default").changed({"steps": 10**9})

    def settings(self) -> dict[str, Any]:
        """What the reports of one folder must agree in."""
        data = {dataset.name: [case.name for case in cases] for dataset, cases in self.parts(self.split)}
        files = {"ours": checkpoint.DEFAULT, "recipe": RECIPES / "default.toml"}
        chosen = {name: getattr(self, name) for name in ("split", "every", "minutes", "width")}
        return {"cases": data, **chosen, **{name: checkpoint.sha256(file) for name, file in files.items()}}

    def parts(self, split: str) -> list[tuple[Dataset, tuple[Case, ...]]]:
        return [(dataset, dataset.part(split)) for dataset in self.datasets]

    def training_slices(self, spacing: float, size: int) -> GridSlices:
        recipe = self.recipe
        return on_grid(
            self.parts("training"), Grid(spacing), size, recipe.merge, self.cache, leave_out=recipe.leave_out
        )

    def weights(self, method: str) -> Path:
        return self.out / method / "model.safetensors"


# ------------------------------------------------------------------------------------------------------ the methods


def ours(bench: Bench, method: str) -> Predictor:
    return Predictor(checkpoint.load())


def ours_in_minutes(bench: Bench, method: str) -> Predictor:
    """Our network and recipe from nothing, with the time that the others have."""
    return trained(bench, method, bench.recipe)


def paper(bench: Bench, method: str) -> Predictor:
    """The paper's network with our recipe: at the paper's own 1 mm, width 64 and batch 16 minutes would be one step."""
    changes = {"architecture": {"name": "unet", "width": bench.width}, "previous_mask": 0.0, "start_masks": 0.0}
    return trained(bench, method, bench.recipe.changed(changes))


def deepgrow(bench: Bench, method: str) -> Any:
    from tests.peers import deepgrow

    file, recipe = bench.weights(method), bench.recipe
    if not file.exists():
        slices = bench.training_slices(deepgrow.SPACING, 512)
        deepgrow.train(slices, recipe.window, recipe.images, recipe.passes, bench.minutes).save(file)
    return deepgrow.DeepGrow(checkpoint.load(file))


def seeded(bench: Bench, method: str) -> classical.Seeded:
    return classical.METHODS[method]()


METHODS: dict[str, Callable[[Bench, str], Any]] = {
    "ours": ours,
    "ours-in-minutes": ours_in_minutes,
    "paper-unet": paper,
    "deepgrow": deepgrow,
    **dict.fromkeys(classical.METHODS, seeded),
}


def trained(bench: Bench, method: str, recipe: Recipe) -> Predictor:
    """The predictor of a network that our trainer made in `minutes`; a training that was cut short counts for nothing."""
    file, unfinished = bench.weights(method), bench.out / method / "unfinished"
    if not file.exists():
        shutil.rmtree(unfinished, ignore_errors=True)
        slices = bench.training_slices(recipe.spacing, recipe.size)
        began = time.monotonic()
        made = training.train(recipe, slices, unfinished, {"minutes": bench.minutes}, minutes=bench.minutes)
        if time.monotonic() - began < 60 * bench.minutes:  # Ctrl-C ends a training in good order
            raise KeyboardInterrupt
        os.replace(made, file)
    return Predictor(checkpoint.load(file))


# ---------------------------------------------------------------------------------------------------------- the run


def agree_on_settings(bench: Bench) -> None:
    """Keeps the settings of a new folder. Raises DatasetError where a folder was begun with others."""
    file, settings = bench.out / "settings.json", bench.settings()
    if file.exists():
        begun = json.loads(file.read_text())
        others = [name for name, value in settings.items() if begun.get(name) != value]
        if others:
            raise DatasetError(
                f"{bench.out} was begun with another setting of {', '.join(others)}; choose a new folder."
            )
    write_whole(file, json.dumps(settings, indent=1) + "\n")


def make_report(bench: Bench, method: str) -> None:
    """The method's report in its folder; nothing to do where there is one."""
    folder = bench.out / method
    if (folder / "report.json").exists():
        return
    print(f"{method} …", flush=True)
    predictor = METHODS[method](bench, method)
    result = evaluation.evaluate(
        bench.parts(bench.split), predictor, clicks=CLICKS, every=bench.every, distances="none"
    )
    report.write_report({**result, "method": method, **bench.settings(), **machine()}, folder)


def finished(bench: Bench) -> dict[str, dict[str, Any]]:
    """All reports of the folder, in the order of METHODS."""
    files = {method: bench.out / method / "report.json" for method in METHODS}
    return {method: json.loads(file.read_text()) for method, file in files.items() if file.exists()}


def steps_of(bench: Bench, count: int) -> list[dict[str, Any]]:
    """`count` or more timed steps of every loop; measured where the folder has fewer."""
    file = bench.out / "steps.json"
    kept = json.loads(file.read_text()) if file.exists() else []
    if not kept or len(kept[0]["seconds"]["deepgrow"]) < count:
        slices = bench.training_slices(bench.recipe.spacing, bench.recipe.size)
        asked = (bench.recipe.passes, DEEPGROW_PASSES)
        kept = [steps.measure(slices, bench.recipe, k, count) for k in asked]
        write_whole(file, json.dumps(kept, indent=1) + "\n")
    return kept


def machine() -> dict[str, Any]:
    return {"threads": torch.get_num_threads(), "processor": platform.machine(), "torch": torch.__version__}


def table(reports: dict[str, dict[str, Any]]) -> str:
    """Methods by clicks, and at which numbers of clicks each is level with or ahead of ours."""
    lines = [
        "| method | " + " | ".join(f"Dice@{k}" for k in CLICKS) + " | NoC@85 | ms per click | not behind ours at |"
    ]
    lines.append("|---|" + "---:|" * (len(CLICKS) + 2) + "---|")
    ours = reports.get("ours", {}).get("mean", {}).get("dice", {})
    for method, result in reports.items():
        dice = result["mean"]["dice"]
        level = [str(k) for k in CLICKS if ours and method != "ours" and dice[str(k)] >= ours[str(k)]]
        scores = " | ".join(f"{dice[str(k)]:.3f}" for k in CLICKS)
        figures = f"{scores} | {result['mean']['noc']['85']:.1f} | {result['ms_per_click']:.0f}"
        lines.append(f"| {method} | {figures} | {', '.join(level) or '–'} |")
    return "\n".join(lines)


def structures_table(reports: dict[str, dict[str, Any]], clicks: int = 3) -> str:
    """Structures by methods, after so many clicks."""
    lines = [f"| Dice@{clicks} | slices | " + " | ".join(reports) + " |", "|---|" + "---:|" * (len(reports) + 1)]
    for name, figures in next(iter(reports.values()))["structures"].items():
        scores = " | ".join(f"{r['structures'][name]['dice'][str(clicks)]:.3f}" for r in reports.values())
        lines.append(f"| {name} | {figures['count']} | {scores} |")
    return "\n".join(lines)


def methods(text: str) -> list[str]:
    chosen = text.split(",")
    if unknown := [name for name in chosen if name not in METHODS]:
        raise argparse.ArgumentTypeError(f"no method {', '.join(unknown)}; there are {', '.join(METHODS)}")
    return chosen


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders or dataset files (docs/data.md)")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights, reports and the table")
    parser.add_argument("--split", choices=SPLITS, default="validation", help="test for final figures")
    parser.add_argument("--every", type=int, default=8, help="take one labelled slice in so many")
    parser.add_argument("--minutes", type=float, default=12, help="of training for each method that is trained here")
    parser.add_argument("--methods", type=methods, default=list(METHODS), help=", ".join(METHODS))
    parser.add_argument("--steps", type=int, default=0, help="also time so many training steps of ours and DeepGrow's")
    parser.add_argument("--width", type=int, default=16, help="of the paper's network, whose own is 64")
    parser.add_argument("--cache", type=Path, default=Path("data/cache"), help="folder for resampled slices")
    options = parser.parse_args(arguments)
    try:
        run(options)
    except ValueError as error:
        print(f"bench-peers: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted; the same command goes on with what is not finished.", file=sys.stderr)
        return 130
    return 0


def run(options: argparse.Namespace) -> None:
    datasets = [layouts.read(source) for source in options.data]
    common = (options.cache, options.split, options.every, options.minutes, options.width)
    bench = Bench(datasets, options.out, *common)
    agree_on_settings(bench)
    for method in options.methods:
        make_report(bench, method)
    reports = finished(bench)
    text = table(reports) + "\n\n" + structures_table(reports) + "\n"
    if options.steps:
        text += "\n" + steps.table(steps_of(bench, options.steps)) + "\n"
    write_whole(bench.out / "table.md", text)
    write_whole(bench.out / "table.json", json.dumps(reports, indent=1) + "\n")
    print("\n" + text)


if __name__ == "__main__":
    sys.exit(main())
