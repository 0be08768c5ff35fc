"""make bench-peers-web: one click after the other at our server and at MONAI Label's, both running here on the same volume.

Each server is asked as its own client asks it: ours over the socket, MONAI Label by POST /infer/deepgrow_2d, with all clicks of
the slice so far. Only time is compared; its network has random weights. docs/speed.md says more.
"""

from __future__ import annotations

import argparse
import email
import json
import math
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from annotator.protocol import AddClick, MaskFrame, Saved
from segmodel import volumes
from segmodel.volumes import Volume, nifti
from tests.client import Client
from tests.load.bench import spread, warm
from tests.load.ct import soft_points, write_series
from tests.site import ROOT, Site, free_port

CLICKS_OF_A_SLICE = 5
WARM_UP = 3  # clicks of each server that do not count
PYTHON = ROOT / ".venv-monailabel" / "bin" / "python"
MODEL = "deepgrow_2d"
IMAGE = "ct"

RANDOM_WEIGHTS = """
import sys, torch
from monai.networks.nets import BasicUNet
torch.manual_seed(4242)
network = BasicUNet(spatial_dims=2, in_channels=3, out_channels=1, features=(32, 64, 128, 256, 512, 32))
torch.save({"model": network.state_dict()}, sys.argv[1])
"""
"""The network of the app's DeepGrow, in the form in which the app loads it."""

COMMAND = """
import torch
try:
    import torchvision
except RuntimeError:
    for name in ("nms", "qnms"):
        torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
from monailabel.main import Main
Main().run()
"""
"""`monailabel`. A torchvision for CUDA, which is what installs, does not import beside a torch for CPU unless its operators are
declared; DeepGrow uses none of them."""

Clicked = tuple[int, int, int, bool]  # z, y, x, foreground
Answer = dict[str, float]  # milliseconds: "total", "network"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clicks", type=int, default=40)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    if not PYTHON.exists():
        sys.exit("MONAI Label is not installed; start this by `make bench-peers-web`.")
    with tempfile.TemporaryDirectory() as name, Site(Path(name)) as site:
        volume, ct = one_volume(site)
        answers = measure(Ours(site), MonaiLabel(site), clicks(volume, options.clicks + WARM_UP))
    figures = {"ct": ct, "slices": volume.voxels.shape[0], **answers}
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


def one_volume(site: Site) -> tuple[Volume, str]:
    """`studies/ct.nii.gz` below the site's folder, from which both servers take it; and what it is."""
    series, studies = site.folder / "series", site.folder / "studies"
    ct = write_series(series)
    volume = volumes.read(series)
    studies.mkdir()
    nifti.write(studies / f"{IMAGE}.nii.gz", volume)
    return volume, ct


def clicks(volume: Volume, count: int) -> list[Clicked]:
    """Some in soft tissue on each of the middle slices in turn; the fourth of each slice is a background click."""
    needed = math.ceil(count / CLICKS_OF_A_SLICE)
    first = (volume.voxels.shape[0] - needed) // 2
    found = [
        (z, y, x, i != 3)
        for z in range(first, first + needed)
        for i, (x, y) in enumerate(soft_points(volume.voxels[z])[:CLICKS_OF_A_SLICE])
    ]
    return found[:count]


def measure(ours: Ours, theirs: MonaiLabel, clicks: list[Clicked]) -> dict[str, list[Answer]]:
    """Both servers in turn, click by click."""
    answers: dict[str, list[Answer]] = {"ours": [], "theirs": []}
    for i, click in enumerate(clicks):
        print(f"click {i + 1} of {len(clicks)}", file=sys.stderr, flush=True)
        answers["ours"].append(ours.click(click))
        answers["theirs"].append(theirs.click(click))
    return {name: all_[WARM_UP:] for name, all_ in answers.items()}


