"""A volume comes in by any orientation, lives in one, and goes back to where it came from."""

import itertools
import json

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from segmodel.volumes import Geometry, NiftiForm, Volume, VolumeError, dicom, nifti
from segmodel.volumes.volume import to_int16

SIGNED_PERMUTATIONS = [
    np.array(signs)[:, None] * np.eye(3)[list(order)]
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]

NAMED = {
    "axial": "LPS",
    "axial, feet first": "RPI",
    "axial, head side first": "LPI",
    "prone": "RAS",
    "sagittal": "PIL",
    "coronal": "LIP",
}

quick = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def geometries(draw, tilted=True):
    turn = draw(st.tuples(*[st.floats(-15, 15)] * 3)) if tilted else (0, 0, 0)
    spacing = draw(st.tuples(*[st.floats(0.3, 8)] * 3))
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", turn, degrees=True).as_matrix()
    affine[:3, :3] @= draw(st.sampled_from(SIGNED_PERMUTATIONS)) * np.array(spacing)
    affine[:3, 3] = draw(st.tuples(*[st.floats(-400, 400)] * 3))
    shape = draw(st.tuples(*[st.integers(2, 7)] * 3))
    return Geometry(affine, shape)


def hounsfield(geometry, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(-32768, 32768, geometry.shape, dtype=np.int16)


@quick
@given(geometries(), st.data())
def test_every_voxel_keeps_its_place_in_the_patient(geometry, data):
    source = np.arange(np.prod(geometry.source_shape)).reshape(geometry.source_shape)
    stored = geometry.to_stored(source)
    z, y, x = (data.draw(st.integers(0, size - 1)) for size in stored.shape)
    index = np.argwhere(source == stored[z, y, x])[0]
    np.testing.assert_allclose(geometry.source_affine @ [*index, 1], geometry.affine @ [x, y, z, 1], atol=1e-9)


@quick
@given(geometries())
def test_stored_axes_point_left_posterior_and_superior(geometry):
    assert nib.aff2axcodes(geometry.affine) == ("L", "P", "S")
    steps = np.linalg.norm(geometry.affine[:3, :3], axis=0)
    np.testing.assert_allclose(geometry.spacing, steps[::-1])


@quick
@given(geometries())
def test_source_order_is_the_exact_inverse_of_stored_order(geometry):
    source = np.arange(np.prod(geometry.source_shape)).reshape(geometry.source_shape)
    stored = geometry.to_stored(source)
    assert stored.shape == geometry.shape
    assert np.array_equal(geometry.to_source(stored), source)


@quick
@given(geometries())
def test_geometry_survives_json_exactly(geometry):
    form = NiftiForm(1, 2, (0.1, 0.2, 0.3), (1.0, 2.0, 3.0), (-1.0, 1.0, 1.0, 2.0), 2)
    for original in (geometry, Geometry(geometry.source_affine, geometry.source_shape, form)):
        assert Geometry.from_json(json.loads(json.dumps(original.to_json()))) == original


@quick
@given(geometries())
def test_a_nifti_round_trip_changes_no_voxel(tmp_path, geometry):
    volume = Volume(hounsfield(geometry), geometry)
    nifti.write(tmp_path / "ct.nii.gz", volume)
    again = nifti.read(tmp_path / "ct.nii.gz")
    assert np.array_equal(again.voxels, volume.voxels)
    np.testing.assert_allclose(again.geometry.affine, geometry.affine, rtol=1e-6, atol=1e-4)
    assert again.geometry.source_shape == geometry.source_shape


@settings(quick, max_examples=25)
@given(geometries())
def test_a_dicom_round_trip_changes_no_voxel(tmp_path_factory, geometry):
    from segmodel.phantom import write_dicom

    volume = Volume(hounsfield(geometry), geometry)
    again = dicom.read_series(write_dicom(volume, tmp_path_factory.mktemp("series")))
    assert np.array_equal(again.voxels, volume.voxels)
    np.testing.assert_allclose(again.geometry.affine, geometry.affine, atol=1e-6)
    assert again.warnings == ()


@pytest.mark.parametrize("axes", NAMED.values(), ids=NAMED)
@pytest.mark.parametrize("turn", [0, 12], ids=["straight", "oblique"])
@pytest.mark.parametrize("kind", ["dicom", "nifti"])
def test_labels_go_back_to_the_source_of_any_acquisition(small_ct, tmp_path, axes, turn, kind):
    from segmodel.phantom import acquired, write_dicom

    straight, labels, _ = small_ct
    volume = acquired(straight, axes, turn)
    if kind == "dicom":
        imported = dicom.read_series(write_dicom(volume, tmp_path / "series"))
    else:
        nifti.write(tmp_path / "ct.nii.gz", volume)
        imported = nifti.read(tmp_path / "ct.nii.gz")
    assert np.array_equal(imported.voxels, straight.voxels)

    nifti.write_labels(tmp_path / "labels.nii.gz", labels, imported.geometry)
    exported = nib.load(tmp_path / "labels.nii.gz")
    assert exported.shape == imported.geometry.source_shape
    np.testing.assert_allclose(exported.affine, imported.geometry.source_affine, rtol=1e-6, atol=1e-4)
    reread = nifti.read(tmp_path / "labels.nii.gz")
    assert np.array_equal(reread.voxels, labels)


def test_unusable_geometry_is_refused_in_one_sentence():
    flat = np.diag([1.0, 1.0, 0.0, 1.0])
    skewed = np.eye(4)
    skewed[:3, 1] = skewed[:3, 0]
    for affine in (flat, skewed, np.full((4, 4), np.nan), np.eye(3)):
        with pytest.raises(VolumeError, match=r"^[A-Z].*\.$"):
            Geometry(affine, (2, 2, 2))
    with pytest.raises(VolumeError):
        Geometry(np.eye(4), (2, 0, 2))
    with pytest.raises(VolumeError):
        Geometry(np.eye(4), (2, 3, 4)).to_source(np.zeros((2, 3, 4)))


@given(st.integers(-32768, 65535), st.integers(-40000, 40000), st.sampled_from([1, 2, 0.5, -1]))
def test_rescaling_is_exact_and_clips_to_int16(value, intercept, slope):
    dtype = np.int16 if value < 0 else np.uint16
    result, clipped = to_int16(np.array([[value]], dtype=dtype), slope, intercept)
    wanted = value * slope + intercept
    assert result[0, 0] == np.clip(np.rint(wanted), -32768, 32767)
    assert clipped == (not -32768 <= np.rint(wanted) <= 32767)
