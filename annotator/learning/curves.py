"""What a training's log says, thinned so that a page can draw it."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

MOST_LOSSES, MOST_LOOKS = 200, 100  # points of the curves
EVERY = 2.0  # seconds between two readings of the log

Point = dict[str, Any]


class Log:
    """The log of a training that runs, read again where it has grown."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._size, self._read = -1, -math.inf

    def news(self) -> list[Point] | None:
        """The curve, where there is a new one."""
        if time.monotonic() - self._read < EVERY or not self._file.exists():
            return None
        self._read, size = time.monotonic(), self._file.stat().st_size
        if size == self._size:
            return None
        self._size = size
        return curve(self._file)


def curve(file: Path) -> list[Point]:
    """{step, loss}, the mean of some steps, and {step, dice, structures} of the validations, in the order of the steps."""
    lines = list(_lines(file))
    losses = [line for line in lines if line.get("loss") is not None]
    looks = [{"step": line["step"], **line["validation"]} for line in lines if line.get("validation")]
    points = [_mean(some) for some in _shares(losses, MOST_LOSSES)]
    points += [some[-1] for some in _shares(looks, MOST_LOOKS)]
    return sorted(points, key=lambda point: (point["step"], "dice" in point))


def _lines(file: Path) -> Iterator[Point]:
    """Without the last one where that is being written."""
    for line in file.read_text().splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            return


def _shares(points: Sequence[Point], most: int) -> Iterator[Sequence[Point]]:
    """The points in at most so many groups of neighbours."""
    size = math.ceil(len(points) / most) or 1
    return (points[first : first + size] for first in range(0, len(points), size))


def _mean(points: Sequence[Point]) -> Point:
    return {"step": points[-1]["step"], "loss": sum(point["loss"] for point in points) / len(points)}