class Ours:
    """Our server with the volume, and an annotator at its socket."""

    def __init__(self, site: Site) -> None:
        site.manage("migrate", "--verbosity", "0")
        site.people("annotator")
        image = site.folder / "studies" / f"{IMAGE}.nii.gz"
        site.manage("import_series", str(image), "--project", "Tests", "--assign", "annotator")
        site.start_web()
        person = Client(site.url, "annotator")
        self.label = person.json("/api/assignments/1/")["labels"][0]["id"]
        self.socket = person.socket(1)
        self.sequence = self.socket.hello().last_sequence

    def click(self, click: Clicked) -> Answer:
        """From sending it to having the mask, on a slice that is in view."""
        z, y, x, positive = click
        warm(self.socket, self.label, z)
        self.sequence += 1
        began = time.perf_counter()
        self.socket.send(AddClick(self.sequence, self.label, z, y, x, positive))
        frame = self.socket.receive_until(MaskFrame)
        total = 1000 * (time.perf_counter() - began)
        self.socket.receive_until(Saved)
        return {"total": total, "network": frame.network_ms}


class MonaiLabel:
    """MONAI Label's server with its radiology app and the volume, and a client of its REST interface."""

    def __init__(self, site: Site) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.clicks: list[Clicked] = []
        app = site.folder / "radiology"
        monai_label(COMMAND, "apps", "--download", "--name", app.name, "--output", str(app.parent))
        (app / "model").mkdir()
        monai_label(RANDOM_WEIGHTS, str(app / "model" / f"{MODEL}.pt"))
        site.start("monailabel", str(PYTHON), "-c", COMMAND, *self.arguments(app, site.folder / "studies"))
        site.wait(self.is_up, "monailabel", patience=600)

    def arguments(self, app: Path, studies: Path) -> list[str]:
        """Without what would be fetched from the net: SAM 2 and weights."""
        address = urllib.parse.urlsplit(self.url)
        conf = {"models": MODEL, "sam2": "false", "use_pretrained_model": "false", "skip_trainers": "true"}
        where = [
            "--app",
            str(app),
            "--studies",
            str(studies),
            "--host",
            str(address.hostname),
            "--port",
            str(address.port),
        ]
        return ["start_server", *where, *(word for pair in conf.items() for word in ("--conf", *pair))]

    def is_up(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/info/", timeout=30) as answer:
                return MODEL in json.load(answer)["models"]
        except (urllib.error.URLError, OSError):
            return False

    def click(self, click: Clicked) -> Answer:
        """From sending all clicks of the slice to having the label file."""
        if self.clicks and self.clicks[0][0] != click[0]:
            self.clicks = []
        self.clicks.append(click)
        points = {
            kind: [[x, y, z] for z, y, x, positive in self.clicks if positive == wanted] for kind, wanted in KINDS
        }
        form = urllib.parse.urlencode({"params": json.dumps(points)}).encode()
        began = time.perf_counter()
        with urllib.request.urlopen(f"{self.url}/infer/{MODEL}?image={IMAGE}", form, timeout=600) as answer:
            kind, body = answer.headers["Content-Type"], answer.read()
        total = 1000 * (time.perf_counter() - began)
        return {"total": total, "network": 1000 * latencies(kind, body)["infer"]}


KINDS = (("foreground", True), ("background", False))


def monai_label(script: str, *arguments: str) -> None:
    subprocess.run([PYTHON, "-c", script, *arguments], check=True, capture_output=True)


def latencies(kind: str, body: bytes) -> dict[str, float]:
    """Seconds that MONAI Label says its steps took. Raises ValueError where the answer has no label file."""
    message = email.message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    parts = {part.get_param("name", header="Content-Disposition"): part for part in message.walk()}
    if "image" not in parts or "params" not in parts:
        raise ValueError(f"MONAI Label sent no label: {body[:200]!r}")
    return json.loads(parts["params"].get_payload(decode=True))["latencies"]


def table(figures: dict[str, Any]) -> str:
    ours, theirs = (
        [[answer[name] for answer in figures[server]] for name in ("total", "network")] for server in SERVERS
    )
    lines = [
        f"{len(ours[0])} clicks on 512×512×{figures['slices']}, {figures['ct']}, warm; medians / p95 in ms",
        "",
        "| what | ours | MONAI Label | times as long |",
        "|---|---:|---:|---:|",
    ]
    for name, a, b in zip(("click → mask received", "… of it the network"), ours, theirs, strict=True):
        lines.append(f"| {name} | {spread(a)} | {spread(b)} | {np.median(b) / np.median(a):.1f} |")
    return "\n".join(lines)


SERVERS = ("ours", "theirs")


if __name__ == "__main__":
    main()
