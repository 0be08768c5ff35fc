"""DICOM series, whole and broken: grouped, ordered, decoded to Hounsfield units, or refused in a sentence."""

import shutil
import tracemalloc
import warnings

import nibabel as nib
import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

from segmodel.phantom import acquired, write_dicom
from segmodel.volumes import Volume, VolumeError, dicom, nifti
from tests.spoil import change

SYNTAXES = [
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
    JPEGLSLossless,
    JPEG2000Lossless,
]

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")  # damaged files make it grumble


@pytest.fixture
def series(small_ct, tmp_path):
    """Return (volume, files) of a fresh twelve-slice series that a test may spoil."""
    volume, _, _ = small_ct
    return volume, write_dicom(volume, tmp_path / "series")


def change_all(paths, drop=(), **elements):
    for path in paths:
        change(path, drop, **elements)


def move(path, dx=0.0, dy=0.0, dz=0.0):
    """Shift a slice in the patient by millimetres (LPS)."""
    position = pydicom.dcmread(path).ImagePositionPatient
    change(path, ImagePositionPatient=[float(p) + d for p, d in zip(position, (dx, dy, dz), strict=True)])


def refusal(paths, **options):
    with pytest.raises(VolumeError) as caught:
        dicom.read_series(paths, **options)
    return one_sentence(str(caught.value))


def one_sentence(message):
    assert message.endswith(".") and "\n" not in message and message[0].isalnum(), message
    return message


# --- reading ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
def test_hounsfield_units_are_exact_in_every_lossless_encoding(small_ct, tmp_path, syntax):
    volume, _, _ = small_ct
    read = dicom.read_series(write_dicom(volume, tmp_path, syntax))
    assert np.array_equal(read.voxels, volume.voxels)
    assert read.warnings == ()
    assert read.spacing == pytest.approx(volume.spacing)


def test_slices_are_ordered_by_position_not_by_number_or_name(series, tmp_path):
    volume, paths = series
    for number, path in enumerate(reversed(paths)):
        change(path, InstanceNumber=number)
        path.rename(tmp_path / f"{(number * 7) % 12}.x")
    assert np.array_equal(dicom.read_series([tmp_path]).voxels, volume.voxels)


def test_files_without_preamble_and_meta_header_are_read(series):
    volume, paths = series
    for path in paths:
        image = pydicom.dcmread(path)
        del image.file_meta
        image.preamble = None
        image.save_as(path, enforce_file_format=False, implicit_vr=True, little_endian=True)
        assert path.read_bytes()[128:132] != b"DICM"
    assert np.array_equal(dicom.read_series(paths).voxels, volume.voxels)


def test_each_file_has_its_own_rescaling(series):
    volume, paths = series
    change(paths[3], RescaleSlope="2", RescaleIntercept="-1000.4")
    expected = volume.voxels.copy()
    expected[3] = np.rint((expected[3].astype(float) + 1024) * 2 - 1000.4)
    assert np.array_equal(dicom.read_series(paths).voxels, expected)


@pytest.mark.parametrize(("bits", "signed"), [(8, 0), (12, 0), (12, 1), (16, 0), (16, 1)])
def test_all_bit_depths_and_signs_are_decoded(series, bits, signed):
    _, paths = series
    low = -(2 ** (bits - 1)) if signed else 0
    dtype = np.dtype(f"{'i' if signed else 'u'}{1 if bits == 8 else 2}")
    values = np.random.default_rng(0).integers(low, low + 2**bits, (48, 64)).astype(dtype)
    for path in paths:
        image = pydicom.dcmread(path)
        image.set_pixel_data(values, "MONOCHROME2", bits)
        image.RescaleIntercept = -20000
        image.save_as(path)
    read = dicom.read_series(paths).voxels
    assert np.array_equal(read[5], np.clip(values.astype(int) - 20000, -32768, 32767))


def test_bits_above_those_stored_are_ignored(series):
    volume, paths = series
    image = pydicom.dcmread(paths[0])
    image.PixelData = (np.frombuffer(image.PixelData, np.uint16) | 0xA000).tobytes()  # an old overlay plane
    image.save_as(paths[0])
    assert np.array_equal(dicom.read_series(paths).voxels, volume.voxels)


