"""Training material: labelled slices on the network's grid, prepared case by case and kept in a cache on disk.

A finished case is one folder of the cache: `images.npy` int16 HU and `labels.npy` uint8 [n, size, size], `areas.npy` int64
[n, structures] (pixels of each structure on each slice, so that a sampler need not look at the pixels), and `case.json`. The
folder's name carries everything that its content depends on. Training maps the arrays into memory and never reads them whole.
"""

from __future__ import annotations

import bisect
import glob
import hashlib
import itertools
import json
import multiprocessing
import os
import shutil
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from operator import index
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from .dataset import Case, Dataset, DatasetError, GridSlices, Parts, Point, count_pixels, read_case
from .grid import AIR, Grid, Placement
from .intensity import Moments

FORMAT = 2  # of the cache; changes when the same files would be prepared differently
STALE = 3600  # seconds after which an unfinished case is that of a process that was killed
WORTH_A_PROCESS = 16 * 2**20  # bytes of NIfTI that take about as long as starting a process


class Stack(Sequence[NDArray[Any]]):
    """The slices of several .npy files [n, rows, columns], one after the other, read from disk when they are asked for."""

    def __init__(self, files: Iterable[Path]) -> None:
        self.files = tuple(files)
        self.arrays = [np.load(file, mmap_mode="r") for file in self.files]
        self.starts = [0, *itertools.accumulate(len(array) for array in self.arrays)]

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self), *self.arrays[0].shape[1:])

    def __len__(self) -> int:
        return self.starts[-1]

    def __getitem__(self, place: SupportsIndex, /) -> NDArray[Any]:  # type: ignore[override]
        """Slice [rows, columns], not to be written to."""
        i = range(len(self))[index(place)]
        k = bisect.bisect_right(self.starts, i) - 1
        return np.asarray(self.arrays[k][i - self.starts[k]])

    def __reduce__(self) -> tuple[type[Stack], tuple[tuple[Path, ...]]]:
        """Another process opens the files anew; memory maps would be copied whole."""
        return Stack, (self.files,)


