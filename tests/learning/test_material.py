"""A frozen set as a folder for segmodel: read back, its voxels, labels, clicks and places are those of the viewer."""

from __future__ import annotations

import json

import numpy as np
import pytest

from annotator import masks
from annotator.annotation.models import Label, Project, SliceMask
from annotator.learning import freeze, material, split
from annotator.learning.freeze import FreezeRefused
from annotator.learning.models import Part
from annotator.studies import store
from annotator.studies.models import Series
from segmodel import layouts
from segmodel.dataset import read_case
from segmodel.volumes import Geometry
from tests.learning import frozen

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(storage):
    return frozen.make_project()


@pytest.fixture
def case(project):
    """A gold patient's: masks on the slices 1 and 2 of three."""
    return frozen.make_gold(project, patients=1)[0]


def write(project, folder):
    manifest = freeze.for_evaluation([project])
    folder = material.write(manifest, folder)
    return layouts.read(folder), json.loads((folder / "dataset.json").read_text()), folder


def test_voxels_and_labels_are_those_of_the_slices_with_masks(project, case, tmp_path):
    dataset, _, _ = write(project, tmp_path / "set")
    assert dataset.structures == {1: "disk", 2: "square"}
    volume, labels = read_case(dataset.cases[0])
    series = case.task.series
    assert np.array_equal(volume.voxels, [store.read_slice(series, z) for z in (1, 2)])
    for value, name in ((1, "Disk"), (2, "Square")):
        truth = [masks.decode(case.masks.get(z=z, label__name=name).mask) for z in (1, 2)]
        assert np.array_equal(labels == value, truth)


def test_a_voxel_lies_where_it_lay_in_the_patient(project, case, tmp_path):
    dataset, _, _ = write(project, tmp_path / "set")
    volume, _ = read_case(dataset.cases[0])
    series = case.task.series
    whole = Geometry.from_json(series.geometry)
    assert volume.spacing == pytest.approx(series.spacing)
    here, there = ([x, y, z, 1] for x, y, z in ((5, 9, 0), (5, 9, 1)))  # slice 0 of the part is slice 1 of the series
    assert volume.geometry.affine @ here == pytest.approx(whole.affine @ there)


def test_the_split_patients_and_the_way_back_are_described(project, case, tmp_path):
    dataset, described, folder = write(project, tmp_path / "set")
    name = f"case{case.pk}"
    assert [(one.name, one.split, one.patient) for one in dataset.cases] == [(name, "test", freeze.alias("gold 0"))]
    assert json.loads((folder / material.CASES).read_text()) == {name: {"assignment": case.pk, "z0": 1}}
    clicks = described["clicks"][name]
    row = case.masks.get(z=2, label__name="Square")
    assert clicks["1"]["2"] == [[row.clicks[0]["y"], row.clicks[0]["x"], True]]
    _, labels = read_case(dataset.cases[0])
    for z, by_value in clicks.items():
        for value, [[y, x, positive]] in by_value.items():
            assert positive and labels[int(z), y, x] == int(value)


def test_training_and_validation_patients_are_on_segmodel_s_sides(project, tmp_path, monkeypatch):
    monkeypatch.setattr(freeze, "LEAST_SLICES", 1)
    for key, part in (("T", Part.TRAINING), ("V", Part.VALIDATION)):
        split.enter(key, part)
        frozen.make_truth(project, key)
    dataset = layouts.read(material.write(freeze.for_training([project]), tmp_path / "set"))
    assert {one.patient: one.split for one in dataset.cases} == {
        freeze.alias("T"): "training",
        freeze.alias("V"): "validation",
    }


def test_a_slice_without_masks_between_others_is_background(project, case, tmp_path):
    SliceMask.objects.filter(assignment=case).filter(z=2).update(z=0)
    dataset, _, _ = write(project, tmp_path / "set")
    _, labels = read_case(dataset.cases[0])
    assert [bool(plane.any()) for plane in labels] == [True, True]
    SliceMask.objects.filter(assignment=case, z=1).update(z=2)
    dataset, _, _ = write(project, tmp_path / "other")
    _, labels = read_case(dataset.cases[0])
    assert [bool(plane.any()) for plane in labels] == [True, False, True]


def test_labels_that_overlap_go_to_cases_of_their_own(project, case, tmp_path):
    Project.objects.filter(pk=project.pk).update(overlap="allowed")
    third = Label.objects.create(project=project, name="Rim", value=3, colour="#22aa88")
    for row in case.masks.filter(label__name="Disk"):
        SliceMask.objects.create(
            assignment=case, label=third, z=row.z, sequence=90 + row.z, since=90, mask=row.mask, pixels=row.pixels,
            person=case.person, clicks=row.clicks,
        )  # fmt: skip
    dataset, described, folder = write(project, tmp_path / "set")
    names = [f"case{case.pk}", f"case{case.pk}b"]
    assert [one.name for one in dataset.cases] == names
    values = {name: value for value, name in dataset.structures.items()}
    found: dict[str, np.ndarray] = {}
    for one in dataset.cases:
        _, labels = read_case(one)
        for name, value in values.items():
            if (labels == value).any():
                assert name not in found
                found[name] = labels == value
        assert {int(v) for here in described["clicks"][one.name].values() for v in here} == set(np.unique(labels)) - {0}
    for name in ("Disk", "Rim", "Square"):
        truth = [masks.decode(case.masks.get(z=z, label__name=name).mask) for z in (1, 2)]
        assert np.array_equal(found[name.lower()], truth), name
    assert {one.patient for one in dataset.cases} == {freeze.alias("gold 0")}
    assert json.loads((folder / material.CASES).read_text()).keys() == set(names)


def test_what_is_there_is_taken_as_it_is(project, case, tmp_path):
    manifest = freeze.for_evaluation([project])
    told: list[float] = []
    material.write(manifest, tmp_path / "set", told.append)
    material.write(manifest, tmp_path / "set", told.append)
    assert told == [1.0]


# ------------------------------------------------------------------------------------------ refusals


def refusal(manifest, folder):
    with pytest.raises(FreezeRefused) as refused:
        material.write(manifest, folder / "set")
    assert not list(folder.glob("*set*"))  # nothing half written
    return str(refused.value)


def test_images_that_have_changed(project, case, tmp_path):
    manifest = freeze.for_evaluation([project])
    series = case.task.series
    voxels = [store.read_slice(series, z).copy() for z in range(series.depth)]
    voxels[0][5, 5] += 1  # on a slice without a mask
    store.delete(series.prefix)
    store.write(series.prefix, iter(voxels), series.shape)
    assert refusal(manifest, tmp_path) == f"The images of {series} have been changed since this set was frozen."


def test_images_that_are_gone(project, case, tmp_path):
    manifest = freeze.for_evaluation([project])
    store.delete(case.task.series.prefix)
    assert refusal(manifest, tmp_path) == f"The images of {case.task.series} are gone."


def test_a_series_of_another_shape(project, case, tmp_path):
    manifest = freeze.for_evaluation([project])
    Series.objects.filter(pk=case.task.series_id).update(depth=2)
    assert "have been changed" in refusal(manifest, tmp_path)
