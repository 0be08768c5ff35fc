"""Labelled data: cases, whose structures they show, and their split by patient.

`layouts` reads data sets from disk, `preparation` brings their slices onto the network's grid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from .clicks import Click
from .volumes import Geometry, Volume, nifti

SPLITS = ("training", "validation", "test")
ALL = "all"


class DatasetError(ValueError):
    """A data set that cannot be used; the message is one sentence."""


@dataclass(frozen=True)
class Case:
    """One labelled volume: its files, whose it is, and the part of the split that it belongs to.

    `patient` is the case's own name where nothing else is known, `channel` the volume that is taken of a 4-D image. The
    label may hold 0 and `values`, those that the data set `dataset` names; without `values` it may hold anything.
    `clicks[z][value]` are those that a person made there, in voxels of the label, in their order.
    """

    name: str
    image: Path
    label: Path
    split: str
    patient: str = ""
    channel: int | None = None
    values: frozenset[int] = frozenset()
    dataset: str = ""
    clicks: Mapping[int, Mapping[int, Sequence[Click]]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not self.patient:
            object.__setattr__(self, "patient", self.name)


@dataclass(frozen=True)
class Dataset:
    """`structures` maps a label value to its name (background left out); no patient is on two sides of its split.

    Structures in `unknown` are never trained: they are kept to measure how a network does on what it has not seen.
    Raises DatasetError for a patient on two sides.
    """

    name: str
    cases: tuple[Case, ...]
    structures: dict[int, str]
    unknown: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        first: dict[str, Case] = {}
        for case in self.cases:
            other = first.setdefault(case.patient, case)
            if other.split != case.split:
                raise DatasetError(
                    f"The patient {case.patient} is on two sides of the split: "
                    f"{other.name} is {other.split}, {case.name} is {case.split}."
                )

    @property
    def known(self) -> dict[int, str]:
        """The structures that may be trained."""
        return {value: name for value, name in self.structures.items() if name not in self.unknown}

    def part(self, split: str) -> tuple[Case, ...]:
        """The cases of one part, or "all"; a data set without a split belongs to every part. Raises DatasetError."""
        cases = self.cases if split == ALL else tuple(case for case in self.cases if case.split in (split, ALL))
        if not cases:
            raise DatasetError(f"The data set {self.name} has no {split} cases.")
        return cases


Parts = Sequence[tuple[Dataset, Sequence[Case]]]
"""Data sets, each with those of its cases that are meant."""


def check_apart(training: Parts, others: Iterable[Dataset]) -> None:
    """Raises DatasetError where a patient of the cases to train on is held out by another data set."""
    trained = {case.patient: dataset.name for dataset, cases in training for case in cases}
    for dataset in others:
        for case in dataset.cases:
            if case.split in ("validation", "test") and case.patient in trained:
                raise DatasetError(
                    f"The patient {case.patient} is on two sides: "
                    f"{trained[case.patient]} trains on it, {dataset.name} keeps it for {case.split}."
                )


def folds(cases: Sequence[Case], k: int, seed: int) -> list[tuple[tuple[Case, ...], tuple[Case, ...]]]:
    """(training, validation) of k folds by patient: every case is validated once; folds differ by one patient at most.

    The same seed gives the same folds, whatever the order of the cases. Raises DatasetError for too few patients.
    """
    patients = sorted({case.patient for case in cases})
    if not 2 <= k <= len(patients):
        raise DatasetError(f"A data set of {len(patients)} patient(s) cannot be split into {k} folds by patient.")
    shuffled = np.random.default_rng(seed).permutation(len(patients))
    fold_of = {patients[patient]: place % k for place, patient in enumerate(shuffled)}
    return [
        (
            tuple(case for case in cases if fold_of[case.patient] != fold),
            tuple(case for case in cases if fold_of[case.patient] == fold),
        )
        for fold in range(k)
    ]


@dataclass(frozen=True)
class LabelledSlice:
    """One slice: `image` int16 Hounsfield units and `label` [y, x], `spacing` (y, x) mm."""

    case: str
    z: int
    image: NDArray[np.int16]
    label: NDArray[np.integer]
    spacing: tuple[float, float]


def read_case(case: Case) -> tuple[Volume, NDArray[np.integer]]:
    """The image and its label values int16 [z, y, x], which lie in the same space and hold only values with a name.

    Raises DatasetError or VolumeError.
    """
    volume, label = nifti.read(case.image, channel=case.channel), nifti.read(case.label)
    _check_geometry(case.name, volume.geometry, label.geometry)
    if case.values:
        allowed = [0, *case.values]
        strange = [plane[~np.isin(plane, allowed)] for plane in label.voxels]  # slice by slice, for want of memory
        if any(map(len, strange)):
            value = np.concatenate(strange).min()
            raise DatasetError(
                f"The label of case {case.name} has the value {value}, which data set {case.dataset} does not name."
            )
    return volume, label.voxels


def _check_geometry(name: str, image: Geometry, label: Geometry) -> None:
    """Writers round: voxel edges may differ by 1 % of their length, the first voxel's place by half an edge."""
    if image.shape != label.shape:
        raise DatasetError(f"Image and label of {name} differ in shape: {image.shape}, {label.shape}.")
    if not np.allclose(image.spacing, label.spacing, rtol=0.01):
        one, other = (" × ".join(f"{step:.4g}" for step in found.spacing) for found in (image, label))
        raise DatasetError(f"Image and label of {name} differ in spacing: {one} mm, {other} mm.")
    apart = np.abs(image.affine - label.affine)[:3]
    edges = np.array(image.spacing[::-1])
    if (apart[:, :3] > 0.01 * edges).any() or (apart[:, 3] > 0.5 * edges.min()).any():
        raise DatasetError(f"Image and label of {name} do not lie at the same place of the patient.")


