"""How good the masks are after 1, 2, 3 … simulated clicks, on whole slices at their own resolution."""

from __future__ import annotations

import hashlib
import json
import math
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from . import checkpoint
from .clicks import Click
from .dataset import Case, Dataset, DatasetError, LabelledSlice, Parts, read_case
from .distances import surface_distances
from .files import write_whole
from .interaction import interact
from .metrics import dice
from .predictor import Prediction
from .scores import NOC_CAP, Record, VolumeRecord, report
from .simulation import PLACEMENTS

Mask = NDArray[np.bool_]

CLICKS = (1, 2, 3, 5, 10, 15)
DISTANCES = ("both", "slice", "volume", "none")


class ClickModel(Protocol):
    """Whatever answers clicks, a network or a classical method; `predictor.Predictor` is one."""

    def encode(self, hu: NDArray[np.int16], spacing: tuple[float, float]) -> Any:
        """What `predict` needs of a slice [y, x] in Hounsfield units with `spacing` (y, x) in mm."""

    def predict(self, encoded: Any, clicks: Sequence[Click], previous: Mask | None = None) -> Prediction:
        """The mask [y, x] of these clicks, and an estimate of its Dice (NaN where the method makes none)."""


class Answer(NamedTuple):
    """A prediction, and the clicks that asked for it."""

    clicks: tuple[Click, ...]
    mask: Mask
    quality: float


class User:
    """A simulated user of a model, who outlines one structure at a time and keeps the times of the model in ms.

    With `previous` the model is given its last mask as well.
    """

    def __init__(self, model: ClickModel, placement: str, seed: int, previous: bool = False) -> None:
        self.model, self.place, self.seed, self.previous = model, PLACEMENTS[placement], seed, previous
        self.encode_ms: list[float] = []
        self.click_ms: list[float] = []

    def open(self, item: LabelledSlice) -> Any:
        """The slice as the model has read it."""
        started = time.perf_counter()
        encoded = self.model.encode(item.image, item.spacing)
        self.encode_ms.append(1000 * (time.perf_counter() - started))
        return encoded

    def outline(self, encoded: Any, item: LabelledSlice, structure: str, truth: Mask, rounds: int) -> list[Answer]:
        """The answers after 1, 2 … `rounds` clicks; the first of them are the same however many rounds follow."""
        answers: list[Answer] = []

        def predict(clicks: list[list[Click]], _: Sequence[int]) -> list[Mask]:
            last = {"previous": answers[-1].mask if answers else None} if self.previous else {}
            started = time.perf_counter()
            prediction = self.model.predict(encoded, clicks[0], **last)
            self.click_ms.append(1000 * (time.perf_counter() - started))
            answers.append(Answer(tuple(clicks[0]), *prediction))
            return [prediction.mask]

        # of the record alone, so that adding patients or structures changes nobody else's clicks
        rng = np.random.default_rng([self.seed, *f"{item.case}/{item.z}/{structure}".encode()])
        pixel = math.sqrt(item.spacing[0] * item.spacing[1])
        interact([truth], predict, self.place, rounds, [rng], pixel=pixel)
        return answers


@dataclass(frozen=True)
class CaseSlices:
    """Slices of a case, [z, y, x] `spacing` in mm; `whole` where no slice is left out between the first and the last."""

    items: list[LabelledSlice]
    spacing: tuple[float, float, float]
    whole: bool


def read_slices(case: Case, every: int = 1) -> CaseSlices:
    """One in `every` of the slices that show any structure, from feet to head. Raises DatasetError or VolumeError."""
    volume, labels = read_case(case)
    shown = np.flatnonzero(labels.any(axis=(1, 2)))
    items = [LabelledSlice(case.name, int(z), volume.voxels[z], labels[z], volume.spacing[1:]) for z in shown[::every]]
    whole = len(items) == len(shown) and bool((np.diff(shown) == 1).all())
    return CaseSlices(items, volume.spacing, whole)


def shown(item: LabelledSlice, dataset: Dataset) -> Iterator[tuple[str, Mask]]:
    """The structures of the data set that a slice shows, with their masks."""
    for value, name in dataset.structures.items():
        truth = item.label == value
        if truth.any():
            yield name, truth


