"""python -m segmodel evaluate"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..dataset import ALL, SPLITS, DatasetError
from . import arguments

if TYPE_CHECKING:
    from ..dataset import Parts
    from ..predictor import Predictor
    from ..progress import Progress

SCORES = ("count", "patients", "dice", "noc", "never")  # what a checkpoint's header keeps of a structure
# what is for single slices alone, and what it is when not given
PER_SLICE = {
    "every": 1,
    "distances": "both",
    "previous": False,
    "record": False,
    "keep": None,
    "worst": 0,
    "plain": False,
}


def add(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser("evaluate", help="simulated clicks on labelled volumes")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders or dataset files (docs/data.md)")
    parser.add_argument(
        "--split", choices=(*SPLITS, ALL), default="validation", help="part of the data; test for final figures"
    )
    parser.add_argument("--model", default="default", help="default, or a checkpoint file")
    parser.add_argument(
        "--clicks", type=arguments.numbers, default=(1, 2, 3, 5, 10, 15), help="report after these, e.g. 1,2,5"
    )
    parser.add_argument("--placement", choices=["paper", "centre"], default="paper", help="random, or innermost")
    parser.add_argument("--seed", type=int, default=4242, help="of the paper's placement and the intervals")
    parser.add_argument("--every", type=arguments.whole, default=1, help="take one labelled slice in so many")
    parser.add_argument(
        "--distances", choices=["both", "slice", "volume", "none"], default="both", help="where surfaces are measured"
    )
    parser.add_argument("--previous", action="store_true", help="give the model its last mask as well")
    parser.add_argument(
        "--volume", action="store_true", help="one person, whole structures: 3-D Dice after --clicks clicks in all"
    )
    arguments.device(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder for report.json, report.md, records.csv, plots")
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FOLDER",
        help="keep finished cases there, and take those that an earlier try has kept",
    )
    parser.add_argument(
        "--worst", type=arguments.whole, default=0, metavar="N", help="write the N worst slices into worst.json as well"
    )
    parser.add_argument("--plain", action="store_true", help="draw nothing: report.json and records.csv alone")
    arguments.progress(parser)
    parser.add_argument("--record", action="store_true", help="also write the scores into the checkpoint's header")
    return parser


def run(options: argparse.Namespace) -> None:
    from .. import checkpoint, evaluation, layouts, report
    from ..predictor import Predictor
    from ..progress import Progress

    loaded = checkpoint.load(options.model)
    progress = Progress(options.progress)
    datasets = [layouts.read(source) for source in options.data]
    parts = [(dataset, dataset.part(options.split)) for dataset in datasets]
    predictor = Predictor(loaded, options.device)
    if options.volume:
        return _volumes(options, parts, predictor, progress)
    described = {"split": options.split, "model": options.model, "command": options.command}
    kept = evaluation.Kept(options.keep, checkpoint.sha256(checkpoint.locate(options.model))) if options.keep else None
    with report.folder(options.out) as partial:
        result = evaluation.evaluate(
            parts, predictor, options.placement, options.clicks, options.seed, options.every, options.distances,
            options.previous, kept, progress.of("evaluate"),
        )  # fmt: skip
        progress.say("report", 0.0)
        if options.worst:
            report.write_worst(evaluation.worst(parts, predictor, result, options.worst), partial)
        if options.plain:
            report.write_plain({**result, **described}, partial)
        else:
            report.write({**result, **described}, evaluation.examples(parts, predictor, result), partial)
    if options.record:
        scored = {name: {key: figures[key] for key in SCORES} for name, figures in result["structures"].items()}
        part = " + ".join(dataset.name for dataset in datasets) + f", {options.split}"
        scores = {**loaded.scores, part: {**described, "mean": result["mean"], "structures": scored}}
        dataclasses.replace(loaded, scores=scores).save(checkpoint.locate(options.model))
    print(report.table(result))
    print(f"median {result['ms_per_click']:.1f} ms per click, {result['encode_ms']:.1f} ms to encode a slice")


def _volumes(options: argparse.Namespace, parts: Parts, predictor: Predictor, progress: Progress) -> None:
    from .. import report, volume_user

    for name, unused in PER_SLICE.items():
        if getattr(options, name) != unused:
            raise DatasetError(f"--volume goes through whole structures and has no use for --{name}.")
    with report.folder(options.out) as partial:
        result = volume_user.evaluate_volumes(
            parts, predictor, options.placement, options.clicks, options.seed, tell=progress.of("evaluate")
        )
        described = {"split": options.split, "model": options.model, "command": options.command}
        report.write_volumes({**result, **described}, partial)
    print(report.volume_table(result))