@dataclass(frozen=True)
class CaseOnGrid:
    """One case and how it is put on the grid; `folder` holds the result once it is finished.

    `values` maps a label value to its number in training, 1 … `structures`; others become background. Of the slices that
    show none of them the share `empty` is kept.
    """

    dataset: str
    case: Case
    grid: Grid
    size: int
    values: Mapping[int, int]
    structures: int
    empty: float
    cache: Path

    @cached_property
    def folder(self) -> Path:
        files = [(str(file.resolve()), file.stat().st_mtime_ns) for file in (self.case.image, self.case.label)]
        values = sorted(self.values.items())
        asked: tuple[Any, ...] = (
            FORMAT,
            files,
            self.case.channel,
            self.grid.max_side,
            values,
            self.structures,
            self.empty,
        )
        asked += (repr(self.case.clicks),) if self.case.clicks else ()
        stamp = hashlib.sha256(repr(asked).encode()).hexdigest()[:16]
        name = self.case.name.replace(os.sep, "_")
        return self.cache / f"{name}_{self.grid.spacing:g}mm_{self.size}_{stamp}"

    @cached_property
    def areas(self) -> NDArray[np.int64]:
        return np.asarray(np.load(self.folder / "areas.npy"))

    @cached_property
    def clicks(self) -> list[dict[int, list[Point]]]:
        """Of every slice the clicks of people, by the number of their structure."""
        rows = json.loads((self.folder / "case.json").read_text()).get("clicks") or [{} for _ in self.areas]
        return [{int(number): [(y, x, p) for y, x, p in made] for number, made in row.items()} for row in rows]

    @cached_property
    def spacing(self) -> tuple[float, float, float]:
        """(z, y, x) of the volume, mm."""
        z, y, x = json.loads((self.folder / "case.json").read_text())["spacing"]
        return z, y, x

    def prepare(self) -> None:
        """Read the volume and write the folder, whole or not at all. Raises DatasetError or VolumeError."""
        volume, labels = read_case(self.case)
        if not labels.any():
            raise DatasetError(f"The case {self.case.name} has no labelled slice.")
        training = self._numbered(labels)
        chosen = chosen_slices(np.any(training, axis=(1, 2)), self.empty, self.case.name)
        placement = self.grid.place((labels.shape[1], labels.shape[2]), volume.spacing[1:])
        arrays = {
            "images": self._stacked((self.grid.image(volume.voxels[z], placement) for z in chosen), placement, AIR),
            "labels": self._stacked((self._label_on_grid(training[z], placement) for z in chosen), placement, 0),
        }
        arrays["areas"] = count_pixels(arrays["labels"], self.structures)
        described = {"case": self.case.name, "patient": self.case.patient, "spacing": volume.spacing, "z": chosen}
        if self.case.clicks:
            self._check_clicks(labels.shape)
            described["clicks"] = [self._clicks_on_grid(z, placement) for z in chosen]
        _store(self.folder, arrays, described)

    def _numbered(self, labels: NDArray[np.integer]) -> NDArray[np.uint8]:
        table = np.zeros(int(labels.max()) + 1, np.uint8)
        for value, number in self.values.items():
            if value < len(table):
                table[value] = number
        return np.stack([table[plane] for plane in labels])  # an index of the whole volume would be four times its size

    def _check_clicks(self, shape: Sequence[int]) -> None:
        for z, row in self.case.clicks.items():
            for y, x, _ in itertools.chain(*row.values()):
                if not all(0 <= place < side for place, side in zip((z, y, x), shape, strict=True)):
                    raise DatasetError(f"The case {self.case.name} has a click at {(z, y, x)}, outside its volume.")

    def _clicks_on_grid(self, z: int, placement: Placement) -> dict[int, list[Point]]:
        """What is cropped away is left out; where structures are merged, one's clicks follow the other's."""
        found: dict[int, list[Point]] = {}
        for value, made in sorted(self.case.clicks.get(z, {}).items()):
            for y, x, positive in made:
                row, column = fit_point(placement.to_grid(y, x), placement, self.size)
                if value in self.values and min(row, column) >= -0.5 and max(row, column) < self.size - 0.5:
                    found.setdefault(self.values[value], []).append((row, column, positive))
        return found

    def _label_on_grid(self, label: NDArray[np.uint8], placement: Placement) -> NDArray[np.uint8]:
        result = np.zeros(placement.padded, np.uint8)
        for number in np.unique(label[label > 0]):
            result[self.grid.mask(label == number, placement)] = number
        return result

    def _stacked(self, slices: Iterable[NDArray], placement: Placement, outside: int) -> NDArray:
        fitted = [fit(pixels, placement, self.size, outside) for pixels in slices]
        kind = np.int16 if outside == AIR else np.uint8
        return np.array(fitted, kind).reshape(-1, self.size, self.size)


def chosen_slices(shown: NDArray[np.bool_], empty: float, case: str) -> list[int]:
    """Slices z that show a structure, and the share `empty` of the others, in order; drawn by the case's name alone.

    A larger share keeps all slices of a smaller one.
    """
    others = np.flatnonzero(~shown)
    drawn = np.random.default_rng([*case.encode()]).permutation(others)[: round(empty * len(others))]
    return sorted(int(z) for z in [*np.flatnonzero(shown), *drawn])


