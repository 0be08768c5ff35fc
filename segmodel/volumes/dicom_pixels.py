"""Decoding of DICOM pixel data to Hounsfield units, one frame at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import Decoder, get_decoder
from pydicom.uid import UID

from segmodel.volumes.dicom_headers import Frame, open_dataset, transfer_syntax
from segmodel.volumes.volume import VolumeError, to_int16

_READERS = {
    "1.2.840.10008.1.2.4.5": "python-gdcm",
    "1.2.840.10008.1.2.4.7": "python-gdcm",
    "1.2.840.10008.1.2.4.8": "pyjpegls",
    "1.2.840.10008.1.2.4.9": "pylibjpeg-openjpeg",
    "1.2.840.10008.1.2.4.20": "pylibjpeg-openjpeg",
}
"""Transfer syntax UIDs by their beginning, and the package that decodes them where it is not installed."""


def decode(path: Path, frames: Sequence[Frame]) -> Iterator[tuple[Frame, NDArray[np.int16], int]]:
    """Yield each frame of one file as Hounsfield units and the number of values clipped to int16.

    Args:
        frames: frames of the file at ``path``, in any order; they are yielded in the file's order.

    Yields:
        (frame, int16 ``[row, column]``, clipped).

    Raises:
        VolumeError: no pixel data, an unknown or damaged encoding, or too little data.
    """
    dataset = open_dataset(path)
    _check_pixels(dataset, path.name)
    decoder = _decoder(transfer_syntax(dataset), path.name)
    frames = sorted(frames, key=lambda frame: frame.index)
    for frame, values in zip(frames, _decoded(decoder, dataset, frames), strict=True):
        if values.shape != frame.shape:
            raise VolumeError(f"{path.name} decodes to {values.shape} pixels, but its header says {frame.shape}.")
        yield frame, *to_int16(values, frame.slope, frame.intercept)


def _check_pixels(dataset: Dataset, name: str) -> None:
    if "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset:
        raise VolumeError(f"{name} stores floating-point pixels, which CT does not use.")
    if not dataset.get("PixelData"):
        raise VolumeError(f"{name} has no pixel data.")


def _decoder(syntax: UID, name: str) -> Decoder:
    spoken = f"{syntax} ({syntax.name})" if syntax.name != syntax else f"{syntax} (not a standard one)"
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        raise VolumeError(f"{name} uses the transfer syntax {spoken}, which cannot be decoded here.") from None
    if not decoder.is_available:
        package = next((reader for start, reader in _READERS.items() if syntax.startswith(start)), "a plug-in")
        raise VolumeError(f"{name} uses the transfer syntax {spoken}; install {package} to read it.")
    return decoder


def _decoded(decoder: Decoder, dataset: Dataset, frames: Sequence[Frame]) -> Iterator[NDArray[Any]]:
    """Yield the raw values of the frames; the decoders raise all sorts of errors on damaged data."""
    name = frames[0].path.name
    arrays = decoder.iter_array(dataset, raw=True, indices=[frame.index for frame in frames])
    for number in range(len(frames)):
        try:
            values, _ = next(arrays)
        except Exception as error:
            raise VolumeError(_why(dataset, name, frames[number].index, error)) from error
        yield values


def _why(dataset: Dataset, name: str, index: int, error: Exception) -> str:
    if "less than expected" in str(error):
        return f"{name} is truncated: its pixel data are shorter than its header says."
    syntax = transfer_syntax(dataset)
    where = f"frame {index + 1} of {name}" if int(dataset.get("NumberOfFrames") or 1) > 1 else name
    return f"The pixel data of {where} cannot be decoded ({syntax.name}): they are truncated or damaged."
