"""Volumes in the default storage: one Zarr v3 array per series, one gzip chunk per slice.

A slice is read without the others, and is handed to browsers exactly as it lies there. Any Zarr reader opens the array.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import TypeVar

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from numpy.typing import NDArray

from annotator.studies.models import Series

_GZIP_LEVEL = 1  # CT noise hardly packs any smaller at higher levels
_THREADS = min(4, os.cpu_count() or 1)
_T = TypeVar("_T")


def write(prefix: str, slices: Iterable[NDArray[np.int16]], shape: tuple[int, int, int]) -> None:
    """Write a volume [z, y, x] slice by slice below `prefix`; packing takes the time, so threads share it.

    The array's own description comes last, so a volume that was cut short is never taken for one. Whatever is raised,
    nothing is being written any more by then.
    """

    def write_slice(slice_: tuple[int, NDArray[np.int16]]) -> None:
        z, pixels = slice_
        if pixels.shape != shape[1:]:
            raise ValueError(f"Slice {z} is {pixels.shape}, not {shape[1:]}.")
        data = np.ascontiguousarray(pixels, "<i2")
        _put(_chunk(prefix, z), _gzip(data.data))

    count = _in_threads(write_slice, enumerate(slices))
    if count != shape[0]:
        raise ValueError(f"The volume has {count} slices, not {shape[0]}.")
    _put(f"{prefix}/zarr.json", json.dumps(_description(shape), indent=2).encode())


def slice_bytes(series: Series, z: int) -> bytes:
    """One slice as it is stored: gzip of int16, little-endian, row by row. Raises FileNotFoundError."""
    with default_storage.open(_chunk(series.prefix, z)) as file:
        return bytes(file.read())


def read_slice(series: Series, z: int) -> NDArray[np.int16]:
    """One slice [y, x]. Raises FileNotFoundError."""
    pixels = np.frombuffer(gzip.decompress(slice_bytes(series, z)), "<i2")
    return pixels.reshape(series.height, series.width)


def delete_unfinished(before: datetime) -> None:
    """Remove what was begun before then and never got its description: a process that wrote it was killed."""
    try:
        names, _ = default_storage.listdir("series")
    except FileNotFoundError:
        return
    for prefix in (f"series/{name}" for name in names):
        if not default_storage.exists(f"{prefix}/zarr.json") and _begun_at(prefix) < before:
            delete(prefix)


def _begun_at(prefix: str) -> datetime:
    try:
        return default_storage.get_modified_time(_chunk(prefix, 0))
    except FileNotFoundError:
        return timezone.now()


def delete(prefix: str) -> None:
    """Remove a volume, or what there is of one."""
    try:
        folders, files = default_storage.listdir(prefix)
    except FileNotFoundError:
        return
    for name in files:
        default_storage.delete(f"{prefix}/{name}")
    for name in folders:
        delete(f"{prefix}/{name}")
    default_storage.delete(prefix)  # the empty folder, where the storage has folders


def _chunk(prefix: str, z: int) -> str:
    return f"{prefix}/c/{z}/0/0"


def _in_threads(work: Callable[[_T], None], items: Iterable[_T]) -> int:
    """Do the work on every item, few of them at a time, so that memory stays small; returns their number."""
    waiting: deque[Future[None]] = deque()
    count = 0
    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            for item in items:
                if len(waiting) == 2 * _THREADS:
                    waiting.popleft().result()
                waiting.append(pool.submit(work, item))
                count += 1
            for last in waiting:
                last.result()
        finally:
            pool.shutdown(cancel_futures=True)
    return count


def _put(name: str, data: bytes) -> None:
    """Storages answer a taken name with another one; a chunk has only this one."""
    stored = default_storage.save(name, ContentFile(data))
    if stored != name:
        default_storage.delete(stored)
        raise FileExistsError(f"{name} is stored already.")


def _gzip(data: memoryview) -> bytes:
    """No time stamp, so that equal slices are equal bytes; zlib itself, as it lets other threads run meanwhile."""
    packer = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return packer.compress(data) + packer.flush()


def _description(shape: tuple[int, int, int]) -> dict[str, object]:
    """The array's `zarr.json`."""
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(shape),
        "data_type": "int16",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1, *shape[1:]]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "codecs": [
            {"name": "bytes", "configuration": {"endian": "little"}},
            {"name": "gzip", "configuration": {"level": _GZIP_LEVEL}},
        ],
        "fill_value": 0,
        "dimension_names": ["z", "y", "x"],
        "attributes": {"unit": "HU"},
    }