def fit(pixels: NDArray, placement: Placement, size: int, outside: int) -> NDArray:
    """The content of a grid image, cropped or padded about its middle to size × size."""
    result = np.full((size, size), outside, pixels.dtype)
    source, target = [], []
    for side in placement.content:
        kept = min(side, size)
        source.append(slice((side - kept) // 2, (side - kept) // 2 + kept))
        target.append(slice((size - kept) // 2, (size - kept) // 2 + kept))
    result[tuple(target)] = pixels[tuple(source)]
    return result


def fit_point(point: tuple[float, float], placement: Placement, size: int) -> tuple[float, float]:
    """Where `fit` puts a point of the grid image; it may be outside of what is left."""
    row, column = (
        place - (side - min(side, size)) // 2 + (size - min(side, size)) // 2
        for place, side in zip(point, placement.content, strict=True)
    )
    return row, column


def _store(folder: Path, arrays: Mapping[str, NDArray], described: Mapping[str, Any]) -> None:
    temporary = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.partial")
    try:
        for left in folder.parent.glob(f".{glob.escape(folder.name)}.*.partial"):
            with suppress(FileNotFoundError):  # another process may clear it, or finish it, meanwhile
                if time.time() - left.stat().st_mtime > STALE:
                    shutil.rmtree(left, ignore_errors=True)
        temporary.mkdir()
        for name, array in arrays.items():
            _write(temporary / f"{name}.npy", array)
        (temporary / "case.json").write_text(json.dumps(described))
        _finish(temporary, folder)
    except OSError as error:
        raise DatasetError(f"The cache {folder.parent} cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write(file: Path, array: NDArray) -> None:
    """As np.save does, which on a full disk would not say why it failed."""
    with file.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, np.lib.format.header_data_from_array_1_0(array))
        stream.write(np.ascontiguousarray(array).data)


def _finish(temporary: Path, folder: Path) -> None:
    try:
        temporary.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another process has prepared the same
            raise


# -------------------------------------------------------------------------------------------------------- whole data sets


@dataclass(frozen=True)
class Prepared:
    """Cases that are all in the cache, and the structures that they are numbered by."""

    structures: tuple[str, ...]
    cases: tuple[CaseOnGrid, ...]

    def slices(self, old: int = 0) -> GridSlices:
        """The training material, whose last `old` cases are earlier data; its arrays stay on disk until they are asked for."""
        areas = np.concatenate([case.areas for case in self.cases])
        images, labels = (Stack(case.folder / name for case in self.cases) for name in ("images.npy", "labels.npy"))
        patients = tuple(case.case.patient for case in self.cases for _ in case.areas)
        is_old = np.arange(len(self.cases)) >= len(self.cases) - old
        of_slices = np.repeat(is_old, [len(case.areas) for case in self.cases])
        clicks = [row for case in self.cases for row in case.clicks]
        return GridSlices(images, labels, self.structures, patients, areas, of_slices, clicks)

    def summary(self, window: tuple[float, float]) -> str:
        """A table of every data set and its structures; HU of grid pixels between the ends of `window`, both in HU.

        A record is one structure on one slice of one patient.
        """
        rows = [
            "| data set | structure | patients | slices | records | in-plane, mm | between slices, mm | mean, HU | std, HU |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        for name in dict.fromkeys(case.dataset for case in self.cases):
            rows += self._rows(name, [case for case in self.cases if case.dataset == name], window)
        return "\n".join(rows)

    def _rows(self, name: str, cases: Sequence[CaseOnGrid], window: tuple[float, float]) -> Iterator[str]:
        whole, each = _moments(cases, len(self.structures), window)
        shown = sum(int((case.areas > 0).sum()) for case in cases)
        yield _row(name, "all", cases, sum(len(case.areas) for case in cases), shown, whole)
        for k, structure in enumerate(self.structures):
            showing = [case for case in cases if case.areas[:, k].any()]
            shown = sum(int(np.count_nonzero(case.areas[:, k])) for case in showing)
            if shown:
                yield _row(name, structure, showing, shown, shown, each[k])


def _moments(
    cases: Iterable[CaseOnGrid], structures: int, window: tuple[float, float]
) -> tuple[Moments, list[Moments]]:
    """Of all pixels, and of each structure's, clipped to the window."""
    whole, each = Moments(), [Moments() for _ in range(structures)]
    for case in cases:
        images, labels = (Stack([case.folder / name]) for name in ("images.npy", "labels.npy"))
        for image, label, area in zip(images, labels, case.areas, strict=True):
            hu = np.clip(image, *window)
            whole.add(hu)
            for k in np.flatnonzero(area):
                each[k].add(hu[label == k + 1])
    return whole, each


def _row(name: str, structure: str, cases: Sequence[CaseOnGrid], slices: int, records: int, moments: Moments) -> str:
    patients = len({case.case.patient for case in cases})
    in_plane = _range([step for case in cases for step in case.spacing[1:]])
    between = _range([case.spacing[0] for case in cases])
    counts = f"{patients} | {slices} | {records} | {in_plane} | {between}"
    return f"| {name} | {structure} | {counts} | {moments.mean:.1f} | {moments.std:.1f} |"


def _range(values: Sequence[float]) -> str:
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return low if low == high else f"{low}–{high}"


def prepare(
    parts: Parts,
    grid: Grid,
    size: int,
    merge: Mapping[str, str],
    cache: Path,
    *,
    leave_out: Collection[str] = (),
    empty: float = 0.0,
    workers: int = 1,
    tell: Callable[[float], None] = lambda done: None,
) -> Prepared:
    """Put the labelled slices of all cases on `grid`, cropped or padded about their middle to `size`², into `cache`.

    What is there already is kept, so an interrupted preparation goes on where it was. At most `workers` processes work
    at the same time, each on one volume; few data are not worth more than one.

    Args:
        merge: renames structures before they are counted ({"liver tumour": "liver"} makes a tumour part of its liver).
        leave_out: structures whose pixels become background, as those that a data set calls unknown do.
        empty: share of the slices without structures that is kept, 0 to 1.
        tell: hears of the share of the cases that are ready, 0 to 1.

    Raises:
        DatasetError or VolumeError: a case that cannot be used, a structure that no slice shows, or no space left.
    """
    named = [_named(dataset, merge, leave_out) for dataset, _ in parts]
    names = trained_structures(parts, merge, leave_out)
    if not 1 <= len(names) <= 255:
        raise DatasetError(f"1 to 255 structures can be trained, not {len(names)}.")
    cache.mkdir(parents=True, exist_ok=True)
    cases = []
    for (dataset, members), values in zip(parts, named, strict=True):
        numbers = {value: names.index(name) + 1 for value, name in values.items() if name in names}
        cases += [CaseOnGrid(dataset.name, case, grid, size, numbers, len(names), empty, cache) for case in members]
    _prepare_all(cases, workers, tell)
    _check_shown(names, cases)
    return Prepared(names, tuple(cases))


def on_grid(parts: Parts, grid: Grid, size: int, merge: Mapping[str, str], cache: Path, **options: Any) -> GridSlices:
    """The training material of these cases: `prepare`, with its options, and then its slices."""
    return prepare(parts, grid, size, merge, cache, **options).slices()


def trained_structures(parts: Parts, merge: Mapping[str, str], leave_out: Collection[str]) -> tuple[str, ...]:
    """The names of the structures that `prepare` numbers, known before anything is read."""
    named = (_named(dataset, merge, leave_out) for dataset, _ in parts)
    return tuple(sorted({name for values in named for name in values.values()} - set(leave_out)))


def _named(dataset: Dataset, merge: Mapping[str, str], leave_out: Collection[str]) -> dict[int, str]:
    return {value: merge.get(name, name) for value, name in dataset.known.items() if name not in leave_out}


def provenance(parts: Parts, slices: GridSlices, replay: Parts = ()) -> dict[str, Any]:
    """What a checkpoint says of the data that it was trained on, and of the earlier ones that were mixed in."""
    described = {"data": _names(parts), "structures": list(slices.structures), "slices": len(slices.images)}
    return {**described, "replay": _names(replay)} if replay else described


def _names(parts: Parts) -> dict[str, list[str]]:
    return {dataset.name: [case.name for case in cases] for dataset, cases in parts}


def _check_shown(names: Sequence[str], cases: Sequence[CaseOnGrid]) -> None:
    shown = np.any([case.areas.any(axis=0) for case in cases], axis=0)
    missing = [name for name, found in zip(names, shown, strict=True) if not found]
    if missing:
        raise DatasetError(f"No training slice shows {', '.join(missing)}.")


def _prepare_all(cases: Sequence[CaseOnGrid], workers: int, tell: Callable[[float], None]) -> None:
    waiting = [case for case in cases if not case.folder.is_dir()]
    volume = sum(case.case.image.stat().st_size for case in waiting)
    workers = min(workers, len(waiting), 1 + volume // WORTH_A_PROCESS)
    finished = _in_processes(waiting, workers) if workers > 1 else map(CaseOnGrid.prepare, waiting)
    with tqdm(total=len(cases), initial=len(cases) - len(waiting), desc="prepare", unit="case") as bar:
        tell(bar.n / len(cases))
        for _ in finished:
            bar.update()
            tell(bar.n / len(cases))


def _in_processes(cases: Sequence[CaseOnGrid], workers: int) -> Iterator[None]:
    """Yields as cases are finished; the first that fails ends it all."""
    # spawned, because a process that torch has worked in cannot be forked safely
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), torch.set_num_threads, (1,))
    try:
        for future in as_completed([pool.submit(case.prepare) for case in cases]):
            yield future.result()
    except BrokenProcessPool:
        raise DatasetError("A process ended while it prepared a case, perhaps for want of memory.") from None
    finally:
        pool.shutdown(cancel_futures=True)
