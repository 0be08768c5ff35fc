"""The REST API: a project from its first label to its accepted masks, then what is refused, each in one sentence."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as site
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from rest_framework.throttling import UserRateThrottle

from annotator import masks
from annotator.annotation import slicemasks
from annotator.annotation.models import Agreement, Assignment, Comparison, Label, Membership, Project
from annotator.api import tokens
from annotator.api.models import ApiToken
from annotator.celery import app
from annotator.events import audit
from annotator.events.models import Event
from annotator.studies import store
from segmodel import phantom
from tests.annotator import factories
from tests.annotator.factories import SHAPE, Cast

pytestmark = pytest.mark.usefixtures("storage")
ALL = list(ApiToken.Scope.values)


class Program:
    """Somebody's program: answers are (status, body)."""

    def __init__(self, person: User) -> None:
        _, secret = tokens.make(person, "tests", ALL, 1)
        self.client = Client(headers={"Authorization": f"Bearer {secret}"})

    def __call__(self, method: str, path: str, **body: Any) -> tuple[int, Any]:
        if method == "GET":
            return self._read(self.client.get(f"/api/v1/{path}", body))
        sent = getattr(self.client, method.lower())(
            f"/api/v1/{path}", json.dumps(body), content_type="application/json"
        )
        return self._read(sent)

    def get(self, path: str, **query: Any) -> Any:
        status, body = self("GET", path, **query)
        assert status == 200, body
        return body

    def _read(self, answer: Any) -> tuple[int, Any]:
        return answer.status_code, answer.json() if answer.get("Content-Type") == "application/json" else answer


@pytest.fixture(autouse=True)
def nobody_has_asked_yet():
    """Requests are counted in the cache, by the number of the person."""
    cache.clear()


