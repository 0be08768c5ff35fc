"""A frozen set as a folder that `segmodel` reads: NIfTI pairs in the Decathlon layout, with split, patients and clicks."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from annotator import engine, masks
from annotator.learning import freeze
from annotator.learning.freeze import FreezeRefused, Line
from annotator.learning.models import Manifest, Part
from annotator.studies import store
from annotator.studies.models import Series

CASES = "cases.json"
"""Beside dataset.json: {case: {assignment, z0}}, the way back to the viewer; slice z of a case is slice z0 + z there."""

SIDES = {Part.TRAINING: "training", Part.VALIDATION: "validation", Part.GOLD: "test"}
"""segmodel's names of the sides."""

Labels = dict[str, int]  # name: value
Masks = dict[str, NDArray[np.bool_]]  # of one slice, by label


def write(manifest: Manifest, folder: Path, note: Callable[[float], None] = lambda share: None) -> Path:
    """Write the folder, whole or not at all; one that is there is taken as it is. `note` is told the share that is done.

    Raises FreezeRefused where the frozen set, or an image that it speaks of, is not what it was.
    """
    if (folder / "dataset.json").exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=f".{folder.name}-", dir=folder.parent
    ) as name:  # two jobs may want the same
        partial = Path(name) / folder.name
        _write(manifest, partial, note)
        with contextlib.suppress(OSError):  # the other job was faster
            partial.rename(folder)
    return folder


def _write(manifest: Manifest, partial: Path, note: Callable[[float], None]) -> None:
    for name in ("images", "labels"):
        (partial / name).mkdir(parents=True)
    values = {name: value for value, name in enumerate(manifest.labels, 1)}
    described: dict[str, Any] = {"training": [], "split": {}, "patients": {}, "clicks": {}}
    cases: dict[str, dict[str, int]] = {}
    for number, (_case, lines) in enumerate(groupby(freeze.read(manifest), key=lambda line: line["assignment"]), 1):
        _write_case(list(lines), values, partial, described, cases)
        note(number / manifest.counts["cases"])
    labels = {"0": "background", **{str(value): name for name, value in values.items()}}
    whole = {"name": f"frozen {manifest.sha256[:8]}", "labels": labels, "modality": {"0": "CT"}, **described}
    (partial / CASES).write_text(json.dumps(cases))
    (partial / "dataset.json").write_text(json.dumps(whole))


def _write_case(
    lines: list[Line], values: Labels, folder: Path, described: dict[str, Any], cases: dict[str, dict[str, int]]
) -> None:
    """A ground truth; labels that overlap go to cases of their own."""
    first = lines[0]
    z0, z1 = lines[0]["z"], lines[-1]["z"] + 1
    voxels, geometry = _voxels(first, z0, z1)
    slices = {z: dict(_decoded(here)) for z, here in groupby(lines, key=lambda line: line["z"])}
    for number, names in enumerate(_layers(slices)):
        case = f"case{first['assignment']}" + "bcdefghijklmnopqrstuvwxyz"[number - 1 : number]
        labels = np.zeros(voxels.shape, np.uint8)
        for z, found in slices.items():
            for name in names & found.keys():
                labels[z - z0][found[name]] = values[name]
        pair = {"image": f"images/{case}.nii", "label": f"labels/{case}.nii"}
        engine.write_case(folder / pair["image"], folder / pair["label"], voxels, labels, geometry, z0)
        described["training"].append(pair)
        described["split"][case] = SIDES[Part(first["part"])]
        described["patients"][case] = first["patient"]
        described["clicks"][case] = _clicks([line for line in lines if line["label"] in names], values, z0)
        cases[case] = {"assignment": first["assignment"], "z0": z0}


def _voxels(line: Line, z0: int, z1: int) -> tuple[NDArray[np.int16], dict[str, Any]]:
    """The slices z0 … z1 − 1 of the series, which is the one that was frozen, and its geometry."""
    series = Series.objects.filter(pk=line["series"]).first()
    if series is None:
        raise FreezeRefused(_("A series of this frozen set is gone."))
    try:
        volume = np.stack([store.read_slice(series, z) for z in range(series.depth)])
    except FileNotFoundError:
        raise FreezeRefused(_("The images of %(series)s are gone.") % {"series": series}) from None
    digest = hashlib.sha256(np.ascontiguousarray(volume, "<i2").data).hexdigest()
    if digest != line["series_sha256"]:
        sentence = _("The images of %(series)s have been changed since this set was frozen.")
        raise FreezeRefused(sentence % {"series": series})
    return volume[z0:z1], series.geometry


def _decoded(lines: Iterator[Line]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    for line in lines:
        mask = base64.b64decode(line["mask"])
        if hashlib.sha256(mask).hexdigest() != line["sha256"]:
            raise FreezeRefused(_("A mask of this frozen set is damaged."))
        yield line["label"], masks.decode(mask)


def _layers(slices: dict[int, Masks]) -> list[set[str]]:
    """Labels in as few groups as go without an overlap inside a group; mostly one."""
    apart: dict[str, set[str]] = defaultdict(set)  # labels that a label overlaps with
    for found in slices.values():
        for name, mask in found.items():
            apart[name] |= {other for other, there in found.items() if other != name and (mask & there).any()}
    layers: list[set[str]] = []
    for name in sorted(apart):
        free = next((layer for layer in layers if not layer & apart[name]), None)
        if free is None:
            layers.append(free := set())
        free.add(name)
    return layers


def _clicks(lines: list[Line], values: Labels, z0: int) -> dict[str, dict[str, list[Any]]]:
    """{z: {value: [[y, x, positive]]}} in the order in which they were placed."""
    found: dict[str, dict[str, list[Any]]] = defaultdict(dict)
    for line in lines:
        if line["clicks"]:
            found[str(line["z"] - z0)][str(values[line["label"]])] = line["clicks"]
    return found
