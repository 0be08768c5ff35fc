"""Comments: pinned, read, resolved; by everybody who reaches the case until it is accepted."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from annotator.annotation import comments, progress
from annotator.annotation.comments import CommentRefused
from annotator.annotation.models import Assignment, Comment
from annotator.events.models import Event
from tests.annotator.factories import Cast


def client_of(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def say(client: Client, case: Assignment, body: Any) -> Any:
    return client.post(f"/api/assignments/{case.pk}/comments/", body, content_type="application/json")


def test_a_comment_is_pinned_read_and_resolved(cast: Cast) -> None:
    rob, alice = client_of(cast.rob), client_of(cast.alice)
    said = {"text": " The dome is missing. ", "z": 2, "y": 3, "x": 4, "label": cast.liver.pk}
    made = say(rob, cast.alices, said)
    assert made.status_code == 201
    listed = alice.get(f"/api/assignments/{cast.alices.pk}/comments/").json()["comments"]
    assert listed == [made.json()]
    assert made.json() == {
        **said, "text": "The dome is missing.", "id": made.json()["id"], "person": "rob", "at": made.json()["at"],
        "resolved": None,
    }  # fmt: skip
    one = f"/api/assignments/{cast.alices.pk}/comments/{made.json()['id']}/"
    resolved = alice.post(one, {"resolved": True}, content_type="application/json").json()["resolved"]
    assert resolved["person"] == "alice" and not comments.open_ones(cast.alices).exists()
    assert alice.post(one, {"resolved": False}, content_type="application/json").json()["resolved"] is None
    assert comments.thread(cast.alices).count() == 1
    assert set(Event.objects.values_list("verb", flat=True)) >= {"commented", "resolved", "unresolved"}


def test_a_comment_may_be_about_the_whole_slice(cast: Cast) -> None:
    made = say(client_of(cast.alice), cast.alices, {"text": "Too noisy?", "z": 0}).json()
    assert (made["z"], made["y"], made["x"], made["label"]) == (0, None, None, None)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"text": "  "}, "Write what"),
        ({"text": "a" * 2001}, "at most 2000"),
        ({"z": 4}, "outside the volume"),
        ({"y": 6, "x": 0}, "outside the volume"),
        ({"y": 0, "x": -1}, "outside the volume"),
        ({"label": 999_999}, "not one of the project's"),
    ],
)
def test_what_is_not_taken(cast: Cast, change: dict[str, Any], sentence: str) -> None:
    answer = say(client_of(cast.alice), cast.alices, {"text": "Here", "z": 1, **change})
    assert answer.status_code == 409 and sentence in answer.json()["error"]
    assert not Comment.objects.exists()


@pytest.mark.parametrize(
    "body",
    ["", "[]", "{}", {"text": 3, "z": 1}, {"text": "a"}, {"text": "a", "z": True}, {"text": "a", "z": 1, "y": 2}],
)
def test_a_body_that_makes_no_sense(cast: Cast, body: Any) -> None:
    assert say(client_of(cast.alice), cast.alices, body).status_code == 400


@pytest.mark.parametrize("who", ["bob", "eve"])
def test_who_does_not_reach_the_case_reads_and_says_nothing(cast: Cast, who: str) -> None:
    said, client = comments.add(cast.rob, cast.alices, "Here", 1), client_of(getattr(cast, who))
    assert client.get(f"/api/assignments/{cast.alices.pk}/comments/").status_code == 404
    assert say(client, cast.alices, {"text": "Me too", "z": 1}).status_code == 404
    for case in (cast.alices, cast.bobs, cast.eves):  # nor by way of a case that they do reach
        one = f"/api/assignments/{case.pk}/comments/{said.pk}/"
        assert client.post(one, {"resolved": True}, content_type="application/json").status_code == 404
    assert comments.open_ones(cast.alices).count() == 1


def test_what_is_said_may_change_while_the_work_may_not(cast: Cast) -> None:
    said = comments.add(cast.rob, cast.alices, "Here", 1)
    progress.make("submit", cast.alice, cast.alices)
    comments.resolve(cast.alice, said, True)
    progress.make("accept", cast.rob, cast.alices)
    with pytest.raises(CommentRefused, match="This case is accepted"):
        comments.add(cast.rob, cast.alices, "And here", 1)
    with pytest.raises(CommentRefused, match="This case is accepted"):
        comments.resolve(cast.alice, said, False)


def test_to_resolve_twice_keeps_who_did(cast: Cast) -> None:
    said = comments.add(cast.rob, cast.alices, "Here", 1)
    comments.resolve(cast.alice, said, True)
    comments.resolve(cast.rob, said, True)
    said.refresh_from_db()
    assert said.resolved_by == cast.alice
