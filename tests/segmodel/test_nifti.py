"""NIfTI files, good and bad: what is read, what is refused and how, and what an export keeps."""

import gzip

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segmodel.volumes import Geometry, VolumeError, nifti

AFFINE = np.array([[-0.8, 0, 0, 90], [0, -0.8, 0, 120], [0, 0, 3, -50], [0, 0, 0, 1.0]])


def save(path, data=None, affine=AFFINE, kind=nib.Nifti1Image, **fields):
    """Write an image and then overwrite header fields in the file, past nibabel's checks."""
    data = np.arange(60, dtype=np.int16).reshape(3, 4, 5) if data is None else data
    image = kind(data, affine)
    nib.save(image, path)
    if fields:
        raw = bytearray(path.read_bytes())
        header = kind.header_class(bytes(raw[: kind.header_class.sizeof_hdr]), check=False)
        for name, value in fields.items():
            header[name] = value
        raw[: len(header.binaryblock)] = header.binaryblock
        path.write_bytes(raw)
    return path


def refusal(path, **options):
    with pytest.raises(VolumeError) as caught:
        nifti.read(path, **options)
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message and "Traceback" not in message
    return message


@pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz"])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_both_versions_are_read_plain_and_compressed(tmp_path, name, kind):
    volume = nifti.read(save(tmp_path / name, kind=kind))
    assert volume.voxels.shape == (5, 4, 3)
    assert volume.voxels[2, 1, 0] == np.arange(60).reshape(3, 4, 5)[0, 1, 2]
    assert volume.spacing == pytest.approx((3, 0.8, 0.8))
    assert volume.description == "ct"


def test_the_content_decides_not_the_extension(tmp_path):
    path = save(tmp_path / "ct.nii.gz").rename(tmp_path / "upload")
    assert nifti.read(path).voxels.shape == (5, 4, 3)


def test_values_are_scaled_rounded_and_clipped(tmp_path):
    path = save(tmp_path / "ct.nii", np.array([[[0, 1, 3, 30000]]], dtype=np.int16), scl_slope=2.5, scl_inter=-10)
    volume = nifti.read(path)
    assert volume.voxels.ravel().tolist() == [-10, -8, -2, 32767]
    assert volume.warnings == ("1 voxels lay outside -32768 to 32767 and were clipped.",)


def test_sform_wins_over_qform_and_says_so(tmp_path):
    image = nib.Nifti1Image(np.zeros((2, 3, 4), np.int16), AFFINE)
    image.set_qform(np.diag([1.0, 1, 1, 1]), code=1)
    image.set_sform(AFFINE, code=2)
    nib.save(image, tmp_path / "ct.nii")
    volume = nifti.read(tmp_path / "ct.nii")
    np.testing.assert_allclose(volume.geometry.source_affine, AFFINE, rtol=1e-6)
    assert "sform was used" in volume.warnings[0]


def test_an_image_without_orientation_is_read_with_a_warning(tmp_path):
    volume = nifti.read(save(tmp_path / "ct.nii", qform_code=0, sform_code=0))
    assert "left and right are a guess" in volume.warnings[0]


def test_a_trailing_axis_of_one_is_dropped(tmp_path):
    volume = nifti.read(save(tmp_path / "ct.nii", np.zeros((3, 4, 5, 1), np.int16)))
    assert volume.voxels.shape == (5, 4, 3)


