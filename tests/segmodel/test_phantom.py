"""The synthetic abdomen looks like one to the programs that use it: places, values, labels, files."""

import time

import numpy as np
import pydicom
import pytest

from segmodel import phantom
from segmodel.volumes import dicom


@pytest.fixture(scope="module")
def ct():
    return phantom.make(seed=3, shape=(30, 128, 128), spacing=(6.0, 3.2, 3.2))


def where(ct, name):
    """Return the mean (z, y, x) of a label."""
    _, labels, names = ct
    value = next(value for value, label in names.items() if label == name)
    return np.argwhere(labels == value).mean(axis=0)


def test_every_label_is_there_in_a_human_size(ct):
    volume, labels, names = ct
    millilitres = {name: np.sum(labels == value) * np.prod(volume.spacing) / 1000 for value, name in names.items()}
    expected = {
        "liver": (800, 2200), "spleen": (60, 350), "left kidney": (70, 250), "right kidney": (70, 250),
        "aorta": (25, 120), "stomach": (100, 600), "gallbladder": (10, 80), "pancreas": (20, 120),
        "liver lesion": (1, 40),
    }  # fmt: skip
    assert millilitres.keys() == expected.keys()
    for name, (low, high) in expected.items():
        assert low < millilitres[name] < high, (name, millilitres[name])


def test_organs_lie_where_they_belong(ct):
    middle = (ct[0].voxels.shape[2] - 1) / 2
    for name in ("liver", "right kidney", "gallbladder"):
        assert where(ct, name)[2] < middle, name  # the patient's right is the image's left
    for name in ("spleen", "left kidney", "stomach"):
        assert where(ct, name)[2] > middle, name
    assert where(ct, "stomach")[1] < where(ct, "spleen")[1]  # in front
    assert where(ct, "right kidney")[0] < where(ct, "liver")[0]  # below


def test_values_are_those_of_a_portal_venous_ct(ct):
    volume, labels, names = ct
    values = {name: np.median(volume.voxels[labels == value]) for value, name in names.items()}
    assert 90 < values["liver"] < 125
    assert 95 < values["spleen"] < 140
    assert 140 < values["left kidney"] < 210
    assert 110 < values["aorta"] < 170
    assert -10 < values["gallbladder"] < 40
    assert values["liver lesion"] < values["liver"] - 25
    assert np.median(volume.voxels[:, :3, :3]) == pytest.approx(-1000, abs=10)
    assert volume.voxels.max() > 400  # bone
    assert np.percentile(volume.voxels[-1], 50) < -700  # lung and air at the top


def test_noise_is_that_of_a_scanner():
    quiet, labels, _ = phantom.make(seed=1, shape=(3, 256, 256), spacing=(6.0, 1.0, 1.0), noise=0.0)
    noisy, _, _ = phantom.make(seed=1, shape=(3, 256, 256), spacing=(6.0, 1.0, 1.0))
    grain = (noisy.voxels - quiet.voxels).astype(float)[1]
    assert 9 < grain[labels[1] == phantom.LIVER].std() < 16
    assert grain[:20, :20].std() < grain[118:138, 118:138].std()  # more in the centre
    neighbours = np.corrcoef(grain[100:150, 100:149].ravel(), grain[100:150, 101:150].ravel())[0, 1]
    assert neighbours > 0.2


def test_a_seed_is_one_person_and_another_seed_another():
    size = {"shape": (4, 64, 64), "spacing": (30.0, 6.4, 6.4)}
    first, again, other = (phantom.make(seed, **size) for seed in (5, 5, 6))
    assert np.array_equal(first[0].voxels, again[0].voxels) and np.array_equal(first[1], again[1])
    assert first[0].identifiers == again[0].identifiers != other[0].identifiers
    assert np.mean(first[1] != other[1]) > 0.01


def test_a_person_scanned_again_is_another_series_with_the_labels_where_the_organs_are(ct):
    volume, labels, _ = ct
    again, moved = phantom.scanned_again(volume, labels, day=14)
    assert again.identifiers.patient_id == volume.identifiers.patient_id
    assert again.identifiers.series_uid != volume.identifiers.series_uid
    assert again.identifiers.date == "2000-01-15"
    assert (again.voxels != volume.voxels).mean() > 0.5
    for value in (phantom.LIVER, phantom.SPLEEN):
        assert abs(again.voxels[moved == value].mean() - volume.voxels[labels == value].mean()) < 1


def test_the_dicom_files_say_that_they_are_synthetic(small_ct, tmp_path):
    volume, _, _ = small_ct
    paths = phantom.write_dicom(volume, tmp_path)
    image = pydicom.dcmread(paths[0])
    assert image.SOPClassUID.name == "CT Image Storage"
    assert "SYNTHETIC PHANTOM" in image.SeriesDescription and "SYNTHETIC PHANTOM" in image.StudyDescription
    assert (image.BitsStored, image.RescaleIntercept) == (12, -1024)
    read = dicom.read_series(paths)
    assert np.array_equal(read.voxels, volume.voxels)
    assert read.modality == "CT" and read.identifiers.patient_id == "PHANTOM-0007"


def test_the_full_size_takes_seconds():
    start = time.process_time()
    volume, _, _ = phantom.make(shape=(6, 512, 512), spacing=(30.0, 0.8, 0.8))
    assert volume.voxels.shape == (6, 512, 512)
    assert time.process_time() - start < 10  # a tenth of a full volume, and all of its set-up
