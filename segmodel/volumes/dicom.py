"""DICOM CT: which series a heap of files holds, and one series as a volume.

What is read: CT, Enhanced CT and Legacy Converted Enhanced CT images (PS3.3 A.3, A.38, A.70), uncompressed,
deflated or in any transfer syntax for which pydicom finds a decoder. What a file says of itself decides, not
its name. Files are read one by one and slices decoded straight into the finished array, so that the memory
needed stays near the size of the volume.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from segmodel.volumes.dicom_headers import Frame, frames, identifiers, read_header, text
from segmodel.volumes.dicom_pixels import decode
from segmodel.volumes.dicom_stack import stack
from segmodel.volumes.volume import (
    MAX_VOXELS,
    Identifiers,
    Volume,
    VolumeError,
    check_size,
    clip_warnings,
)

_THREADS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True)
class SeriesFiles:
    """The files of one CT series, grouped by Series Instance UID (0020,000E).

    ``slices`` counts frames, which are more than the files where one file holds many.
    """

    paths: tuple[Path, ...]
    slices: int
    modality: str
    identifiers: Identifiers

    @property
    def description(self) -> str:
        """One line that names the series for a reader."""
        found = self.identifiers
        return found.series_description or found.study_description or f"{self.modality}, {self.slices} slices"


def find_series(paths: Iterable[str | Path]) -> tuple[list[SeriesFiles], list[tuple[Path, str]]]:
    """Group files by series, reading headers only.

    Args:
        paths: files and folders; folders are searched to the bottom.

    Returns:
        the CT series in the order of their first file, and every file left out with a sentence that says why
        (not DICOM, a DICOMDIR, another kind of object or modality, colour, a localizer).
    """
    series: dict[str, list[tuple[Path, Dataset]]] = {}
    left_out: list[tuple[Path, str]] = []
    for path in _files(paths):
        try:
            header = read_header(path)
        except VolumeError as error:
            left_out.append((path, str(error)))
        else:
            series.setdefault(text(header, "SeriesInstanceUID"), []).append((path, _summary(header)))
    return [_series_files(members) for members in series.values()], left_out


def read_series(
    files: SeriesFiles | Iterable[str | Path],
    progress: Callable[[int, int], None] | None = None,
    max_voxels: int = MAX_VOXELS,
) -> Volume:
    """Read one CT series as a volume.

    Slices are ordered by their position along the slice normal, never by Instance Number. Oddities that leave
    a usable volume (uneven or missing slices, a tilted gantry, repeated files) become ``Volume.warnings``.
    MONOCHROME1 does not change the values: PS3.3 C.7.6.3.1.2 makes it a matter of display, and Hounsfield
    units mean the same either way.

    Args:
        files: a series from ``find_series``, or paths that hold exactly one series.
        progress: called with (slices done, slices in all) after each slice, in the calling thread.
        max_voxels: refuse larger volumes before any pixel is read.

    Raises:
        VolumeError: one sentence that says which file or which disagreement stops the import.
    """
    series = files if isinstance(files, SeriesFiles) else _only_series(files)
    found = [frame for path in series.paths for frame in frames(read_header(path), path)]
    if not found:
        raise VolumeError("The series holds no slices.")
    check_size((*found[0].shape, len(found)), max_voxels)
    ordered, geometry, warnings = stack(found)
    voxels = np.empty(geometry.shape, dtype=np.int16)
    # Source order is [column, row, slice]; a slice is decoded as [row, column].
    clipped = _fill(geometry.to_source(voxels).transpose(2, 1, 0), ordered, progress)
    return Volume(
        voxels=voxels,
        geometry=geometry,
        warnings=(*warnings, *clip_warnings(clipped)),
        modality=series.modality,
        description=series.description,
        identifiers=series.identifiers,
    )


def _files(paths: Iterable[str | Path]) -> Iterator[Path]:
    seen: set[Path] = set()
    for path in map(Path, paths):
        inside = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
        for file in inside:
            if file not in seen:
                seen.add(file)
                yield file


def _summary(header: Dataset) -> Dataset:
    """Drop the bulky functional groups of enhanced images; the headers of many files are held at once."""
    for keyword in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"):
        if keyword in header:
            del header[keyword]
    return header


def _series_files(members: list[tuple[Path, Dataset]]) -> SeriesFiles:
    first = members[0][1]
    return SeriesFiles(
        paths=tuple(path for path, _ in members),
        slices=sum(int(header.get("NumberOfFrames") or 1) for _, header in members),
        modality=text(first, "Modality"),
        identifiers=identifiers(first),
    )


def _only_series(paths: Iterable[str | Path]) -> SeriesFiles:
    series, left_out = find_series(paths)
    if len(series) > 1:
        raise VolumeError(f"The files hold {len(series)} series; choose one of them.")
    if not series:
        raise VolumeError(left_out[0][1] if left_out else "There are no files to read.")
    return series[0]


def _fill(slices: NDArray[np.int16], ordered: list[Frame], progress: Callable[[int, int], None] | None) -> int:
    """Decode ``ordered`` into ``slices`` [slice, row, column]; return how many values were clipped."""
    places = {(frame.path, frame.index): number for number, frame in enumerate(ordered)}
    by_path: dict[Path, list[Frame]] = {}
    for frame in ordered:
        by_path.setdefault(frame.path, []).append(frame)

    def fill_from(path: Path) -> Iterator[int]:
        for frame, values, clipped in decode(path, by_path[path]):
            slices[places[path, frame.index]] = values
            yield clipped

    clipped = 0
    for done, more in enumerate(_in_threads(fill_from, list(by_path)), start=1):
        clipped += more
        if progress:
            progress(done, len(ordered))
    return clipped


def _in_threads(work: Callable[[Path], Iterator[int]], paths: list[Path]) -> Iterator[int]:
    """Run ``work`` on each path, yielding its results; a lone multi-frame file streams without threads."""
    if len(paths) == 1:
        yield from work(paths[0])
        return
    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            for results in pool.map(lambda path: list(work(path)), paths):
                yield from results
        finally:
            pool.shutdown(cancel_futures=True)