@pytest.mark.parametrize(
    ("data", "fields", "sentence"),
    [
        (np.zeros((3, 4, 5, 2), np.int16), {}, "holds 2 volumes"),
        (np.zeros((3, 4, 5, 1, 3), np.int16), {}, "holds 1×3 volumes"),
        (np.zeros((3, 4), np.int16), {}, "2-D image, not a volume"),
        (np.zeros((3, 4, 5), np.complex64), {}, "complex64, which CT does not use"),
        (np.full((3, 4, 5), np.nan, np.float32), {}, "NaN or infinite"),
        (np.full((3, 4, 5), np.inf, np.float32), {}, "NaN or infinite"),
        (None, {"pixdim": [1, 0.8, 0, 3, 0, 0, 0, 0]}, "spacing that is not positive"),
        (None, {"pixdim": [1, -0.8, 0.8, 3, 0, 0, 0, 0]}, "spacing that is not positive"),
        (None, {"pixdim": [1, 0.8, np.nan, 3, 0, 0, 0, 0]}, "spacing that is not positive"),
        (None, {"srow_z": [0, 0, 0, 0]}, "singular"),
        (None, {"srow_z": [0, 0, np.nan, 0]}, "finite"),
        (None, {"scl_slope": np.inf}, "not usable numbers"),
        (None, {"scl_slope": 2, "scl_inter": np.nan}, "not usable numbers"),
        (None, {"datatype": 1111}, "unknown NIfTI type"),
        (None, {"dim": [0, 3, 4, 5, 1, 1, 1, 1]}, "header that cannot be read"),
        (None, {"dim": [3, 3, 0, 5, 1, 1, 1, 1]}, "axis without voxels"),
        (None, {"dim": [3, 3000, 4000, 500, 1, 1, 1, 1]}, "more than the limit"),
        (None, {"dim": [3, 300, 400, 5, 1, 1, 1, 1]}, "truncated"),
        (None, {"xyzt_units": 1}, "another unit"),
    ],
)
def test_what_is_no_ct_volume_is_refused_with_its_reason(tmp_path, data, fields, sentence):
    assert sentence in refusal(save(tmp_path / "ct.nii", data, **fields))


def test_colour_is_refused(tmp_path):
    colour = np.zeros((3, 4, 5), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    assert "colour (RGB)" in refusal(save(tmp_path / "ct.nii", colour))


def test_files_that_are_not_nifti_are_refused(tmp_path):
    for content in (b"", b"\x1f\x8b", b"hello" * 100, gzip.compress(b"hello" * 200), b"\0" * 348):
        path = tmp_path / "ct.nii.gz"
        path.write_bytes(content)
        assert "not a NIfTI file" in refusal(path)
    assert "does not exist" in refusal(tmp_path / "none.nii")
    nib.save(nib.Nifti1Pair(np.zeros((3, 4, 5), np.int16), AFFINE), tmp_path / "pair.img")
    assert ".hdr/.img pair" in refusal(tmp_path / "pair.hdr")


@pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz"])
def test_every_truncation_is_one_sentence(tmp_path, name):
    data = np.random.default_rng(0).integers(-1000, 1000, (8, 9, 10), dtype=np.int16)
    whole = save(tmp_path / name, data).read_bytes()
    path = tmp_path / f"cut-{name}"
    for share in (0.01, 0.2, 0.5, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        refusal(path)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.integers(0, 351), st.integers(0, 255), min_size=1, max_size=4))
def test_a_damaged_header_is_read_or_refused_but_never_a_crash(tmp_path, damage):
    raw = bytearray(save(tmp_path / "ct.nii").read_bytes())
    for place, value in damage.items():
        raw[place] = value
    (tmp_path / "bad.nii").write_bytes(raw)
    try:
        nifti.read(tmp_path / "bad.nii", max_voxels=10_000)
    except VolumeError as error:
        assert str(error).endswith(".")


def test_the_size_limit_is_checked_before_reading(tmp_path):
    path = save(tmp_path / "ct.nii")
    assert "3×4×5 voxels, more than the limit of 59" in refusal(path, max_voxels=59)
    assert nifti.read(path, max_voxels=60)


def test_an_export_repeats_affine_and_form_codes(tmp_path):
    image = nib.Nifti1Image(np.zeros((3, 4, 5), np.int16), None)
    image.set_qform(AFFINE, code=3)
    image.set_sform(AFFINE + np.diag([0.001, 0, 0, 0]), code=4)
    nib.save(image, tmp_path / "ct.nii.gz")
    geometry = Geometry.from_json(nifti.read(tmp_path / "ct.nii.gz").geometry.to_json())
    nifti.write_labels(tmp_path / "labels.nii.gz", np.zeros((5, 4, 3), np.uint16), geometry)
    before, after = (nib.load(tmp_path / name).header for name in ("ct.nii.gz", "labels.nii.gz"))
    for field in (
        "sform_code",
        "qform_code",
        "srow_x",
        "srow_y",
        "srow_z",
        "quatern_b",
        "qoffset_x",
        "pixdim",
    ):
        assert np.array_equal(before[field], after[field]), field
    assert after.get_data_dtype() == np.uint16


