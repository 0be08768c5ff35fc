"""What lies on the network's grid, what the cache keeps, and what is in the way of it."""

import dataclasses
import json
import os
import pickle
import resource
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmodel import preparation
from segmodel.dataset import DatasetError
from segmodel.grid import Grid
from segmodel.intensity import Intensity, Moments
from segmodel.layouts import read_decathlon
from segmodel.preparation import CaseOnGrid, Stack, chosen_slices, on_grid, prepare
from tests.segmodel.toys import ct_slices, decathlon, disk, save_volume

GRID = Grid(1.0)


def prepared(folder, cache, size=64, merge=None, grid=GRID, said=None, **options):
    dataset = read_decathlon(folder, said)
    return prepare([(dataset, dataset.cases)], grid, size, merge or {}, cache, **options)


def gridded(*arguments, **options):
    return prepared(*arguments, **options).slices()


def one_case(folder, labels, spacing=(3.0, 1.0, 1.0)):
    return decathlon(folder, {"ct_1": (ct_slices(len(labels))[0], labels)}, spacing)


def test_slices_at_the_grids_own_spacing_are_taken_as_they_are(tmp_path):
    images, labels = ct_slices(6)
    slices = gridded(decathlon(tmp_path / "data"), tmp_path / "cache")
    np.testing.assert_array_equal(list(slices.images), images)
    np.testing.assert_array_equal(list(slices.labels), labels)
    assert slices.images.shape == (6, 64, 64)
    assert slices.structures == ("disk", "square")
    assert slices.cases == ("ct_00", "ct_00", "ct_01", "ct_01", "ct_02", "ct_02")


def test_on_grid_gives_the_slices_of_prepare(tmp_path):
    dataset = read_decathlon(decathlon(tmp_path / "data"))
    slices = on_grid([(dataset, dataset.cases[:1])], GRID, 64, {}, tmp_path / "cache", leave_out=["square"])
    assert (len(slices.images), slices.structures) == (2, ("disk",))


def test_areas_are_known_without_the_pixels(tmp_path):
    slices = gridded(decathlon(tmp_path / "data"), tmp_path / "cache")
    wanted = [[(label == 1).sum(), (label == 2).sum()] for label in ct_slices(6)[1]]
    assert slices.areas.tolist() == wanted
    assert slices.counted is slices.areas


def test_image_and_label_are_resampled_and_cropped_alike(tmp_path):
    label = disk((128, 200), (60, 100), 24).astype(np.uint8)
    folder = decathlon(
        tmp_path / "data", {"ct_1": (1000 * label[None].astype(np.int16), label[None])}, (3.0, 0.5, 0.5),
        labels={"1": "disk"},
    )  # fmt: skip
    slices = gridded(folder, tmp_path / "cache")
    assert slices.images.shape == (1, 64, 64)
    np.testing.assert_array_equal(slices.images[0] >= 500, slices.labels[0] == 1)
    assert np.argwhere(slices.labels[0]).mean(axis=0) == pytest.approx((29.75, 31.75), abs=0.1)


def test_a_slice_smaller_than_the_picture_lies_in_its_middle_in_air(tmp_path):
    images, labels = ct_slices(1, side=40)
    slices = gridded(decathlon(tmp_path / "data", {"ct_1": (images, labels)}), tmp_path / "cache")
    np.testing.assert_array_equal(slices.images[0][12:52, 12:52], images[0])
    assert (slices.images[0][:12] == -1024).all()
    assert not slices.labels[0][:12].any()


def test_a_merged_structure_becomes_part_of_the_other(tmp_path):
    slices = gridded(decathlon(tmp_path / "data"), tmp_path / "cache", merge={"square": "disk"})
    assert slices.structures == ("disk",)
    np.testing.assert_array_equal(list(slices.labels), ct_slices(6)[1] > 0)


@pytest.mark.parametrize(
    "without",
    [{"said": {"unknown": ["square"]}}, {"leave_out": ["square"]}, {"leave_out": ["square", "cube"]}],
    ids=str,
)
def test_what_is_unknown_or_left_out_becomes_background(tmp_path, without):
    slices = gridded(decathlon(tmp_path / "data"), tmp_path / "cache", **without)
    assert slices.structures == ("disk",)
    np.testing.assert_array_equal(list(slices.labels), ct_slices(6)[1] == 1)


def test_a_part_that_is_left_out_is_no_part_of_the_whole(tmp_path):
    slices = gridded(decathlon(tmp_path / "data"), tmp_path / "cache", merge={"square": "disk"}, leave_out=["square"])
    np.testing.assert_array_equal(list(slices.labels), ct_slices(6)[1] == 1)


