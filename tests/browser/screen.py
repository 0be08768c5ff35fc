"""The case page as a person uses it: aim at voxels, look at masks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page


class CaseScreen:
    """Coordinates are voxels (x, y) of the slice in view."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def state(self) -> dict[str, Any]:
        return self.page.evaluate("annotator.state()")

    def wait(self, condition: str, argument: Any = None) -> None:
        """Until a JavaScript condition on `s` (the state) and `a` (the argument) holds."""
        self.page.wait_for_function(
            f"a => {{ const s = window.annotator?.state(); return s && ({condition}); }}", arg=argument
        )

    def wait_for_a_frame(self) -> None:
        """Until what the page knows now has been drawn: asked for after a drawing that waits, the second frame follows it."""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def wait_until_ready(self) -> CaseScreen:
        self.wait("s.connection === 'connected' && s.inference === 'ready' && s.sliceLoaded")
        return self

    def wait_until_saved(self) -> None:
        self.wait("s.saved === 'saved' && s.waiting === 0")

    def go_to(self, z: int) -> None:
        self.page.get_by_role("slider", name="Slice").fill(str(z))
        self.wait("s.z === a && s.sliceLoaded", z)
        self.wait_for_a_frame()  # till then the masks of the slice before are on screen

    def point(self, x: int, y: int) -> tuple[float, float]:
        at = self.page.evaluate("([x, y]) => annotator.toClient(x, y)", [x, y])
        return at["x"], at["y"]

    def sequence(self) -> int:
        return self.page.evaluate("annotator.maskSequence")

    @contextlib.contextmanager
    def new_mask(self) -> Iterator[None]:
        """Waits, after what is done inside, until a mask is painted that was not there."""
        before = self.sequence()
        yield
        self.page.wait_for_function("n => annotator.maskSequence > n", arg=before)

    def click(self, x: int, y: int, **options: Any) -> None:
        """One click, until it is saved."""
        with self.new_mask():
            self.page.mouse.click(*self.point(x, y), **options)
        self.wait_until_saved()

    def wait_until_empty(self) -> None:
        """Until no mask of the chosen label is painted."""
        self.page.wait_for_function("label => !annotator.readMask(label).data.some(Boolean)", arg=self.label())

    def label(self) -> int:
        return self.state()["label"]

    def mask(self, label: int | None = None) -> NDArray[np.bool_]:
        """The mask [y, x] of a label, the chosen one by default, as it was last painted."""
        read = "label => { const m = annotator.readMask(label); return {...m, data: Array.from(m.data)}; }"
        return as_array(self.page.evaluate(read, self.label() if label is None else label))

    # ---- the planes beside the slice; rows count from the highest slice

    def point_in(self, plane: str, x: int, y: int) -> tuple[float, float]:
        at = self.page.evaluate("([plane, x, y]) => annotator.toClientIn(plane, x, y)", [plane, x, y])
        return at["x"], at["y"]

    def wait_for_plane_mask(self, plane: str) -> NDArray[np.bool_]:
        """The mask [row, column] of the chosen label in a plane, once one is painted there."""
        read = (
            "([plane, label]) => { const m = annotator.readPlane(plane, label);"
            " return m && {...m, data: Array.from(m.data)}; }"
        )
        return as_array(self.page.wait_for_function(read, arg=[plane, self.label()]).json_value())


def as_array(mask: dict[str, Any]) -> NDArray[np.bool_]:
    return np.array(mask["data"], bool).reshape(mask["height"], mask["width"])
