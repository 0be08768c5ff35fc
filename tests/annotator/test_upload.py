"""The upload page: from a browser's form to imported cases, and who may do what."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.conf import settings as site
from django.contrib.auth.models import User
from django.core.files.storage import InMemoryStorage, Storage, default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from kombu.exceptions import OperationalError

from annotator.annotation.models import Assignment
from annotator.celery import app
from annotator.studies import imports, jobs, uploads
from annotator.studies.models import Series, Upload
from segmodel import phantom
from segmodel.volumes import nifti
from tests.annotator.factories import Cast
from tests.annotator.test_api import logged_in

pytestmark = pytest.mark.usefixtures("storage")
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture(autouse=True)
def nothing_is_left(db, storage: Path):
    """Uploaded files are gone once their job is done, and temporary ones at once."""
    yield
    assert not list(Path(site.FILE_UPLOAD_TEMP_DIR).iterdir())
    waiting = {str(pk) for pk in Upload.objects.filter(state="received").values_list("pk", flat=True)}
    assert {path.name for path in storage.glob("uploads/*")} == waiting


@pytest.fixture
def files(small_ct, tmp_path: Path) -> dict[str, bytes]:
    """A DICOM series in a folder, by the paths that a browser sends."""
    return {
        f"patient/ct/{path.name}": path.read_bytes() for path in phantom.write_dicom(small_ct[0], tmp_path / "dicom")
    }


@pytest.fixture
def at_once():
    """Jobs run where they are queued."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.fixture
def queued(monkeypatch) -> list[str]:
    """Jobs stay in this list."""
    queue: list[str] = []
    monkeypatch.setattr(jobs.import_upload, "delay", queue.append)
    return queue


def post(client: Client, project: Any, files: dict[str, bytes], assignee: object = "", **extra: Any) -> Any:
    data = {
        "assignee": str(assignee),
        "files": [SimpleUploadedFile(path.split("/")[-1], content) for path, content in files.items()],
        "paths": list(files),
    }
    return client.post(f"/projects/{project.pk}/uploads/", data | extra.pop("fields", {}), **extra)


# ---------------------------------------------------------------------------------------------------- from drop to case


def test_a_manager_drops_a_folder_and_follows_it(cast: Cast, files, at_once) -> None:
    client = logged_in(cast.maria)
    response = post(client, cast.project, {**files, "notes.txt": b"hello"}, cast.bob.pk)
    assert response.status_code == 201
    answer = response.json()
    assert answer["url"] == f"/uploads/{answer['id']}/"
    state = client.get(answer["url"], headers={"Accept": "application/json"}).json()
    series = Series.objects.get(imported_by=cast.maria)
    assert (state["state"], state["progress"]) == ("done", 1)
    assert state["report"] == [
        {"name": "SYNTHETIC PHANTOM abdomen", "series": str(series.pk), "outcome": "imported", "sentences": []},
        {"name": "notes.txt", "series": None, "outcome": "refused", "sentences": ["notes.txt is not a DICOM file."]},
    ]
    assert Assignment.objects.get(task__series=series).person == cast.bob


def test_a_second_upload_of_the_same_is_known(cast: Cast, files, at_once) -> None:
    client = logged_in(cast.maria)
    for expected in ("imported", "known"):
        address = post(client, cast.project, files).json()["url"]
        assert [entry["outcome"] for entry in client.get(address).json()["report"]] == [expected]


def test_the_same_name_in_two_folders_meets_nobody(small_ct, cast: Cast, tmp_path: Path, at_once) -> None:
    found = {}
    for number in (1, 2):
        for path in phantom.write_dicom(small_ct[0], tmp_path / str(number), series_number=number):
            found[f"../{path.name}" if number == 1 else path.name] = path.read_bytes()
    client = logged_in(cast.maria)
    report = client.get(post(client, cast.project, found).json()["url"]).json()["report"]
    assert [entry["outcome"] for entry in report] == ["imported", "imported"]


