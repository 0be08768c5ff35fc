"""Labelled data: Medical Segmentation Decathlon folders, their split by patient, and the cache on the network's grid."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from .grid import Grid, Placement
from .volumes import Volume, nifti

SPLITS = ("training", "validation", "test")


class DatasetError(ValueError):
    """A data set that cannot be used; the message is one sentence."""


@dataclass(frozen=True)
class Case:
    """One patient's volume: files, and the part of the split that it belongs to."""

    name: str
    image: Path
    label: Path
    split: str


@dataclass(frozen=True)
class Dataset:
    """`structures` maps a label value to its name (background left out)."""

    name: str
    cases: tuple[Case, ...]
    structures: dict[int, str]

    def part(self, split: str) -> tuple[Case, ...]:
        """The cases of one part; a data set without a split belongs to every part. Raises DatasetError."""
        cases = tuple(case for case in self.cases if case.split in (split, "all"))
        if not cases:
            raise DatasetError(f"The data set {self.name} has no {split} cases.")
        return cases


def read_decathlon(folder: Path) -> Dataset:
    """The data set described by `folder/dataset.json`; its optional `split` maps a case to a part. Raises DatasetError."""
    try:
        described = json.loads((folder / "dataset.json").read_text())
    except FileNotFoundError:
        raise DatasetError(f"{folder} has no dataset.json.") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise DatasetError(f"{folder / 'dataset.json'} is not JSON.") from None
    try:
        split = {str(case): part for case, part in described.get("split", {}).items()}
        structures = {int(value): name for value, name in described["labels"].items() if int(value) != 0}
        pairs = [(folder / entry["image"], folder / entry["label"]) for entry in described["training"]]
    except (AttributeError, KeyError, TypeError, ValueError):
        raise DatasetError(f"{folder / 'dataset.json'} is not in the Decathlon layout.") from None
    cases = []
    for image, label in pairs:
        for file in (image, label):
            if not file.is_file():
                raise DatasetError(f"{folder / 'dataset.json'} names {file.name}, which is not there.")
        name = image.name.removesuffix(".gz").removesuffix(".nii")
        cases.append(Case(name, image, label, _part_of(name, split)))
    return Dataset(str(described.get("name", folder.name)), tuple(cases), structures)


def _part_of(name: str, split: Mapping[str, str]) -> str:
    """A case is named in the split by its file's name, or by that name's last part (`btcv_0005` → `0005`)."""
    if not split:
        return "all"
    part = split.get(name) or split.get(name.rsplit("_", 1)[-1])
    if part not in SPLITS:
        raise DatasetError(f"The case {name} is in no part of the split.")
    return part


@dataclass(frozen=True)
class LabelledSlice:
    """One slice: `image` int16 Hounsfield units and `label` [y, x], `spacing` (y, x) mm."""

    case: str
    z: int
    image: NDArray[np.int16]
    label: NDArray[np.integer]
    spacing: tuple[float, float]


def read_case(case: Case) -> tuple[Volume, NDArray[np.integer]]:
    """A case's image and its labels, both [z, y, x]. Raises DatasetError or VolumeError."""
    volume = nifti.read(case.image)
    labels = nifti.read(case.label).voxels
    if labels.shape != volume.voxels.shape:
        raise DatasetError(f"Image and label of {case.name} differ in shape: {volume.voxels.shape}, {labels.shape}.")
    return volume, labels


def labelled_slices(case: Case) -> Iterator[LabelledSlice]:
    """The slices of a case that show any structure, from feet to head. Raises DatasetError or VolumeError."""
    volume, labels = read_case(case)
    for z in np.flatnonzero(labels.any(axis=(1, 2))):
        yield LabelledSlice(case.name, int(z), volume.voxels[z], labels[z], volume.spacing[1:])


@dataclass(frozen=True)
class GridSlices:
    """Training material on the grid: `images` int16 HU and `labels` uint8 [n, rows, columns], one value per structure.

    `structures[v - 1]` is the name of label value v; `cases[i]` names the patient of slice i.
    """

    images: NDArray[np.int16]
    labels: NDArray[np.uint8]
    structures: tuple[str, ...]
    cases: tuple[str, ...]


def on_grid(
    parts: Sequence[tuple[Dataset, Sequence[Case]]], grid: Grid, size: int, merge: Mapping[str, str], cache: Path
) -> GridSlices:
    """Every labelled slice of the cases, resampled to `grid` and cropped or padded about its middle to `size`².

    `merge` renames structures before they are counted ({"liver tumour": "liver"} makes a tumour part of its liver). The
    result is cached case by case in `cache`; the cache's file names carry everything that it depends on.
    """
    names = sorted({merge.get(n, n) for dataset, _ in parts for n in dataset.structures.values()})
    cache.mkdir(parents=True, exist_ok=True)
    images, labels, cases = [], [], []
    for dataset, members in parts:
        values = {v: names.index(merge.get(n, n)) + 1 for v, n in dataset.structures.items()}
        for case in tqdm(members, desc=f"prepare {dataset.name}", unit="case"):
            file = cache / f"{case.name}_{grid.spacing:g}mm_{size}_{_stamp(case, grid, values)}.npz"
            if not file.exists():
                _prepare_case(case, grid, size, values, file)
            with np.load(file) as arrays:
                images.append(arrays["images"])
                labels.append(arrays["labels"])
            cases += [case.name] * len(images[-1])
    return GridSlices(np.concatenate(images), np.concatenate(labels), tuple(names), tuple(cases))


def _stamp(case: Case, grid: Grid, values: Mapping[int, int]) -> str:
    """Changes with the case's files, the grid's limit and the label table."""
    files = [(str(file.resolve()), file.stat().st_mtime_ns) for file in (case.image, case.label)]
    return hashlib.sha256(repr((files, grid.max_side, sorted(values.items()))).encode()).hexdigest()[:16]


def _prepare_case(case: Case, grid: Grid, size: int, values: Mapping[int, int], file: Path) -> None:
    images, labels = [], []
    for item in labelled_slices(case):
        placement = grid.place((item.image.shape[0], item.image.shape[1]), item.spacing)
        images.append(_fit(grid.image(item.image, placement), placement, size, -1024))
        labels.append(_fit(_labels_on_grid(item.label, grid, placement, values), placement, size, 0))
    if not images:
        raise DatasetError(f"The case {case.name} has no labelled slice.")
    temporary = file.with_suffix(".partial.npz")
    np.savez(temporary, images=np.stack(images), labels=np.stack(labels))
    temporary.rename(file)


def _labels_on_grid(
    label: NDArray[np.integer], grid: Grid, placement: Placement, values: Mapping[int, int]
) -> NDArray[np.uint8]:
    result = np.zeros(placement.padded, np.uint8)
    for new in sorted(set(values.values())):
        old = [value for value, merged in values.items() if merged == new]
        result[grid.mask(np.isin(label, old), placement)] = new
    return result


def _fit(pixels: NDArray, placement: Placement, size: int, outside: int) -> NDArray:
    """The content of a grid image, cropped or padded about its middle to size × size."""
    result = np.full((size, size), outside, pixels.dtype)
    source, target = [], []
    for side in placement.content:
        kept = min(side, size)
        source.append(slice((side - kept) // 2, (side - kept) // 2 + kept))
        target.append(slice((size - kept) // 2, (size - kept) // 2 + kept))
    result[tuple(target)] = pixels[tuple(source)]
    return result
