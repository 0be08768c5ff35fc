"""python -m segmodel train"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

from . import arguments


def add(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser("train", help="train a network on Decathlon-layout folders")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="Decathlon-layout folders")
    parser.add_argument("--recipe", default="default", help="default, paper, or a TOML file")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint and the log")
    parser.add_argument("--cache", type=Path, default=Path("data/cache"), help="folder for resampled slices")
    parser.add_argument("--minutes", type=float, help="end (and fall to the lowest learning rate) after this time")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="settings of the recipe, as JSON")
    parser.add_argument("--device", type=arguments.device, default="cpu", help="cpu, cuda, cuda:1 …")
    return parser


def run(options: argparse.Namespace) -> None:
    from .. import training
    from ..dataset import on_grid, read_decathlon
    from ..grid import Grid

    recipe = training.Recipe.load(options.recipe).changed(arguments.settings(options.set))
    print(json.dumps(dataclasses.asdict(recipe), indent=1))
    datasets = [read_decathlon(folder) for folder in options.data]
    parts = [(dataset, dataset.part("training")) for dataset in datasets]
    slices = on_grid(parts, Grid(recipe.spacing), recipe.size, recipe.merge, options.cache)
    provenance = {
        "data": {dataset.name: [case.name for case in cases] for dataset, cases in parts},
        "structures": list(slices.structures),
        "slices": len(slices.images),
    }
    file = training.train(recipe, slices, options.out, provenance, options.device, options.minutes)
    print(f"Wrote {file}")
