"""python -m segmodel calibrate"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from ..dataset import SPLITS
from . import arguments


def add(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        "calibrate", help="fit a model's estimate of its own Dice to patients that it was not trained on"
    )
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="labelled data sets")
    parser.add_argument("--split", choices=SPLITS, default="validation", help="part of the data")
    parser.add_argument("--model", type=Path, required=True, help="checkpoint file, whose header gets the calibration")
    parser.add_argument("--clicks", type=arguments.numbers, default=(1, 2, 3, 5, 10, 15), help="fit after these")
    parser.add_argument("--seed", type=int, default=4242)
    parser.add_argument("--every", type=arguments.whole, default=1, help="take one labelled slice in so many")
    arguments.device(parser)
    arguments.progress(parser)
    return parser


def run(options: argparse.Namespace) -> None:
    from .. import checkpoint, evaluation, layouts, report
    from ..predictor import Predictor
    from ..progress import Progress
    from ..quality import Calibration, fit

    loaded = checkpoint.load(options.model)
    datasets = [layouts.read(source) for source in options.data]
    parts = [(dataset, dataset.part(options.split)) for dataset in datasets]
    predictor = Predictor(dataclasses.replace(loaded, calibration=Calibration()), options.device)
    result = evaluation.evaluate(
        parts,
        predictor,
        "paper",
        options.clicks,
        options.seed,
        options.every,
        distances="none",
        tell=Progress(options.progress).of("calibrate"),
    )
    masks = [(r.quality[k - 1], k, r.dice[k - 1]) for r in report.read_records(result) for k in options.clicks]
    found = fit(*zip(*masks, strict=True))
    dataclasses.replace(loaded, calibration=found).save(options.model)
    before = sum(abs(expected - dice) for expected, _, dice in masks) / len(masks)
    after = sum(abs(found.estimate(expected, k) - dice) for expected, k, dice in masks) / len(masks)
    print(f"{found} from {len(masks)} masks: mean absolute error {before:.3f} before, {after:.3f} after")
