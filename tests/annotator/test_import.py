"""Import: what goes in comes out voxel by voxel, and what cannot go in leaves one sentence and nothing else."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from annotator import masks
from annotator.annotation import export, slicemasks
from annotator.annotation.assign import AssignRefused
from annotator.annotation.models import Assignment, Project, Task
from annotator.studies import imports, outcomes, store
from annotator.studies.models import Series, Study
from segmodel import phantom
from segmodel.volumes import Geometry, Volume, nifti
from tests.annotator import factories
from tests.annotator.factories import Cast
from tests.spoil import change

pytestmark = [
    pytest.mark.usefixtures("storage"),
    pytest.mark.filterwarnings("ignore::UserWarning:pydicom"),
    pytest.mark.filterwarnings("ignore::UserWarning:nibabel"),
]

ACQUISITIONS = {"axial": ("LPS", 0.0), "oblique": ("LPS", 17.0), "flipped": ("LAI", 0.0), "sagittal": ("PIL", 0.0)}


@pytest.fixture
def dicom(small_ct, tmp_path: Path) -> list[Path]:
    """The files of a fresh twelve-slice series that a test may spoil."""
    return phantom.write_dicom(small_ct[0], tmp_path / "series")


@pytest.fixture
def project(db) -> Project:
    return factories.make_project("Abdomen")


def stored_voxels(series: Series) -> np.ndarray:
    return np.stack([store.read_slice(series, z) for z in range(series.depth)])


def import_one(path: Path | str, project: Project, **options) -> outcomes.Outcome:
    (outcome,) = imports.import_paths([path], project, **options)
    return outcome


def assert_nothing_is_left(storage: Path) -> None:
    assert not Series.objects.exists() and not Study.objects.exists() and not Task.objects.exists()
    assert not [path for path in storage.rglob("*") if path.is_file() or path.parent.name == "series"]


# ---------------------------------------------------------------------------------------------------- what goes in


@pytest.mark.parametrize("acquisition", ACQUISITIONS)
def test_dicom_comes_out_as_it_went_in(small_ct, tmp_path: Path, cast: Cast, acquisition: str) -> None:
    """DICOM → store → export → reload: the same voxels at the same places of the source."""
    scanned = phantom.acquired(small_ct[0], *ACQUISITIONS[acquisition])
    phantom.write_dicom(scanned, tmp_path / "series")
    outcome = import_one(tmp_path / "series", cast.project, assignee=cast.alice)
    series = outcome.series
    assert series and outcome.outcome == "imported"
    np.testing.assert_array_equal(stored_voxels(series), scanned.voxels)

    geometry = Geometry.from_json(series.geometry)
    np.testing.assert_allclose(geometry.affine, scanned.geometry.affine, atol=1e-4)
    nifti.write(tmp_path / "out.nii.gz", Volume(stored_voxels(series), geometry))
    np.testing.assert_array_equal(nifti.read(tmp_path / "out.nii.gz").voxels, scanned.voxels)
    exported = nib.Nifti1Image.from_filename(tmp_path / "out.nii.gz")
    for path in (tmp_path / "series").iterdir():
        assert_holds_slice(exported, path)

    case = Assignment.objects.get(task__series=series)
    for z in range(series.depth):
        mask = masks.encode(scanned.voxels[z] > 0)
        slicemasks.save(case.pk, cast.liver.pk, z, 1, 1, mask, None, [], cast.alice.pk)
    export.write(case, tmp_path / "labels.nii.gz")
    labels = nib.Nifti1Image.from_filename(tmp_path / "labels.nii.gz")
    np.testing.assert_array_equal(np.asarray(labels.dataobj), np.asarray(exported.dataobj) > 0)
    np.testing.assert_array_equal(labels.affine, exported.affine)


def assert_holds_slice(image: nib.Nifti1Image, path: Path) -> None:
    """What a DICOM file says of its own place and values, without any of our code."""
    header = pydicom.dcmread(path)
    corner = np.array(header.ImagePositionPatient, dtype=float) * [-1, -1, 1]  # LPS to RAS
    index = np.linalg.inv(image.affine) @ [*corner, 1]
    k = round(index[2])
    np.testing.assert_allclose(index[:3], [0, 0, k], atol=1e-3)
    values = header.pixel_array.astype(int) * int(header.RescaleSlope) + int(header.RescaleIntercept)
    np.testing.assert_array_equal(np.asarray(image.dataobj)[:, :, k], values.T)


@pytest.mark.parametrize("axes", ["LPS", "RAS", "PIL"])
def test_nifti_comes_out_as_it_went_in(small_ct, tmp_path: Path, project: Project, axes: str) -> None:
    scanned = phantom.acquired(small_ct[0], axes)
    nifti.write(tmp_path / "ct.nii.gz", scanned)
    outcome = import_one(tmp_path / "ct.nii.gz", project)
    assert outcome.series and outcome.name == "ct.nii.gz"
    np.testing.assert_array_equal(stored_voxels(outcome.series), scanned.voxels)
    assert outcome.series.description == "ct"


def test_a_row_has_what_the_files_say(small_ct, dicom: list[Path], project: Project) -> None:
    change(dicom[0], StudyDate="20241399")  # no such day
    row = import_one(dicom[0].parent, project, person=(person := factories.make_person("maria"))).series
    assert row
    header = pydicom.dcmread(dicom[3])
    assert (row.uid, row.study.uid, row.study.patient) == (
        header.SeriesInstanceUID, header.StudyInstanceUID, header.PatientID,
    )  # fmt: skip
    assert (row.description, row.study.date, row.modality) == (header.SeriesDescription, None, "CT")
    assert (row.shape, row.spacing) == ((12, 48, 64), pytest.approx([15.0, 8.0, 6.4]))
    assert (row.imported_by, row.synthetic, row.warnings) == (person, False, [])


def test_everything_in_a_folder_is_found(small_ct, tmp_path: Path, project: Project) -> None:
    for number in (1, 2):
        phantom.write_dicom(small_ct[0], tmp_path / f"patient/{number}", series_number=number)
    nifti.write(tmp_path / "patient/ct.nii", small_ct[0])
    for clutter in (".DS_Store", "Thumbs.db", "DICOMDIR", "__MACOSX/1"):
        (tmp_path / "patient" / clutter).parent.mkdir(exist_ok=True)
        (tmp_path / "patient" / clutter).write_text("clutter")
    found = imports.import_paths([tmp_path / "patient"], project)
    assert [outcome.outcome for outcome in found] == ["imported"] * 3
    assert Task.objects.filter(project=project).count() == 3


def test_the_assignee_gets_every_case_once(dicom: list[Path], cast: Cast) -> None:
    for expected in ("imported", "known"):
        outcome = import_one(dicom[0].parent, cast.project, assignee=cast.bob)
        assert outcome.outcome == expected
        assert Assignment.objects.filter(task__series=outcome.series, person=cast.bob).count() == 1


def test_an_outsider_gets_no_case(dicom: list[Path], cast: Cast, storage: Path) -> None:
    with pytest.raises(AssignRefused, match="eve is no member of the project Abdomen"):
        import_one(dicom[0].parent, cast.project, assignee=cast.eve)
    assert not (storage / "series").exists()


def test_progress_rises_to_one(small_ct, tmp_path: Path, project: Project) -> None:
    for number in (1, 2):
        phantom.write_dicom(small_ct[0], tmp_path / f"{number}", series_number=number)
    told: list[float] = []
    imports.import_paths([tmp_path / "1", tmp_path / "2"], project, progress=lambda share, name: told.append(share))
    assert told == sorted(told) and told[0] == 0 and told[-1] == pytest.approx(1)


# ---------------------------------------------------------------------------------------------------- known already


def test_the_same_series_is_stored_once(dicom: list[Path], cast: Cast, storage: Path) -> None:
    first = import_one(dicom[0].parent, cast.project)
    again = import_one(dicom[0].parent, cast.elsewhere)
    assert again.series == first.series and again.outcome == "known"
    assert again.sentences == (imports.KNOWN, imports.ADDED)
    assert import_one(dicom[0].parent, cast.elsewhere).sentences == (imports.KNOWN,)
    assert len(list((storage / "series").iterdir())) == 1
    assert set(Task.objects.filter(series=first.series).values_list("project__name", flat=True)) == {
        "Abdomen",
        "Elsewhere",
    }


def test_a_nifti_file_is_known_by_its_content(small_ct, tmp_path: Path, project: Project) -> None:
    for name in ("ct.nii", "again.nii.gz"):
        nifti.write(tmp_path / name, small_ct[0])
    first, again = imports.import_paths([tmp_path / "ct.nii", tmp_path / "again.nii.gz"], project)
    assert (again.outcome, again.series) == ("known", first.series)
    assert first.series and pydicom.uid.UID(first.series.uid).is_valid


def test_the_same_uid_with_other_content_is_refused(
    small_ct, dicom: list[Path], project: Project, storage: Path
) -> None:
    first = import_one(dicom[0].parent, project).series
    assert first
    change(dicom[2], RescaleIntercept=-1000)
    outcome = import_one(dicom[0].parent, project)
    assert outcome.outcome == "refused" and "other content" in outcome.sentences[0]
    np.testing.assert_array_equal(stored_voxels(first), small_ct[0].voxels)
    assert len(list((storage / "series").iterdir())) == 1


def test_the_same_voxels_at_another_place_are_other_content(dicom: list[Path], project: Project) -> None:
    import_one(dicom[0].parent, project)
    for path in dicom:
        change(path, PixelSpacing=[4, 3.2])
    assert "other content" in import_one(dicom[0].parent, project).sentences[0]


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_series_at_once_store_it_once(dicom: list[Path], storage: Path, monkeypatch) -> None:
    project = factories.make_project("Abdomen")
    together, write = threading.Barrier(2), store.write

    def write_together(*args) -> None:
        together.wait(30)
        write(*args)

    monkeypatch.setattr(store, "write", write_together)
    found: list[outcomes.Outcome] = []

    def run() -> None:
        found.append(import_one(dicom[0].parent, project))
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcome.outcome for outcome in found) == ["imported", "known"]
    assert found[0].series == found[1].series == Series.objects.get()
    assert [path.name for path in (storage / "series").iterdir()] == [str(Series.objects.get().pk)]


# ---------------------------------------------------------------------------------------------------- odd, but usable


def test_a_missing_slice_is_told_and_remembered(dicom: list[Path], project: Project) -> None:
    dicom[5].unlink()
    outcome = import_one(dicom[0].parent, project)
    assert outcome.series and outcome.series.depth == 11
    assert "1 slice seems to be missing" in outcome.sentences[0]
    outcome.series.refresh_from_db()
    assert tuple(outcome.series.warnings) == outcome.sentences
    assert import_one(dicom[0].parent, project).sentences == (imports.KNOWN, *outcome.sentences)


def test_uneven_spacing_is_told(dicom: list[Path], project: Project) -> None:
    position = pydicom.dcmread(dicom[5]).ImagePositionPatient
    change(dicom[5], ImagePositionPatient=[*position[:2], position[2] + 4])
    assert "slice spacing is uneven" in import_one(dicom[0].parent, project).sentences[0]


def test_a_label_volume_is_doubted(small_ct, tmp_path: Path, project: Project) -> None:
    nifti.write_labels(tmp_path / "labels.nii.gz", small_ct[1], small_ct[0].geometry)
    assert "is this a CT?" in import_one(tmp_path / "labels.nii.gz", project).sentences[-1]


# ---------------------------------------------------------------------------------------------------- what is refused


def not_dicom(paths: list[Path]) -> None:
    for path in paths:
        path.unlink()
    paths[0].write_text("Dear colleague, the images follow by post.")


def truncated(paths: list[Path]) -> None:
    paths[4].write_bytes(paths[4].read_bytes()[:-100])


def truncated_header(paths: list[Path]) -> None:
    for path in paths[1:]:
        path.unlink()
    paths[0].write_bytes(paths[0].read_bytes()[:300])


def no_pixels(paths: list[Path]) -> None:
    change(paths[4], drop=("PixelData",))


def colour(paths: list[Path]) -> None:
    for path in paths[1:]:
        path.unlink()
    change(paths[0], PhotometricInterpretation="RGB", SamplesPerPixel=3)


def mixed_sizes(paths: list[Path]) -> None:
    change(paths[4], Rows=64, Columns=48)


def same_place(paths: list[Path]) -> None:
    change(paths[4], ImagePositionPatient=pydicom.dcmread(paths[5]).ImagePositionPatient)


def zero_spacing(paths: list[Path]) -> None:
    change(paths[4], PixelSpacing=[0, 6.4])


def no_position(paths: list[Path]) -> None:
    change(paths[4], drop=("ImagePositionPatient",))


def unknown_syntax(paths: list[Path]) -> None:
    for path in paths:
        image = pydicom.dcmread(path)
        image.file_meta.TransferSyntaxUID = pydicom.uid.MPEG2MPML
        image["PixelData"].is_undefined_length = True
        image.PixelData = pydicom.encaps.encapsulate([b"\0\0"])
        image.save_as(path)


def long_uid(paths: list[Path]) -> None:
    for path in paths:
        change(path, SeriesInstanceUID="1." + "2" * 70)


def everything_gone(paths: list[Path]) -> None:
    for path in paths:
        path.unlink()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (not_dicom, "0001.dcm is not a DICOM file."),
        (truncated, "0005.dcm is truncated"),
        (truncated_header, "0001.dcm is"),
        (no_pixels, "0005.dcm has no pixel data."),
        (colour, "0001.dcm is a colour image (RGB); CT is grey-scale."),
        (mixed_sizes, "The series mixes image sizes"),
        (same_place, "several slices at the same position (0005.dcm and 0006.dcm)"),
        (zero_spacing, "0005.dcm has a Pixel Spacing that is not positive"),
        (no_position, "0005.dcm has no Image Position (Patient), so it cannot be placed in space."),
        (unknown_syntax, "uses the transfer syntax 1.2.840.10008.1.2.4.100 (MPEG2 Main Profile / Main Level)"),
        (long_uid, "UID of 72 characters"),
        (everything_gone, "There is no file in it"),
    ],
)
def test_bad_dicom_leaves_a_sentence_and_nothing_else(dicom, project, storage: Path, spoil, sentence: str) -> None:
    spoil(dicom)
    assert_refused(dicom[0].parent, project, storage, sentence)


def four_dimensional(image: nib.Nifti1Image) -> nib.Nifti1Image:
    return nib.Nifti1Image(np.stack([np.asarray(image.dataobj)] * 2, axis=3), image.affine)


def not_a_number(image: nib.Nifti1Image) -> nib.Nifti1Image:
    values = np.asarray(image.dataobj).astype(np.float32)
    values[3, 3, 3] = np.nan
    return nib.Nifti1Image(values, image.affine)


def flat(image: nib.Nifti1Image) -> nib.Nifti1Image:
    image.header["pixdim"][3] = 0
    return image


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (four_dimensional, "ct.nii holds 2 volumes; only a single 3-D volume can be read."),
        (not_a_number, "not numbers (NaN or infinite)"),
        (flat, "ct.nii has a voxel spacing that is not positive"),
    ],
)
def test_bad_nifti_leaves_a_sentence_and_nothing_else(
    small_ct, tmp_path: Path, project: Project, storage: Path, spoil, sentence: str
) -> None:
    path = tmp_path / "ct.nii"
    nifti.write(path, small_ct[0])
    image = spoil(nib.Nifti1Image.from_bytes(path.read_bytes()))
    header = image.header.copy()
    image.to_filename(path)
    content = bytearray(path.read_bytes())
    content[76:108] = header["pixdim"].astype("<f4").tobytes()  # nibabel mends what it writes
    path.write_bytes(content)
    assert_refused(path, project, storage, sentence)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("ct.nii.gz", b"\x1f\x8bnonsense", "ct.nii.gz is not a NIfTI file."),
        ("ct.nii", b"", "ct.nii is not a NIfTI file."),
        ("ct.hdr", b"\0" * 344 + b"ni1\0", "ct.hdr is one half of a .hdr/.img pair"),
        ("empty.dcm", b"", "empty.dcm is empty."),
    ],
)
def test_other_files_are_refused(
    tmp_path: Path, project, storage: Path, name: str, content: bytes, sentence: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert_refused(tmp_path / name, project, storage, sentence)


def test_a_truncated_nifti_is_refused(small_ct, tmp_path: Path, project: Project, storage: Path) -> None:
    path = tmp_path / "ct.nii.gz"
    nifti.write(path, small_ct[0])
    path.write_bytes(path.read_bytes()[:-500])
    assert_refused(path, project, storage, "ct.nii.gz is truncated or damaged")


@pytest.mark.parametrize("name", ["gone", "gone.nii", "gone.zip"])
def test_a_path_that_does_not_exist_is_said(tmp_path: Path, project: Project, storage: Path, name: str) -> None:
    outcome = import_one(tmp_path / name, project)
    assert outcome.outcome == "refused"
    assert "No such file" in outcome.sentences[0] or "does not exist" in outcome.sentences[0]


def test_the_size_limit_holds_before_anything_is_read(
    dicom, small_ct, project, storage: Path, settings, tmp_path
) -> None:
    settings.IMPORT_MAX_VOXELS = 12 * 48 * 64 - 1
    assert_refused(dicom[0].parent, project, storage, "64×12 voxels, more than the limit of 36,863.")
    nifti.write(tmp_path / "ct.nii", small_ct[0])
    assert_refused(tmp_path / "ct.nii", project, storage, "more than the limit of 36,863.")


def assert_refused(path: Path, project: Project, storage: Path, sentence: str) -> None:
    outcome = import_one(path, project)
    assert outcome.outcome == "refused" and outcome.series is None
    assert len(outcome.sentences) == 1
    said = outcome.sentences[0]
    assert sentence in said and said.endswith(".") and "\n" not in said and "Error" not in said
    assert_nothing_is_left(storage)


def test_one_bad_series_does_not_stop_the_others(small_ct, tmp_path: Path, project: Project) -> None:
    for number in (1, 2, 3):
        phantom.write_dicom(small_ct[0], tmp_path / f"in/{number}", series_number=number)
    no_pixels(sorted((tmp_path / "in/2").iterdir()))
    (tmp_path / "in/readme.txt").write_text("hello")
    found = imports.import_paths([tmp_path / "in"], project)
    assert [outcome.outcome for outcome in found] == ["imported", "refused", "imported", "refused"]
    assert found[3].name == "readme.txt"


def test_a_folder_full_of_other_things_is_told_in_few_lines(tmp_path: Path, project: Project) -> None:
    for number in range(30):
        (tmp_path / f"{number}.txt").write_text("hello")
    found = imports.import_paths([tmp_path], project)
    assert len(found) == 21 and found[-1].name == "10 more"


# ---------------------------------------------------------------------------------------------------- what breaks


def test_a_full_disk_is_one_sentence_and_no_files(dicom, project, storage: Path, monkeypatch) -> None:
    put, count = store._put, iter(range(100))

    def fill_up(name: str, data: bytes) -> None:
        if next(count) > 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        put(name, data)

    monkeypatch.setattr(store, "_put", fill_up)
    assert_refused(dicom[0].parent, project, storage, outcomes.NO_SPACE)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [(MemoryError(), outcomes.NO_MEMORY), (ZeroDivisionError("oops"), outcomes.UNEXPECTED)],
)
def test_other_failures_are_sentences_too(dicom, project, storage: Path, monkeypatch, error, sentence: str) -> None:
    def fail(*args, **kwargs) -> None:
        raise error

    monkeypatch.setattr(Series, "save", fail)  # after every voxel was written
    assert_refused(dicom[0].parent, project, storage, sentence)


def test_keep_stores_whole_or_not_at_all(small_ct, db, storage: Path, monkeypatch) -> None:
    def interrupt(*args, **kwargs) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Series, "save", interrupt)
        with pytest.raises(KeyboardInterrupt):
            imports.keep(small_ct[0])
    assert_nothing_is_left(storage)
    kept = imports.keep(small_ct[0], synthetic=True)
    assert kept.synthetic and imports.keep(small_ct[0]) == kept


# ---------------------------------------------------------------------------------------------------- the command


def test_the_command_prints_a_line_per_series(dicom: list[Path], cast: Cast, capsys) -> None:
    call_command("import_series", str(dicom[0].parent), project="Abdomen", assign="alice")
    assert capsys.readouterr().out == "imported: SYNTHETIC PHANTOM abdomen.\n"
    call_command("import_series", str(dicom[0].parent), project="Abdomen")
    assert capsys.readouterr().out == f"already here: SYNTHETIC PHANTOM abdomen. {imports.KNOWN}\n"
    assert Assignment.objects.filter(person=cast.alice).count() == 2


def test_the_command_s_exit_status_tells_of_refusals(dicom: list[Path], cast: Cast, capsys) -> None:
    no_pixels(dicom)
    with pytest.raises(SystemExit) as ended:
        call_command("import_series", str(dicom[0].parent), project="Abdomen")
    assert ended.value.code == 1
    assert capsys.readouterr().out == "refused: SYNTHETIC PHANTOM abdomen. 0005.dcm has no pixel data.\n"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"project": "Thorax"}, "no project “Thorax” .* the projects are: Abdomen, Elsewhere"),
        ({"project": "Abdomen", "assign": "zoe"}, "no user zoe; the users are: alice, bob"),
        ({"project": "Abdomen", "assign": "eve"}, "eve is no member .* members are: alice, bob, maria, rob"),
    ],
)
def test_the_command_lists_what_there_is(cast: Cast, tmp_path: Path, options, sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("import_series", str(tmp_path), **options)


def test_the_command_makes_a_project_to_start_with(dicom: list[Path], cast: Cast) -> None:
    arguments = [str(dicom[0].parent), "--project", "New", "--create-project", "--assign", "eve"]
    call_command("import_series", *arguments)
    call_command("import_series", *arguments)
    made = Project.objects.get(name="New")
    assert made.labels.filter(name="liver").exists()
    assert Assignment.objects.get(task__project=made).person == cast.eve


# ---------------------------------------------------------------------------------------------------- real images


@pytest.mark.slow
def test_a_real_ct_comes_out_of_its_zip(shared_data: Path, unzipped, project: Project, storage: Path) -> None:
    outcome = import_one(shared_data / "ct-dicom/ircad17_dicom.zip", project)
    assert outcome.series and outcome.series.shape == (119, 512, 512)
    folder = unzipped("ct-dicom/ircad17_dicom.zip")
    some = max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.name)
    header = pydicom.dcmread(some)
    truth = header.pixel_array * int(header.RescaleSlope) + int(header.RescaleIntercept)
    # Slices that lie transversely show as they are, up to a flip, in the stored volume.
    heights = np.array(outcome.series.geometry["affine"])
    z = round((float(header.ImagePositionPatient[2]) - heights[2, 3]) / heights[2, 2])
    here = store.read_slice(outcome.series, z)
    assert any(np.array_equal(here, turned) for turned in (truth, truth[::-1], truth[:, ::-1], truth[::-1, ::-1]))


@pytest.mark.slow
def test_whatever_is_in_a_folder_gets_sentences(unzipped, project: Project) -> None:
    found = imports.import_paths([unzipped("dicom-variety.zip")], project)
    assert {"imported", "refused"} <= {str(outcome.outcome) for outcome in found}
    for outcome in found:
        assert all(said.endswith((".", "?")) for said in outcome.sentences), outcome
        assert outcomes.UNEXPECTED not in outcome.sentences, outcome
