"""A click, the only thing that a person says to the network."""

from __future__ import annotations

from typing import NamedTuple


class Click(NamedTuple):
    """Row `y` and column `x` of a slice's pixel, zero-based; `positive` for foreground, else background."""

    y: int
    x: int
    positive: bool
