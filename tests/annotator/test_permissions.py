"""Every address × everybody. An address that is not in the table fails the test, so that none is made without a thought."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from annotator.annotation.models import Task
from annotator.studies import store
from annotator.studies.models import Upload
from tests.annotator import factories
from tests.annotator.factories import SHAPE, Cast

pytestmark = pytest.mark.usefixtures("storage")
PEOPLE = ("nobody", "eve", "alice", "bob", "rob", "maria", "staff")
#         logged out, outsider, its annotator, another one, reviewer, manager, admin
LOGIN = 302  # to the log-in page

#  route                                            method        nobody  eve  alice  bob  rob  maria  staff
TABLE = {
    "": ("get", (LOGIN, 200, 200, 200, 200, 200, 200)),
    "projects/": ("get", (LOGIN, 200, 200, 200, 200, 200, 200)),
    "projects/<int:project_id>/": ("get", (LOGIN, 404, 200, 200, 200, 200, 200)),
    "projects/<int:project_id>/next/": ("post", (LOGIN, 404, 302, 302, 302, 302, 404)),
    "projects/<int:project_id>/agreement/": ("get", (LOGIN, 404, 404, 404, 200, 200, 200)),
    "projects/<int:project_id>/agreement.csv": ("get", (LOGIN, 404, 404, 404, 200, 200, 200)),
    "projects/<int:project_id>/agreement/<int:task_id>/": ("get", (LOGIN, 404, 404, 404, 200, 200, 200)),
    "projects/<int:project_id>/agreement/<int:task_id>.csv": ("get", (LOGIN, 404, 404, 404, 200, 200, 200)),
    "projects/<int:project_id>/agreement/<int:task_id>/again/": ("post", (LOGIN, 404, 404, 404, 302, 302, 302)),
    "projects/<int:project_id>/agreement/<int:task_id>/adjudicate/": ("post", (LOGIN, 404, 404, 404, 302, 302, 302)),
    "projects/<int:project_id>/gold/": ("get", (LOGIN, 404, 404, 404, 404, 200, 200)),
    "projects/<int:project_id>/gold/checks/": ("post", (LOGIN, 404, 404, 404, 404, 400, 400)),
    "projects/<int:project_id>/gold/again/": ("post", (LOGIN, 404, 404, 404, 404, 302, 302)),
    "projects/<int:project_id>/gold/<int:task_id>/": ("post", (LOGIN, 404, 404, 404, 404, 302, 302)),
    "cases/<int:assignment_id>/": ("get", (LOGIN, 404, 200, 404, 200, 200, 200)),
    "cases/<int:assignment_id>/export/": ("get", (LOGIN, 404, 200, 404, 200, 200, 200)),
    "cases/<int:assignment_id>/measures.csv": ("get", (LOGIN, 404, 200, 404, 200, 200, 200)),
    "upload/": ("get", (LOGIN, 302, 404, 404, 404, 302, 302)),
    "projects/<int:project_id>/upload": ("get", (LOGIN, 404, 404, 404, 404, 200, 200)),
    "projects/<int:project_id>/uploads/": ("post", (401, 404, 404, 404, 404, 400, 400)),
    "uploads/<uuid:upload_id>/": ("get", (LOGIN, 404, 404, 404, 404, 200, 200)),
    "api/assignments/<int:assignment_id>/": ("get", (401, 404, 200, 404, 200, 200, 200)),
    "api/assignments/<int:assignment_id>/masks/": ("get", (401, 404, 200, 404, 200, 200, 200)),
    "api/assignments/<int:assignment_id>/readings/": ("get", (401, 404, 404, 404, 404, 404, 404)),  # no adjudication
    "api/assignments/<int:assignment_id>/steps/": ("get", (401, 404, 200, 404, 200, 200, 200)),
    "api/assignments/<int:assignment_id>/moves/": ("post", (401, 404, 200, 404, 409, 409, 409)),
    "api/series/<uuid:series_id>/slices/<int:z>": ("get", (401, 404, 200, 404, 200, 200, 200)),
    "api/series/<uuid:series_id>/thumbnail.png": ("get", (401, 404, 200, 404, 200, 200, 200)),
    "login/": ("get", (200, 302, 302, 302, 302, 302, 302)),
    "logout/": ("post", (302, 302, 302, 302, 302, 302, 302)),
    "healthz": ("get", (503, 503, 503, 503, 503, 503, 503)),  # no worker runs in this test
    "admin/": ("get", (LOGIN, LOGIN, LOGIN, LOGIN, LOGIN, LOGIN, 200)),
}


def routes(patterns: list[URLPattern | URLResolver], before: str = "") -> list[str]:
    """Of all addresses; the admin, whose every page asks for staff, counts as its front page."""
    found: list[str] = []
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern) or pattern.namespace == "admin":
            found.append(route)
        else:
            found += routes(pattern.url_patterns, route)
    return found


def test_the_table_has_every_address() -> None:
    assert sorted(routes(get_resolver().url_patterns)) == sorted(TABLE)


@pytest.fixture
def arguments(cast: Cast) -> dict[str, object]:
    """What the addresses are asked about: Alice's case in Maria's project."""
    series = cast.alices.task.series
    Task.objects.filter(pk=cast.alices.task_id).update(readings=2)
    store.write(series.prefix, iter(factories.volume()), SHAPE)
    upload = Upload.objects.create(project_id=cast.project.pk, person=cast.maria)
    return {
        "assignment_id": cast.alices.pk, "project_id": cast.project.pk, "series_id": series.pk, "z": 0,
        "upload_id": upload.pk, "task_id": cast.alices.task_id,
    }  # fmt: skip


@pytest.mark.parametrize("route", TABLE)
def test_who_gets_what(cast: Cast, arguments: dict[str, object], route: str) -> None:
    method, expected = TABLE[route]
    address = "/" + re.sub(r"<\w+:(\w+)>", lambda match: str(arguments[match[1]]), route)
    body = {"data": {"move": "submit"}, "content_type": "application/json"} if "moves" in route else {}
    got = []
    for who in PEOPLE:
        client = Client()
        if who != "nobody":
            client.force_login(getattr(cast, who))
        got.append(getattr(client, method)(address, **body).status_code)
    assert got == list(expected)
