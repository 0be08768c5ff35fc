"""python -m segmodel train"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..dataset import DatasetError, check_apart
from . import arguments

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..checkpoint import Checkpoint
    from ..dataset import Parts
    from ..progress import Progress
    from ..recipe import Recipe

SHOWN = (1, 3, 5)  # clicks of the preview


def add(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser("train", help="train a network on labelled volumes")
    arguments.preparation(parser)
    parser.add_argument(
        "--replay",
        type=Path,
        nargs="+",
        default=[],
        metavar="DATA",
        help="earlier data, mixed in by the recipe's replay",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint and the log")
    parser.add_argument("--minutes", type=float, help="end (and fall to the lowest learning rate) after this time")
    parser.add_argument(
        "--save-every", type=arguments.minutes, default=5.0, metavar="MINUTES", help="between two saves; default: 5"
    )
    arguments.device(parser)
    parser.add_argument(
        "--from", dest="start", metavar="MODEL", help="begin with the weights of default, or of a checkpoint file"
    )
    parser.add_argument(
        "--validate",
        type=arguments.whole,
        metavar="EVERY",
        help="before the first step and at every save, Dice on one validation slice in so many",
    )
    parser.add_argument(
        "--validate-on", type=Path, nargs="+", metavar="DATA", help="take the validation part of these, not of --data"
    )
    parser.add_argument("--picture", action="store_true", help="with --validate: draw one slice into preview.png")
    arguments.progress(parser)
    parser.add_argument("--tensorboard", action="store_true", help="also write the log for TensorBoard")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out, which was broken off")
    return parser


def run(options: argparse.Namespace) -> None:
    from .. import checkpoint, preparation, training
    from ..processes import Processes
    from ..progress import Progress
    from ..recipe import Recipe
    from . import prepare

    recipe = Recipe.load(options.recipe).changed(arguments.settings(options.set))
    _check(options, recipe)
    start = checkpoint.load(options.start) if options.start else None
    processes = Processes.join(options.device)
    progress = Progress(options.progress if processes.first else None)
    if processes.first:
        print(json.dumps(dataclasses.asdict(recipe), indent=1))
    new, old = prepare.training_parts(options.data), prepare.training_parts(options.replay)
    validation = _validation_parts(options, new, old)
    with processes.first_alone():
        ready = prepare.prepared([*new, *old], recipe, options, tell=progress.of("prepare"))
        slices = ready.slices(old=sum(len(cases) for _, cases in old))
    provenance = preparation.provenance(new, slices, old)
    if start:
        provenance["start"] = {"sha256": checkpoint.sha256(checkpoint.locate(options.start)), **start.provenance}
    try:
        file = training.train(
            recipe, slices, options.out, provenance, processes, options.minutes, options.save_every,
            validate=_validation(validation, options, progress) if validation else None,
            watch=_tensorboard(options.out) if options.tensorboard and processes.first else None,
            start=start, resume=options.resume, tell=progress.of("train"),
        )  # fmt: skip
    finally:
        processes.leave()
    if processes.first:
        print(f"Wrote {file}")


def _check(options: argparse.Namespace, recipe: Recipe) -> None:
    """What can be refused before anything is read."""
    recipe.check_replay(bool(options.replay))
    for name in ("picture", "validate_on"):
        if getattr(options, name) and not options.validate:
            raise DatasetError(f"--{name.replace('_', '-')} needs --validate.")


def _validation_parts(options: argparse.Namespace, new: Parts, old: Parts) -> Parts:
    """The validation cases, if any are wanted. Raises DatasetError where a patient is on two sides of different data sets."""
    from .. import layouts

    own, earlier = ([dataset for dataset, _ in parts] for parts in (new, old))
    others = [layouts.read(source) for source in options.validate_on or ()]
    check_apart(new, [*earlier, *others])
    check_apart(old, [*own, *others])
    return [(dataset, dataset.part("validation")) for dataset in others or own] if options.validate else []


def _validation(
    parts: Parts, options: argparse.Namespace, progress: Progress
) -> Callable[[Checkpoint], dict[str, Any]]:
    """Dice after one and five clicks on the validation patients: the mean, and by structure; and the picture, if wanted."""
    from .. import evaluation, plots
    from ..predictor import Predictor

    def validate(checkpoint: Checkpoint) -> dict[str, Any]:
        predictor = Predictor(checkpoint, options.device)
        result = evaluation.evaluate(
            parts, predictor, clicks=(1, 5), every=options.validate, distances="none", tell=progress.of("validate")
        )
        if options.picture:
            plots.preview(evaluation.first_slice(parts, predictor, max(SHOWN)), SHOWN, options.out / "preview.png")
        structures = {name: figures["dice"] for name, figures in result["structures"].items()}
        return {"dice": result["mean"]["dice"], "structures": structures}

    return validate


def _tensorboard(out: Path) -> Callable[[dict[str, Any]], None]:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise DatasetError("TensorBoard is not installed here (pip install tensorboard).") from None
    writer = SummaryWriter(out / "tensorboard")

    def watch(line: dict[str, Any]) -> None:
        for name in line.keys() & {"loss", "step_s"}:  # a validation before the first step has none
            writer.add_scalar(name, line[name], line["step"])
        for k, value in (line.get("validation") or {}).get("dice", {}).items():
            writer.add_scalar(f"validation/dice@{k}", value, line["step"])

    return watch
