"""python -m segmodel train"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

from . import arguments


def add(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser("train", help="train a network on labelled volumes")
    arguments.preparation(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint and the log")
    parser.add_argument("--minutes", type=float, help="end (and fall to the lowest learning rate) after this time")
    parser.add_argument("--device", type=arguments.device, default="cpu", help="cpu, cuda, cuda:1 …")
    return parser


def run(options: argparse.Namespace) -> None:
    from .. import training
    from . import prepare

    recipe = training.Recipe.load(options.recipe).changed(arguments.settings(options.set))
    print(json.dumps(dataclasses.asdict(recipe), indent=1))
    parts = prepare.training_parts(options)
    slices = prepare.prepared(parts, recipe, options).slices()
    provenance = {
        "data": {dataset.name: [case.name for case in cases] for dataset, cases in parts},
        "structures": list(slices.structures),
        "slices": len(slices.images),
    }
    file = training.train(recipe, slices, options.out, provenance, options.device, options.minutes)
    print(f"Wrote {file}")