def test_an_export_of_a_qform_only_source_has_no_sform(tmp_path):
    image = nib.Nifti1Image(np.zeros((3, 4, 5), np.int16), None)
    image.set_qform(AFFINE, code=1)
    nib.save(image, tmp_path / "ct.nii")
    geometry = nifti.read(tmp_path / "ct.nii").geometry
    nifti.write_labels(tmp_path / "labels.nii", np.ones((5, 4, 3), bool), geometry)
    exported = nib.load(tmp_path / "labels.nii")
    assert int(exported.header["sform_code"]) == 0
    np.testing.assert_allclose(exported.affine, nib.load(tmp_path / "ct.nii").affine, atol=1e-5)


def test_only_unsigned_labels_of_the_right_shape_are_written(tmp_path):
    geometry = Geometry(AFFINE, (3, 4, 5))
    for wrong in (np.zeros((5, 4, 3), np.int16), np.zeros((3, 4, 5), np.uint8)):
        with pytest.raises(VolumeError):
            nifti.write_labels(tmp_path / "labels.nii.gz", wrong, geometry)
    with pytest.raises(VolumeError, match="cannot be written"):
        nifti.write_labels(tmp_path / "no" / "labels.nii.gz", np.zeros((5, 4, 3), np.uint8), geometry)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_export_leaves_the_old_file_alone(tmp_path, monkeypatch):
    path, geometry = tmp_path / "labels.nii.gz", Geometry(AFFINE, (3, 4, 5))
    nifti.write_labels(path, np.ones((5, 4, 3), np.uint8), geometry)
    before = path.read_bytes()

    def full(image, name):
        open(name, "wb").write(b"half")  # noqa: SIM115, PTH123
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nifti.nib, "save", full)
    with pytest.raises(VolumeError, match="No space left on device"):
        nifti.write_labels(path, np.zeros((5, 4, 3), np.uint8), geometry)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["labels.nii.gz"]


def test_a_real_ct_and_its_labels_share_their_space(shared_data):
    image = nifti.read(shared_data / "ct-nifti" / "spleen_8_image.nii.gz")
    labels = nifti.read(shared_data / "ct-nifti" / "spleen_8_label.nii.gz")
    assert image.voxels.shape == labels.voxels.shape == (32, 512, 512)
    assert image.spacing == pytest.approx((7.5, 0.785156, 0.785156))
    spleen = np.argwhere(labels.voxels == 1).mean(axis=0)
    assert spleen[1] > 256  # at the back; the file itself states left and right the wrong way round
    assert 50 < image.voxels[labels.voxels == 1].mean() < 200


def test_a_channel_of_a_longer_axis_is_chosen(tmp_path):
    data = np.arange(120, dtype=np.int16).reshape(3, 4, 5, 2)
    path = save(tmp_path / "mr.nii.gz", data)
    assert nifti.read(path, channel=1).voxels[4, 3, 2] == nifti.read(path, channel=0).voxels[4, 3, 2] + 1 == 119
    assert nifti.read(save(tmp_path / "ct.nii"), channel=0).voxels.shape == (5, 4, 3)
    vectors = save(tmp_path / "vector.nii", data[:, :, :, None])
    np.testing.assert_array_equal(nifti.read(vectors, channel=1).voxels, nifti.read(path, channel=1).voxels)


def test_a_channel_that_is_not_there_is_refused(tmp_path):
    path = save(tmp_path / "mr.nii", np.zeros((3, 4, 5, 2), np.int16))
    assert refusal(path, channel=2) == "mr.nii has no channel 2; it has 2, counted from 0."
    assert refusal(path, channel=-1) == "mr.nii has no channel -1; it has 2, counted from 0."
    assert "more than the limit of 119" in refusal(path, channel=0, max_voxels=119)


def test_fractions_that_whole_numbers_would_flatten_are_refused(tmp_path):
    fine = np.linspace(0, 1, 60, dtype=np.float32).reshape(3, 4, 5)
    assert refusal(save(tmp_path / "mr.nii", fine)) == (
        "mr.nii holds fractions between 0 and 1, which whole numbers would flatten; scale its values up."
    )
    assert "flatten" in refusal(save(tmp_path / "ct.nii", scl_slope=0.5, scl_inter=0))
    assert nifti.read(save(tmp_path / "mr.nii", 1000 * fine)).voxels.max() == 1000
    assert nifti.read(save(tmp_path / "label.nii", np.rint(fine))).voxels.max() == 1
