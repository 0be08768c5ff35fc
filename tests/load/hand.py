"""Mouse events at a steady rate, whether or not the page keeps up: Playwright's own wait for the page after each of them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from playwright.sync_api import Page
from websockets.sync.client import connect

T = TypeVar("T")
Point = tuple[float, float]  # CSS pixels of the page

PER_SECOND = 60


class Hand:
    """Drives the mouse of a page over a DevTools connection of its own, and reads no answers.

    The browser must have been started with `--remote-debugging-port=<port>`.
    """

    def __init__(self, page: Page, port: int) -> None:
        target = page.context.new_cdp_session(page).send("Target.getTargetInfo")["targetInfo"]["targetId"]
        url = f"ws://127.0.0.1:{port}/devtools/page/{target}"
        self.connection = connect(url, max_queue=None, ping_interval=None)  # the answers may pile up
        self.sent = 0

    def close(self) -> None:
        self.connection.close()

    def drag(self, way: Iterable[Point]) -> None:
        """Presses at the first point, moves from one to the next, lets go at the last."""
        held = {"button": "left", "buttons": 1}
        for i, at in enumerate(steadily(way)):
            if i == 0:
                self._mouse("mouseMoved", at)
                self._mouse("mousePressed", at, **held, clickCount=1)
            self._mouse("mouseMoved", at, **held)
        self._mouse("mouseReleased", at, button="left", clickCount=1)

    def turn(self, at: Point, notches: int) -> None:
        """Turns the wheel: towards higher slices where `notches` is positive."""
        for _ in steadily(range(abs(notches))):
            self._mouse("mouseWheel", at, deltaX=0, deltaY=-100 if notches > 0 else 100)

    def _mouse(self, kind: str, at: Point, **more: Any) -> None:
        self.sent += 1
        event = {"type": kind, "x": at[0], "y": at[1], **more}
        self.connection.send(json.dumps({"id": self.sent, "method": "Input.dispatchMouseEvent", "params": event}))


def steadily(things: Iterable[T]) -> Iterator[T]:
    """`PER_SECOND` of them a second; what comes late is followed at once by the next."""
    began = time.perf_counter()
    for i, thing in enumerate(things):
        time.sleep(max(0.0, began + i / PER_SECOND - time.perf_counter()))
        yield thing