def test_without_a_script_the_form_works_too(small_ct, cast: Cast, tmp_path: Path, at_once) -> None:
    nifti.write(tmp_path / "ct.nii.gz", small_ct[0])
    client = logged_in(cast.maria)
    data = {"assignee": "", "files": [SimpleUploadedFile("ct.nii.gz", (tmp_path / "ct.nii.gz").read_bytes())]}
    response = client.post(f"/projects/{cast.project.pk}/uploads/", data, headers=BROWSER, follow=True)
    assert response.redirect_chain[0][1] == 302
    page = response.content.decode()
    assert "Import finished." in page and "ct.nii.gz" in page and "Refresh" not in page
    refused = client.post(f"/projects/{cast.project.pk}/uploads/", {"assignee": ""}, headers=BROWSER)
    assert refused.status_code == 400 and "There is no file in this upload." in refused.content.decode()


def test_the_page_has_what_the_script_needs(cast: Cast) -> None:
    page = logged_in(cast.maria).get(f"/projects/{cast.project.pk}/upload").content.decode()
    assert f'data-url="/projects/{cast.project.pk}/uploads/"' in page
    assert 'id="upload"' in page and "csrfmiddlewaretoken" in page and "src/upload.ts" in page
    assert "alice (Annotator)" in page and "eve" not in page


def test_the_link_leads_to_the_project(cast: Cast) -> None:
    assert logged_in(cast.maria).get("/upload/")["Location"] == f"/projects/{cast.project.pk}/upload"
    page = f"/projects/{cast.elsewhere.pk}/upload"
    assert logged_in(cast.staff).get(f"/upload/?project={cast.elsewhere.pk}")["Location"] == page
    assert logged_in(cast.maria).get(f"/upload/?project={cast.elsewhere.pk}").status_code == 404
    assert logged_in(cast.maria).get("/upload/?project=-1").status_code == 302


def test_files_are_moved_not_copied(cast: Cast, files, queued, monkeypatch) -> None:
    def no_copy(self: object, *args: object) -> None:
        raise AssertionError("copied")

    monkeypatch.setattr("django.core.files.base.File.chunks", no_copy)
    upload = Upload.objects.get(pk=post(logged_in(cast.maria), cast.project, files).json()["id"])
    folder = Path(default_storage.path(upload.prefix))
    assert (folder / "000003/patient/ct/0004.dcm").read_bytes() == files["patient/ct/0004.dcm"]


def test_a_request_holds_few_files_open(cast: Cast, queued, monkeypatch) -> None:
    """A study has more slices than a process may open files."""
    peak = 0
    new_file = uploads.IntoFolder.new_file

    def count(self: uploads.IntoFolder, *args: Any, **kwargs: Any) -> None:
        nonlocal peak
        new_file(self, *args, **kwargs)
        peak = max(peak, len(list(Path("/proc/self/fd").iterdir())))

    monkeypatch.setattr(uploads.IntoFolder, "new_file", count)
    before = len(list(Path("/proc/self/fd").iterdir()))
    files = {f"{number}.dcm": b"x" for number in range(1200)}  # and more fields than Django takes by default
    assert post(logged_in(cast.maria), cast.project, files).status_code == 201
    assert peak < before + 20


class ObjectStore(Storage):
    """A storage whose files have no paths."""

    def __init__(self) -> None:
        self.inner = InMemoryStorage()

    def __getattribute__(self, name: str) -> Any:
        inner = ("exists", "delete", "listdir", "get_modified_time", "_open", "_save")
        return getattr(self.inner, name) if name in inner else super().__getattribute__(name)


def test_an_object_store_serves_as_well(cast: Cast, files, settings, at_once) -> None:
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": f"{__name__}.ObjectStore"}}
    client = logged_in(cast.maria)
    report = client.get(post(client, cast.project, files).json()["url"]).json()["report"]
    assert [entry["outcome"] for entry in report] == ["imported"]
    assert not any(default_storage.listdir("uploads"))


# ---------------------------------------------------------------------------------------------------- who may


@pytest.mark.parametrize(
    ("name", "status"), [("alice", 404), ("rob", 404), ("eve", 404), ("maria", 200), ("staff", 200)]
)
def test_only_managers_reach_the_page_and_its_door(cast: Cast, files, queued, name: str, status: int) -> None:
    client = logged_in(getattr(cast, name))
    assert client.get(f"/projects/{cast.project.pk}/upload").status_code == status
    assert post(client, cast.project, files).status_code == {200: 201}.get(status, status)
    assert Upload.objects.count() == len(queued) == (status == 200)


