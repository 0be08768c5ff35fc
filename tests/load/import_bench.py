"""How long the import of a large DICOM series takes, and how much memory: `python tests/load/import_bench.py`.

The series is noise around body and air, 512×512×300, uncompressed; a fresh process imports it into a fresh data folder.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

SHAPE = (300, 512, 512)
_CHILD = "--import"


def measure() -> dict[str, float]:
    """Seconds of the import (without the start of Python), peak memory and the volume's size in MB, and their ratio."""
    with tempfile.TemporaryDirectory(prefix="annotator-import-bench-") as folder:
        series = Path(folder, "series")
        write_series(series)
        environment = {**os.environ, "ANNOTATOR_DATA": str(Path(folder, "data")), "LOG_LEVEL": "WARNING"}
        command = [sys.executable, __file__, _CHILD, str(series)]
        done = subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def write_series(folder: Path, shape: tuple[int, int, int] = SHAPE) -> None:
    """A cylinder of water in air, with a scanner's noise; a few noisy slices are used again and again."""
    from segmodel import phantom
    from segmodel.volumes import Geometry, Volume

    depth, height, width = shape
    rng = np.random.default_rng(1)
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    body = np.where(x**2 + 2 * y**2 < 0.7, 40, -1000)
    tiles = (body + rng.normal(0, 20, (8, height, width))).clip(-1024, 3071).astype(np.int16)
    voxels = tiles[np.arange(depth) % len(tiles)]
    affine = np.diag([-0.8, -0.8, 1.5, 1.0])
    phantom.write_dicom(Volume(voxels, Geometry(affine, (width, height, depth)), modality="CT"), folder)


def import_here(folder: Path) -> dict[str, float]:
    """Import into this process's own data folder."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotator.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from annotator.annotation.models import Project
    from annotator.studies import imports

    project = Project.objects.create(name="Bench")
    started = time.perf_counter()
    (outcome,) = imports.import_paths([folder], project)
    seconds = time.perf_counter() - started
    assert outcome.series, outcome.sentences
    volume = int(np.prod(outcome.series.shape)) * 2 / 1e6
    peak = peak_bytes() / 1e6
    return {"seconds": round(seconds, 2), "peak_mb": round(peak), "volume_mb": round(volume), "ratio": peak / volume}


def peak_bytes() -> int:
    """The most memory this program held; getrusage would count what its parent held when it started it."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def report(result: dict[str, float]) -> str:
    figures = "import of 512×512×300 DICOM: {seconds:.1f} s, peak memory {peak_mb:.0f} MB = {ratio:.2f} × the volume"
    return figures.format(**result)


if __name__ == "__main__":
    if _CHILD in sys.argv:
        print(json.dumps(import_here(Path(sys.argv[-1]))))
    else:
        print(report(measure()))
