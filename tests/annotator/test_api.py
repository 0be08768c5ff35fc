"""What the viewer reads, and who gets a 401 or a 404 instead."""

from __future__ import annotations

import gzip
import io
import uuid
from typing import Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from annotator.annotation import history, slicemasks
from annotator.protocol import AddClick
from annotator.studies import store
from tests.annotator import factories
from tests.annotator.factories import SHAPE, Cast

pytestmark = pytest.mark.usefixtures("storage")


def logged_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def addresses(cast: Cast) -> list[str]:
    """Every address of the API, about Alice's case."""
    series = cast.alices.task.series_id
    return [
        f"/api/assignments/{cast.alices.pk}/",
        f"/api/assignments/{cast.alices.pk}/masks/",
        f"/api/assignments/{cast.alices.pk}/steps/",
        f"/api/series/{series}/slices/0",
        f"/api/series/{series}/thumbnail.png",
    ]


@pytest.fixture
def stored(cast: Cast) -> Cast:
    """Alice's case with its voxels in the storage."""
    series = cast.alices.task.series
    store.write(series.prefix, factories.volume(), SHAPE)
    return cast


def test_without_a_log_in_the_answer_is_401(stored: Cast) -> None:
    for address in addresses(stored):
        response = Client().get(address)
        assert (response.status_code, response.json()) == (401, {"error": "Log in first."})


@pytest.mark.parametrize(
    ("name", "status"), [("alice", 200), ("rob", 200), ("maria", 200), ("staff", 200), ("bob", 404), ("eve", 404)]
)
def test_only_people_of_the_case_get_anything(stored: Cast, name: str, status: int) -> None:
    client = logged_in(getattr(stored, name))
    assert [client.get(address).status_code for address in addresses(stored)] == [status] * 5


def test_nothing_is_written_over_the_api(stored: Cast) -> None:
    client = logged_in(stored.alice)
    assert [client.post(address).status_code for address in addresses(stored)] == [405] * 5


def test_the_case(stored: Cast) -> None:
    series, number = stored.alices.task.series, stored.alices.pk
    response = logged_in(stored.alice).get(f"/api/assignments/{number}/")
    assert response.json() == {
        "id": number,
        "project": {
            "id": stored.project.pk,
            "name": "Abdomen",
            "guidelines": "<p>Outline the organs.</p>",
            "overlap": "newest",
            "window_presets": [],
        },
        "series": {
            "id": str(series.pk),
            "description": "Abdomen",
            "modality": "CT",
            "shape": [4, 6, 8],
            "spacing": [3, 0.8, 0.8],
            "affine": [-0.8, 0, 0, 10, 0, -0.8, 0, 20, 0, 0, 3, 30, 0, 0, 0, 1],
            "synthetic": False,
            "warnings": [],
            "slice_url": f"/api/series/{series.pk}/slices/{{z}}",
        },
        "labels": [
            {"id": stored.liver.pk, "name": "liver", "value": 1, "colour": "#c0504d", "hotkey": "", "locked": False},
            {"id": stored.spleen.pk, "name": "spleen", "value": 2, "colour": "#8064a2", "hotkey": "", "locked": False},
        ],
        "kind": "reading",
        "person": "alice",
        "reader": "alice",
        "socket": f"/ws/assignments/{number}/",
        "progress": {
            "state": "assigned",
            "refusal": None,
            "moves": ["submit", "skip", "hand_back"],
            "revisable": False,
            "reason": None,
        },
        "links": {
            "home": "/",
            "notices": "/notices/",
            "export": f"/cases/{number}/export/",
            "next": f"/projects/{stored.project.pk}/next/",
            "measures": f"/cases/{number}/measures.csv",
            "review": f"/projects/{stored.project.pk}/review/next/",
        },
    }
    assert "no-store" in response["Cache-Control"]


def move(person, case, body) -> Any:
    return logged_in(person).post(f"/api/assignments/{case.pk}/moves/", body, content_type="application/json")