@pytest.mark.parametrize("name", ["alice", "rob"])
def test_whoever_manages_nothing_has_no_upload_page(cast: Cast, name: str) -> None:
    assert logged_in(getattr(cast, name)).get("/upload/").status_code == 404


def test_logged_out(cast: Cast, files, queued) -> None:
    assert Client().get(f"/projects/{cast.project.pk}/upload")["Location"].startswith("/login/")
    refused = post(Client(), cast.project, files)
    assert (refused.status_code, refused.json()) == (401, {"error": "Log in first."})
    assert post(Client(), cast.project, files, headers=BROWSER)["Location"].startswith("/login/")
    assert Client().get(f"/uploads/{uuid.uuid4()}/").status_code == 302
    assert not queued


def test_a_form_of_another_site_is_refused(cast: Cast, files, queued) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.maria)
    assert post(client, cast.project, files).status_code == 403
    client.get(f"/projects/{cast.project.pk}/upload")
    token = {"csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    assert post(client, cast.project, files, fields=token).status_code == 201


@pytest.mark.parametrize(("name", "status"), [("alice", 404), ("rob", 404), ("eve", 404), ("staff", 200)])
def test_only_the_uploader_and_managers_follow_an_upload(cast: Cast, files, queued, name: str, status: int) -> None:
    address = post(logged_in(cast.maria), cast.project, files).json()["url"]
    assert logged_in(getattr(cast, name)).get(address).status_code == status


def test_the_assignee_must_be_a_member(cast: Cast, files, queued) -> None:
    for assignee in (cast.eve.pk, 99999, "nobody", "-1"):
        refused = post(logged_in(cast.maria), cast.project, files, assignee)
        assert refused.status_code == 400
        assert refused.json()["error"] == "The person to assign the cases to is no member of this project."
    assert not Upload.objects.exists()


# ---------------------------------------------------------------------------------------------------- what is refused


def test_too_many_files_are_a_sentence(cast: Cast, queued, settings) -> None:
    settings.IMPORT_MAX_FILES = settings.DATA_UPLOAD_MAX_NUMBER_FILES = 3
    refused = post(logged_in(cast.maria), cast.project, {f"{number}": b"x" for number in range(4)})
    assert (refused.status_code, refused.json()["error"]) == (400, "An upload may have 3 files; zip them.")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"files": []}, "There is no file in this upload."),
        ({"paths": ["one"]}, "fewer files than it announced"),
        ({"paths": ["x" * 2000] * 3}, "too long altogether"),
    ],
)
def test_odd_forms_are_a_sentence(cast: Cast, files, queued, settings, fields, sentence: str) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 5000
    refused = post(logged_in(cast.maria), cast.project, files, fields=fields)
    assert refused.status_code == 400 and sentence in refused.json()["error"]
    assert not Upload.objects.exists()


def test_an_upload_that_is_cut_short_is_a_sentence(cast: Cast, queued) -> None:
    body = (
        b'--edge\r\nContent-Disposition: form-data; name="files"; filename="a.dcm"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n" + b"x" * 1000
    )
    client, address = logged_in(cast.maria), f"/projects/{cast.project.pk}/uploads/"
    refused = client.generic("POST", address, body, "multipart/form-data; boundary=edge")
    assert refused.status_code == 400 and "cut short" in refused.json()["error"]


def test_a_full_disk_is_a_sentence(cast: Cast, files, queued, monkeypatch) -> None:
    store, count = uploads._store, iter(range(100))

    def fill_up(path: Path, name: str) -> None:
        if next(count) > 4:
            raise OSError(28, "No space left on device")
        store(path, name)

    monkeypatch.setattr(uploads, "_store", fill_up)
    refused = post(logged_in(cast.maria), cast.project, files)
    assert refused.status_code == 400 and "no space left" in refused.json()["error"]
    assert not Upload.objects.exists()


