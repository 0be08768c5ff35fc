"""python -m segmodel evaluate"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from ..dataset import SPLITS
from . import arguments


def add(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser("evaluate", help="simulated clicks on labelled volumes")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders or dataset files (docs/data.md)")
    parser.add_argument(
        "--split", choices=SPLITS, default="validation", help="part of the data; test for final figures"
    )
    parser.add_argument("--model", default="default", help="default, or a checkpoint file")
    parser.add_argument(
        "--clicks", type=arguments.numbers, default=(1, 2, 3, 5, 10, 15), help="report after these, e.g. 1,2,5"
    )
    parser.add_argument("--placement", choices=["paper", "centre"], default="paper")
    parser.add_argument("--seed", type=int, default=4242)
    parser.add_argument("--every", type=int, default=1, help="take one labelled slice in so many")
    parser.add_argument("--out", type=Path, required=True, help="folder for report.json")
    parser.add_argument("--record", action="store_true", help="also write the scores into the checkpoint's header")
    return parser


def run(options: argparse.Namespace) -> None:
    from .. import checkpoint, evaluation, layouts
    from ..predictor import Predictor

    loaded = checkpoint.load(options.model)
    datasets = [layouts.read(source) for source in options.data]
    parts = [(dataset, dataset.part(options.split)) for dataset in datasets]
    result = evaluation.evaluate(
        parts, Predictor(loaded), options.placement, options.clicks, options.seed, max(1, options.every)
    )
    described = {"split": options.split, "model": options.model, "command": options.command}
    evaluation.write_report({**result, **described}, options.out)
    if options.record:
        scores = {**described, "mean": result["mean"], "structures": result["structures"]}
        part = " + ".join(dataset.name for dataset, _ in parts) + f", {options.split}"
        dataclasses.replace(loaded, scores={**loaded.scores, part: scores}).save(checkpoint.locate(options.model))
    print(evaluation.table(result))
    print(f"median {result['ms_per_click']:.1f} ms per click, {result['encode_ms']:.1f} ms to encode a slice")
