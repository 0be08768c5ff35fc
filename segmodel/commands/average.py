"""python -m segmodel average"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add(commands: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        "average", help="one model whose weights are the mean of several, e.g. of one and its fine-tuned child"
    )
    parser.add_argument("models", nargs="+", help="checkpoint files, or default")
    parser.add_argument("--shares", type=float, nargs="+", help="of each model; equal if left out")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint file to write; calibrate it next")
    return parser


def run(options: argparse.Namespace) -> None:
    from .. import averaging, checkpoint

    models = [checkpoint.load(model) for model in options.models]
    names = [f"{model} {checkpoint.sha256(checkpoint.locate(model))[:12]}" for model in options.models]
    averaging.mean(models, options.shares or [1.0] * len(models), names).save(options.out)
    print(f"{options.out} is the mean of {len(models)} models.")