def test_a_structure_that_one_data_set_knows_is_background_in_the_other(tmp_path):
    one = read_decathlon(decathlon(tmp_path / "one"))
    other = read_decathlon(decathlon(tmp_path / "other"), {"unknown": ["square"]})
    slices = on_grid([(one, one.cases[:1]), (other, other.cases[:1])], GRID, 64, {}, tmp_path / "cache")
    assert slices.structures == ("disk", "square")
    assert (slices.areas[:, 1] > 0).tolist() == [True, True, False, False]


def test_data_sets_with_other_numbers_share_names(tmp_path):
    one = read_decathlon(decathlon(tmp_path / "one"))
    swapped = {"0": "background", "2": "disk", "1": "ball"}
    other = read_decathlon(decathlon(tmp_path / "other"), {"labels": swapped})
    slices = on_grid([(one, one.cases[:1]), (other, other.cases[:1])], GRID, 64, {}, tmp_path / "cache")
    assert slices.structures == ("ball", "disk", "square")
    labels = ct_slices(6)[1][:2]
    np.testing.assert_array_equal(list(slices.labels)[:2], np.array([0, 2, 3])[labels])
    np.testing.assert_array_equal(list(slices.labels)[2:], np.array([0, 1, 2])[labels])


# ----------------------------------------------------------------------------------------------- empty slices


def test_empty_slices_are_dropped_or_kept_in_part(tmp_path):
    images, labels = ct_slices(6)
    labels[1:5] = 0
    folder = one_case(tmp_path / "data", labels)
    counts = {share: len(gridded(folder, tmp_path / "cache", empty=share).images) for share in (0, 0.5, 1)}
    assert counts == {0: 2, 0.5: 4, 1: 6}
    half = gridded(folder, tmp_path / "cache", empty=0.5)
    assert (half.areas.sum(axis=1) == 0).sum() == 2
    np.testing.assert_array_equal(list(gridded(folder, tmp_path / "cache", empty=1).images), images)


def test_a_slice_with_nothing_but_unknown_structures_counts_as_empty(tmp_path):
    labels = ct_slices(3)[1]
    labels[1][labels[1] == 1] = 0
    folder = one_case(tmp_path / "data", labels)
    assert len(gridded(folder, tmp_path / "cache", leave_out=["disk"]).images) == 3
    assert len(gridded(folder, tmp_path / "cache", leave_out=["square"]).images) == 2


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.floats(0, 1), st.floats(0, 1), st.text(max_size=5))
def test_the_slices_of_a_case_are_drawn_by_its_name_alone(shown, one, other, name):
    shown, (less, more) = np.array(shown), sorted((one, other))
    few, many = (chosen_slices(shown, share, name) for share in (less, more))
    assert set(np.flatnonzero(shown)) <= set(few) <= set(many)
    assert many == sorted(set(many)) == chosen_slices(shown, more, name)
    assert len(few) == shown.sum() + round(less * (~shown).sum())


def test_two_cases_keep_other_slices():
    shown = np.zeros(50, bool)
    assert chosen_slices(shown, 0.5, "a") != chosen_slices(shown, 0.5, "b")


# -------------------------------------------------------------------------------------------------- the cache


def test_finished_cases_are_kept(tmp_path, monkeypatch):
    folder = decathlon(tmp_path / "data")
    first = gridded(folder, tmp_path / "cache")
    monkeypatch.setattr(CaseOnGrid, "prepare", lambda case: pytest.fail("prepared again"))
    again = gridded(folder, tmp_path / "cache")
    np.testing.assert_array_equal(list(again.images), list(first.images))
    np.testing.assert_array_equal(list(again.labels), list(first.labels))


def test_an_interrupted_preparation_goes_on_where_it_was(tmp_path, monkeypatch):
    folder, done, work = decathlon(tmp_path / "data"), [], CaseOnGrid.prepare

    def interrupted(case):
        if len(done) == 2:
            raise KeyboardInterrupt
        work(case)
        done.append(case.case.name)

    monkeypatch.setattr(CaseOnGrid, "prepare", interrupted)
    with pytest.raises(KeyboardInterrupt):
        gridded(folder, tmp_path / "cache")
    monkeypatch.setattr(CaseOnGrid, "prepare", lambda case: done.append(case.case.name) or work(case))
    assert len(gridded(folder, tmp_path / "cache").images) == 6
    assert done == ["ct_00", "ct_01", "ct_02"]


