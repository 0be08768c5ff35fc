"""python -m segmodel experiment crossval | known | unknown | per-structure"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..dataset import SPLITS
from . import arguments

if TYPE_CHECKING:
    from ..experiments import Laboratory

KINDS = {
    "crossval": "k folds by patient × a list of K (figures 4 to 6)",
    "known": "structures that the training knew, on other data (table II)",
    "unknown": "structures that the training never saw (table II)",
    "per-structure": "every structure after five clicks a slice (tables III and IV, figure 8)",
}


def add(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser("experiment", help="one of the paper's experiments")
    parser.add_argument("kind", choices=KINDS, help="; ".join(f"{name}: {what}" for name, what in KINDS.items()))
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="data sets to train on (crossval: in folds)"
    )
    parser.add_argument("--on", type=Path, nargs="+", help="data sets to test on; those of --data if not given")
    parser.add_argument("--split", choices=SPLITS, default="test", help="part of the data to test on")
    parser.add_argument("--structures", nargs="+", metavar="NAME", help="known, unknown: what is asked for")
    parser.add_argument("--model", help="a model that is trained already: default, or a checkpoint file")
    parser.add_argument("--folds", type=int, default=5, help="crossval: number of folds")
    parser.add_argument("--passes", type=arguments.numbers, default=(1, 2, 5, 10, 15), help="crossval: list of K")
    parser.add_argument("--clicks", type=arguments.numbers, default=(1, 2, 5, 10, 15), help="report after these")
    parser.add_argument("--recipe", default="paper", help="default, paper, or a TOML file")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="settings of the recipe, as JSON")
    parser.add_argument("--steps", type=int, help="of each training; the recipe's if not given")
    parser.add_argument("--minutes", type=float, help="of each training, if its steps last longer")
    parser.add_argument("--fraction", type=_fraction, default=1.0, help="share of the labelled slices that is tested")
    parser.add_argument("--cache", type=Path, default=Path("data/cache"), help="folder for resampled slices")
    arguments.device(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder; what is finished in it is not done again")
    return parser


def _fraction(text: str) -> float:
    if not 0 < (share := float(text)) <= 1:
        raise argparse.ArgumentTypeError("a share above 0, at most 1")
    return share


def run(options: argparse.Namespace) -> None:
    from .. import experiments
    from ..processes import Processes
    from ..recipe import Recipe

    settings = arguments.settings(options.set) | ({"steps": options.steps} if options.steps is not None else {})
    processes = Processes.join(options.device)
    recipe = Recipe.load(options.recipe).changed(settings)
    every = max(1, round(1 / options.fraction))
    lab = experiments.Laboratory(options.out, recipe, options.cache, options.clicks, processes, options.minutes, every)
    try:
        found = _made(options, lab)
    finally:
        processes.leave()
    if processes.first:
        print(experiments.write(found, lab, options.command))
        print(f"Wrote {options.out / 'report.md'}")


def _made(options: argparse.Namespace, lab: Laboratory) -> dict[str, Any]:
    from .. import experiments, layouts

    data = [layouts.read(source) for source in options.data]
    if options.kind == "crossval":
        return experiments.crossval(lab, data, options.folds, options.passes)
    training = [] if options.model else [(dataset, dataset.part("training")) for dataset in data]
    tested = [layouts.read(source) for source in options.on] if options.on else data
    on = [(dataset, dataset.part(options.split)) for dataset in tested]
    if options.kind == "per-structure":
        return experiments.per_structure(lab, training, on, options.model)
    if not options.structures:
        raise experiments.ExperimentError("Name the structures that are asked for with --structures.")
    known = options.kind == "known"
    return experiments.transfer(lab, training, on, options.structures, known, options.model)
