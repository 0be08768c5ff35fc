"""Arguments that several commands take."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ..dataset import DatasetError


def numbers(text: str) -> tuple[int, ...]:
    """(1, 2, 5) of "1,2,5"."""
    values = tuple(int(part) for part in text.split(","))
    if min(values) < 1:
        raise argparse.ArgumentTypeError("clicks are counted from 1")
    return values


def count(text: str) -> int:
    """A whole number from 1."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def device(name: str) -> str:
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