@pytest.mark.parametrize(
    "change",
    [{"size": 32}, {"merge": {"square": "disk"}}, {"grid": Grid(2.0)}, {"grid": Grid(1.0, 32, 48)},
     {"leave_out": ["square"]}],
    ids=str,
)  # fmt: skip
def test_the_cache_is_not_used_for_another_question(tmp_path, change):
    folder = decathlon(tmp_path / "data")
    before = gridded(folder, tmp_path / "cache")
    after, fresh = (gridded(folder, tmp_path / name, **change) for name in ("cache", "fresh"))
    np.testing.assert_array_equal(list(after.images), list(fresh.images))
    np.testing.assert_array_equal(list(after.labels), list(fresh.labels))
    assert after.labels.shape != before.labels.shape or (np.array(after.labels) != np.array(before.labels)).any()


@pytest.mark.parametrize("part", ["imagesTr", "labelsTr"])
def test_a_file_that_changed_is_read_again(tmp_path, part):
    folder = decathlon(tmp_path / "data")
    before = gridded(folder, tmp_path / "cache")
    file = folder / part / "ct_00.nii.gz"
    save_volume(file, np.ones((2, 64, 64)))
    os.utime(file, (1, 1))
    after = gridded(folder, tmp_path / "cache")
    assert any(
        (np.array(new) != np.array(old)).any()
        for new, old in ((after.images, before.images), (after.labels, before.labels))
    )


def test_the_cache_holds_plain_arrays_beside_what_they_are_of(tmp_path):
    labels = ct_slices(4)[1]
    labels[1] = 0
    gridded(one_case(tmp_path / "data", labels, (2.5, 1.0, 1.0)), tmp_path / "cache")
    [folder] = (tmp_path / "cache").iterdir()
    assert folder.name.startswith("ct_1_1mm_64_")
    assert np.load(folder / "images.npy").dtype == np.int16
    np.testing.assert_array_equal(np.load(folder / "labels.npy"), labels[[0, 2, 3]])
    described = json.loads((folder / "case.json").read_text())
    assert described == {"case": "ct_1", "patient": "ct_1", "spacing": [2.5, 1.0, 1.0], "z": [0, 2, 3]}


def test_several_processes_prepare_the_same_and_tell_what_failed(tmp_path):
    alone = prepared(decathlon(tmp_path / "data"), tmp_path / "cache").cases
    empty = read_decathlon(one_case(tmp_path / "empty", np.zeros((2, 64, 64), np.uint8))).cases[0]
    (tmp_path / "together").mkdir()
    together = [dataclasses.replace(case, cache=tmp_path / "together") for case in alone]
    with pytest.raises(DatasetError, match=r"^The case ct_1 has no labelled slice\.$"):
        list(preparation._in_processes([*together, dataclasses.replace(together[0], case=empty)], 2))
    for one, other in zip(alone, together, strict=True):
        for name in ("images.npy", "labels.npy", "areas.npy", "case.json"):
            assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes()


# ------------------------------------------------------------------------------------------------- the arrays


@pytest.fixture
def stack(tmp_path):
    """Three files of 2, 0 and 3 slices with values 0 … 4, and what they hold together."""
    whole = np.arange(5, dtype=np.int16)[:, None, None] * np.ones((1, 4, 6), np.int16)
    files = [tmp_path / f"{i}.npy" for i in range(3)]
    for file, part in zip(files, (whole[:2], whole[:0], whole[2:]), strict=True):
        np.save(file, part)
    return Stack(files), whole


def test_a_stack_is_indexed_as_one_array(stack):
    stack, whole = stack
    assert (len(stack), stack.shape) == (5, (5, 4, 6))
    for i in (0, 1, 2, 4, -1, np.int64(3)):
        np.testing.assert_array_equal(stack[i], whole[i])
    np.testing.assert_array_equal(list(stack), whole)
    with pytest.raises(IndexError):
        stack[5]


def test_a_stack_stays_on_disk(stack):
    stack, _ = stack
    assert all(isinstance(array, np.memmap) for array in stack.arrays)
    assert not stack[0].flags.writeable
    assert len(pickle.dumps(stack)) < 2000
    np.testing.assert_array_equal(list(pickle.loads(pickle.dumps(stack))), list(stack))


def test_intensities_are_measured_slice_by_slice(stack):
    stack, whole = stack
    measured = Intensity.measured(stack, 1, 3.5)
    clipped = np.clip(whole, 1, 3.5)
    assert (measured.mean, measured.std) == (pytest.approx(clipped.mean()), pytest.approx(clipped.std(), rel=1e-12))


@given(st.lists(st.lists(st.integers(-1024, 3071), min_size=1, max_size=20), min_size=1, max_size=20))
def test_moments_of_pieces_are_those_of_the_whole(pieces):
    moments, whole = Moments(), np.concatenate([np.array(piece, np.int16) for piece in pieces])
    for piece in pieces:
        moments.add(np.array(piece, np.int16))
    assert moments.count == whole.size
    assert moments.mean == pytest.approx(whole.mean(dtype=np.float64), rel=1e-12, abs=1e-9)
    assert moments.std == pytest.approx(whole.std(dtype=np.float64), abs=1e-4)


