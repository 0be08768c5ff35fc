"""python -m segmodel train"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..dataset import DatasetError
from . import arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..checkpoint import Checkpoint
    from ..dataset import Dataset


def add(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser("train", help="train a network on labelled volumes")
    arguments.preparation(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint and the log")
    parser.add_argument("--minutes", type=float, help="end (and fall to the lowest learning rate) after this time")
    arguments.device(parser)
    parser.add_argument(
        "--from", dest="start", metavar="MODEL", help="begin with the weights of default, or of a checkpoint file"
    )
    parser.add_argument(
        "--validate",
        type=arguments.whole,
        metavar="EVERY",
        help="at every save, Dice on one validation slice in so many",
    )
    parser.add_argument("--tensorboard", action="store_true", help="also write the log for TensorBoard")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out, which was broken off")
    return parser


def run(options: argparse.Namespace) -> None:
    from .. import checkpoint, preparation, training
    from ..processes import Processes
    from ..recipe import Recipe
    from . import prepare

    recipe = Recipe.load(options.recipe).changed(arguments.settings(options.set))
    start = checkpoint.load(options.start) if options.start else None
    processes = Processes.join(options.device)
    if processes.first:
        print(json.dumps(dataclasses.asdict(recipe), indent=1))
    parts = prepare.training_parts(options)
    with processes.first_alone():
        slices = prepare.prepared(parts, recipe, options).slices()
    provenance = preparation.provenance(parts, slices)
    if start:
        provenance["start"] = {"sha256": checkpoint.sha256(checkpoint.locate(options.start)), **start.provenance}
    try:
        file = training.train(
            recipe, slices, options.out, provenance, processes, options.minutes,
            validate=_validation([dataset for dataset, _ in parts], options.validate) if options.validate else None,
            watch=_tensorboard(options.out) if options.tensorboard and processes.first else None,
            start=start, resume=options.resume,
        )  # fmt: skip
    finally:
        processes.leave()
    if processes.first:
        print(f"Wrote {file}")


def _validation(datasets: Sequence[Dataset], every: int) -> Callable[[Checkpoint], dict[str, Any]]:
    """Mean Dice after one and five clicks on the validation patients."""
    from .. import evaluation
    from ..predictor import Predictor

    parts = [(dataset, dataset.part("validation")) for dataset in datasets]

    def validate(checkpoint: Checkpoint) -> dict[str, Any]:
        result = evaluation.evaluate(parts, Predictor(checkpoint), clicks=(1, 5), every=every, distances="none")
        return {"dice": result["mean"]["dice"]}

    return validate


def _tensorboard(out: Path) -> Callable[[dict[str, Any]], None]:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise DatasetError("TensorBoard is not installed here (pip install tensorboard).") from None
    writer = SummaryWriter(out / "tensorboard")

    def watch(line: dict[str, Any]) -> None:
        for name in ("loss", "step_s"):
            writer.add_scalar(name, line[name], line["step"])
        for k, value in (line.get("validation") or {}).get("dice", {}).items():
            writer.add_scalar(f"validation/dice@{k}", value, line["step"])

    return watch
