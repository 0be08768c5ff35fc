"""Decathlon folders: what is read, who is on which side of the split, and what lies on the network's grid."""

import json
import os

import numpy as np
import pytest

from segmodel.dataset import SPLITS, DatasetError, labelled_slices, on_grid, read_decathlon
from segmodel.grid import Grid
from tests.segmodel.toys import ct_slices, decathlon, disk, save_volume

GRID = Grid(1.0)


def names(cases):
    return [case.name for case in cases]


def describe(folder, **changes):
    """Change fields of dataset.json."""
    file = folder / "dataset.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    return folder


def gridded(folder, cache, size=64, merge=None, grid=GRID):
    dataset = read_decathlon(folder)
    return on_grid([(dataset, dataset.cases)], grid, size, merge or {}, cache)


def test_a_folder_is_read_with_its_names_and_files(tmp_path):
    dataset = read_decathlon(decathlon(tmp_path))
    assert dataset.name == "toys"
    assert dataset.structures == {1: "disk", 2: "square"}
    assert names(dataset.cases) == ["ct_00", "ct_01", "ct_02"]
    assert dataset.cases[0].label == tmp_path / "labelsTr" / "ct_00.nii.gz"


def test_every_patient_is_on_one_side_of_the_split_only(tmp_path):
    dataset = read_decathlon(decathlon(tmp_path))
    assert names(dataset.part("training")) == ["ct_00", "ct_01"]
    assert names(dataset.part("validation")) == ["ct_02"]


def test_a_split_may_name_files_or_their_last_part(tmp_path):
    folder = decathlon(tmp_path, split={"ct_00": "test", "01": "training", "ct_02": "validation"})
    assert [case.split for case in read_decathlon(folder).cases] == ["test", "training", "validation"]


def test_without_a_split_every_case_is_in_every_part(tmp_path):
    dataset = read_decathlon(decathlon(tmp_path, split={}))
    assert all(len(dataset.part(part)) == 3 for part in SPLITS)


def test_a_part_without_cases_is_refused(tmp_path):
    dataset = read_decathlon(decathlon(tmp_path))
    with pytest.raises(DatasetError, match=r"^The data set toys has no test cases\.$"):
        dataset.part("test")


def test_a_case_that_the_split_forgets_is_refused(tmp_path):
    folder = decathlon(tmp_path, split={"00": "training", "01": "training"})
    with pytest.raises(DatasetError, match=r"^The case ct_02 is in no part of the split\.$"):
        read_decathlon(folder)


def test_a_part_of_another_name_is_refused(tmp_path):
    folder = decathlon(tmp_path, split={"00": "training", "01": "training", "02": "holdout"})
    with pytest.raises(DatasetError, match=r"^The case ct_02 is in no part of the split\.$"):
        read_decathlon(folder)


def test_a_folder_without_a_description_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"has no dataset\.json\.$"):
        read_decathlon(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe\x00"])
def test_a_description_that_is_not_json_is_refused(tmp_path, content):
    (tmp_path / "dataset.json").write_bytes(content)
    with pytest.raises(DatasetError, match=r"is not JSON\.$"):
        read_decathlon(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"labels": None},
        {"labels": {"liver": 1}},
        {"training": [{"image": "a.nii"}]},
        {"training": 3},
        {"split": ["00"]},
    ],
    ids=str,
)
def test_a_description_of_another_layout_is_refused(tmp_path, change):
    folder = describe(decathlon(tmp_path), **change)
    with pytest.raises(DatasetError, match=r"dataset\.json is not in the Decathlon layout\.$"):
        read_decathlon(folder)


def test_a_list_instead_of_a_description_is_refused(tmp_path):
    (tmp_path / "dataset.json").write_text("[1, 2]")
    with pytest.raises(DatasetError, match=r"is not in the Decathlon layout\.$"):
        read_decathlon(tmp_path)


def test_a_file_that_is_described_but_not_there_is_refused(tmp_path):
    folder = decathlon(tmp_path)
    (folder / "labelsTr" / "ct_01.nii.gz").unlink()
    with pytest.raises(DatasetError, match=r"names ct_01\.nii\.gz, which is not there\.$"):
        read_decathlon(folder)


def test_only_slices_that_show_a_structure_are_yielded_from_feet_to_head(tmp_path):
    images, labels = ct_slices(5)
    labels[[0, 3]] = 0
    [case] = read_decathlon(decathlon(tmp_path, {"ct_1": (images, labels)}, (3.0, 0.7, 0.9))).cases
    items = list(labelled_slices(case))
    assert [item.z for item in items] == [1, 2, 4]
    assert items[0].spacing == pytest.approx((0.7, 0.9))
    np.testing.assert_array_equal(items[2].image, images[4])
    np.testing.assert_array_equal(items[2].label, labels[4])


