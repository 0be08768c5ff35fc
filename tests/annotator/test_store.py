"""Volumes in the storage are valid Zarr, read slice by slice, whole or not at all."""

from __future__ import annotations

import gzip
import itertools
import time
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pytest
import zarr
from django.utils import timezone
from zarr import codecs

from annotator.studies import store
from tests.annotator.factories import SHAPE, make_series, volume

pytestmark = pytest.mark.usefixtures("storage", "db")


def test_any_zarr_reader_opens_it(storage) -> None:
    series = make_series(stored=True)
    array = zarr.open_array(storage / series.prefix, mode="r")
    assert (array.shape, array.chunks) == (SHAPE, (1, *SHAPE[1:]))
    assert array.dtype == np.int16
    assert array.metadata.to_dict()["dimension_names"] == ("z", "y", "x")
    np.testing.assert_array_equal(array[:], volume())


def test_it_reads_what_zarr_writes(storage) -> None:
    """The same array written by the reference implementation has the same files, so neither side is a dialect."""
    series = make_series()
    array = zarr.create_array(
        storage / series.prefix, shape=SHAPE, chunks=(1, *SHAPE[1:]), dtype="int16", zarr_format=3,
        serializer=codecs.BytesCodec(endian="little"), compressors=[codecs.GzipCodec(level=1)],
    )  # fmt: skip
    array[:] = volume()
    np.testing.assert_array_equal(store.read_slice(series, 2), volume()[2])


def test_a_slice_comes_back_alone() -> None:
    series = make_series(stored=True)
    for z in range(series.depth):
        np.testing.assert_array_equal(store.read_slice(series, z), volume()[z])
    assert gzip.decompress(store.slice_bytes(series, 1)) == volume()[1].astype("<i2").tobytes()


def test_equal_slices_are_equal_bytes() -> None:
    one, other = make_series(stored=True), make_series(stored=True)
    assert store.slice_bytes(one, 0) == store.slice_bytes(other, 0)


def test_views_and_big_endian_slices_are_stored_right() -> None:
    series = make_series()
    store.write(series.prefix, volume().astype(">i2")[:, ::-1, ::-1], SHAPE)
    np.testing.assert_array_equal(store.read_slice(series, 1), volume()[1, ::-1, ::-1])


@pytest.mark.parametrize("count", [SHAPE[0] - 1, SHAPE[0] + 1])
def test_a_wrong_number_of_slices_leaves_no_array(storage, count: int) -> None:
    with pytest.raises(ValueError, match="slices"):
        store.write("series/x", itertools.islice(itertools.cycle(volume()), count), SHAPE)
    assert not (storage / "series/x/zarr.json").exists()


def test_a_wrong_slice_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="Slice 0"):
        store.write("series/x", [np.zeros((2, 2), np.int16)], SHAPE)


def test_nothing_is_written_twice() -> None:
    series = make_series(stored=True)
    with pytest.raises(FileExistsError):
        store.write(series.prefix, volume(), SHAPE)
    np.testing.assert_array_equal(store.read_slice(series, 0), volume()[0])


def test_delete_leaves_nothing(storage) -> None:
    series = make_series(stored=True)
    store.delete(series.prefix)
    assert not (storage / series.prefix).exists()
    store.delete(series.prefix)
    with pytest.raises(FileNotFoundError):
        store.slice_bytes(series, 0)


def test_half_a_volume_goes_after_its_time(storage) -> None:
    whole = make_series(stored=True)
    with pytest.raises(ValueError, match="slices"):
        store.write("series/half", volume()[:2], SHAPE)
    store.delete_unfinished(timezone.now() - timedelta(hours=1))
    assert (storage / "series/half").exists()  # it may still be growing
    store.delete_unfinished(timezone.now() + timedelta(hours=1))
    assert [path.name for path in (storage / "series").iterdir()] == [str(whole.pk)]


def test_few_slices_are_in_memory_at_once(monkeypatch) -> None:
    taken = stored = most = 0
    put = store._put

    def slowly(name: str, data: bytes) -> None:
        nonlocal stored
        time.sleep(0.01)
        put(name, data)
        stored += 1

    def slices() -> Iterator[np.ndarray]:
        nonlocal taken, most
        for pixels in np.zeros((50, 2, 2), np.int16):
            taken += 1
            most = max(most, taken - stored)
            yield pixels

    monkeypatch.setattr(store, "_put", slowly)
    store.write("series/x", slices(), (50, 2, 2))
    assert most <= 2 * store._THREADS + 2
