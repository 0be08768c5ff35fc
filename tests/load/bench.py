"""make bench: how fast a click is answered here, measured on the real server over the real socket.

Prints medians, 95th percentiles and ratios of one run. Nothing here is a test: the figures are the machine's.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from django.conf import settings
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from annotator import protocol
from annotator.engine import has_bfloat16
from annotator.learning import child
from annotator.protocol import AddClick, MaskFrame, Preview, PreviewClick, Saved, View
from segmodel import checkpoint, phantom
from segmodel.clicks import Click
from segmodel.predictor import Predictor
from segmodel.volumes import nifti
from tests.client import Client, LiveSocket
from tests.load import import_bench
from tests.site import Site

SLICES = (60, 512, 512)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clicks", type=int, default=100)
    parser.add_argument("--drag-seconds", type=float, default=8)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    settings.configure(LEARNING_NICE=19)
    volume, labels, _ = phantom.make(1, SLICES)
    inside = liver_points(labels, options.clicks)
    figures: dict[str, Any] = {"machine": machine()}
    figures["network"] = network(volume.voxels, volume.spacing[1:], inside)
    figures["network in float32"] = network(volume.voxels, volume.spacing[1:], inside, "float32")
    with tempfile.TemporaryDirectory() as folder, Site(Path(folder)) as site:
        prepare(site, volume)
        person = Client(site.url, "annotator")
        figures["clicks"] = clicks(person, inside)
        with training(site.folder, volume, labels):
            figures["clicks while training"] = clicks(person, inside)
        figures["clicks after training"] = clicks(person, inside)
        figures["drag"] = drag(person, inside[0], options.drag_seconds)
        figures["slices"] = slices(person, site)
    figures["import"] = import_bench.measure()
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


def machine() -> dict[str, Any]:
    return {"torch threads": torch.get_num_threads(), "matrix product GFLOP/s": matrix_peak()}


def matrix_peak(side: int = 2048) -> dict[str, float]:
    """Best of several products side³, by precision; in bfloat16 where the processor has it, for without it takes minutes."""
    peaks = {}
    for dtype in (torch.float32, torch.bfloat16)[: 1 + has_bfloat16("cpu")]:
        a = torch.randn(side, side).to(dtype)
        peaks[str(dtype).removeprefix("torch.")] = 2 * side**3 / min(timed(lambda a=a: a @ a, 7)) / 1e6
    return peaks


def liver_points(labels: np.ndarray, count: int) -> list[tuple[int, int, int]]:
    """(z, y, x) in the liver, seeded, on the slices where it is large."""
    rng = np.random.default_rng(4242)
    large = np.argsort((labels == 5).sum(axis=(1, 2)))[-20:]
    points = []
    for z in rng.choice(large, count):
        y, x = rng.choice(np.argwhere(labels[z] == 5))
        points.append((int(z), int(y), int(x)))
    return points


def network(
    voxels: np.ndarray, spacing: tuple[float, float], points: Sequence[tuple[int, int, int]], precision: str = "auto"
) -> dict[str, Any]:
    """The network alone, in this process; "auto" is the precision that serving chooses."""
    predictor = Predictor(checkpoint.load(), precision=precision)
    encoded = {z: predictor.encode(voxels[z], spacing) for z in {z for z, _, _ in points}}
    z0 = points[0][0]
    predict = iter(points * 2)

    def one() -> None:
        z, y, x = next(predict)
        predictor.predict(encoded[z], [Click(y, x, True)])

    decode = timed(one, min(len(points), 60), warm=5)
    encode = timed(lambda: predictor.encode(voxels[z0], spacing), 15, warm=2)
    with FlopCounterMode(display=False) as counter:
        predictor.predict(encoded[z0], [Click(*points[0][1:], True)])
    return {
        "precision": str(predictor.dtype).removeprefix("torch."),
        "decode_ms": decode,
        "encode_ms": encode,
        "decode_gflop": counter.get_total_flops() / 1e9,
    }


def prepare(site: Site, volume: Any) -> None:
    site.manage("migrate", "--verbosity", "0")
    site.people("annotator")
    phantom.write_dicom(volume, site.folder / "dicom")
    site.manage("import_series", str(site.folder / "dicom"), "--project", "Tests", "--assign", "annotator")
    site.start_web()


def clicks(person: Client, points: Sequence[tuple[int, int, int]]) -> dict[str, Any]:
    """One click after the other, each waiting until the one before it is saved; the slice is encoded already."""
    label = person.json("/api/assignments/1/")["labels"][0]["id"]
    total, stored, in_network = [], [], []
    with person.socket(1) as socket:
        sequence = socket.hello().last_sequence
        for z, y, x in points:
            warm(socket, label, z)
            sequence += 1
            started = time.perf_counter()
            socket.send(AddClick(sequence, label, z, y, x, True))
            socket.receive_until(protocol.Stored)
            stored.append(1000 * (time.perf_counter() - started))
            frame = socket.receive_until(MaskFrame)
            total.append(1000 * (time.perf_counter() - started))
            in_network.append(frame.network_ms)
            socket.receive_until(Saved)
    overhead = [t - n for t, n in zip(total, in_network, strict=True)]
    return {"click_to_mask_ms": total, "stored_ms": stored, "network_ms": in_network, "overhead_ms": overhead}


@contextmanager
def training(folder: Path, volume: Any, labels: np.ndarray) -> Iterator[None]:
    """A retraining as the site runs one, on this machine, from its first step until the block ends."""
    data = folder / "labelled"
    for kind, voxels in (("images", volume.voxels), ("labels", np.where(labels == 5, 5, 0).astype(np.int16))):
        (data / kind).mkdir(parents=True)
        nifti.write(data / kind / "case.nii.gz", dataclasses.replace(volume, voxels=voxels))
    pair = {"image": "images/case.nii.gz", "label": "labels/case.nii.gz"}
    (data / "dataset.json").write_text(json.dumps({"labels": {"0": "background", "5": "liver"}, "training": [pair]}))
    words = ["train", "--data", data, "--recipe", "default", "--from", "default", "--out", folder / "run"]
    words += ["--set", "steps=100000", f"bfloat16={str(has_bfloat16('cpu')).lower()}"]
    steps, over = threading.Event(), threading.Event()

    def follow(said: dict[str, Any]) -> None:
        if said.get("step"):
            steps.set()
        if over.is_set():
            raise _Over

    def run() -> None:
        with suppress(_Over):
            child.run([str(word) for word in words], folder / "training", follow)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        while not steps.wait(1):
            assert thread.is_alive(), (folder / "training" / "errors.txt").read_text()
        yield
    finally:
        over.set()
        thread.join()


class _Over(Exception):
    """The block has ended."""


def warm(socket: LiveSocket, label: int, z: int) -> None:
    """Looks at a slice until it and its neighbours are encoded, as a person looks before clicking."""
    socket.send(View(label, z))
    time.sleep(0.3)
    socket.send(Preview(1, label, z, 0, (PreviewClick(0, 0, False),)))
    socket.receive_until(MaskFrame)


def drag(person: Client, point: tuple[int, int, int], seconds: float) -> dict[str, Any]:
    """The pointer moves 60 times a second; one request in flight, the newest waiting, as the browser does it."""
    label = person.json("/api/assignments/1/")["labels"][0]["id"]
    z, y, x = point
    with person.socket(1) as socket:
        socket.hello()
        warm(socket, label, z)
        began = time.perf_counter()
        shown, moved = [], 0
        while (now := time.perf_counter() - began) < seconds:
            moved = max(moved + 1, int(now * 60))
            if (wait := moved / 60 - now) > 0:
                time.sleep(wait)  # the pointer's next position is not known before
            sent = time.perf_counter()
            socket.send(Preview(moved, label, z, 0, (PreviewClick(y, x + moved % 40 - 20, True),)))
            socket.receive_until(MaskFrame)
            shown.append(1000 * (time.perf_counter() - sent))
    return {"masks_per_second": len(shown) / seconds, "round_trip_ms": shown}


def slices(person: Client, site: Site) -> dict[str, Any]:
    """A case of 512×512×300: its first slice after a restart of the server, then the others in turn."""
    folder = site.folder / "large"
    import_bench.write_series(folder)
    site.manage("import_series", str(folder), "--project", "Tests", "--assign", "annotator")
    assignment = person.json("/api/assignments/2/")
    url = assignment["series"]["slice_url"]
    site.stop("web")
    site.start_web()
    first = timed(lambda: (person.json("/api/assignments/2/"), person.get(url.replace("{z}", "150"))), 1, warm=0)
    numbers = iter(range(300))
    scroll = timed(lambda: person.get(url.replace("{z}", str(next(numbers)))), 200, warm=5)
    return {"first_slice_ms": first, "scroll_ms": scroll}


def timed(call: Callable[[], Any], times: int, warm: int = 3) -> list[float]:
    """Milliseconds of each call."""
    for _ in range(warm):
        call()
    result = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        result.append(1000 * (time.perf_counter() - started))
    return result


def table(figures: dict[str, Any]) -> str:
    """All figures as Markdown, the aims on 2 CPU cores beside them."""
    network, clicks, drag = figures["network"], figures["clicks"], figures["drag"]
    peak = figures["machine"]["matrix product GFLOP/s"]
    reached = network["decode_gflop"] / (statistics.median(network["decode_ms"]) / 1000)
    training, idle = (
        figures["clicks while training"],
        [*clicks["click_to_mask_ms"], *figures["clicks after training"]["click_to_mask_ms"]],
    )
    slower = float(np.percentile(training["click_to_mask_ms"], 95) / np.percentile(idle, 95))
    ratio = statistics.median(clicks["overhead_ms"]) / statistics.median(clicks["network_ms"])
    rows = [
        ("network alone, one click", spread(network["decode_ms"]), f"{network['precision']}"),
        ("network alone, encode a slice", spread(network["encode_ms"]), f"{network['precision']}"),
        ("… one click", spread(figures["network in float32"]["decode_ms"]), "float32"),
        ("… encode a slice", spread(figures["network in float32"]["encode_ms"]), "float32"),
        ("click → mask received", spread(clicks["click_to_mask_ms"]), "p50 ≤ 60, p95 ≤ 120"),
        ("… of it the network", spread(clicks["network_ms"]), ""),
        ("… of it everything else", spread(clicks["overhead_ms"]), f"≤ 10; {ratio:.2f} × the network"),
        ("click → stored", spread(clicks["stored_ms"]), ""),
        (
            "click → mask while a retraining runs",
            spread(training["click_to_mask_ms"]),
            f"p95 {slower:.2f} × idle, aim ≤ 2",
        ),
        ("masks per second under a 60 Hz drag", f"{drag['masks_per_second']:.1f}", "≥ 15"),
        ("preview round trip under drag", spread(drag["round_trip_ms"]), ""),
        ("first slice of 512×512×300", spread(figures["slices"]["first_slice_ms"]), "≤ 1000"),
        ("next slice", spread(figures["slices"]["scroll_ms"]), ""),
        ("import of 512×512×300 DICOM", f"{figures['import']['seconds']:.1f} s", "≤ 10 s"),
        ("… peak memory / volume", f"{figures['import']['ratio']:.2f}", "≤ 3"),
        (
            "network's multiplications",
            f"{reached:.0f} GFLOP/s",
            f"{share(reached, peak, network['precision'])} of the peak",
        ),
    ]
    machine = f"{figures['machine']['torch threads']} threads, matrix products at " + ", ".join(
        f"{value:.0f} GFLOP/s in {name}" for name, value in peak.items()
    )
    lines = [f"512×512 CT, warm; {machine}", "", "| what | median / p95 ms | aim or note |", "|---|---:|---|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def spread(values: Sequence[float]) -> str:
    return f"{np.percentile(values, 50):.1f} / {np.percentile(values, 95):.1f}"


def share(reached: float, peak: dict[str, float], precision: str) -> str:
    return f"{100 * reached / peak[precision]:.0f} %"


if __name__ == "__main__":
    main()