def labelled_slices(case: Case) -> Iterator[LabelledSlice]:
    """The slices of a case that show any structure, from feet to head. Raises DatasetError or VolumeError."""
    volume, labels = read_case(case)
    for z in np.flatnonzero(labels.any(axis=(1, 2))):
        yield LabelledSlice(case.name, int(z), volume.voxels[z], labels[z], volume.spacing[1:])


class Slices(Protocol):
    """What training asks of a stack of slices [n, rows, columns]; an array is one, so is `preparation.Stack`."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: SupportsIndex, /) -> NDArray[Any]: ...
    def __iter__(self) -> Iterator[NDArray[Any]]: ...


Point = tuple[float, float, bool]  # row, column and whether it is a foreground click


@dataclass(frozen=True)
class GridSlices:
    """Training material on the grid: `images` int16 HU and `labels` uint8 [n, rows, columns], one value per structure.

    `structures[v - 1]` is the name of label value v; `cases[i]` names the patient of slice i. `counted` is what `areas`
    gives, where it is known already, `old[i]` whether slice i is of earlier data that are mixed in (none are if not given).
    `clicks[i]` are those of people on slice i by label value, as (row, column, positive) of the grid.
    """

    images: Slices
    labels: Slices
    structures: tuple[str, ...]
    cases: tuple[str, ...]
    counted: NDArray[np.int64] | None = None
    old: NDArray[np.bool_] | None = None
    clicks: Sequence[Mapping[int, Sequence[Point]]] = ()

    @cached_property
    def areas(self) -> NDArray[np.int64]:
        """Grid pixels of every structure on every slice, int64 [n, structures]."""
        return count_pixels(self.labels, len(self.structures)) if self.counted is None else self.counted


def count_pixels(labels: Slices | Sequence[NDArray[np.uint8]], structures: int) -> NDArray[np.int64]:
    """Pixels of the values 1 … `structures` on every slice, int64 [n, structures]."""
    counts = [np.bincount(np.ravel(label), minlength=structures + 1)[1:] for label in labels]
    return np.array(counts, np.int64).reshape(-1, structures)
