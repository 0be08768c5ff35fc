"""Arguments that several commands take."""

from __future__ import annotations

import argparse
import json
import math
import os
from pathlib import Path
from typing import Any

from ..dataset import DatasetError


def numbers(text: str) -> tuple[int, ...]:
    """(1, 2, 5) of "1,2,5"."""
    values = tuple(int(part) for part in text.split(","))
    if min(values) < 1:
        raise argparse.ArgumentTypeError("clicks and passes are counted from 1")
    return values


def whole(text: str) -> int:
    """A whole number from 1."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError("at least 1 is needed")
    return int(text)


def share(text: str) -> float:
    """A number from 0 to 1."""
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("a share is a number from 0 to 1")
    return value


def minutes(text: str) -> float:
    """A number of minutes from 0, fractions allowed."""
    value = float(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError("minutes are a number from 0")
    return value


def progress(parser: argparse.ArgumentParser) -> None:
    """Where the command says how far it has come."""
    parser.add_argument(
        "--progress", type=Path, metavar="FILE", help="write there as JSON, every half second, how far this has come"
    )


def preparation(parser: argparse.ArgumentParser) -> None:
    """What the commands take that bring data sets onto the grid of a recipe."""
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders or dataset files (docs/data.md)")
    parser.add_argument("--recipe", default="default", help="default, paper, or a TOML file")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="settings of the recipe, as JSON")
    parser.add_argument("--cache", type=Path, default=Path("data/cache"), help="folder for resampled slices")
    parser.add_argument(
        "--empty", type=share, default=0.0, help="share of the slices without structures to keep, 0 to 1"
    )
    parser.add_argument(
        "--workers",
        type=whole,
        default=len(os.sched_getaffinity(0)),
        help="processes that prepare; default: one a core",
    )


def device(parser: argparse.ArgumentParser) -> None:
    """Where the network runs."""
    parser.add_argument("--device", type=_device, default="cpu", help="cpu, cuda, cuda:1 …")


def _device(name: str) -> str:
    """The name of a device that is there."""
    import torch

    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError):
        raise argparse.ArgumentTypeError(f"there is no device {name!r} here") from None
    return name


def settings(pairs: list[str]) -> dict[str, Any]:
    """{"steps": 10} of ["steps=10"]. Raises DatasetError."""
    try:
        return {name: json.loads(value) for name, value in (pair.split("=", 1) for pair in pairs)}
    except (ValueError, json.JSONDecodeError):
        raise DatasetError("--set takes NAME=VALUE pairs, the values as JSON.") from None