def test_an_inverted_display_does_not_change_the_values(series):
    volume, paths = series
    change_all(paths, PhotometricInterpretation="MONOCHROME1")
    read = dicom.read_series(paths)
    assert np.array_equal(read.voxels, volume.voxels)
    assert "MONOCHROME1" in read.warnings[0]


def test_an_enhanced_multiframe_file_equals_its_classic_series(series, tmp_path):
    volume, paths = series
    read = dicom.read_series([enhanced(paths, tmp_path / "enhanced.dcm")])
    assert np.array_equal(read.voxels, volume.voxels)
    np.testing.assert_allclose(read.geometry.affine, volume.geometry.affine, atol=1e-6)


def enhanced(paths, target, **frame_changes):
    """Join classic slices, in a shuffled order, into one Enhanced CT file (PS3.3 A.38)."""
    images = [pydicom.dcmread(path) for path in paths]
    images = [images[i] for i in np.random.default_rng(1).permutation(len(images))]
    joined = images[0].copy()
    joined.SOPClassUID, joined.SOPInstanceUID = EnhancedCTImageStorage, generate_uid()
    joined.NumberOfFrames = len(images)
    joined.SharedFunctionalGroupsSequence = [group(PixelMeasuresSequence=images[0], PlaneOrientationSequence=images[0])]
    joined.PerFrameFunctionalGroupsSequence = [
        group(PlanePositionSequence=image, PixelValueTransformationSequence=image) for image in images
    ]
    for keyword in sum(MACROS.values(), ()):
        delattr(joined, keyword)
    joined.PixelData = b"".join(image.PixelData for image in images)
    joined.save_as(target)
    return target


MACROS = {
    "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness"),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "PlanePositionSequence": ("ImagePositionPatient",),
    "PixelValueTransformationSequence": ("RescaleSlope", "RescaleIntercept", "RescaleType"),
}


def group(**macros):
    """Return a functional group whose macros copy the elements of classic images."""
    result = Dataset()
    for macro, image in macros.items():
        item = Dataset()
        for keyword in MACROS[macro]:
            setattr(item, keyword, image[keyword].value)
        setattr(result, macro, [item])
    return result


def test_a_lone_slice_is_a_volume_one_slice_thick(series):
    volume, paths = series
    read = dicom.read_series(paths[:1])
    assert read.voxels.shape == (1, 48, 64)
    assert read.spacing == pytest.approx(volume.spacing)
    assert read.warnings == ()
    change(paths[0], drop=["SliceThickness"])
    read = dicom.read_series(paths[:1])
    assert read.spacing[0] == 1 and "1 mm was assumed" in read.warnings[0]


def test_identifiers_and_description_come_along(series):
    volume, paths = series
    change(
        paths[0],
        SeriesDescription="Abdomen\0 venös  ",
        StudyDate="20240229",
        SpecificCharacterSet="ISO_IR 192",
    )
    read = dicom.read_series(paths)
    assert read.description == "Abdomen venös"
    assert read.identifiers.date == "2024-02-29"
    assert read.identifiers.patient_id == volume.identifiers.patient_id
    assert read.identifiers.series_uid == pydicom.dcmread(paths[0]).SeriesInstanceUID


def test_progress_counts_every_slice(series):
    seen = []
    dicom.read_series(series[1], progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 12) for done in range(1, 13)]


def test_decoding_needs_little_more_memory_than_the_volume(tmp_path, small_ct):
    straight, _, _ = small_ct
    voxels = np.tile(straight.voxels, (4, 4, 4))
    affine = straight.geometry.source_affine
    volume = Volume(voxels, type(straight.geometry)(affine, voxels.shape[::-1]))
    paths = write_dicom(volume, tmp_path)
    tracemalloc.start()
    read = dicom.read_series(paths)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.array_equal(read.voxels, voxels)
    assert peak < 3 * voxels.nbytes


# --- what is odd but usable -------------------------------------------------------------------------------


def test_a_missing_slice_is_named(series):
    _, paths = series
    read = dicom.read_series(paths[:5] + paths[6:])
    assert read.voxels.shape[0] == 11
    assert len(read.warnings) == 1 and "1 slice seems to be missing: between -22.5 and 7.5 mm" in read.warnings[0]


