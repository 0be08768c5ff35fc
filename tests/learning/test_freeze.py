"""The data freeze: the same masks are the same file, and the file alone says everything, whatever becomes of the rows."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from annotator import masks
from annotator.annotation import progress
from annotator.annotation.models import SliceMask
from annotator.learning import freeze, material, split
from annotator.learning.freeze import FreezeRefused
from annotator.learning.models import Manifest, Part
from tests.annotator import factories
from tests.learning import frozen

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(storage):
    return frozen.make_project()


@pytest.fixture
def patients(project):
    """Two training patients with ten slices, a validation and a gold patient with two."""
    sides = {"T1": Part.TRAINING, "T2": Part.TRAINING, "V": Part.VALIDATION, "G": Part.GOLD}
    for number, (key, part) in enumerate(sides.items()):
        split.enter(key, part)
        sides[key] = frozen.make_truth(project, key, 10 if part == Part.TRAINING else 2, seed=number)
    return sides


def lines(manifest):
    return list(freeze.read(manifest))


def test_a_training_set_has_training_and_validation_patients_alone(project, patients):
    manifest = freeze.for_training([project])
    assert {line["patient"] for line in lines(manifest)} == {freeze.alias(key) for key in ("T1", "T2", "V")}
    assert (manifest.parts, manifest.labels) == (["training", "validation"], ["disk", "square"])
    assert manifest.counts == {
        "masks": 44, "cases": 3, "people": ["tim"], "clicks": 44, "patients": {"training": 2, "validation": 1},
        "labels": {name: {"training": 20, "validation": 2} for name in ("disk", "square")},
    }  # fmt: skip


def test_a_line_says_whose_mask_it_is_and_what_it_came_from(project, patients, tmp_path):
    version = frozen.make_version(tmp_path)
    case = patients["G"]
    SliceMask.objects.filter(assignment=case).update(model_version=version)
    row = case.masks.get(z=1, label__name="Disk")
    line = next(line for line in lines(freeze.for_evaluation([project])) if (line["z"], line["label"]) == (1, "disk"))
    assert (line["annotator"], line["reviewer"], line["model"]) == ("tim", "rita", version.sha256)
    assert (line["assignment"], line["part"]) == (case.pk, "gold")
    assert line["series_sha256"] == case.task.series.sha256
    assert line["clicks"] == [[row.clicks[0]["y"], row.clicks[0]["x"], True]]
    assert np.array_equal(dict(material._decoded(iter([line])))["disk"], masks.decode(row.mask))


def test_the_same_masks_are_the_same_set(project, patients):
    first = freeze.for_training([project])
    assert freeze.for_training([project]) == first
    text = default_storage.open(first.path).read()
    row = SliceMask.objects.filter(assignment=patients["T1"], z=3).first()
    was, mask = row.mask, masks.decode(row.mask)
    mask[0, 0] = True
    SliceMask.objects.filter(pk=row.pk).update(mask=masks.encode(mask))
    assert freeze.for_training([project]) != first
    SliceMask.objects.filter(pk=row.pk).update(mask=was)
    assert freeze.for_training([project]) == first and Manifest.objects.count() == 2
    assert default_storage.open(first.path).read() == text


def test_a_set_is_what_it_was_after_the_rows_have_changed(project, patients, tmp_path):
    manifest = freeze.for_evaluation([project])
    before = lines(manifest)
    whole = material.write(manifest, tmp_path / "before")
    boss = factories.make_person("boss", is_staff=True, is_superuser=True)
    progress.make("reopen", boss, patients["G"], "The square is too small.")
    SliceMask.objects.filter(assignment=patients["G"]).delete()
    project.labels.filter(name="Disk").update(name="Circle")
    assert lines(manifest) == before
    again = material.write(manifest, tmp_path / "after")
    for file in sorted(path.relative_to(whole) for path in whole.rglob("*") if path.is_file()):
        assert (whole / file).read_bytes() == (again / file).read_bytes(), file


def test_labels_can_be_chosen(project, patients):
    assert freeze.for_training([project], ["  DISK"]).labels == ["disk"]


def test_what_another_label_covers_is_frozen_as_the_export_shows_it(project, patients):
    case = patients["G"]
    disk, square = (case.masks.get(z=1, label__name=name) for name in ("Disk", "Square"))
    SliceMask.objects.filter(pk=square.pk).update(mask=disk.mask, sequence=999)  # the newer one covers the older
    found = [line["label"] for line in lines(freeze.for_evaluation([project])) if line["z"] == 1]
    assert found == ["square"]


def test_only_what_is_accepted_is_frozen(project):
    split.enter("G", Part.GOLD)
    frozen.make_truth(project, "G", accepted=False)
    with pytest.raises(FreezeRefused, match=r"^There are no accepted masks of gold patients\.$"):
        freeze.for_evaluation([project])


def test_what_only_validation_patients_have_is_left_out(project, patients):
    heart = project.labels.create(name="Heart", value=3, colour="#ff0000")
    case = frozen.make_truth(project, "V", accepted=False)
    mask = np.zeros((3, frozen.SIDE, frozen.SIDE), bool)
    mask[1, :5, :5] = True
    factories.outline(case, heart, mask)
    frozen.accept(case)
    assert freeze.for_training([project]).labels == ["disk", "square"]


# ------------------------------------------------------------------------------------------ refusals


def refusal(*projects, labels=()):
    with pytest.raises(FreezeRefused) as refused:
        freeze.for_training(projects, labels)
    assert not Manifest.objects.exists()
    return str(refused.value)


def test_nothing_to_learn_from(project):
    assert refusal(project) == "There are no accepted masks to learn from."


def test_one_patient_alone(project):
    split.enter("T1", Part.TRAINING)
    for seed in (0, 1):
        frozen.make_truth(project, "T1", 10, seed)
    assert refusal(project) == "All accepted masks are of one patient; nothing can be learnt from one."


def test_validation_patients_alone(project):
    for key in ("V1", "V2"):
        split.enter(key, Part.VALIDATION)
        frozen.make_truth(project, key, 10)
    assert refusal(project) == "All accepted masks are of validation patients; there is none to train with."


def test_a_label_on_too_few_slices(project):
    for key in ("T1", "T2"):
        split.enter(key, Part.TRAINING)
        frozen.make_truth(project, key, 4)
    assert refusal(project) == (
        "The label disk has accepted masks on 8 slices of training patients; "
        "10 are the least to learn from. Leave it out, or label more."
    )


def test_a_label_that_nobody_has(project, patients):
    assert refusal(project, labels=["disk", "heart"]).startswith("The label heart has accepted masks on 0 slices")


@pytest.mark.parametrize("damage", ["gone", "other", "cut", "noise", "packed anew"])
def test_a_file_that_is_not_what_was_frozen(project, patients, damage):
    manifest = freeze.for_evaluation([project])
    was = default_storage.open(manifest.path).read()
    text = gzip.decompress(was).splitlines(keepends=True)
    head = json.loads(text[0])
    other = json.dumps({**head, "labels": ["disk"]}).encode() + b"\n"
    content = {
        "other": gzip.compress(other + b"".join(text[1:])),
        "cut": was[: len(was) // 2],
        "noise": was[:20] + bytes(len(was) - 20),
        "packed anew": gzip.compress(gzip.decompress(was), 1),
    }
    default_storage.delete(manifest.path)
    if damage in content:
        default_storage.save(manifest.path, ContentFile(content[damage]))
    if damage == "packed anew":  # the masks are the same
        assert len(lines(manifest)) == 4
    else:
        with pytest.raises(FreezeRefused, match=r"gone or damaged|changed since"):
            lines(manifest)