# ------------------------------------------------------------------------------------------------- the summary


def test_the_summary_counts_by_hand(tmp_path):
    image, label = np.zeros((3, 64, 64), np.int16), np.zeros((3, 64, 64), np.uint8)
    label[0, :10, :10], image[0, :10, :10] = 1, 500
    label[:2, 20:30, 20:30], image[:2, 20:30, 20:30] = 2, [[[40]], [[60]]]
    cases = {"ct_1": (image, label), "ct_2": (image, np.where(label == 2, label, 0))}
    folder = decathlon(tmp_path / "data", cases, split={})
    lines = prepared(folder, tmp_path / "cache", empty=1.0).summary((-100.0, 200.0)).splitlines()
    pixels = np.clip(image, -100, 200)
    assert lines[0].startswith("| data set | structure | patients | slices | records | in-plane, mm |")
    assert lines[2:] == [
        f"| toys | all | 2 | 6 | 5 | 1.00 | 3.00 | {pixels.mean():.1f} | {pixels.std():.1f} |",
        "| toys | disk | 1 | 1 | 1 | 1.00 | 3.00 | 200.0 | 0.0 |",
        "| toys | square | 2 | 4 | 4 | 1.00 | 3.00 | 50.0 | 10.0 |",
    ]


def test_the_summary_tells_the_range_of_spacings(tmp_path):
    parts = []
    for name, spacing in (("one", (2.5, 0.7, 0.7)), ("other", (5.0, 0.9, 0.9))):
        dataset = read_decathlon(decathlon(tmp_path / name, {name: ct_slices(1)}, spacing))
        parts.append((dataset, dataset.cases))
    table = prepare(parts, GRID, 64, {}, tmp_path / "cache").summary((-125.0, 275.0))
    assert "| toys | all | 2 | 2 | 4 | 0.70–0.90 | 2.50–5.00 |" in table


def test_what_a_killed_process_left_is_cleared_away_but_not_what_one_writes_now(tmp_path):
    folder, cache = decathlon(tmp_path / "data", {"ct_[1]": ct_slices(2)}), tmp_path / "cache"
    gridded(folder, cache)
    (made,) = cache.iterdir()
    left, writing = cache / f".{made.name}.left.partial", cache / f".{made.name}.now.partial"
    for unfinished in (left, writing):
        unfinished.mkdir()
        (unfinished / "images.npy").touch()
    os.utime(left, (0, 0))
    shutil.rmtree(made)
    gridded(folder, cache)
    assert set(cache.iterdir()) == {made, writing}


# ----------------------------------------------------------------------------------------------------- refusals


def refused(tmp_path, folder, **options):
    """Return the sentence, having seen that nothing is left of the case that failed."""
    with pytest.raises(DatasetError) as caught:
        gridded(folder, tmp_path / "cache", **options)
    assert not [file for file in (tmp_path / "cache").glob("*") if "partial" in file.name]
    return str(caught.value)


def test_a_case_without_labelled_slices_is_refused_and_not_cached(tmp_path):
    folder = one_case(tmp_path / "data", np.zeros((2, 64, 64), np.uint8))
    assert refused(tmp_path, folder) == "The case ct_1 has no labelled slice."
    assert not list((tmp_path / "cache").iterdir())


def test_a_value_that_the_data_set_does_not_name_is_refused(tmp_path):
    folder = one_case(tmp_path / "data", 3 * ct_slices(2)[1])
    assert refused(tmp_path, folder) == "The label of case ct_1 has the value 3, which data set toys does not name."


def test_a_structure_that_no_slice_shows_is_refused_by_name(tmp_path):
    names = {"1": "disk", "2": "square", "3": "cube", "4": "ball"}
    folder = decathlon(tmp_path / "data", labels=names)
    assert refused(tmp_path, folder) == "No training slice shows ball, cube."
    assert gridded(folder, tmp_path / "cache", leave_out=["ball", "cube"]).structures == ("disk", "square")


def test_training_without_structures_is_refused(tmp_path):
    folder = decathlon(tmp_path / "data")
    assert refused(tmp_path, folder, leave_out=["disk", "square"]) == "1 to 255 structures can be trained, not 0."


def test_a_full_disk_leaves_nothing_half_written(tmp_path):
    folder = decathlon(tmp_path / "data")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, limits[1]))  # the system itself refuses to write more to a file
    try:
        message = refused(tmp_path, folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert message == f"The cache {tmp_path / 'cache'} cannot be written: File too large."
    assert not list((tmp_path / "cache").iterdir())
    assert len(gridded(folder, tmp_path / "cache").images) == 6
