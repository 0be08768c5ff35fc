"""Every address of the REST API × method × everybody, each with a token of all scopes."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, get_resolver

from annotator.annotation import people
from annotator.annotation.models import Comment, Comparison, Label
from annotator.api import tokens
from annotator.api.models import ApiToken
from annotator.api.rest import urls
from annotator.studies import store
from annotator.studies.models import Upload
from tests.annotator import factories
from tests.annotator.factories import SHAPE, Cast
from tests.annotator.test_permissions import PEOPLE, routes

pytestmark = pytest.mark.usefixtures("storage")
NO_BODY: dict[str, Any] = {}
P, A = "projects/<int:project_id>/", "assignments/<int:assignment_id>/"
PUBLIC = ("health/", "schema/", "docs/", "<path:rest>")

#  route, method: body                                nobody  eve  alice  bob  rob  maria  staff
TABLE: dict[tuple[str, str], tuple[dict[str, Any], tuple[int, ...]]] = {
    ("me/", "get"): (NO_BODY, (401, 200, 200, 200, 200, 200, 200)),
    ("projects/", "get"): (NO_BODY, (401, 200, 200, 200, 200, 200, 200)),
    ("projects/", "post"): ({"name": "Abdomen"}, (401, 409, 403, 403, 403, 409, 409)),
    (P, "get"): (NO_BODY, (401, 404, 200, 200, 200, 200, 200)),
    (P, "patch"): (NO_BODY, (401, 404, 404, 404, 404, 200, 200)),
    (f"{P}labels/", "get"): (NO_BODY, (401, 404, 200, 200, 200, 200, 200)),
    (f"{P}labels/", "post"): (NO_BODY, (401, 404, 404, 404, 404, 400, 400)),
    (f"{P}labels/<int:label_id>/", "get"): (NO_BODY, (401, 404, 200, 200, 200, 200, 200)),
    (f"{P}labels/<int:label_id>/", "patch"): (NO_BODY, (401, 404, 404, 404, 404, 200, 200)),
    (f"{P}labels/<int:label_id>/", "delete"): (NO_BODY, (401, 404, 404, 404, 404, 204, 404)),
    (f"{P}members/", "get"): (NO_BODY, (401, 404, 404, 404, 200, 200, 200)),
    (f"{P}members/<int:person_id>/", "get"): (NO_BODY, (401, 404, 404, 404, 200, 200, 200)),
    (f"{P}members/<int:person_id>/", "patch"): (NO_BODY, (401, 404, 404, 404, 404, 200, 200)),
    (f"{P}members/<int:person_id>/", "delete"): (NO_BODY, (401, 404, 404, 404, 404, 204, 404)),
    (f"{P}invitations/", "get"): (NO_BODY, (401, 404, 404, 404, 404, 200, 200)),
    (f"{P}invitations/", "post"): (NO_BODY, (401, 404, 404, 404, 404, 201, 201)),
    (f"{P}invitations/<int:invitation_id>/", "delete"): (NO_BODY, (401, 404, 404, 404, 404, 204, 409)),
    (f"{P}invitations/<int:invitation_id>/renew/", "post"): (NO_BODY, (401, 404, 404, 404, 404, 200, 200)),
    (f"{P}series/", "get"): (NO_BODY, (401, 404, 200, 200, 200, 200, 200)),
    (f"{P}uploads/", "get"): (NO_BODY, (401, 404, 404, 404, 404, 200, 200)),
    (f"{P}uploads/", "post"): (NO_BODY, (401, 404, 404, 404, 404, 400, 400)),
    (f"{P}tasks/", "get"): (NO_BODY, (401, 404, 200, 200, 200, 200, 200)),
    (f"{P}tasks/", "post"): (NO_BODY, (401, 404, 404, 404, 404, 400, 400)),
    (f"{P}spread/", "post"): (NO_BODY, (401, 404, 404, 404, 404, 400, 400)),
    (f"{P}next/", "post"): (NO_BODY, (401, 404, 200, 200, 409, 409, 404)),
    (f"{P}masks/", "get"): (NO_BODY, (401, 404, 404, 404, 404, 200, 200)),
    (f"{P}comparisons/", "get"): (NO_BODY, (401, 404, 404, 404, 200, 200, 200)),
    ("series/<uuid:series_id>/", "get"): (NO_BODY, (401, 404, 200, 404, 200, 200, 200)),
    ("uploads/<uuid:upload_id>/", "get"): (NO_BODY, (401, 404, 404, 404, 404, 200, 200)),
    ("tasks/<int:task_id>/", "get"): (NO_BODY, (401, 404, 200, 404, 200, 200, 200)),
    ("tasks/<int:task_id>/", "patch"): (NO_BODY, (401, 404, 404, 404, 404, 200, 200)),
    ("tasks/<int:task_id>/assignments/", "get"): (NO_BODY, (401, 404, 200, 404, 200, 200, 200)),
    ("tasks/<int:task_id>/assignments/", "post"): (NO_BODY, (401, 404, 404, 404, 404, 400, 400)),
    ("assignments/", "get"): (NO_BODY, (401, 200, 200, 200, 200, 200, 200)),
    (A, "get"): (NO_BODY, (401, 404, 200, 404, 200, 200, 200)),
    (f"{A}moves/", "post"): ({"move": "submit"}, (401, 404, 200, 404, 409, 409, 409)),
    (f"{A}reassign/", "post"): ({"person": "eve"}, (401, 404, 404, 404, 404, 409, 409)),
    (f"{A}masks/", "get"): (NO_BODY, (401, 404, 200, 404, 200, 200, 200)),
    (f"{A}measures/", "get"): (NO_BODY, (401, 404, 200, 404, 200, 200, 200)),
    (f"{A}comments/", "get"): (NO_BODY, (401, 404, 200, 404, 200, 200, 200)),
    (f"{A}comments/", "post"): ({"text": "Here.", "z": 0}, (401, 404, 201, 404, 201, 201, 201)),
    (f"{A}comments/<int:comment_id>/", "patch"): ({"resolved": True}, (401, 404, 200, 404, 200, 200, 200)),
    ("comparisons/<int:comparison_id>/agreements/", "get"): (NO_BODY, (401, 404, 404, 404, 200, 200, 200)),
    ("events/", "get"): (NO_BODY, (401, 200, 200, 200, 200, 200, 200)),
}


def methods(call: URLPattern) -> list[str]:
    view: Any = call.callback
    known = [method for method in view.view_class.http_method_names if method != "options"]
    return [method for method in known if hasattr(view.view_class, method)]


def test_the_table_has_every_address_and_method() -> None:
    found = [(str(call.pattern), method) for call in urls.CALLS for method in methods(call)]
    assert sorted(set(found) - {("health/", "get")}) == sorted(TABLE)
    every = {route.removeprefix("api/v1/") for route in routes(get_resolver().url_patterns) if "api/v1/" in route}
    assert every == {route for route, _ in TABLE} | set(PUBLIC)


@pytest.fixture
def arguments(cast: Cast) -> dict[str, object]:
    """What the addresses are asked about: Alice's case in Maria's project."""
    series = cast.alices.task.series
    store.write(series.prefix, iter(factories.volume()), SHAPE)
    comment = Comment.objects.create(assignment=cast.alices, person=cast.alice, text="Here.", z=0)
    return {
        "assignment_id": cast.alices.pk, "project_id": cast.project.pk, "series_id": series.pk,
        "task_id": cast.alices.task_id, "person_id": cast.alice.pk, "comment_id": comment.pk,
        "upload_id": Upload.objects.create(project_id=cast.project.pk, person=cast.maria).pk,
        "invitation_id": people.invite(cast.project, "annotator", cast.maria)[0].pk,
        "label_id": Label.objects.create(project=cast.project, name="kidney", value=3, colour="#000000").pk,
        "comparison_id": Comparison.objects.create(first=cast.alices, second=cast.bobs).pk,
    }  # fmt: skip


@pytest.mark.parametrize(("route", "method"), TABLE)
def test_who_gets_what(cast: Cast, arguments: dict[str, object], route: str, method: str) -> None:
    body, expected = TABLE[route, method]
    address = "/api/v1/" + re.sub(r"<\w+:(\w+)>", lambda match: str(arguments[match[1]]), route)
    cache.clear()
    got = []
    for who in PEOPLE:
        client = Client()
        if who != "nobody":
            _, secret = tokens.make(getattr(cast, who), "tests", list(ApiToken.Scope.values), 1)
            client = Client(headers={"Authorization": f"Bearer {secret}"})
        if method == "get":
            answer: Any = client.get(address)
        elif route.endswith("uploads/"):
            answer = client.post(address, body)
        else:
            answer = getattr(client, method)(address, json.dumps(body), content_type="application/json")
        got.append(answer.status_code)
        if answer.status_code >= 400:
            assert list(answer.json()) == ["error"]
    assert got == list(expected)


@pytest.mark.parametrize("address", ["schema/", "docs/"])
def test_the_description_is_everybody_s(db, address: str) -> None:
    assert Client().get(f"/api/v1/{address}").status_code == 200


def test_so_is_the_state_of_the_site(db) -> None:
    answer = Client().get("/api/v1/health/")
    assert (answer.status_code, answer.json()["inference"]) == (503, "away")  # no worker runs in this test
