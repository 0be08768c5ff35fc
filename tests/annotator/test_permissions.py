"""Every address × everybody. An address that is not in the table fails the test, so that none is made without a thought."""

from __future__ import annotations

import re

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from annotator.annotation import comments, people, versions
from annotator.annotation.models import Task
from annotator.api import tokens
from annotator.events import notices
from annotator.learning.models import EvaluationRun, Manifest, TrainingRun
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
    "projects/new/": ("get", (LOGIN, 200, 404, 404, 404, 200, 200)),
    "projects/<int:project_id>/": ("get", (LOGIN, 404, 200, 200, 200, 200, 200)),
    "projects/<int:project_id>/settings/": ("get", (LOGIN, 404, 404, 404, 404, 200, 200)),
    "projects/<int:project_id>/settings/archive/": ("post", (LOGIN, 404, 404, 404, 404, 302, 302)),
    "projects/<int:project_id>/settings/delete/": ("post", (LOGIN, 404, 404, 404, 404, 302, 302)),
    "projects/<int:project_id>/labels/": ("get", (LOGIN, 404, 404, 404, 404, 200, 200)),
    "projects/<int:project_id>/labels/<int:label_id>/": ("get", (LOGIN, 404, 404, 404, 404, 200, 200)),
    "projects/<int:project_id>/labels/<int:label_id>/move/": ("post", (LOGIN, 404, 404, 404, 404, 400, 400)),
    "projects/<int:project_id>/labels/<int:label_id>/delete/": ("post", (LOGIN, 404, 404, 404, 404, 302, 404)),
    "projects/<int:project_id>/labels/take/": ("post", (LOGIN, 404, 404, 404, 404, 302, 302)),
    "projects/<int:project_id>/labels/export.<str:kind>": ("get", (LOGIN, 404, 404, 404, 404, 200, 200)),
    "projects/<int:project_id>/cases/": ("get", (LOGIN, 404, 404, 404, 404, 200, 200)),
    "projects/<int:project_id>/cases/add/": ("get", (LOGIN, 404, 404, 404, 404, 200, 200)),
    "projects/<int:project_id>/next/": ("post", (LOGIN, 404, 302, 302, 302, 302, 404)),
    "projects/<int:project_id>/figures/": ("get", (LOGIN, 404, 404, 404, 404, 200, 200)),
    "projects/<int:project_id>/figures/people/": ("get", (LOGIN, 404, 404, 404, 404, 200, 200)),
    "projects/<int:project_id>/figures/effort/": ("get", (LOGIN, 404, 404, 404, 404, 200, 200)),
    "projects/<int:project_id>/figures/<slug:name>.csv": ("get", (LOGIN, 404, 404, 404, 404, 200, 200)),
    "projects/<int:project_id>/record/": ("get", (LOGIN, 404, 404, 404, 404, 200, 200)),
    "projects/<int:project_id>/record.csv": ("get", (LOGIN, 404, 404, 404, 404, 200, 200)),
    "models/evaluations/": ("get", (LOGIN, 404, 404, 404, 404, 404, 200)),
    "models/evaluations/compare/": ("get", (LOGIN, 404, 404, 404, 404, 404, 200)),
    "models/evaluations/<int:evaluation_id>/": ("get", (LOGIN, 404, 404, 404, 404, 404, 200)),
    "models/evaluations/<int:evaluation_id>/cancel/": ("post", (LOGIN, 404, 404, 404, 404, 404, 302)),
    "models/evaluations/<int:evaluation_id>/records.csv": ("get", (LOGIN, 404, 404, 404, 404, 404, 200)),
    "models/evaluations/<int:evaluation_id>/slices/<int:place>.png": ("get", (LOGIN, 404, 404, 404, 404, 404, 404)),
    "models/evaluations/<int:evaluation_id>/slices/<int:place>.json": ("get", (LOGIN, 404, 404, 404, 404, 404, 404)),
    "models/": ("get", (LOGIN, 404, 404, 404, 404, 404, 200)),
    "models/upload/": ("post", (LOGIN, 404, 404, 404, 404, 404, 400)),
    "models/back/": ("post", (LOGIN, 404, 404, 404, 404, 404, 302)),
    "models/<int:version_id>/": ("get", (LOGIN, 404, 404, 404, 404, 404, 200)),
    "models/<int:version_id>/file/": ("get", (LOGIN, 404, 404, 404, 404, 404, 200)),
    "models/<int:version_id>/notes/": ("post", (LOGIN, 404, 404, 404, 404, 404, 302)),
    "models/<int:version_id>/promote/": ("post", (LOGIN, 404, 404, 404, 404, 404, 302)),
    "models/<int:version_id>/trial/": ("post", (LOGIN, 404, 404, 404, 404, 404, 302)),
    "models/<int:version_id>/delete/": ("post", (LOGIN, 404, 404, 404, 404, 404, 302)),
    "models/patients/": ("get", (LOGIN, 404, 404, 404, 404, 404, 200)),
    "models/training/": ("get", (LOGIN, 404, 404, 404, 404, 404, 200)),
    "models/training/<int:run_id>/": ("get", (LOGIN, 404, 404, 404, 404, 404, 200)),
    "models/training/<int:run_id>/cancel/": ("post", (LOGIN, 404, 404, 404, 404, 404, 302)),
    "models/training/<int:run_id>/preview.png": ("get", (LOGIN, 404, 404, 404, 404, 404, 404)),  # there is none yet
    "models/rules/": ("get", (LOGIN, 404, 404, 404, 404, 404, 200)),
    "audit/": ("get", (LOGIN, 404, 404, 404, 404, 404, 200)),
    "audit.csv": ("get", (LOGIN, 404, 404, 404, 404, 404, 200)),
    "notices/": ("get", (LOGIN, 200, 200, 200, 200, 200, 200)),
    "notices/seen/": ("post", (LOGIN, 302, 302, 302, 302, 302, 302)),
    "notices/<int:notice_id>/": ("get", (LOGIN, 404, 302, 404, 404, 404, 404)),
    "projects/<int:project_id>/review/": ("get", (LOGIN, 404, 404, 404, 200, 200, 200)),
    "projects/<int:project_id>/review/next/": ("get", (LOGIN, 404, 404, 404, 302, 302, 302)),
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
    "projects/<int:project_id>/export/": ("get", (LOGIN, 404, 404, 404, 404, 302, 302)),
    "projects/<int:project_id>/people/": ("get", (LOGIN, 404, 404, 404, 404, 200, 200)),
    "projects/<int:project_id>/people/<int:person_id>/": ("post", (LOGIN, 404, 404, 404, 404, 200, 200)),
    "projects/<int:project_id>/people/<int:person_id>/remove/": ("get", (LOGIN, 404, 404, 404, 404, 200, 200)),
    "projects/<int:project_id>/invitations/": ("post", (LOGIN, 404, 404, 404, 404, 400, 400)),
    "projects/<int:project_id>/invitations/<int:invitation_id>/renew/": ("post", (LOGIN, 404, 404, 404, 404, 200, 200)),
    "projects/<int:project_id>/invitations/<int:invitation_id>/withdraw/": (
        "post",
        (LOGIN, 404, 404, 404, 404, 200, 409),
    ),
    "invitations/<str:secret>/": ("get", (404, 404, 404, 404, 404, 404, 404)),
    "account/": ("get", (LOGIN, 200, 200, 200, 200, 200, 200)),
    "account/tokens/": ("post", (LOGIN, 400, 400, 400, 400, 400, 400)),
    "account/tokens/<int:token_id>/revoke/": ("post", (LOGIN, 404, 302, 404, 404, 404, 404)),
    "account/language/": ("post", (LOGIN, 302, 302, 302, 302, 302, 302)),
    "account/password/": ("get", (LOGIN, 200, 200, 200, 200, 200, 200)),
    "account/password/done/": ("get", (LOGIN, 200, 200, 200, 200, 200, 200)),
    "password/": ("get", (200, 200, 200, 200, 200, 200, 200)),
    "password/sent/": ("get", (200, 200, 200, 200, 200, 200, 200)),
    "password/<uidb64>/<token>/": ("get", (200, 200, 200, 200, 200, 200, 200)),
    "password/set/": ("get", (200, 200, 200, 200, 200, 200, 200)),
    "people/": ("get", (LOGIN, 404, 404, 404, 404, 404, 200)),
    "people/<int:person_id>/": ("get", (LOGIN, 404, 404, 404, 404, 404, 200)),
    "people/<int:person_id>/<str:deed>/": ("post", (LOGIN, 404, 404, 404, 404, 404, 302)),
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
    "api/assignments/<int:assignment_id>/comments/": ("get", (401, 404, 200, 404, 200, 200, 200)),
    "api/assignments/<int:assignment_id>/comments/<int:comment_id>/": ("post", (401, 404, 200, 404, 200, 200, 200)),
    "api/assignments/<int:assignment_id>/revision/": ("post", (401, 404, 409, 404, 409, 409, 409)),
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
    """Those of the REST API have a table of their own, in `test_permissions_rest`."""
    pages = [route for route in routes(get_resolver().url_patterns) if not route.startswith("api/v1/")]
    assert sorted(pages) == sorted(TABLE)