def test_a_case_is_submitted_returned_with_a_reason_and_accepted(stored: Cast) -> None:
    answer = move(stored.alice, stored.alices, {"move": "submit"}).json()
    refusal = "This case is submitted; its masks stay as they are."
    assert (answer["state"], answer["refusal"], answer["moves"]) == ("submitted", refusal, ["take_back"])
    answer = move(stored.rob, stored.alices, {"move": "return", "reason": "The dome is missing."}).json()
    assert (answer["state"], answer["moves"]) == ("returned", [])
    seen = logged_in(stored.alice).get(f"/api/assignments/{stored.alices.pk}/").json()["progress"]
    assert seen["refusal"] is None and seen["reason"] == {
        "text": "The dome is missing.",
        "person": "rob",
        "state": "returned",
    }
    move(stored.alice, stored.alices, {"move": "submit"})
    assert move(stored.maria, stored.alices, {"move": "accept"}).json()["moves"] == ["reopen"]


def test_a_move_that_cannot_be_is_refused_with_a_sentence(stored: Cast) -> None:
    refused = move(stored.alice, stored.alices, {"move": "accept"})
    assert (refused.status_code, refused.json()) == (409, {"error": "You may not accept this case."})
    for body in ("nothing", "[]", '{"move": 3}', '{"move": "submit", "reason": 4}'):
        assert move(stored.alice, stored.alices, body).status_code == 400
    assert move(stored.eve, stored.alices, {"move": "submit"}).status_code == 404


def test_a_slice_is_the_stored_chunk_and_may_be_kept_for_ever(stored: Cast) -> None:
    series = stored.alices.task.series
    response = logged_in(stored.alice).get(f"/api/series/{series.pk}/slices/2")
    assert response["Content-Encoding"] == "gzip"
    assert response["Cache-Control"] == "private, max-age=31536000, immutable"
    assert response.content == store.slice_bytes(series, 2)
    pixels = np.frombuffer(gzip.decompress(response.content), "<i2").reshape(SHAPE[1:])
    np.testing.assert_array_equal(pixels, factories.volume()[2])


def test_what_is_not_there_is_404_with_a_sentence(stored: Cast) -> None:
    client = logged_in(stored.staff)
    for address in (
        f"/api/series/{stored.alices.task.series_id}/slices/{SHAPE[0]}",
        f"/api/series/{stored.bobs.task.series_id}/slices/0",  # in the database, but its voxels are gone
        f"/api/series/{stored.bobs.task.series_id}/thumbnail.png",
        f"/api/series/{uuid.uuid4()}/slices/0",
        "/api/assignments/999999/",
    ):
        response = client.get(address)
        assert response.status_code == 404
        assert response.json()["error"].startswith("There is no such")


def test_the_masks(stored: Cast) -> None:
    client, address = logged_in(stored.alice), f"/api/assignments/{stored.alices.pk}/masks/"
    assert client.get(address).content == b""
    slicemasks.save(stored.alices.pk, stored.liver.pk, 1, 1, 1, b"mask", None, [], stored.alice.pk)
    response = client.get(address)
    assert response.content == slicemasks.frames(stored.alices.pk) != b""
    assert response["Content-Type"] == "application/octet-stream"


def test_the_thumbnail_has_the_body_s_proportions(stored: Cast) -> None:
    response = logged_in(stored.alice).get(f"/api/series/{stored.alices.task.series_id}/thumbnail.png")
    picture = Image.open(io.BytesIO(response.content))
    assert (picture.format, picture.mode, picture.size) == ("PNG", "L", (192, 144))


def test_the_steps_are_listed(cast: Cast) -> None:
    history.record(cast.alices.pk, cast.alice.pk, AddClick(1, cast.liver.pk, 1, 2, 3, True))
    answer = logged_in(cast.rob).get(f"/api/assignments/{cast.alices.pk}/steps/").json()
    (step,) = answer.pop("steps")
    assert answer == {"older": 0, "in_force": 1}
    assert step.pop("at").startswith("20")
    clicks = [{"id": 1, "y": 2, "x": 3, "positive": True}]
    assert step == {
        "sequence": 1,
        "kind": "add_click",
        "tool": "",
        "slice": {"label": cast.liver.pk, "z": 1, "base": 0, "since": 1, "unconfirmed": False, "clicks": clicks},
        "person": "alice",
        "in_force": True,
    }


@pytest.mark.parametrize("most", ["0", "-1", "many", "9" * 5000, ""])
def test_a_number_of_steps_that_is_none_is_refused(cast: Cast, most: str) -> None:
    answer = logged_in(cast.rob).get(f"/api/assignments/{cast.alices.pk}/steps/", {"most": most})
    assert (answer.status_code, answer.json()["error"]) == (400, "`most` is a number of steps from 1 to 999999.")
