"""Zip archives: what may be in them, and what is refused before it does any harm."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest
from django.conf import settings as site

from annotator.annotation.models import Project
from annotator.studies import imports
from annotator.studies.files import clean
from annotator.studies.models import Series
from segmodel import phantom
from segmodel.volumes import nifti
from tests.annotator import factories

pytestmark = [pytest.mark.usefixtures("storage"), pytest.mark.filterwarnings("ignore::UserWarning:zipfile")]


@pytest.fixture
def project(db) -> Project:
    return factories.make_project("Abdomen")


@pytest.fixture(autouse=True)
def nothing_stays_unpacked():
    yield
    assert not list(Path(site.FILE_UPLOAD_TEMP_DIR).iterdir())


def make_zip(path: Path, files: dict[str, bytes], **options) -> Path:
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, archive.compression)
    return path


def series_files(small_ct, folder: Path, number: int = 1) -> dict[str, bytes]:
    paths = phantom.write_dicom(small_ct[0], folder, series_number=number)
    return {f"{number}/{path.name}": path.read_bytes() for path in paths}


def refusal(path: Path, project: Project, storage: Path) -> str:
    (outcome,) = imports.import_paths([path], project)
    assert outcome.outcome == "refused" and len(outcome.sentences) == 1
    assert not Series.objects.exists() and not storage.exists()
    return outcome.sentences[0]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_is_in_a_zip_is_imported(small_ct, tmp_path: Path, project: Project, compression: int) -> None:
    nifti.write(tmp_path / "ct.nii.gz", small_ct[0])
    files = series_files(small_ct, tmp_path / "a") | series_files(small_ct, tmp_path / "b", number=2)
    files |= {"nifti\\ct.nii.gz": (tmp_path / "ct.nii.gz").read_bytes(), "__MACOSX/._1": b"x", "1/DICOMDIR": b"x"}
    found = imports.import_paths([make_zip(tmp_path / "ct.zip", files, compression=compression)], project)
    assert [outcome.outcome for outcome in found] == ["imported"] * 3
    assert found[2].name == "nifti/ct.nii.gz"


def test_folders_and_zips_are_imported_together(small_ct, tmp_path: Path, project: Project) -> None:
    (tmp_path / "in").mkdir()
    make_zip(tmp_path / "in/one.ZIP", series_files(small_ct, tmp_path / "a"))
    phantom.write_dicom(small_ct[0], tmp_path / "in/loose", series_number=2)
    make_zip(tmp_path / "in/broken.zip", {"../x": b""})
    found = imports.import_paths([tmp_path / "in"], project)
    assert sorted(outcome.outcome for outcome in found) == ["imported", "imported", "refused"]


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/etc/evil", "..\\evil", "C:\\evil", "a/.."])
def test_paths_that_lead_outside_are_refused(tmp_path: Path, project: Project, storage: Path, name: str) -> None:
    path = make_zip(tmp_path / "in.zip", {"good": b"", name: b"x"})
    assert "in.zip holds a path that leads out of it" in refusal(path, project, storage)
    assert not list(tmp_path.parent.rglob("evil"))


def test_links_are_refused(tmp_path: Path, project: Project, storage: Path) -> None:
    link = zipfile.ZipInfo("passwords")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "link or another special file (passwords)" in refusal(tmp_path / "in.zip", project, storage)


def test_encrypted_archives_are_refused(tmp_path: Path, project: Project, storage: Path) -> None:
    path = make_zip(tmp_path / "in.zip", {"a": b"secret"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert "in.zip is encrypted" in refusal(path, project, storage)


def test_too_many_files_are_refused(tmp_path: Path, project: Project, storage: Path, settings) -> None:
    settings.IMPORT_MAX_FILES = 3
    path = make_zip(tmp_path / "in.zip", {str(number): b"" for number in range(4)})
    assert "in.zip holds 4 files, more than the limit of 3." in refusal(path, project, storage)


def test_a_bomb_is_refused(tmp_path: Path, project: Project, storage: Path, settings) -> None:
    settings.IMPORT_MAX_ZIP_BYTES = 1_000_000
    path = make_zip(tmp_path / "in.zip", {"a": bytes(600_000), "b": bytes(600_000)}, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 3000
    assert "in.zip unpacks to more than the limit of 0.001 GB." in refusal(path, project, storage)


@pytest.mark.parametrize("claimed", [10, 500_000])
def test_a_bomb_that_lies_about_its_size_is_refused(
    tmp_path: Path, project, storage: Path, settings, claimed: int
) -> None:
    settings.IMPORT_MAX_ZIP_BYTES = 1_000_000
    path = make_zip(tmp_path / "in.zip", {"a": bytes(2_000_000)}, compression=zipfile.ZIP_DEFLATED)
    content = path.read_bytes().replace((2_000_000).to_bytes(4, "little"), claimed.to_bytes(4, "little"))
    path.write_bytes(content)
    said = refusal(path, project, storage)
    assert "damaged" in said or "more than the limit" in said


def test_bytes_are_counted_as_they_come(tmp_path: Path, project: Project, storage: Path, settings, monkeypatch) -> None:
    """Even where the sizes in the headers pass for small."""
    settings.IMPORT_MAX_ZIP_BYTES = 1_000_000
    monkeypatch.setattr("annotator.studies.archives._check", lambda entries, name: None)
    path = make_zip(tmp_path / "in.zip", {"a": bytes(2_000_000)}, compression=zipfile.ZIP_DEFLATED)
    assert "more than the limit" in refusal(path, project, storage)


def test_a_zip_in_a_zip_stays_closed(small_ct, tmp_path: Path, project: Project) -> None:
    inner = make_zip(tmp_path / "inner.zip", {"a": b"x"}).read_bytes()
    path = make_zip(tmp_path / "in.zip", {**series_files(small_ct, tmp_path / "a"), "deep/inner.zip": inner})
    imported, nested = imports.import_paths([path], project)
    assert imported.outcome == "imported"
    assert nested.outcome == "refused" and "deep/inner.zip lies inside another zip file" in nested.sentences[0]


@pytest.mark.parametrize("cut", [slice(0, -30), slice(0, 10), slice(0, 0), slice(1, None)])
def test_a_damaged_zip_is_refused(small_ct, tmp_path: Path, project: Project, storage: Path, cut: slice) -> None:
    path = make_zip(tmp_path / "in.zip", series_files(small_ct, tmp_path / "a"))
    path.write_bytes(path.read_bytes()[cut])
    (outcome,) = imports.import_paths([path], project)
    assert outcome.sentences == ("in.zip is truncated, damaged or no zip file.",)


def test_damaged_content_is_refused(tmp_path: Path, project: Project, storage: Path) -> None:
    path = make_zip(tmp_path / "in.zip", {"a": bytes(range(256)) * 99}, compression=zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    content[60:90] = bytes(30)
    path.write_bytes(content)
    assert "in.zip is truncated, damaged or no zip file." in refusal(path, project, storage)


def test_an_empty_zip_is_told(tmp_path: Path, project: Project, storage: Path) -> None:
    assert "in.zip holds no files." in refusal(make_zip(tmp_path / "in.zip", {}), project, storage)


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("a/b.dcm", "a/b.dcm"),
        ("../../etc/passwd", "etc/passwd"),
        ("/a//./b", "a/b"),
        ("a\\..\\b", "a/b"),
        ("C:\\a", "C:/a"),
        ("..", ""),
        ("a\x00\nb", "ab"),
        ("é" * 300 + ".nii.gz", "é" * 96 + ".nii.gz"),
        ("/".join("abcdefghijkl"), "e/f/g/h/i/j/k/l"),
    ],
)
def test_paths_are_cleaned(given: str, cleaned: str) -> None:
    assert clean(given) == cleaned
    assert all(len(part.encode()) <= 200 for part in clean(given).split("/"))
