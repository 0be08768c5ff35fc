"""How far a command has come, as a small JSON file that another program may look at while it runs."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .files import write_whole

EVERY = 0.5  # s between two writings; a stage's beginning and its end are written at once


class Progress:
    """Writes `file` whole, `{"stage", "done", "eta_s", …}`; without a file it writes nothing.

    `eta_s` is what the stage still lasts if it goes on as it did, in seconds, or null where nothing is known yet. `clock`
    gives seconds. An OSError names the file.
    """

    def __init__(self, file: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        self.file, self.clock = file, clock
        self._stage, self._written = "", -math.inf
        self._began: dict[str, tuple[float, float]] = {}  # of each stage the time and the share that it began with

    def say(self, stage: str, done: float, **more: Any) -> None:
        """The share `done` of a stage, 0 to 1, and what else is known of it; numbers that JSON lacks become null."""
        if self.file is None:
            return
        now, done = self.clock(), min(max(done, 0.0), 1.0)
        if stage not in self._began or done <= self._began[stage][1]:
            self._began[stage] = now, done
        if stage == self._stage and now - self._written < EVERY and done < 1:
            return
        self._stage, self._written = stage, now
        known = {"stage": stage, "done": round(done, 4), "eta_s": self._remaining(stage, done, now), **more}
        write_whole(self.file, json.dumps({name: _finite(value) for name, value in known.items()}) + "\n")

    def of(self, stage: str) -> Callable[..., None]:
        """`say` for one stage."""
        return lambda done, **more: self.say(stage, done, **more)

    def _remaining(self, stage: str, done: float, now: float) -> float | None:
        began, first = self._began[stage]
        return round((now - began) * (1 - done) / (done - first), 1) if done > first else None


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
