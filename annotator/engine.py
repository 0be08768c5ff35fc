"""The one door from the web application to `segmodel`; it opens when asked, so that nothing else waits for torch."""

from __future__ import annotations

import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from annotator import masks

if TYPE_CHECKING:
    from segmodel.clicks import Click
    from segmodel.comparison import Comparison
    from segmodel.predictor import EncodedSlice, Prediction
    from segmodel.predictor import Predictor as Predictor
    from segmodel.volumes import Volume as Volume
    from segmodel.volumes.dicom import SeriesFiles

Spacing = tuple[float, float]  # (y, x) in mm
PREDICTORS_KEPT = 4  # checkpoints in memory; those that a site retrains for a year are more
ReadSlice = Callable[[], tuple[NDArray[np.int16], Spacing]]


def write_labels(path: Path, labels: NDArray[np.unsignedinteger[Any]], geometry: dict[str, Any]) -> None:
    """Write a label volume [z, y, x] as NIfTI in the geometry of its source (`Series.geometry`)."""
    from segmodel.volumes import Geometry, nifti

    nifti.write_labels(path, labels, Geometry.from_json(geometry))


def command(arguments: Iterable[str], processes: int = 1) -> list[str]:
    """The command line of `python -m segmodel …`, in so many processes."""
    several = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    return [sys.executable, *(several if processes > 1 else []), "-m", "segmodel", *arguments]


NETWORK = ("architecture", "spacing", "size", "crop", "window", "sigma", "disk", "previous_mask", "merge", "leave_out")
"""Settings of a recipe that a network brings along: they say what it is and what it is shown."""


def recipes() -> list[str]:
    """Names of the recipes that come with the code."""
    from segmodel.recipe import RECIPES

    return sorted(file.stem for file in RECIPES.glob("*.toml"))


