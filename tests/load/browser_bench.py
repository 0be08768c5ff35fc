"""make bench-browser: what a person at the canvas feels, measured in headless Chromium on the running site.

Four pages are open on the same CT: with 1 and with 8 labels, after few and after many stored interactions. They take turns, so
that their ratios mean something on a machine that is not quiet. Nothing here is a test: the figures are the machine's.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import itertools
import json
import math
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from annotator.protocol import AddClick, Saved
from tests.browser.conftest import FLAGS, SIZE, fill_in_log_in, installed
from tests.browser.screen import CaseScreen
from tests.client import Client
from tests.load.bench import spread
from tests.load.ct import Voxel, soft_points, write_series
from tests.load.hand import PER_SECOND, Hand
from tests.site import Site, free_port

LABELS = (1, 8)
RESTS = 0.3  # seconds of looking at a slice before it is clicked, in which it is encoded
REACH = 15  # voxels around the point of a drag
LONG_WAY = 1000  # slices
SCRIPT = Path(__file__).with_suffix(".js")


class Setting(NamedTuple):
    """One of the pages: a project with so many labels, and so many interactions stored before anything is measured."""

    labels: int
    stored: int

    def __str__(self) -> str:
        return f"{self.labels} label{'s' if self.labels > 1 else ''}, {self.stored} stored"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clicks", type=int, default=20, help="measured clicks of each page in each round")
    parser.add_argument("--drag-seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--few", type=int, default=10, help="stored interactions")
    parser.add_argument("--many", type=int, default=1000)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    settings = [Setting(labels, stored) for stored in (options.few, options.many) for labels in LABELS]
    with tempfile.TemporaryDirectory() as folder, Site(Path(folder)) as site:
        ct = prepare(site, settings)
        figures = {"ct": ct, "pages": measure(site, settings, options)}
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


# ------------------------------------------------------------------------------------------------ the site


def prepare(site: Site, settings: Sequence[Setting]) -> str:
    """A project and an assignment for each setting, the assignments numbered from 1; says which CT it is."""
    site.manage("migrate", "--verbosity", "0")
    site.people("annotator")
    series = site.folder / "series"
    ct = write_series(series)
    for setting in settings:
        site.manage("shell", "--no-imports", "-c", NEW_PROJECT.format(name=str(setting), labels=setting.labels))
        site.manage("import_series", str(series), "--project", str(setting), "--assign", "annotator")
    site.start_web()
    return ct


NEW_PROJECT = """
from django.contrib.auth.models import User
from annotator.demo.project import LABELS
from annotator.annotation.models import Label, Membership, Project
project = Project.objects.create(name={name!r})
for value, (name, (colour, _)) in enumerate(list(LABELS.items())[:{labels}], 1):
    Label.objects.create(project=project, name=name, value=value, colour=colour)