@dataclass
class _Stack:
    """The masks of one structure of a case, packed: the truth under 0, the mask after k clicks under k."""

    shape: tuple[int, ...]
    zs: list[int] = field(default_factory=list)
    masks: dict[int, list[NDArray[np.uint8]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, z: int, masks: Mapping[int, Mask]) -> None:
        self.zs.append(z)
        for k, mask in masks.items():
            self.masks[k].append(np.packbits(mask))

    def volume(self, k: int) -> Mask:
        """[z, y, x] from the first slice of the structure to its last; a slice between that does not show it is empty."""
        volume = np.zeros((self.zs[-1] - self.zs[0] + 1, *self.shape), bool)
        for z, packed in zip(self.zs, self.masks[k], strict=True):
            volume[z - self.zs[0]] = np.unpackbits(packed, count=math.prod(self.shape)).reshape(self.shape)
        return volume

    def record(self, structure: str, case: Case, spacing: Sequence[float] | None) -> VolumeRecord:
        """Overlap of all slices together, and the 3-D distances where there is a spacing."""
        truth, overlap, distances = self.volume(0), {}, {}
        for k in list(self.masks)[1:]:
            mask = self.volume(k)
            overlap[k] = dice(mask, truth)
            if spacing:
                distances[k] = surface_distances(mask, truth, spacing)
        return VolumeRecord(structure, case.name, len(self.zs), overlap, distances, case.patient)


@dataclass(frozen=True)
class CaseRecords:
    """What is found out about one case: its records, those of its volumes, and the times of the model in ms."""

    records: list[Record]
    volumes: list[VolumeRecord]
    encode_ms: list[float]
    click_ms: list[float]

    def to_json(self) -> dict[str, Any]:
        return {
            "records": [record.to_json() for record in self.records],
            "volumes": [volume.to_json() for volume in self.volumes],
            "encode_ms": self.encode_ms,
            "click_ms": self.click_ms,
        }


@dataclass(frozen=True)
class Kept:
    """A folder with what finished cases gave, so that an evaluation that was broken off goes on; `model` identifies it."""

    folder: Path
    model: str

    def place(self, case: Case, dataset: Dataset, asked: Mapping[str, Any]) -> Path:
        """The file of a case, whose name changes with all that its records depend on."""
        files = [checkpoint.sha256(file) for file in (case.image, case.label)]
        means = [
            self.model,
            dataset.name,
            sorted(dataset.structures.items()),
            case.patient,
            case.channel,
            files,
            sorted(asked.items()),
        ]
        stamp = hashlib.sha256(json.dumps(means).encode()).hexdigest()[:16]
        return self.folder / f"{case.name.replace(os.sep, '_')}_{stamp}.json"


def read_kept(file: Path) -> CaseRecords | None:
    """What `CaseRecords.to_json` wrote; None where there is nothing, or nothing of use."""
    try:
        row = json.loads(file.read_text())
        records = [Record.from_json(record) for record in row["records"]]
        volumes = [VolumeRecord.from_json(volume) for volume in row["volumes"]]
        return CaseRecords(records, volumes, row["encode_ms"], row["click_ms"])
    except (FileNotFoundError, KeyError, TypeError, ValueError, AttributeError):
        return None


@dataclass(frozen=True)
class _Run:
    """One evaluation: who clicks, and what is asked for."""

    user: Callable[[], User]
    clicks: Sequence[int]
    distances: str

    def case(self, case: Case, dataset: Dataset, every: int, advance: Callable[[float], None]) -> CaseRecords:
        """The records of a case; `advance` hears of each share of it that is done."""
        slices = read_slices(case, every)
        stacks: dict[str, _Stack] = {}
        records: list[Record] = []
        user = self.user()
        for item in slices.items:
            encoded = user.open(item)
            for structure, truth in shown(item, dataset):
                answers = user.outline(encoded, item, structure, truth, max(*self.clicks, NOC_CAP))
                records.append(self._record(case, item, structure, truth, answers))
                masks = {k: answers[k - 1].mask for k in self.clicks}
                stacks.setdefault(structure, _Stack(truth.shape)).add(item.z, {0: truth, **masks})
            advance(1 / len(slices.items))
        spacing = slices.spacing if self.distances in ("both", "volume") and slices.whole else None
        volumes = [stack.record(structure, case, spacing) for structure, stack in stacks.items()]
        return CaseRecords(records, volumes, user.encode_ms, user.click_ms)

    def _record(
        self, case: Case, item: LabelledSlice, structure: str, truth: Mask, answers: Sequence[Answer]
    ) -> Record:
        measured = self.clicks if self.distances in ("both", "slice") else ()
        return Record(
            structure,
            item.case,
            item.z,
            tuple(dice(answer.mask, truth) for answer in answers),
            tuple(answer.quality for answer in answers),
            {k: surface_distances(answers[k - 1].mask, truth, item.spacing) for k in measured},
            case.patient,
        )


def evaluate(
    datasets: Parts,
    predictor: ClickModel,
    placement: str = "paper",
    clicks: Sequence[int] = CLICKS,
    seed: int = 4242,
    every: int = 1,
    distances: str = "both",
    previous: bool = False,
    kept: Kept | None = None,
    tell: Callable[..., None] = lambda done, **more: None,
) -> dict[str, Any]:
    """The report of these cases after each of `clicks`: the fields of `scores.report`, `records`, times and arguments.

    The user clicks max(clicks, 20) times on every structure of every slice; `every` takes one labelled slice in so many.
    `distances` says where surfaces are measured: in the "slice", the "volume" (whose slices must be neighbours), "both" or
    "none". `previous` gives the model its last mask. The same arguments give the same figures, except for the times.
    Cases that are `kept` from an evaluation that was broken off are not evaluated again. `tell` hears of the share that is
    done, with the name of the `case`.

    Raises DatasetError where the cases show no structure or an argument makes no sense.
    """
    clicks = sorted(set(clicks))
    _check(datasets, placement, clicks, every, distances)
    run = _Run(lambda: User(predictor, placement, seed, previous), clicks, distances)
    asked = {
        "placement": placement, "clicks": clicks, "seed": seed, "every": every, "distances": distances, "previous": previous,
    }  # fmt: skip
    names = ", ".join(dataset.name for dataset, _ in datasets)
    found: list[CaseRecords] = []
    with tqdm(total=sum(len(cases) for _, cases in datasets), desc=f"evaluate {names}", bar_format=_BAR) as bar:
        for dataset, case in ((dataset, case) for dataset, cases in datasets for case in cases):
            place = kept.place(case, dataset, asked) if kept else None
            ready = read_kept(place) if place else None
            if ready is None:
                tell(bar.n / bar.total, case=case.name)
                ready = run.case(case, dataset, every, partial(_advance, bar, tell, case.name))
                if place:
                    write_whole(place, json.dumps(ready.to_json()))
            found.append(ready)
            _advance(bar, tell, case.name, len(found) - bar.n)
    records = [record for ready in found for record in ready.records]
    if not records:
        raise DatasetError("The cases show none of their structures.")
    return {
        **report(records, clicks, [volume for ready in found for volume in ready.volumes], seed),
        "records": [record.to_json() for record in records],
        "ms_per_click": statistics.median([ms for ready in found for ms in ready.click_ms]),
        "encode_ms": statistics.median([ms for ready in found for ms in ready.encode_ms]),
        **asked,
    }


def _advance(bar: tqdm, tell: Callable[..., None], case: str, share: float) -> None:
    """Moves on by a share of a case; sums of parts may overshoot."""
    bar.update(min(share, bar.total - bar.n))
    tell(bar.n / bar.total, case=case)


_BAR = (
    "{desc}: {percentage:3.0f}% |{bar}| {elapsed} < {remaining}"  # a case is not known by its slices before it is read
)


def _check(datasets: Parts, placement: str, clicks: Sequence[int], every: int, distances: str) -> None:
    if not clicks or clicks[0] < 1:
        raise DatasetError("Clicks are counted from 1.")
    if every < 1:
        raise DatasetError(f"One slice in {every} cannot be taken.")
    if placement not in PLACEMENTS:
        raise DatasetError(f"There is no click placement {placement!r}; there are {', '.join(PLACEMENTS)}.")
    if distances not in DISTANCES:
        raise DatasetError(f"Distances are measured in {', '.join(DISTANCES)}, not in {distances!r}.")
    cases = [case.name for _, members in datasets for case in members]
    twice = next((case for case in cases if cases.count(case) > 1), None)
    if twice:
        raise DatasetError(f"Two cases are called {twice}.")


@dataclass(frozen=True)
class Example:
    """A slice to be looked at: why it was chosen, image and truth [y, x], spacing (y, x), the answer to each click."""

    why: str
    record: Record
    image: NDArray[np.int16]
    truth: Mask
    spacing: tuple[float, float]
    answers: list[Answer]


def examples(datasets: Parts, predictor: ClickModel, result: Mapping[str, Any], rounds: int = 5) -> list[Example]:
    """The median and the worst slice of every structure by Dice after `rounds` clicks, clicked on again.

    `result` is what `evaluate` gave for the same data sets and model; the clicks and masks are those of then.
    """
    return replay(
        datasets, predictor, result, choose([Record.from_json(row) for row in result["records"]], rounds), rounds
    )


def worst(
    datasets: Parts, predictor: ClickModel, result: Mapping[str, Any], count: int, rounds: int = 5
) -> list[Example]:
    """The `count` worst slices of all structures by Dice after `rounds` clicks, clicked on again, the worst first."""
    records = sorted((Record.from_json(row) for row in result["records"]), key=lambda r: (r.dice[rounds - 1], *r.key))
    chosen = {record.key: ("worst", record) for record in records[:count]}
    return replay(datasets, predictor, result, chosen, rounds)


def replay(
    datasets: Parts,
    predictor: ClickModel,
    result: Mapping[str, Any],
    chosen: Mapping[tuple[str, str, int], tuple[str, Record]],
    rounds: int,
) -> list[Example]:
    """What `evaluate` did on the chosen slices, in their order: the same clicks and masks as those of `result`."""
    user = User(predictor, result["placement"], result["seed"], result["previous"])
    found: dict[tuple[str, str, int], Example] = {}
    for dataset, cases in datasets:
        for case in cases:
            wanted = {key[2] for key in chosen if key[1] == case.name}
            for item in read_slices(case).items if wanted else ():
                if item.z in wanted:
                    encoded = user.open(item)
                    for structure, truth in shown(item, dataset):
                        if (key := (structure, item.case, item.z)) in chosen:
                            answers = user.outline(encoded, item, structure, truth, rounds)
                            found[key] = Example(*chosen[key], item.image, truth, item.spacing, answers)
    return [found[key] for key in chosen]


def first_slice(datasets: Parts, predictor: ClickModel, rounds: int) -> Example:
    """The largest structure on the middle labelled slice of the first case, whatever the model; the same at every call."""
    dataset, cases = datasets[0]
    items = read_slices(cases[0]).items
    item = items[len(items) // 2]
    structure, truth = max(shown(item, dataset), key=lambda found: np.count_nonzero(found[1]))
    user = User(predictor, "paper", 4242)
    answers = user.outline(user.open(item), item, structure, truth, rounds)
    record = Record(structure, item.case, item.z, tuple(dice(answer.mask, truth) for answer in answers))
    return Example("validation", record, item.image, truth, item.spacing, answers)


def choose(records: Sequence[Record], k: int) -> dict[tuple[str, str, int], tuple[str, Record]]:
    """By key, "median" and "worst" record of every structure by Dice after k clicks; of equals the first by patient and z."""
    named: dict[str, list[Record]] = defaultdict(list)
    for record in sorted(records, key=lambda r: (r.structure, r.dice[k - 1], r.case, r.z)):
        named[record.structure].append(record)
    chosen = {}
    for members in named.values():
        worst, median = members[0], members[len(members) // 2]
        chosen[median.key] = ("median", median)
        if worst is not median:
            chosen[worst.key] = ("worst", worst)
    return chosen