@pytest.fixture
def arguments(cast: Cast) -> dict[str, object]:
    """What the addresses are asked about: Alice's case in Maria's project."""
    series = cast.alices.task.series
    Task.objects.filter(pk=cast.alices.task_id).update(readings=2)
    store.write(series.prefix, iter(factories.volume()), SHAPE)
    upload = Upload.objects.create(project_id=cast.project.pk, person=cast.maria)
    said = comments.add(cast.rob, cast.alices, "Here?", 0)
    invitation, _ = people.invite(cast.project, "annotator", cast.maria)
    token, _ = tokens.make(cast.alice, "tests", ["read"], 1)
    notice = notices.tell(cast.alice, "assigned", "/", n=1, project="Abdomen")
    return {
        "comment_id": said.pk,
        "assignment_id": cast.alices.pk, "project_id": cast.project.pk, "series_id": series.pk, "z": 0,
        "upload_id": upload.pk, "name": "people", "notice_id": notice.pk,
        "label_id": cast.liver.pk, "kind": "ctbl", "task_id": cast.alices.task_id,
        "person_id": cast.alice.pk, "invitation_id": invitation.pk, "token_id": token.pk,
        "evaluation_id": evaluated().pk, "place": 0,
        "run_id": TrainingRun.objects.create(begins_with=factories.make_version()).pk,
        "version_id": versions.active().pk, "secret": "guessed", "uidb64": "MQ", "token": "guessed", "deed": "make_admin",
    }  # fmt: skip


def evaluated() -> EvaluationRun:
    """An evaluation with an empty report."""
    frozen = Manifest.objects.create(sha256="0", path="none", parts=["gold"], labels=[], counts={"masks": 0})
    for name in ("report.json", "records.csv"):
        default_storage.save(f"evaluations/1/{name}", ContentFile("label,case,z\n"))
    return EvaluationRun.objects.create(
        version=factories.make_version(), manifest=frozen, state="done", path="evaluations/1/report.json"
    )


@pytest.mark.parametrize("route", TABLE)
def test_who_gets_what(cast: Cast, arguments: dict[str, object], route: str) -> None:
    method, expected = TABLE[route]
    address = "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(arguments[match[1]]), route)
    data = {"moves": {"move": "submit"}, "comments": {"resolved": True}}
    body = next(({"data": data[word], "content_type": "application/json"} for word in data if word in route), {})
    if method == "get":
        body = {}
    got = []
    for who in PEOPLE:
        client = Client()
        if who != "nobody":
            client.force_login(getattr(cast, who))
        got.append(getattr(client, method)(address, **body).status_code)
    assert got == list(expected)