Membership.objects.create(project=project, person=User.objects.get(username="annotator"), role="annotator")
"""


def fill(person: Client, assignment: int, stored: int) -> list[Voxel]:
    """Stores so many clicks, beginning with one of each label on the middle slice; returns points there that have none."""
    case = person.json(f"/api/assignments/{assignment}/")
    depth, *shape = case["series"]["shape"]
    labels = [label["id"] for label in case["labels"]]
    hu = person.get(case["series"]["slice_url"].replace("{z}", str(depth // 2)))
    points = soft_points(np.frombuffer(gzip.decompress(hu), "<i2").reshape(shape))
    with person.socket(assignment) as socket:
        socket.hello()
        for i, (label, z) in enumerate(itertools.islice(places(labels, depth), stored)):
            x, y = points[i % len(points)]
            socket.send(AddClick(i + 1, label, z, y, x, True))
            socket.receive_until(Saved)
    return points[len(labels) :]


def places(labels: Sequence[int], depth: int) -> Iterator[tuple[int, int]]:
    """(label, z): every label of the middle slice once, then of the others, around the volume without end."""
    middle = depth // 2
    others = itertools.cycle((middle + step) % depth for step in range(1, depth))
    return ((label, z) for z in itertools.chain([middle], others) for label in labels)


# ------------------------------------------------------------------------------------------------ the pages


class Desk:
    """One page, open on its assignment at the middle slice, and the figures that were measured on it."""

    def __init__(self, browser: Browser, port: int, site: Site, assignment: int, points: Sequence[Voxel]) -> None:
        self.page, self.points = browser.new_context(viewport=SIZE).new_page(), itertools.cycle(points)
        self.page.set_default_timeout(120_000)
        self.page.goto(site.url)
        fill_in_log_in(self.page, "annotator")
        self.page.goto(f"{site.url}/cases/{assignment}/")
        self.screen = CaseScreen(self.page).wait_until_ready()
        self.page.evaluate(SCRIPT.read_text())
        self.hand = Hand(self.page, port)
        self.cdp = self.page.context.new_cdp_session(self.page)
        for domain in ("HeapProfiler", "Performance"):
            self.cdp.send(f"{domain}.enable")
        self.figures: dict[str, list[float]] = defaultdict(list)

    def note(self, **figures: float) -> None:
        for name, value in figures.items():
            self.figures[name].append(value)

    # ------------------------------------------------------------------------------------------ slices and memory

    def scroll(self) -> None:
        """To one end of the volume, where nothing is loaded yet; then from end to end until it was `LONG_WAY`."""
        self.note_memory("at_start")
        middle, top = (
            self.screen.state()["z"],
            int(self.page.get_by_label("Slice", exact=True).get_attribute("max") or 0),
        )
        self.note(scroll_cold=self.turn(middle, top))
        self.turn(top, 0)  # the other end is not loaded either
        ways = math.ceil((LONG_WAY - 2 * top + middle) / top)
        for here, there in itertools.islice(itertools.cycle([(0, top), (top, 0)]), ways):
            self.note(scroll_warm=self.turn(here, there))
        self.note_memory("after_scrolling")
        self.screen.go_to(middle)

    def turn(self, here: int, there: int) -> float:
        """Slices shown per second by the wheel."""
        self.page.evaluate("bench.watchSlices()")
        self.hand.turn(self.screen.point(0, 0), there - here)
        self.screen.wait("s.z === a && s.sliceLoaded", there)
        return self.page.evaluate("bench.slicesPerSecond()")

    def note_memory(self, when: str) -> None:
        """MB after garbage collection: objects of JavaScript, and the buffers beside them, which are the slices."""
        self.cdp.send("HeapProfiler.collectGarbage")
        metrics = {metric["name"]: metric["value"] for metric in self.cdp.send("Performance.getMetrics")["metrics"]}
        buffers = self.cdp.send("Runtime.getHeapUsage")["backingStorageSize"]
        self.note(**{f"heap_{when}": metrics["JSHeapUsedSize"] / 1e6, f"buffers_{when}": buffers / 1e6})

    # ------------------------------------------------------------------------------------------ clicks and drags

    def click(self) -> dict[str, float]:
        """Milliseconds of one click, which is then undone: the next one finds as many clicks as this one did."""
        at = self.screen.point(*next(self.points))
        self.page.mouse.move(*at)
        time.sleep(RESTS)
        with self.screen.new_mask():
            self.page.mouse.down()
            self.page.mouse.up()
        saved = self.page.evaluate("bench.whenSaved()")
        measured = self.page.evaluate("bench.click()")
        self.undo()
        return {**measured, "saved": saved}

    def drag(self, seconds: float) -> float:
        """Masks painted per second while a click that is held goes round."""
        x, y = next(self.points)
        angles = 2 * math.pi * np.arange(int(seconds * PER_SECOND)) / PER_SECOND
        left, top = self.screen.point(x - REACH, y - REACH)
        right, bottom = self.screen.point(x + REACH, y + REACH)
        xs = (left + right) / 2 + (right - left) / 2 * np.cos(angles)
        ys = (top + bottom) / 2 + (bottom - top) / 2 * np.sin(angles)
        self.page.mouse.move(xs[0], ys[0])
        time.sleep(RESTS)
        self.hand.drag(zip(xs.tolist(), ys.tolist(), strict=True))
        self.page.wait_for_function("bench.isReleased()")
        self.page.evaluate("bench.whenSaved()")
        rate = self.page.evaluate("bench.masksPerSecond()")
        self.undo()
        return rate

    def undo(self) -> None:
        self.page.keyboard.press("Control+z")
        self.page.evaluate("bench.whenSaved()")


@contextlib.contextmanager
def chromium() -> Iterator[tuple[Browser, int]]:
    """A browser, and the port at which it takes mouse events."""
    port = free_port()
    with sync_playwright() as playwright:
        flags = [*FLAGS, f"--remote-debugging-port={port}"]
        browser = playwright.chromium.launch(executable_path=installed(), args=flags)
        yield browser, port
        browser.close()


def measure(site: Site, settings: Sequence[Setting], options: argparse.Namespace) -> list[dict[str, Any]]:
    person = Client(site.url, "annotator")
    with chromium() as (browser, port):
        desks = []
        for assignment, setting in enumerate(settings, 1):
            say(f"{setting}: storing")
            points = fill(person, assignment, setting.stored)
            desks.append(Desk(browser, port, site, assignment, points))
        for setting, desk in zip(settings, desks, strict=True):
            say(f"{setting}: scrolling")
            desk.scroll()
            desk.click()  # the first one compiles the page's code
        for number in range(options.rounds):
            for setting, desk in zip(settings, desks, strict=True):
                say(f"{setting}: round {number + 1} of {options.rounds}")
                for _ in range(options.clicks):
                    desk.note(**desk.click())
                desk.note(masks_per_second=desk.drag(options.drag_seconds))
        return [{**setting._asdict(), **desk.figures} for setting, desk in zip(settings, desks, strict=True)]


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


# ------------------------------------------------------------------------------------------------ the table


def table(figures: dict[str, Any]) -> str:
    """A column for each page and two of ratios, between the median figures of the page that asks the most and the others."""
    pages = figures["pages"]
    few_labels, heaviest = pages[-2:]
    few_stored = pages[1]
    rows = [
        ("click → painted, ms", get("painted"), spread, "p50 ≤ 60, p95 ≤ 120"),
        ("… of it waiting for the server", get("server"), spread, ""),
        ("… of it the page", lambda page: np.subtract(page["painted"], page["server"]), spread, ""),
        ("click → saved, ms", get("saved"), spread, ""),
        (f"masks painted per second under a {PER_SECOND} Hz drag", get("masks_per_second"), typical, "≥ 20"),
        ("slices per second, not loaded yet", get("scroll_cold"), typical, f"the wheel: {PER_SECOND}"),
        ("slices per second, warm", get("scroll_warm"), typical, f"the wheel: {PER_SECOND}"),
        ("JavaScript heap at the start, MB", get("heap_at_start"), typical, ""),
        (f"… after {LONG_WAY} slices", get("heap_after_scrolling"), typical, ""),
        ("buffers at the start, MB", get("buffers_at_start"), typical, ""),
        (f"… after {LONG_WAY} slices", get("buffers_after_scrolling"), typical, "the slices"),
    ]
    head = [
        "what",
        *(str(Setting(page["labels"], page["stored"])) for page in pages),
        f"{heaviest['labels']} ÷ {few_labels['labels']} label",
        f"{heaviest['stored']} ÷ {few_stored['stored']} stored",
        "aim or note",
    ]
    lines = [
        f"512×512 slices of {figures['ct']}; medians, and p95 behind a stroke",
        "",
        f"| {' | '.join(head)} |",
        "|---" + "|---:" * (len(pages) + 2) + "|---|",
    ]
    for name, values, show, note in rows:
        ratios = [ratio(values(heaviest), values(page)) for page in (few_labels, few_stored)]
        lines.append(f"| {' | '.join([name, *(show(values(page)) for page in pages), *ratios, note])} |")
    return "\n".join(lines)


def get(name: str) -> Callable[[dict[str, Any]], Sequence[float]]:
    return lambda page: page[name]


def typical(values: Sequence[float]) -> str:
    return f"{np.median(values):.1f}"


def ratio(values: Sequence[float], others: Sequence[float]) -> str:
    return f"{np.median(values) / np.median(others):.2f}"


if __name__ == "__main__":
    main()
