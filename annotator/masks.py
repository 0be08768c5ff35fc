"""The one codec for a slice's mask: in the database, between worker and consumer, and on the wire to the browser.

Six little-endian u16 (height, width, y0, x0, box height, box width), then LEB128 varints: the lengths of alternating
runs of background and foreground, background first (it may be 0), over the pixels of the box in row-major order. The
box is the smallest that holds the mask; an empty mask has a 0×0 box and no runs.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

_HEADER = struct.Struct("<6H")


class MaskError(ValueError):
    """Bytes that are not a mask; the message is one sentence."""


def encode(mask: NDArray[np.bool_]) -> bytes:
    """Bytes of a bool mask [y, x] of at most 65535×65535 pixels."""
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return empty(height, width)
    y0, x0 = int(rows[0]), int(columns[0])
    box = mask[y0 : rows[-1] + 1, x0 : columns[-1] + 1]
    flat = box.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate(([0], edges, [flat.size]))
    if flat[0]:
        bounds = np.concatenate(([0], bounds))  # the first background run has no pixels
    return _HEADER.pack(height, width, y0, x0, *box.shape) + _varints(np.diff(bounds))


def empty(height: int, width: int) -> bytes:
    """Bytes of a mask without foreground."""
    return _HEADER.pack(height, width, 0, 0, 0, 0)


def decode(data: bytes) -> NDArray[np.bool_]:
    """The bool mask [y, x]. Raises MaskError where the bytes are not exactly one encoded mask."""
    if len(data) < _HEADER.size:
        raise MaskError("The mask is shorter than its header.")
    height, width, y0, x0, box_height, box_width = _HEADER.unpack_from(data)
    if y0 + box_height > height or x0 + box_width > width:
        raise MaskError("The mask's box is outside the slice.")
    runs = _read_varints(data[_HEADER.size :])
    if int(runs.sum()) != box_height * box_width:
        raise MaskError("The mask's runs do not fill its box.")
    mask = np.zeros((height, width), bool)
    values = np.arange(runs.size) % 2 == 1
    mask[y0 : y0 + box_height, x0 : x0 + box_width] = np.repeat(values, runs).reshape(box_height, box_width)
    return mask


def shape(data: bytes) -> tuple[int, int]:
    """(height, width) of an encoded mask, without decoding it. Raises MaskError."""
    if len(data) < _HEADER.size:
        raise MaskError("The mask is shorter than its header.")
    height, width, *_ = _HEADER.unpack_from(data)
    return height, width


def area(data: bytes) -> int:
    """Foreground pixels of an encoded mask."""
    return int(_read_varints(data[_HEADER.size :])[1::2].sum())


def _varints(values: NDArray[np.int64]) -> bytes:
    """LEB128 of non-negative numbers below 2**35, vectorised: a column per 7-bit group, unused groups dropped."""
    shifts = np.arange(0, 35, 7)
    groups = (values[:, None] >> shifts) & 0x7F
    used = (values[:, None] >> shifts) > 0
    used[:, 0] = True
    more = np.zeros_like(used)
    more[:, :-1] = used[:, 1:]
    return (groups | (more << 7)).astype(np.uint8)[used].tobytes()


def _read_varints(data: bytes) -> NDArray[np.int64]:
    """Numbers of a LEB128 stream; at most 5 bytes each."""
    stream = np.frombuffer(data, np.uint8)
    if stream.size == 0:
        return np.zeros(0, np.int64)
    last = np.flatnonzero(stream < 0x80)
    if last.size == 0 or last[-1] != stream.size - 1:
        raise MaskError("The mask's runs are cut short.")
    starts = np.concatenate(([0], last[:-1] + 1))
    position = np.arange(stream.size) - np.repeat(starts, last - starts + 1)
    if position.max() > 4:
        raise MaskError("A run of the mask is longer than a slice.")
    return np.add.reduceat((stream & 0x7F).astype(np.int64) << (7 * position), starts)