def test_uneven_spacing_is_told_with_its_figures(series):
    _, paths = series
    move(paths[4], dz=4)
    assert "uneven: 11 to 19 mm, mostly 15 mm" in dicom.read_series(paths).warnings[0]


def test_a_tilted_gantry_is_told_with_its_angle(series):
    volume, paths = series
    for number, path in enumerate(paths):
        move(path, dy=number * 15 * np.tan(np.radians(12)))
    read = dicom.read_series(paths)
    assert np.array_equal(read.voxels, volume.voxels)
    assert "12.0° off their normal" in read.warnings[0]
    nifti.write_labels(paths[0].with_name("labels.nii.gz"), (read.voxels > 0).astype(np.uint8), read.geometry)
    exported = nib.load(paths[0].with_name("labels.nii.gz"))
    np.testing.assert_allclose(exported.affine, read.geometry.source_affine, rtol=1e-5, atol=1e-3)


def test_slices_that_wander_sideways_are_told(series):
    move(series[1][6], dx=8)
    assert "shift sideways" in dicom.read_series(series[1]).warnings[0]


def test_a_file_sent_twice_counts_once(series, tmp_path):
    volume, paths = series
    shutil.copy(paths[2], tmp_path / "again.dcm")
    read = dicom.read_series([*paths, tmp_path / "again.dcm"])
    assert np.array_equal(read.voxels, volume.voxels)
    assert "1 slice was there twice" in read.warnings[0]


def test_missing_rescaling_and_other_units_are_told(series):
    volume, paths = series
    change_all(paths, RescaleType="US")
    assert "declared to be in US" in dicom.read_series(paths).warnings[0]
    change_all(paths, drop=["RescaleSlope", "RescaleIntercept"])
    read = dicom.read_series(paths)
    assert "No rescale slope" in read.warnings[0]
    assert np.array_equal(read.voxels, volume.voxels + 1024)