def test_image_and_label_of_two_shapes_are_refused(tmp_path):
    folder = decathlon(tmp_path)
    save_volume(folder / "labelsTr" / "ct_00.nii.gz", np.ones((2, 64, 60), np.uint8))
    message = r"^Image and label of ct_00 differ in shape: \(2, 64, 64\), \(2, 64, 60\)\.$"
    with pytest.raises(DatasetError, match=message):
        list(labelled_slices(read_decathlon(folder).cases[0]))


def test_slices_at_the_grids_own_spacing_are_taken_as_they_are(tmp_path):
    images, labels = ct_slices(6)
    slices = gridded(decathlon(tmp_path / "data"), tmp_path / "cache")
    np.testing.assert_array_equal(slices.images, images)
    np.testing.assert_array_equal(slices.labels, labels)
    assert slices.structures == ("disk", "square")
    assert slices.cases == ("ct_00", "ct_00", "ct_01", "ct_01", "ct_02", "ct_02")


def test_image_and_label_are_resampled_and_cropped_alike(tmp_path):
    label = disk((128, 200), (60, 100), 24).astype(np.uint8)
    folder = decathlon(tmp_path / "data", {"ct_1": (1000 * label[None].astype(np.int16), label[None])}, (3.0, 0.5, 0.5))
    slices = gridded(folder, tmp_path / "cache")
    assert slices.images.shape == (1, 64, 64)
    np.testing.assert_array_equal(slices.images[0] >= 500, slices.labels[0] == 1)
    assert np.argwhere(slices.labels[0]).mean(axis=0) == pytest.approx((29.75, 31.75), abs=0.1)


def test_a_slice_smaller_than_the_picture_lies_in_its_middle_in_air(tmp_path):
    images, labels = ct_slices(1, side=40)
    slices = gridded(decathlon(tmp_path / "data", {"ct_1": (images, labels)}), tmp_path / "cache")
    np.testing.assert_array_equal(slices.images[0, 12:52, 12:52], images[0])
    assert (slices.images[0, :12] == -1024).all()
    assert not slices.labels[0, :12].any()


def test_a_merged_structure_becomes_part_of_the_other(tmp_path):
    _, labels = ct_slices(6)
    slices = gridded(decathlon(tmp_path / "data"), tmp_path / "cache", merge={"square": "disk"})
    assert slices.structures == ("disk",)
    np.testing.assert_array_equal(slices.labels, labels > 0)


def test_data_sets_with_other_numbers_share_names(tmp_path):
    one = read_decathlon(decathlon(tmp_path / "one"))
    swapped = {"0": "background", "2": "disk", "1": "ball"}
    other = read_decathlon(describe(decathlon(tmp_path / "other"), labels=swapped))
    slices = on_grid([(one, one.cases[:1]), (other, other.cases[:1])], GRID, 64, {}, tmp_path / "cache")
    assert slices.structures == ("ball", "disk", "square")
    _, labels = ct_slices(6)
    np.testing.assert_array_equal(slices.labels[:2], np.array([0, 2, 3])[labels[:2]])
    np.testing.assert_array_equal(slices.labels[2:], np.array([0, 1, 2])[labels[:2]])


def test_the_cache_is_used_again(tmp_path, monkeypatch):
    folder = decathlon(tmp_path / "data")
    first = gridded(folder, tmp_path / "cache")
    monkeypatch.setattr("segmodel.dataset.labelled_slices", lambda case: pytest.fail("read again"))
    again = gridded(folder, tmp_path / "cache")
    np.testing.assert_array_equal(again.images, first.images)
    np.testing.assert_array_equal(again.labels, first.labels)


@pytest.mark.parametrize(
    "change", [{"size": 32}, {"merge": {"square": "disk"}}, {"grid": Grid(2.0)}, {"grid": Grid(1.0, 32, 48)}], ids=str
)
def test_the_cache_is_not_used_for_another_question(tmp_path, change):
    folder = decathlon(tmp_path / "data")
    before = gridded(folder, tmp_path / "cache")
    after, fresh = (gridded(folder, tmp_path / name, **change) for name in ("cache", "fresh"))
    np.testing.assert_array_equal(after.images, fresh.images)
    np.testing.assert_array_equal(after.labels, fresh.labels)
    assert after.labels.shape != before.labels.shape or (after.labels != before.labels).any()


@pytest.mark.parametrize("part", ["imagesTr", "labelsTr"])
def test_a_file_that_changed_is_read_again(tmp_path, part):
    folder = decathlon(tmp_path / "data")
    before = gridded(folder, tmp_path / "cache")
    file = folder / part / "ct_00.nii.gz"
    save_volume(file, np.ones((2, 64, 64)))
    os.utime(file, (1, 1))
    after = gridded(folder, tmp_path / "cache")
    assert (after.images != before.images).any() or (after.labels != before.labels).any()


def test_a_case_without_labelled_slices_is_refused_and_not_cached(tmp_path):
    images, labels = ct_slices(2)
    folder = decathlon(tmp_path / "data", {"ct_1": (images, 0 * labels)})
    with pytest.raises(DatasetError, match=r"^The case ct_1 has no labelled slice\.$"):
        gridded(folder, tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())
