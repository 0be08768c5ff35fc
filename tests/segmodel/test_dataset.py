"""Labelled cases: nobody is on two sides of a split, and an image belongs to its label."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmodel.dataset import SPLITS, Case, Dataset, DatasetError, GridSlices, folds, labelled_slices, read_case
from segmodel.volumes import VolumeError
from tests.segmodel.toys import ct_slices, save_volume


def cases_of(*patients, split="all"):
    """Return a case without files for every patient named."""
    return tuple(Case(f"case_{i}", Path("i.nii"), Path("l.nii"), split, patient) for i, patient in enumerate(patients))


def saved(folder, label=None, spacing=(3.0, 0.7, 0.9), **fields):
    """Write image and label of five slices; another label may be given."""
    images, labels = ct_slices(5)
    image = save_volume(folder / "image.nii.gz", images, (3.0, 0.7, 0.9))
    label = save_volume(folder / "label.nii.gz", labels if label is None else label, spacing)
    return Case("ct_1", image, label, "all", **fields)


def moved(case, affine):
    """Give the label another voxel-to-patient matrix: affine(the present one)."""
    image = nib.load(case.label)
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj), affine(image.affine)), case.label)
    return case


def test_a_case_is_its_own_patient_where_nothing_else_is_known():
    assert cases_of("")[0].patient == "case_0"
    assert cases_of("anna")[0].patient == "anna"


def test_only_known_structures_may_be_trained():
    dataset = Dataset("toys", cases_of(""), {1: "liver", 2: "tumour"}, frozenset({"tumour"}))
    assert dataset.known == {1: "liver"}
    assert dataset.structures == {1: "liver", 2: "tumour"}


def test_a_part_holds_its_own_cases_and_those_of_no_part():
    cases = (*cases_of("a", split="training"), *cases_of("b", split="validation"), *cases_of("c"))
    assert [case.patient for case in Dataset("toys", cases, {}).part("training")] == ["a", "c"]


def test_a_part_without_cases_is_refused():
    with pytest.raises(DatasetError, match=r"^The data set toys has no test cases\.$"):
        Dataset("toys", cases_of("a", split="training"), {}).part("test")


def test_a_patient_on_two_sides_of_the_split_is_refused():
    first, second = cases_of("anna", "anna", split="training")
    Dataset("toys", (first, second), {})
    other = Case(second.name, second.image, second.label, "test", "anna")
    message = r"^The patient anna is on two sides of the split: case_0 is training, case_1 is test\.$"
    with pytest.raises(DatasetError, match=message):
        Dataset("toys", (first, other), {})


PATIENTS = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=30)


@given(PATIENTS, st.integers(2, 8), st.integers(0, 5))
def test_no_patient_is_on_two_sides_of_a_fold(patients, k, seed):
    cases, count = cases_of(*patients), len(set(patients))
    if count < k:
        with pytest.raises(DatasetError, match=rf"^A data set of {count} patient\(s\) cannot be split into {k} folds"):
            folds(cases, k, seed)
        return
    made = folds(cases, k, seed)
    for training, validation in made:
        assert training and validation
        assert not {case.patient for case in training} & {case.patient for case in validation}
        assert sorted([*training, *validation], key=cases.index) == list(cases)
    validated = [case for _, validation in made for case in validation]
    assert sorted(validated, key=cases.index) == list(cases)
    sizes = [len({case.patient for case in validation}) for _, validation in made]
    assert max(sizes) - min(sizes) <= 1


@given(PATIENTS.flatmap(lambda patients: st.tuples(st.just(patients), st.lists(
    st.sampled_from(SPLITS), min_size=len(patients), max_size=len(patients)))))  # fmt: skip
def test_a_data_set_has_no_patient_on_two_sides_or_is_refused(drawn):
    patients, splits = drawn
    cases = tuple(Case(f"{i}", Path(), Path(), s, p) for i, (p, s) in enumerate(zip(patients, splits, strict=True)))
    try:
        dataset = Dataset("toys", cases, {})
    except DatasetError:
        assert len(set(zip(patients, splits, strict=True))) > len(set(patients))
        return
    sides = [{case.patient for case in dataset.cases if case.split == split} for split in SPLITS]
    assert sum(map(len, sides)) == len(set(patients))


def test_the_same_seed_gives_the_same_folds_in_any_order():
    cases = cases_of(*"abcdefgh")
    validated = lambda cases, seed: [{c.patient for c in validation} for _, validation in folds(cases, 3, seed)]  # noqa: E731
    assert validated(cases, 1) == validated(cases[::-1], 1)
    assert validated(cases, 1) != validated(cases, 2)


def test_one_patient_cannot_be_split():
    message = r"^A data set of 1 patient\(s\) cannot be split into 2 folds by patient\.$"
    with pytest.raises(DatasetError, match=message):
        folds(cases_of("anna", "anna", "anna"), 2, 0)


def test_one_fold_is_no_split():
    with pytest.raises(DatasetError, match=r"into 1 folds by patient\.$"):
        folds(cases_of("a", "b"), 1, 0)


def test_a_case_is_read_with_its_geometry(tmp_path):
    volume, labels = read_case(saved(tmp_path))
    images, drawn = ct_slices(5)
    assert volume.spacing == pytest.approx((3.0, 0.7, 0.9))
    np.testing.assert_array_equal(volume.voxels, images)
    np.testing.assert_array_equal(labels, drawn)


def test_only_slices_that_show_a_structure_are_yielded_from_feet_to_head(tmp_path):
    images, labels = ct_slices(5)
    labels[[0, 3]] = 0
    items = list(labelled_slices(saved(tmp_path, labels)))
    assert [item.z for item in items] == [1, 2, 4]
    assert items[0].spacing == pytest.approx((0.7, 0.9))
    np.testing.assert_array_equal(items[2].image, images[4])
    np.testing.assert_array_equal(items[2].label, labels[4])


def test_image_and_label_of_two_shapes_are_refused(tmp_path):
    message = r"^Image and label of ct_1 differ in shape: \(5, 64, 64\), \(5, 64, 60\)\.$"
    with pytest.raises(DatasetError, match=message):
        list(labelled_slices(saved(tmp_path, np.ones((5, 64, 60), np.uint8))))


def test_image_and_label_of_two_spacings_are_refused(tmp_path):
    message = r"^Image and label of ct_1 differ in spacing: 3 × 0\.7 × 0\.9 mm, 3 × 0\.7 × 1 mm\.$"
    with pytest.raises(DatasetError, match=message):
        read_case(saved(tmp_path, spacing=(3.0, 0.7, 1.0)))


def shifted(affine):
    affine[0, 3] += 0.5
    return affine


def turned(affine):
    angle = np.radians(5)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    affine[:2, :2] = turn @ affine[:2, :2]
    return affine


@pytest.mark.parametrize("change", [shifted, turned, lambda affine: affine @ np.diag([-1.0, 1, 1, 1])])
def test_a_label_at_another_place_is_refused(tmp_path, change):
    with pytest.raises(DatasetError, match=r"^Image and label of ct_1 do not lie at the same place of the patient\.$"):
        read_case(moved(saved(tmp_path), change))


def test_rounding_in_the_header_is_forgiven(tmp_path):
    _, labels = read_case(moved(saved(tmp_path), lambda affine: affine + 1e-3))
    np.testing.assert_array_equal(labels, ct_slices(5)[1])


def test_a_value_without_a_name_is_refused(tmp_path):
    labels = ct_slices(5)[1]
    labels[2, 3, 4] = 7
    case = saved(tmp_path, labels, values=frozenset({1, 2}), dataset="toys")
    message = r"^The label of case ct_1 has the value 7, which data set toys does not name\.$"
    with pytest.raises(DatasetError, match=message):
        list(labelled_slices(case))


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path):
    case = saved(tmp_path)
    case.label.unlink()
    with pytest.raises(VolumeError, match=r"^label\.nii\.gz does not exist\.$"):
        read_case(case)


def test_areas_are_counted_on_plain_arrays():
    labels = np.zeros((3, 4, 5), np.uint8)
    labels[0, :2] = 1
    labels[2, 0, 0] = 2
    slices = GridSlices(np.zeros((3, 4, 5), np.int16), labels, ("disk", "square"), ("a", "a", "b"))
    assert slices.areas.tolist() == [[10, 0], [0, 0], [0, 1]]