def test_a_broker_that_is_away_is_a_sentence(cast: Cast, files, monkeypatch) -> None:
    def away(*args: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(jobs.import_upload, "delay", away)
    refused = post(logged_in(cast.maria), cast.project, files)
    assert refused.status_code == 400 and "queue of imports does not answer" in refused.json()["error"]
    assert not Upload.objects.exists()


# ---------------------------------------------------------------------------------------------------- the job


def received(person: User, cast: Cast, files: dict[str, bytes]) -> Upload:
    return Upload.objects.get(pk=post(logged_in(person), cast.project, files).json()["id"])


def test_a_job_delivered_twice_runs_once(cast: Cast, files, queued, monkeypatch) -> None:
    import_paths = Mock(wraps=imports.import_paths)
    monkeypatch.setattr(imports, "import_paths", import_paths)
    upload = received(cast.maria, cast, files)
    assert queued == [str(upload.pk)]
    for _ in range(3):
        jobs.import_upload(queued[0])
    import_paths.assert_called_once()
    upload.refresh_from_db()
    assert upload.state == "done" and upload.report[0]["outcome"] == "imported"


def test_progress_is_noted_while_it_runs(cast: Cast, files, queued, monkeypatch) -> None:
    monkeypatch.setattr(uploads, "_EVERY", 0)
    seen = []

    def importing(paths: object, project: object, person: object, assignee: object, progress: Any) -> list:
        progress(0.4, "ct")
        seen.append(Upload.objects.get())
        return []

    monkeypatch.setattr(imports, "import_paths", importing)
    jobs.import_upload(str(received(cast.maria, cast, files).pk))
    assert (seen[0].state, seen[0].progress) == ("running", 0.4)
    assert seen[0].heartbeat_at and timezone.now() - seen[0].heartbeat_at < timedelta(seconds=10)


def test_a_job_that_breaks_has_failed_with_a_sentence(cast: Cast, files, queued, monkeypatch) -> None:
    def break_down(*args: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(imports, "import_paths", break_down)
    upload = received(cast.maria, cast, files)
    jobs.import_upload(str(upload.pk))
    upload.refresh_from_db()
    assert upload.state == "failed" and "error in the program" in upload.report[0]["sentences"][0]


def test_a_project_that_went_is_a_sentence(cast: Cast, files, queued) -> None:
    upload = received(cast.maria, cast, files)
    Upload.objects.update(project_id=99999)
    jobs.import_upload(str(upload.pk))
    upload.refresh_from_db()
    assert (upload.state, upload.report[0]["sentences"]) == ("failed", [uploads.GONE])


def test_an_assignee_who_left_is_a_sentence(cast: Cast, files, queued) -> None:
    upload = Upload.objects.get(pk=post(logged_in(cast.maria), cast.project, files, cast.bob.pk).json()["id"])
    cast.bob.memberships.all().delete()
    jobs.import_upload(str(upload.pk))
    upload.refresh_from_db()
    assert (upload.state, upload.report[0]["sentences"]) == ("failed", ["bob is no member of the project Abdomen."])


def test_an_upload_whose_job_died_is_seen_to_have_failed(cast: Cast, files, queued) -> None:
    upload = received(cast.maria, cast, files)
    client = logged_in(cast.maria)
    Upload.objects.update(state="running", heartbeat_at=timezone.now())
    assert client.get(f"/uploads/{upload.pk}/").json()["state"] == "running"
    Upload.objects.update(heartbeat_at=timezone.now() - uploads.SILENCE - timedelta(seconds=1))
    answer = client.get(f"/uploads/{upload.pk}/").json()
    assert answer["state"] == "failed" and answer["report"][0]["sentences"] == [uploads.STOPPED]
    jobs.resume()  # clears its files away


def test_a_worker_that_starts_finds_what_was_left(cast: Cast, files, queued) -> None:
    dead, waiting = received(cast.maria, cast, files), received(cast.maria, cast, files)
    silent = timezone.now() - uploads.SILENCE - timedelta(seconds=1)
    Upload.objects.filter(pk=dead.pk).update(state="running", heartbeat_at=silent)
    queued.clear()
    jobs.resume()
    assert queued == [str(waiting.pk)]
    dead.refresh_from_db()
    assert dead.state == "failed"
    assert not default_storage.exists(dead.prefix) and default_storage.exists(waiting.prefix)
