"""Masks out as files, in the geometry that came in."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest
from django.core.management import CommandError, call_command

from annotator import masks
from annotator.annotation import export, slicemasks
from annotator.annotation.models import ModelVersion
from annotator.protocol import PlacedClick
from tests.annotator.factories import SHAPE, Cast
from tests.annotator.test_api import logged_in


def save(cast: Cast, label, z: int, mask: np.ndarray, sequence: int = 1) -> None:
    version, _ = ModelVersion.objects.get_or_create(sha256="f" * 64, defaults={"name": "paper", "path": "default"})
    clicks = [PlacedClick(sequence, 2, 3, True), PlacedClick(sequence + 100, 5, 7, False)]
    slicemasks.save(
        cast.alices.pk, label.pk, z, sequence, sequence, masks.encode(mask), version.pk, clicks, cast.alice.pk
    )


def rectangle(y: slice, x: slice) -> np.ndarray:
    mask = np.zeros(SHAPE[1:], bool)
    mask[y, x] = True
    return mask


def test_the_file_has_the_masks_in_the_source_s_geometry(cast: Cast, tmp_path: Path) -> None:
    liver, spleen = rectangle(slice(1, 4), slice(2, 7)), rectangle(slice(0, 2), slice(0, 2))
    save(cast, cast.liver, 2, liver)
    save(cast, cast.spleen, 0, spleen)
    export.write(cast.alices, tmp_path / "out.nii.gz")
    image = nibabel.Nifti1Image.from_filename(tmp_path / "out.nii.gz")
    affine = np.array(cast.alices.task.series.geometry["source_affine"])
    np.testing.assert_allclose(image.affine, affine, rtol=1e-6)  # NIfTI keeps 32 bits of it
    assert image.get_data_dtype() == np.uint8
    expected = np.zeros(SHAPE, np.uint8)
    expected[2][liver], expected[0][spleen] = 1, 2
    np.testing.assert_array_equal(np.asarray(image.dataobj), expected.transpose(2, 1, 0))


def test_a_flipped_source_gets_its_own_order_back(cast: Cast, tmp_path: Path) -> None:
    """The stored volume is turned to x left, y posterior; a RAS source is turned back, voxel by voxel."""
    series, ras = cast.alices.task.series, [[0.8, 0, 0, 0], [0, 0.8, 0, 0], [0, 0, 3, 0], [0, 0, 0, 1]]
    series.geometry = {**series.geometry, "source_affine": ras}
    series.save()
    liver = rectangle(slice(1, 4), slice(2, 7))
    save(cast, cast.liver, 2, liver)
    export.write(cast.alices, tmp_path / "out.nii")
    data = np.asarray(nibabel.Nifti1Image.from_filename(tmp_path / "out.nii").dataobj)
    np.testing.assert_array_equal(data[:, :, 2], liver.T[::-1, ::-1])


def test_large_label_values_need_two_bytes(cast: Cast) -> None:
    cast.project.labels.create(name="lesion", value=300, colour="#ffffff")
    assert export.label_volume(cast.alices, []).dtype == np.uint16


def test_of_overlapping_masks_the_last_saved_wins_and_the_json_says_so(cast: Cast, tmp_path: Path) -> None:
    everything = np.ones(SHAPE[1:], bool)
    save(cast, cast.spleen, 0, everything, sequence=1)
    save(cast, cast.liver, 0, rectangle(slice(0, 2), slice(0, 2)), sequence=2)
    beside = export.write(cast.alices, tmp_path / "out.nii.gz")
    data = np.asarray(nibabel.Nifti1Image.from_filename(tmp_path / "out.nii.gz").dataobj)
    assert (data[0, 0, 0], data[7, 5, 0]) == (1, 2)
    assert "is the newest" in json.loads(beside.read_text())["overlap"]


def test_the_json_says_what_made_it(cast: Cast, tmp_path: Path) -> None:
    save(cast, cast.liver, 2, rectangle(slice(1, 4), slice(2, 7)))
    beside = export.write(cast.alices, tmp_path / "out.nii.gz")
    says = json.loads(beside.read_text())
    assert beside == tmp_path / "out.json"
    assert (says["project"], says["person"], says["file"]) == ("Abdomen", "alice", "out.nii.gz")
    assert says["series"]["uid"] == cast.alices.task.series.uid
    assert [(label["name"], label["value"], label["slices"]) for label in says["labels"]] == [
        ("liver", 1, [2]),
        ("spleen", 2, []),
    ]
    assert says["model_versions"] == [{"name": "paper", "sha256": "f" * 64}]
    (mask,) = says["masks"]
    assert (mask["label"], mask["z"], mask["pixels"], mask["person"], mask["model_version"]) == (
        "liver",
        2,
        15,
        "alice",
        "paper",
    )
    assert mask["clicks"] == [{"y": 2, "x": 3, "positive": True}, {"y": 5, "x": 7, "positive": False}]


def test_an_untouched_case_is_an_empty_volume(cast: Cast, tmp_path: Path) -> None:
    export.write(cast.alices, tmp_path / "out.nii.gz")
    assert not np.asarray(nibabel.Nifti1Image.from_filename(tmp_path / "out.nii.gz").dataobj).any()


def test_a_failed_export_leaves_what_was_there(cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out.nii.gz").write_text("before")
    monkeypatch.setattr(export, "describe", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export.write(cast.alices, tmp_path / "out.nii.gz")
    assert [path.name for path in tmp_path.iterdir()] == ["out.nii.gz"]
    assert (tmp_path / "out.nii.gz").read_text() == "before"


def test_the_command(cast: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("export_masks", str(cast.alices.pk), "--out", str(tmp_path / "out.nii.gz"))
    assert capsys.readouterr().out.split() == [str(tmp_path / "out.nii.gz"), str(tmp_path / "out.json")]
    for number, out, sentence in (
        ("999", "out.nii.gz", "There is no assignment 999."),
        (str(cast.alices.pk), "out.dcm", "out.dcm does not end in .nii.gz or .nii."),
        (str(cast.alices.pk), "nowhere/out.nii", "There is no folder"),
    ):
        with pytest.raises(CommandError, match=sentence):
            call_command("export_masks", number, "--out", str(tmp_path / out))


def test_the_download_is_one_zip_with_both(cast: Cast) -> None:
    save(cast, cast.liver, 2, rectangle(slice(1, 4), slice(2, 7)))
    response = logged_in(cast.alice).get(f"/cases/{cast.alices.pk}/export/")
    stem = f"Abdomen-Abdomen-alice-{cast.alices.pk}"
    assert response["Content-Disposition"] == f'attachment; filename="{stem}.zip"'
    packed = zipfile.ZipFile(io.BytesIO(response.content))
    assert sorted(packed.namelist()) == [f"{stem}.json", f"{stem}.nii.gz"]
    image = nibabel.Nifti1Image.from_bytes(gzip.decompress(packed.read(f"{stem}.nii.gz")))
    assert np.asarray(image.dataobj).sum() == 15


def test_file_names_are_harmless(cast: Cast) -> None:
    cast.project.name = "../../Leber & Milz: Übung"
    cast.alices.task.project = cast.project
    assert "/" not in export.file_stem(cast.alices)
    assert not export.file_stem(cast.alices).startswith(".")
