"""python -m segmodel train | evaluate | predict: bad input gets one sentence and exit code 2."""

from __future__ import annotations

import argparse
import dataclasses
import json
import shlex
import sys
from pathlib import Path
from typing import Any

from .dataset import SPLITS, DatasetError


def main(arguments: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(arguments)
    options.command = shlex.join(["python", "-m", "segmodel", *arguments])
    try:
        options.run(options)
    except ValueError as error:  # every refusal of this package is a ValueError with a sentence for people
        print(f"segmodel: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"segmodel: {error.filename}: {error.strerror}.", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m segmodel", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")

    train = commands.add_parser("train", help="train a network on Decathlon-layout folders")
    train.set_defaults(run=_train)
    train.add_argument("--data", type=Path, nargs="+", required=True, help="Decathlon-layout folders")
    train.add_argument("--recipe", default="default", help="default, paper, or a TOML file")
    train.add_argument("--out", type=Path, required=True, help="folder for the checkpoint and the log")
    train.add_argument("--cache", type=Path, default=Path("data/cache"), help="folder for resampled slices")
    train.add_argument("--minutes", type=float, help="end (and fall to the lowest learning rate) after this time")
    train.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="settings of the recipe, as JSON")
    train.add_argument("--device", type=_device, default="cpu", help="cpu, cuda, cuda:1 …")

    evaluate = commands.add_parser("evaluate", help="simulated clicks on a Decathlon-layout folder")
    evaluate.set_defaults(run=_evaluate)
    evaluate.add_argument("--data", type=Path, nargs="+", required=True, help="Decathlon-layout folders")
    evaluate.add_argument(
        "--split", choices=SPLITS, default="validation", help="part of the data; test for final figures"
    )
    evaluate.add_argument("--model", default="default", help="default, or a checkpoint file")
    evaluate.add_argument(
        "--clicks", type=_numbers, default=(1, 2, 3, 5, 10, 15), help="report after these, e.g. 1,2,5"
    )
    evaluate.add_argument("--placement", choices=["paper", "centre"], default="paper")
    evaluate.add_argument("--seed", type=int, default=4242)
    evaluate.add_argument("--every", type=int, default=1, help="take one labelled slice in so many")
    evaluate.add_argument("--out", type=Path, required=True, help="folder for report.json")
    evaluate.add_argument("--record", action="store_true", help="also write the scores into the checkpoint's header")

    predict = commands.add_parser("predict", help="the mask of clicks on one slice of a volume")
    predict.set_defaults(run=_predict)
    predict.add_argument("volume", type=Path, help="NIfTI file, or a folder with one DICOM series")
    predict.add_argument("--slice", type=int, required=True, help="z of the stored volume, from feet to head")
    predict.add_argument("--foreground", type=_point, nargs="+", default=[], metavar="Y,X", help="clicks inside")
    predict.add_argument("--background", type=_point, nargs="*", default=[], metavar="Y,X", help="clicks outside")
    predict.add_argument("--model", default="default", help="default, or a checkpoint file")
    predict.add_argument("--out", type=Path, required=True, help="label volume, .nii.gz, in the volume's own geometry")
    return parser


def _numbers(text: str) -> tuple[int, ...]:
    values = tuple(int(part) for part in text.split(","))
    if min(values) < 1:
        raise argparse.ArgumentTypeError("clicks are counted from 1")
    return values


def _device(name: str) -> str:
    import torch

    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError):
        raise argparse.ArgumentTypeError(f"there is no device {name!r} here") from None
    return name


def _point(text: str) -> tuple[int, int]:
    y, x = (int(part) for part in text.split(","))
    return y, x


def _train(options: argparse.Namespace) -> None:
    from . import training
    from .dataset import on_grid, read_decathlon
    from .grid import Grid

    recipe = training.Recipe.load(options.recipe).changed(_settings(options.set))
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


def _evaluate(options: argparse.Namespace) -> None:
    from . import checkpoint, evaluation
    from .dataset import read_decathlon
    from .predictor import Predictor

    loaded = checkpoint.load(options.model)
    datasets = [read_decathlon(folder) for folder in options.data]
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


def _predict(options: argparse.Namespace) -> None:
    import numpy as np

    from . import checkpoint
    from .clicks import Click
    from .predictor import Predictor
    from .volumes import VolumeError, nifti, read

    volume = read(options.volume)
    depth = len(volume.voxels)
    if not 0 <= options.slice < depth:
        raise VolumeError(f"The volume has slices 0 to {depth - 1}, not {options.slice}.")
    predictor = Predictor(checkpoint.load(options.model))
    clicks = [Click(y, x, True) for y, x in options.foreground]
    clicks += [Click(y, x, False) for y, x in options.background]
    encoded = predictor.encode(volume.voxels[options.slice], volume.spacing[1:])
    labels = np.zeros(volume.voxels.shape, np.uint8)
    labels[options.slice] = predictor.predict(encoded, clicks)
    nifti.write_labels(options.out, labels, volume.geometry)
    print(f"Wrote {options.out}: {np.count_nonzero(labels)} pixels on slice {options.slice}")


def _settings(pairs: list[str]) -> dict[str, Any]:
    """{"steps": 10} of ["steps=10"]."""
    try:
        return {name: json.loads(value) for name, value in (pair.split("=", 1) for pair in pairs)}
    except (ValueError, json.JSONDecodeError):
        raise DatasetError("--set takes NAME=VALUE pairs, the values as JSON.") from None


if __name__ == "__main__":
    sys.exit(main())
