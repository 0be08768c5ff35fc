"""The CT that is worked on by benches of the running site: a real one where it is at hand, else a synthetic one."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segmodel import phantom
from tests.conftest import SHARED_DATA
from tests.load.bench import SLICES

REAL = SHARED_DATA / "ct-dicom" / "ircad17_dicom.zip"
SOFT_TISSUE = (-20, 180)  # HU
FAR = 24  # voxels between points that are clicked: in the browser no press may grab a click that is there

Voxel = tuple[int, int]  # column x, row y


def write_series(folder: Path) -> str:
    """DICOM files of 512×512 slices in `folder`; returns what they are."""
    if not REAL.exists():
        phantom.write_dicom(phantom.make(1, SLICES)[0], folder)
        return "a synthetic CT"
    with zipfile.ZipFile(REAL) as archive:
        archive.extractall(folder)
    return "a real CT"


def soft_points(hu: NDArray[np.int16]) -> list[Voxel]:
    """Voxels of a slice [y, x] in soft tissue, `FAR` apart, in an order that is the same every time."""
    low, high = SOFT_TISSUE
    free = (hu >= low) & (hu <= high)
    found: list[Voxel] = []
    for y, x in np.random.default_rng(4242).permutation(np.argwhere(free)).tolist():
        if free[y, x]:
            found.append((x, y))
            free[max(0, y - FAR + 1) : y + FAR, max(0, x - FAR + 1) : x + FAR] = False
    return found