# --- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("elements", "sentence"),
    [
        ({"PixelSpacing": [0, 6.4]}, "Pixel Spacing that is not positive"),
        ({"PixelSpacing": [-8, 6.4]}, "Pixel Spacing that is not positive"),
        ({"PixelSpacing": [8]}, "unusable Pixel Spacing"),
        ({"ImagePositionPatient": [1, 2]}, "unusable Image Position (Patient)"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "two perpendicular unit vectors"),
        ({"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]}, "two perpendicular unit vectors"),
        ({"RescaleSlope": 0}, "unusable Rescale Slope"),
        ({"HighBit": 15}, "upper bits"),
        ({"BitsAllocated": 12}, "CT has 8, 16 or 32"),
        ({"Modality": "MR"}, "is no CT image but CT Image Storage (MR)"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "localizer"),
        ({"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}, "colour image (RGB)"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "colour image (PALETTE COLOR)"),
        ({"SeriesInstanceUID": ""}, "no Series Instance UID"),
        ({"ModalityLUTSequence": [Dataset()]}, "Modality LUT"),
        ({"NumberOfFrames": 2}, "holds 2 frames"),
        ({"Rows": 0}, "is no image"),
        ({"Rows": 96}, "truncated"),
    ],
)
def test_unusable_headers_are_refused_with_the_reason(series, elements, sentence):
    _, paths = series
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        change_all(paths, **elements)
    assert sentence in refusal(paths)


@pytest.mark.parametrize(
    ("element", "sentence"),
    [
        ("ImagePositionPatient", "no Image Position (Patient), so it cannot be placed in space"),
        ("ImageOrientationPatient", "no Image Orientation (Patient)"),
        ("PixelSpacing", "no Pixel Spacing"),
        ("PixelData", "no pixel data"),
        ("Rows", "is no image"),
    ],
)
def test_missing_elements_are_named(series, element, sentence):
    _, paths = series
    change(paths[4], drop=[element])
    if element == "Rows":
        _, left_out = dicom.find_series(paths)
        assert [path for path, _ in left_out] == [paths[4]] and sentence in left_out[0][1]
    else:
        assert sentence in refusal(paths)


def test_slices_that_do_not_belong_together_are_refused(series):
    _, paths = series
    change(paths[3], PixelSpacing=[8, 6])
    assert "mixes pixel spacings" in refusal(paths)
    change(paths[3], PixelSpacing=[8, 6.4], ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    assert "mixes image orientations" in refusal(paths)
    image = pydicom.dcmread(paths[3])
    image.Rows, image.Columns = image.Columns, image.Rows
    image.save_as(paths[3])
    assert "mixes image sizes" in refusal(paths)


def test_two_slices_at_one_position_are_refused(series):
    _, paths = series
    move(paths[1], dz=15)
    assert "same position (0002.dcm and 0003.dcm)" in refusal(paths)


def test_an_unknown_transfer_syntax_is_named(series):
    _, paths = series
    for uid, words in (("1.2.840.10008.1.2.4.102", "MPEG-4"), ("1.2.3.4", "not a standard one")):
        image = pydicom.dcmread(paths[0])
        image.PixelData = pydicom.encaps.encapsulate([image.PixelData])
        image["PixelData"].VR = "OB"
        image["PixelData"].is_undefined_length = True
        image.file_meta.TransferSyntaxUID = UID(uid)
        image.save_as(paths[0], implicit_vr=False, little_endian=True)
        message = refusal(paths)
        assert uid in message and words in message
        write_again = pydicom.dcmread(paths[1])
        write_again.save_as(paths[0])


def test_a_missing_decoder_is_named_with_the_package_that_has_it(small_ct, tmp_path, monkeypatch):
    paths = write_dicom(small_ct[0], tmp_path, JPEG2000Lossless)
    decoder = pydicom.pixels.get_decoder(JPEG2000Lossless)
    monkeypatch.setattr(decoder, "_available", {})
    assert "install pylibjpeg-openjpeg" in refusal(paths)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_every_truncation_is_one_sentence(small_ct, tmp_path, syntax):
    paths = write_dicom(small_ct[0], tmp_path, syntax)
    whole = paths[0].read_bytes()
    for share in (0, 0.02, 0.1, 0.4, 0.7, 0.9):
        paths[0].write_bytes(whole[: int(len(whole) * share)])
        try:
            read = dicom.read_series(paths[:1])
        except VolumeError as error:
            one_sentence(str(error))
        else:  # some decoders fill in what the tail of a compressed stream would have said
            assert share == 0.9 and syntax.is_compressed and read.voxels.shape == (1, 48, 64)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.integers(132, 1900), st.integers(0, 255), min_size=1, max_size=5))
def test_a_damaged_file_is_read_or_refused_but_never_a_crash(small_ct, tmp_path, damage):
    path = write_dicom(small_ct[0], tmp_path)[0]
    raw = bytearray(path.read_bytes())
    for place, value in damage.items():
        raw[place] = value
    path.write_bytes(raw)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dicom.read_series([path], max_voxels=100_000)
        except VolumeError as error:
            assert str(error).endswith(".")


def test_the_size_limit_is_checked_before_decoding(series):
    assert "48×64×12 voxels, more than the limit" in refusal(series[1], max_voxels=12 * 48 * 64 - 1)


def test_nothing_to_read_is_said_plainly(tmp_path):
    assert refusal([]) == "There are no files to read."
    assert "does not exist" in refusal([tmp_path / "none.dcm"]) or "No such file" in refusal([tmp_path / "none.dcm"])


# --- finding ----------------------------------------------------------------------------------------------


def test_a_folder_is_sorted_into_series_and_leftovers(small_ct, tmp_path):
    volume, _, _ = small_ct
    one = write_dicom(volume, tmp_path / "deep" / "one", series_number=1)
    two = write_dicom(acquired(volume, "PIL"), tmp_path / "deep" / "two", series_number=2)
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty").touch()
    change(one[0], Modality="SR")
    found, left_out = dicom.find_series([tmp_path, one[1]])
    assert [len(series.paths) for series in found] == [11, 64]
    assert found[1].paths == tuple(two) and found[1].slices == 64
    assert {path.name: one_sentence(why) for path, why in left_out} == {
        "notes.txt": "notes.txt is not a DICOM file.",
        "empty": "empty is empty.",
        "0001.dcm": "0001.dcm is no CT image but CT Image Storage (SR).",
    }
    assert "hold 2 series" in refusal([tmp_path])
    assert np.array_equal(dicom.read_series(found[1]).voxels, volume.voxels)


def test_a_dicomdir_is_left_out_as_an_index(series, tmp_path):
    from pydicom.fileset import FileSet

    files = FileSet()
    for path in series[1][:2]:
        files.add(path)
    files.write(tmp_path / "disc")
    found, left_out = dicom.find_series([tmp_path / "disc"])
    assert [len(one.paths) for one in found] == [2]
    assert [why for _, why in left_out] == ["DICOMDIR is a DICOMDIR, an index of other files."]


# --- real files -------------------------------------------------------------------------------------------


def test_a_real_ct_matches_its_label_file_voxel_by_voxel(unzipped, shared_data, tmp_path):
    volume = dicom.read_series([unzipped("ct-dicom/ircad17_dicom.zip")])
    source = nib.load(shared_data / "ct-dicom" / "ircad17_labels.nii.gz")
    labels = nifti.read(shared_data / "ct-dicom" / "ircad17_labels.nii.gz")
    assert volume.warnings == () and volume.voxels.shape == labels.voxels.shape == (119, 512, 512)
    means = [volume.voxels[labels.voxels == value].mean() for value in (1, 5, 6)]
    assert 80 < means[0] < 120 and 130 < means[1] < 170 and means[2] > 250  # liver, arteries, bone
    assert np.argwhere(labels.voxels == 1)[:, 2].mean() < 256  # the liver lies on the patient's right

    nifti.write_labels(tmp_path / "labels.nii.gz", labels.voxels.astype(np.uint8), volume.geometry)
    exported = nib.load(tmp_path / "labels.nii.gz")
    assert exported.shape == source.shape
    np.testing.assert_allclose(exported.affine, source.affine, atol=1e-5)
    assert np.array_equal(exported.get_fdata(dtype=np.float32), source.get_fdata(dtype=np.float32))


@pytest.fixture(scope="module")
def variety(unzipped):
    return unzipped("dicom-variety.zip") / "dicom-variety"


def test_every_file_of_the_variety_imports_or_says_why_not(variety):
    files = [path for path in variety.rglob("*") if path.is_file()]
    found, left_out = dicom.find_series([variety])
    assert len(files) == 232 == sum(len(series.paths) for series in found) + len(left_out)
    for path, why in left_out:
        assert path.name in one_sentence(why)
    refused = {}
    for series in found:
        try:
            volume = dicom.read_series(series)
        except VolumeError as error:
            refused[series.paths[0].parent.name] = one_sentence(str(error))
        else:
            assert volume.voxels.shape[0] >= 1 and volume.modality == "CT"
    assert len(found) - len(refused) == 13
    assert refused.keys() == {"S4010", "data"}  # a secondary capture, and one image in three encodings
    assert all("same position" in why for why in refused.values())


def test_one_real_image_in_several_encodings_gives_the_same_values(variety):
    folder = variety / "pydicom-data" / "data_store" / "data"
    plain, jpeg2000 = (dicom.read_series([folder / name]).voxels for name in ("693_UNCR.dcm", "693_J2KR.dcm"))
    assert np.array_equal(plain, jpeg2000)


def test_real_jpeg_lossless_and_classic_versus_multiframe(variety):
    lossless = dicom.read_series([variety / "pydicom-data" / "data_store" / "data" / "bad_sequence.dcm"])
    assert (lossless.voxels.min(), lossless.voxels.max()) == (-1011, 1243)
    folder = variety / "dcmqi" / "data" / "segmentations" / "23x38x3"
    classic, joined = (dicom.read_series([folder / name]) for name in ("image", "multiframe"))
    assert np.array_equal(classic.voxels, joined.voxels)
    np.testing.assert_allclose(classic.geometry.affine, joined.geometry.affine)


def test_a_real_tilted_gantry_with_uneven_slices_is_told(variety):
    volume = dicom.read_series([variety / "dcm_qa_ct" / "In" / "GE"])
    assert any("uneven" in why for why in volume.warnings)
    assert any("18.5° off their normal" in why for why in volume.warnings)


def test_a_real_series_matches_the_nifti_that_others_made_of_it(variety):
    folder = variety / "DicomRTTool" / "AnonDICOM"
    volume = dicom.read_series([folder])
    other = nifti.read(folder / "Image.nii.gz")
    np.testing.assert_allclose(volume.geometry.affine, other.geometry.affine, atol=1e-4)
    assert np.array_equal(volume.voxels, other.voxels)