@pytest.fixture
def at_once():
    """Jobs run where they are queued."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


def fill(case: Assignment, label: Label) -> None:
    """A mask that covers slice 1, in a series whose voxels are stored."""
    series = case.task.series
    if series.shape == SHAPE:
        store.write(series.prefix, iter(factories.volume()), SHAPE)
    mask = masks.encode(np.ones(series.shape[1:], bool))
    slicemasks.save(case.pk, label.pk, 1, 1, 1, mask, None, [], case.person_id)


def upload_files(small_ct: Any, folder: Path) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(path.name, path.read_bytes()) for path in phantom.write_dicom(small_ct[0], folder)]


def test_from_the_first_label_to_accepted_masks(cast: Cast, small_ct, tmp_path: Path, at_once) -> None:
    maria, alice = Program(cast.maria), Program(cast.alice)
    status, project = maria("POST", "projects/", name="Chain", guidelines="Outline.", overlap="background")
    assert status == 201 and Project.objects.get(pk=project["id"]).memberships.get().role == "manager"
    here = f"projects/{project['id']}/"
    status, liver = maria("POST", f"{here}labels/", name="liver", value=1, colour="#c0504d", hotkey="l")
    assert (status, liver["snomed"], liver["locked"]) == (201, "", False)

    status, invited = maria("POST", f"{here}invitations/", role="annotator")
    assert status == 201 and "/invitations/" in invited["link"]
    client = Client()
    client.force_login(cast.alice)
    client.post(invited["link"].removeprefix("http://testserver"))
    assert [one["username"] for one in maria.get(f"{here}members/")["results"]] == ["alice", "maria"]

    answer = maria.client.post(f"/api/v1/{here}uploads/", {"files": upload_files(small_ct, tmp_path / "dicom")})
    assert answer.status_code == 201 and not list(Path(site.FILE_UPLOAD_TEMP_DIR).iterdir())
    done = maria.get(f"uploads/{answer.json()['id']}/")
    assert (done["state"], done["report"][0]["outcome"]) == ("done", "imported")
    (series,) = maria.get(f"{here}series/")["results"]
    assert series["shape"] == [12, 48, 64]

    (task,) = maria.get(f"{here}tasks/", waiting=True)["results"]
    assert maria("PATCH", f"tasks/{task['id']}/", priority=5, due_on="2999-12-31")[1]["priority"] == 5
    status, given = maria("POST", f"{here}spread/", people=["alice"])
    assert status == 201 and [one["person"] for one in given] == ["alice"]

    case = f"assignments/{given[0]['id']}/"
    assert alice.get(case)["progress"]["moves"] == ["submit", "skip", "hand_back"]
    fill(Assignment.objects.get(pk=given[0]["id"]), Label.objects.get(pk=liver["id"]))
    assert alice("POST", f"{case}moves/", move="submit")[1]["state"] == "submitted"
    status, comment = maria("POST", f"{case}comments/", text="A bit less here.", z=1, y=2, x=3, label=liver["id"])
    assert status == 201
    assert maria("POST", f"{case}moves/", move="return", reason="See the comment.")[1]["state"] == "returned"
    assert alice.get(f"{case}comments/")["results"][0]["text"] == "A bit less here."
    resolved = alice("PATCH", f"{case}comments/{comment['id']}/", resolved=True)[1]
    assert resolved["resolved_by"] == "alice" and resolved["resolved_at"]
    alice("POST", f"{case}moves/", move="submit")
    assert maria("POST", f"{case}moves/", move="accept")[1]["moves"] == ["reopen"]

    measures = alice.get(f"{case}measures/")
    assert [row["slice"] for row in measures] == [2, None] and measures[0]["label"] == "liver"
    answer = maria.client.get(f"/api/v1/{here}masks/", headers={"Accept": "application/zip"})
    names = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))).namelist()  # type: ignore[attr-defined]
    assert [Path(name).name for name in names] == ["labels.nii.gz", "labels.json", "agreement.csv", "manifest.json"]
    verbs = [event["verb"] for event in maria.get("events/", project=project["id"])["results"]]
    assert {"created", "invited", "joined", "exported"} <= set(verbs)


def test_a_hundred_on_a_page(cast: Cast) -> None:
    for value in range(3, 104):
        Label.objects.create(project=cast.project, name=f"label {value}", value=value, colour="#000000")
    rob = Program(cast.rob)
    first = rob.get(f"projects/{cast.project.pk}/labels/")
    assert (first["count"], len(first["results"])) == (103, 100) and first["next"].endswith("?page=2")
    assert len(rob.get(f"projects/{cast.project.pk}/labels/", page=2)["results"]) == 3
    assert rob("GET", f"projects/{cast.project.pk}/labels/", page=3) == (404, {"error": "There is no such page."})


def test_lists_are_filtered(cast: Cast) -> None:
    maria, here = Program(cast.maria), f"projects/{cast.project.pk}/"
    assert [one["id"] for one in maria.get("assignments/", person="bob")["results"]] == [cast.bobs.pk]
    assert maria.get("assignments/", project=cast.project.pk, state="accepted")["count"] == 0
    assert [one["id"] for one in maria.get(f"{here}tasks/", person="alice")["results"]] == [cast.alices.task_id]
    assert maria.get(f"{here}tasks/", series=cast.bobs.task.series_id)["count"] == 1
    assert maria.get("projects/", name="Abdomen", archived=False)["count"] == 1
    assert maria("GET", "assignments/", state="lost")[0] == 400


def test_annotators_see_their_own_only(cast: Cast) -> None:
    alice, here = Program(cast.alice), f"projects/{cast.project.pk}/"
    assert [one["id"] for one in alice.get("assignments/")["results"]] == [cast.alices.pk]
    assert [one["id"] for one in alice.get(f"{here}tasks/")["results"]] == [cast.alices.task_id]
    assert [one["id"] for one in alice.get(f"{here}series/")["results"]] == [str(cast.alices.task.series_id)]
    for path in (f"tasks/{cast.bobs.task_id}/", f"series/{cast.bobs.task.series_id}/", f"{here}members/"):
        assert alice("GET", path)[0] == 404
    assert alice.get("events/")["count"] == 0


def test_a_check_looks_like_a_reading_but_to_managers(cast: Cast) -> None:
    Assignment.objects.filter(pk=cast.alices.pk).update(kind="check")
    cast.alices.transitions.create(after="assigned", person=cast.maria)  # its turn has come
    assert Program(cast.alice).get(f"assignments/{cast.alices.pk}/")["kind"] == "reading"
    assert Program(cast.rob).get(f"assignments/{cast.alices.pk}/")["kind"] == "reading"
    assert Program(cast.maria).get(f"assignments/{cast.alices.pk}/")["kind"] == "check"


def test_cases_change_hands(cast: Cast) -> None:
    maria = Program(cast.maria)
    status, theirs = maria("POST", f"assignments/{cast.alices.pk}/reassign/", person="rob", keep_work=False)
    assert (status, theirs["person"]) == (201, "rob")
    task = cast.project.tasks.create(series=factories.make_series())
    assert maria("POST", f"tasks/{task.pk}/assignments/", person="alice")[0] == 201
    refused = maria("POST", f"tasks/{task.pk}/assignments/", person="bob")
    assert refused == (409, {"error": "Abdomen already has its reader; nobody else can get it."})
    assert Program(cast.rob)("POST", f"projects/{cast.project.pk}/next/")[1]["id"] == theirs["id"]
    assert Program(cast.bob)("POST", f"projects/{cast.project.pk}/next/")[1]["id"] == cast.bobs.pk


def test_members_change_and_leave(cast: Cast) -> None:
    maria, here = Program(cast.maria), f"projects/{cast.project.pk}/members/"
    assert maria("PATCH", f"{here}{cast.alice.pk}/", role="reviewer", skills=["liver"])[1]["skills"] == ["liver"]
    assert maria("DELETE", f"{here}{cast.alice.pk}/?heir=rob")[0] == 204
    assert Assignment.objects.get(task=cast.alices.task, person=cast.rob).state == "assigned"
    refused = maria("PATCH", f"{here}{cast.maria.pk}/", role="annotator")
    assert refused[0] == 409 and "last manager" in refused[1]["error"]


def test_agreement_is_read(cast: Cast) -> None:
    comparison = Comparison.objects.create(first=cast.alices, second=cast.bobs, state="done", progress=1.0)
    for z, dice in ((None, 0.9), (1, None)):
        Agreement.objects.create(comparison=comparison, label=cast.liver, z=z, dice=dice, first_ml=1.5, second_ml=2)
    rob = Program(cast.rob)
    (found,) = rob.get(f"projects/{cast.project.pk}/comparisons/")["results"]
    assert (found["first"], found["second"], found["state"]) == (cast.alices.pk, cast.bobs.pk, "done")
    assert rob.get(f"comparisons/{comparison.pk}/agreements/")["count"] == 2
    (volume,) = rob.get(f"comparisons/{comparison.pk}/agreements/", volumes=True)["results"]
    assert (volume["label"], volume["z"], volume["dice"], volume["hd95"]) == ("liver", None, 0.9, None)
    Assignment.objects.filter(pk=cast.bobs.pk).update(kind="check")
    cast.bobs.transitions.create(after="assigned", person=cast.maria)  # its turn has come
    assert rob.get(f"projects/{cast.project.pk}/comparisons/")["count"] == 0
    assert Program(cast.maria).get(f"projects/{cast.project.pk}/comparisons/")["count"] == 1
    assert Program(cast.alice)("GET", f"comparisons/{comparison.pk}/agreements/")[0] == 404


def test_the_record_is_filtered_and_each_sees_their_part(cast: Cast) -> None:
    audit.note(cast.alice, "saw", cast.alices, cast.project.pk)
    audit.note(cast.eve, "saw", cast.eves, cast.elsewhere.pk)
    audit.note(None, "backed up", cast.staff)
    maria = Program(cast.maria)
    assert [event["person"] for event in maria.get("events/", verb="saw")["results"]] == ["alice"]
    assert maria.get("events/", since=(timezone.now() + timedelta(days=1)).isoformat())["count"] == 0
    everything = Program(cast.staff).get("events/")
    assert everything["count"] == Event.objects.count() >= 3
    assert maria("POST", "events/")[0] == 405


# ---------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({}, 400, "name: This field is required."),
        ({"name": "Abdomen"}, 409, "There is a project called Abdomen already."),
        ({"name": "x", "double_share": 2}, 400, "double_share: Ensure this value is less than or equal to 1.0."),
        ({"name": "x", "window_presets": [{"name": "soft"}]}, 400, "window_presets.0.level: This field is required."),
        ({"name": "\ud800"}, 400, "name: Surrogate characters are not allowed: U+D800."),
        ({"name": "x", "overlap": "\ud800"}, 400, 'overlap: "?" is not a valid choice.'),
    ],
)
def test_a_project_that_is_not_made(cast: Cast, fields: dict[str, Any], status: int, sentence: str) -> None:
    assert Program(cast.maria)("POST", "projects/", **fields) == (status, {"error": sentence})
    assert Project.objects.count() == 2


def test_only_managers_make_projects(cast: Cast) -> None:
    refused = Program(cast.alice)("POST", "projects/", name="Mine")
    assert refused == (403, {"error": "Only who manages a project already may make one, or an admin."})


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"name": "liver", "value": 9, "colour": "#000000"}, 409),
        ({"name": "lung", "value": 1, "colour": "#000000"}, 409),
        ({"name": "lung", "value": 0, "colour": "#000000"}, 400),
        ({"name": "lung", "value": 9, "colour": "red"}, 400),
    ],
)
def test_a_label_that_is_not_made(cast: Cast, fields: dict[str, Any], status: int) -> None:
    assert Program(cast.maria)("POST", f"projects/{cast.project.pk}/labels/", **fields)[0] == status
    assert cast.project.labels.count() == 2


def test_a_label_that_is_in_use_stays(cast: Cast) -> None:
    fill(cast.alices, cast.liver)
    maria, here = Program(cast.maria), f"projects/{cast.project.pk}/labels/"
    status, refused = maria("DELETE", f"{here}{cast.liver.pk}/")
    assert status == 409 and refused["error"].endswith("1 mask by alice, so it cannot be deleted.")
    assert maria("DELETE", f"{here}{cast.spleen.pk}/")[0] == 204
    assert not Event.objects.filter(verb="deleted", thing="liver").exists()


def test_a_task_is_made_once_and_of_one_s_own_series(cast: Cast) -> None:
    maria, here = Program(cast.maria), f"projects/{cast.project.pk}/tasks/"
    own, foreign = str(cast.alices.task.series_id), str(cast.eves.task.series_id)
    assert maria("POST", here, series=own) == (409, {"error": "Abdomen is a case of Abdomen already."})
    assert maria("POST", here, series=foreign) == (404, {"error": "There is no such series."})
    Membership.objects.create(project=cast.elsewhere, person=cast.maria, role="manager")
    assert maria("POST", here, series=foreign, readings=2)[1]["readings"] == 2


@pytest.mark.parametrize(
    "fields", [{"due_on": "2001-01-01"}, {"readings": 0}, {"priority": "high"}, {"due_on": "soon"}]
)
def test_a_task_that_stays_as_it_is(cast: Cast, fields: dict[str, Any]) -> None:
    status, body = Program(cast.maria)("PATCH", f"tasks/{cast.alices.task_id}/", **fields)
    assert status == 400 and body["error"]


def test_readings_that_people_have_stay(cast: Cast) -> None:
    task = cast.alices.task
    task.readings = 2
    task.save()
    Assignment.objects.create(task=task, person=cast.bob, reading=2)
    refused = Program(cast.maria)("PATCH", f"tasks/{task.pk}/", readings=1)
    assert refused == (409, {"error": "Abdomen has 2 readers already; withdraw one of them first."})


def test_nobody_from_elsewhere_is_given_anything(cast: Cast) -> None:
    maria = Program(cast.maria)
    for name in ("eve", "nobody-at-all"):
        sentence = {"error": f"{name} is no member of the project Abdomen."}
        assert maria("POST", f"projects/{cast.project.pk}/spread/", people=[name]) == (409, sentence)
        assert maria("POST", f"tasks/{cast.alices.task_id}/assignments/", person=name) == (409, sentence)
        assert maria("DELETE", f"projects/{cast.project.pk}/members/{cast.bob.pk}/?heir={name}") == (409, sentence)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"z": 4}, "This is outside the volume: 4 slices of 6×8 pixels."),
        ({"z": 0, "y": 1}, "A point has both y and x; a comment on the whole slice has neither."),
        ({"z": 0, "label": 999_999}, "This label is not one of the project's."),
    ],
)
def test_a_comment_has_a_place(cast: Cast, fields: dict[str, Any], sentence: str) -> None:
    answer = Program(cast.alice)("POST", f"assignments/{cast.alices.pk}/comments/", text="Here.", **fields)
    assert answer[0] in (400, 409) and answer[1] == {"error": sentence}


def test_about_an_accepted_case_nothing_more_is_said(cast: Cast) -> None:
    Assignment.objects.filter(pk=cast.alices.pk).update(state="accepted")
    assert Program(cast.alice)("POST", f"assignments/{cast.alices.pk}/comments/", text="But", z=0)[0] == 409


def test_an_upload_without_files(cast: Cast) -> None:
    answer = Program(cast.maria).client.post(f"/api/v1/projects/{cast.project.pk}/uploads/", {"paths": "a"})
    assert (answer.status_code, answer.json()) == (400, {"error": "There is no file in this upload."})


def test_a_browser_s_session_needs_its_csrf_token(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.maria)
    address = f"/api/v1/projects/{cast.project.pk}/uploads/"
    refused = client.post(address, {"files": SimpleUploadedFile("a.nii", b"x")})
    assert refused.status_code == 403 and "CSRF" in refused.json()["error"]
    assert client.get("/api/v1/me/").json()["scopes"] == ALL


def test_so_many_a_minute(cast: Cast, monkeypatch) -> None:
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": "2/minute"})
    alice = Program(cast.alice)
    assert [alice("GET", "me/")[0] for _ in range(3)] == [200, 200, 429]
    refused = alice.client.get("/api/v1/me/")
    assert refused.json()["error"].startswith("Request was throttled") and int(refused["Retry-After"]) > 0
    assert Program(cast.bob)("GET", "me/")[0] == 200


def test_every_other_address_and_method_says_so(cast: Cast) -> None:
    alice = Program(cast.alice)
    assert alice("GET", "nothing/here/") == (404, {"error": "There is nothing at this address."})
    assert alice("POST", "nothing/") == (404, {"error": "There is nothing at this address."})
    assert alice("DELETE", "projects/") == (405, {"error": 'Method "DELETE" not allowed.'})
    assert alice("GET", f"assignments/{10**30}/")[0] == 404
    address = f"/api/v1/assignments/{cast.alices.pk}/moves/"
    answer = alice.client.post(address, "{", content_type="application/json")
    assert answer.status_code == 400 and answer.json()["error"].startswith("JSON parse error")
    assert alice.client.post(address, "a=1", content_type="text/csv").status_code == 415


def test_lists_take_a_handful_of_queries(cast: Cast, django_assert_max_num_queries) -> None:
    for _ in range(5):
        factories.assign(cast.project, cast.alice)
    maria = Program(cast.maria)
    maria.get("me/")
    for path in ("assignments/", f"projects/{cast.project.pk}/tasks/", f"projects/{cast.project.pk}/members/"):
        with django_assert_max_num_queries(7):
            maria.get(path)