def recipe(name: str, header: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Every setting of a recipe that goes on with the network of a checkpoint, which brings `NETWORK` along.

    Raises ValueError with one sentence.
    """
    from segmodel.recipe import Recipe, RecipeError

    own = header.get("provenance", {}).get("recipe", {})
    if "architecture" not in own:
        raise RecipeError(_("This model does not say how it was trained, so that nothing can go on from it."))
    brought = {key: own[key] for key in NETWORK if key in own}  # older programs did not know every setting
    if fixed := sorted(changes.keys() & set(NETWORK)):
        raise RecipeError(_("The recipe's %(setting)s is that of the model to begin with.") % {"setting": fixed[0]})
    if name not in recipes():
        raise RecipeError(_("There is no recipe %(name)s.") % {"name": name})
    return asdict(Recipe.load(name).changed(brought).changed(changes))


def has_bfloat16(device: str) -> bool:
    """Whether the device multiplies in bfloat16 itself; where it does not, that takes many times as long."""
    import torch

    from segmodel.predictor import native_precision

    return native_precision(torch.device(device)) == torch.bfloat16


def write_case(
    image: Path, label: Path, voxels: NDArray[np.int16], labels: NDArray[np.uint8], geometry: dict[str, Any], z0: int
) -> None:
    """Write the slices from `z0` on of a stored series, [z, y, x], and their label values as a pair of NIfTI files."""
    from segmodel.volumes import Geometry, Volume, nifti

    affine = Geometry.from_json(geometry).affine.copy()
    affine[:3, 3] += z0 * affine[:3, 2]
    depth, height, width = voxels.shape
    here = Geometry(affine, (width, height, depth))
    nifti.write(image, Volume(voxels, here))
    nifti.write_labels(label, labels, here)


class FirstGuesses:
    """What a checkpoint thinks of its own first answers on volumes that nobody has labelled (`segmodel.first_guess`)."""

    def __init__(self, model: str, device: str = "cpu") -> None:
        self._predictor = ClickEngine(device).read(model)

    def __call__(
        self, read: Callable[[int], NDArray[np.int16]], depth: int, spacing: Spacing
    ) -> tuple[float, float] | None:
        """(quality, disagreement) of a volume; `read(z)` gives a slice. None where it shows nothing soft."""
        from segmodel.first_guess import first_guess

        return first_guess(self._predictor, read, depth, spacing)


class VolumeRefused(ValueError):
    """A volume that cannot be read; the message is one sentence for the person who brought it."""


@dataclass(frozen=True)
class FoundVolume:
    """A volume that lies in files and has not been read: a DICOM series, or one NIfTI file, which has no name inside."""

    name: str
    paths: tuple[Path, ...]
    series: SeriesFiles | None = None


def find_volumes(paths: Iterable[Path]) -> tuple[list[FoundVolume], list[tuple[Path, str]]]:
    """The volumes in files, and each file that belongs to none with a sentence that says why."""
    from segmodel.volumes import dicom

    files = list(paths)
    series, left_out = dicom.find_series(path for path in files if not _is_nifti(path))
    found = [FoundVolume(one.description, one.paths, one) for one in series]
    return found + [FoundVolume("", (path,)) for path in files if _is_nifti(path)], left_out


def read_volume(found: FoundVolume, max_voxels: int, progress: Callable[[int, int], None]) -> Volume:
    """Read a volume; `progress` gets the slices done and their number. Raises VolumeRefused."""
    from segmodel.volumes import VolumeError, dicom, nifti

    try:
        if found.series:
            return dicom.read_series(found.series, progress, max_voxels)
        return nifti.read(found.paths[0], max_voxels)
    except VolumeError as error:
        raise VolumeRefused(str(error)) from error


def _is_nifti(path: Path) -> bool:
    """By the name's end: DICOM files have any name or none, but these they do not have."""
    return path.name.lower().endswith((".nii", ".gz", ".hdr"))


@cache
def default_checkpoint() -> tuple[Path, str, dict[str, Any]]:
    """Path, SHA-256 and header of the checkpoint that comes with the code."""
    from segmodel import checkpoint

    return checkpoint.DEFAULT, checkpoint.sha256(checkpoint.DEFAULT), checkpoint.read_header(checkpoint.DEFAULT)


def check_checkpoint(path: Path) -> tuple[str, dict[str, Any]]:
    """SHA-256 and header of a checkpoint that can be served. Raises ValueError with one sentence."""
    from segmodel import checkpoint

    checkpoint.load(path)
    return checkpoint.sha256(path), checkpoint.read_header(path)


def new_comparison(spacing: Iterable[float]) -> Comparison:
    """To be told two masks of one label slice by slice; `spacing` is (z, y, x) in mm."""
    from segmodel.comparison import Comparison

    return Comparison(list(spacing))


def compare_reports(a: Path, b: Path) -> dict[str, Any]:
    """The paired differences b − a of two reports on the same slices and clicks, with their intervals.

    Raises ValueError with one sentence.
    """
    from segmodel import report

    return report.comparison(report.read(a), report.read(b), same=True)


def make_phantom(seed: int) -> Volume:
    """A synthetic abdominal CT."""
    from segmodel import phantom

    return phantom.make(seed)[0]


def make_small_phantoms(seed: int, days: Iterable[int]) -> list[tuple[Volume, NDArray[np.uint8]]]:
    """A coarse synthetic CT of one person for each of the days, with its true labels [z, y, x]."""
    from segmodel import phantom

    volume, labels, _ = phantom.make(seed, shape=(16, 256, 256), spacing=(11.0, 1.5, 1.5))
    return [phantom.scanned_again(volume, labels, day) for day in days]


@dataclass(frozen=True)
class SliceKey:
    """Which slice of which series, read by which checkpoint; `model` is "default" or a path in the default storage."""

    model: str
    series: str
    z: int


class ClickEngine:
    """Checkpoints and slices that are warm, on one device. For one thread: nothing in here is locked.

    Only `read` and `has` may be called beside it, so that a checkpoint can be read while another answers. The
    `PREDICTORS_KEPT` last used checkpoints stay, and of the slices that they encoded so many that `cache_bytes` of features
    are kept; the least recently used go first.
    """

    def __init__(self, device: str = "cpu", cache_bytes: int = 1 << 30) -> None:
        self.device, self.cache_bytes = device, cache_bytes
        self.predictors: OrderedDict[str, Predictor] = OrderedDict()
        self.encoded: OrderedDict[SliceKey, EncodedSlice] = OrderedDict()

    def load(self, model: str) -> Predictor:
        """The predictor of a checkpoint, read at its first use. Raises ValueError with one sentence."""
        if model not in self.predictors:
            self.put(model, self.read(model))
        self.predictors.move_to_end(model)
        return self.predictors[model]

    def has(self, model: str) -> bool:
        """Whether the checkpoint would answer at once. For any thread."""
        return model in self.predictors

    def read(self, model: str) -> Predictor:
        """The predictor of a checkpoint, for `put`; keeps nothing. For any thread. Raises ValueError with one sentence."""
        from segmodel import checkpoint
        from segmodel.predictor import Predictor

        path = model if model == "default" else default_storage.path(model)
        return Predictor(checkpoint.load(path), self.device)

    def put(self, model: str, predictor: Predictor) -> None:
        """Keep a predictor that was read, and forget the least recently used with the slices that it encoded."""
        self.predictors[model] = predictor
        while len(self.predictors) > PREDICTORS_KEPT:
            gone, _ = self.predictors.popitem(last=False)
            for key in [key for key in self.encoded if key.model == gone]:
                del self.encoded[key]

    def encode(self, key: SliceKey, read: ReadSlice) -> EncodedSlice:
        """The network's reading of a slice; `read()` gives its int16 pixels [y, x] and spacing (y, x) in mm."""
        if key in self.encoded:
            self.encoded.move_to_end(key)
            return self.encoded[key]
        encoded = self.load(key.model).encode(*read())
        self.encoded[key] = encoded
        while len(self.encoded) > 1 and sum(e.nbytes for e in self.encoded.values()) > self.cache_bytes:
            self.encoded.popitem(last=False)
        return encoded

    def mask(
        self,
        key: SliceKey,
        read: ReadSlice,
        clicks: Iterable[tuple[int, int, bool]],
        base: bytes = b"",
        by_hand: bool = True,
    ) -> tuple[bytes, float, float]:
        """The mask of clicks (y, x, positive) in the codec of `annotator.masks`, its own estimate of Dice, milliseconds.

        `base` is the mask that the clicks correct, where there is one; one that a person made `by_hand` speaks for itself.
        """
        from segmodel.clicks import Click
        from segmodel.propagation import going_on_from

        started = time.perf_counter()
        encoded = self.encode(key, read)
        given, previous = [Click(*click) for click in clicks], masks.decode(base) if base else None
        if previous is not None and by_hand:
            given = going_on_from(previous, given)
        mask, quality = self.load(key.model).predict(encoded, given, previous)
        network_ms = 1000 * (time.perf_counter() - started)
        return masks.encode(mask), quality, network_ms

    def propagate(
        self,
        source: SliceKey,
        key: SliceKey,
        read: Callable[[SliceKey], tuple[NDArray[np.int16], Spacing]],
        mask: bytes,
        ahead: tuple[int, bytes] | None = None,
    ) -> tuple[float, bytes, float] | None:
        """Milliseconds, mask and its estimate on the slice `key`, as they follow from the mask of `source` beside it.

        `ahead` is a slice farther on, and its mask, that it is drawn towards. None where the structure does not go on there.
        """
        from segmodel.propagation import Ahead, propagate

        started = time.perf_counter()
        beside = _Beside(self, {source.z: source, key.z: key}, read)
        there = Ahead(ahead[0], masks.decode(ahead[1])) if ahead else None
        found = next(propagate(beside, source.z, masks.decode(mask), key.z - source.z, there), None)
        if found is None:
            return None
        network_ms = 1000 * (time.perf_counter() - started)
        return network_ms, masks.encode(found.prediction.mask), found.prediction.quality


class _Beside:
    """Two slices of a series for `segmodel.propagation`."""

    def __init__(
        self,
        engine: ClickEngine,
        keys: dict[int, SliceKey],
        read: Callable[[SliceKey], tuple[NDArray[np.int16], Spacing]],
    ) -> None:
        self.engine, self.keys = engine, keys
        self.read = cache(read)  # its greys are asked for, and perhaps its encoding

    def __len__(self) -> int:
        return max(self.keys) + 1

    def grey(self, z: int) -> NDArray[np.int16]:
        return self.read(self.keys[z])[0]

    def predict(self, z: int, clicks: list[Click], previous: NDArray[np.bool_] | None) -> Prediction:
        key = self.keys[z]
        encoded = self.engine.encode(key, lambda: self.read(key))
        return self.engine.load(key.model).predict(encoded, clicks, previous)


def use_threads(count: int) -> None:
    """Lets the network use so many cores; 0 leaves it to torch."""
    import torch

    if count:
        torch.set_num_threads(count)
