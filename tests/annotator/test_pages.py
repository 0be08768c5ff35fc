"""The pages: who sees what on them, and where they lead."""

from __future__ import annotations

import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from django.test import Client

from annotator import masks
from annotator.annotation import slicemasks
from tests.annotator import factories
from tests.annotator.factories import Cast
from tests.annotator.test_api import logged_in


@pytest.mark.parametrize("address", ["/", "/cases/1/", "/cases/1/export/"])
def test_pages_lead_to_the_log_in(db, address: str) -> None:
    response = Client().get(address)
    assert response.status_code == 302
    assert response["Location"].startswith("/login/?next=")


def test_log_in_and_out(cast: Cast) -> None:
    client = Client()
    assert "In the demo" not in client.get("/login/").content.decode()
    wrong = client.post("/login/", {"username": "alice", "password": "wrong"})
    assert "Please enter a correct username" in wrong.content.decode()
    response = client.post("/login/?next=/", {"username": "alice", "password": "secret"})
    assert (response.status_code, response["Location"]) == (302, "/")
    assert client.get("/").status_code == 200
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/").status_code == 302


def test_an_annotator_sees_own_cases_only(cast: Cast) -> None:
    page = logged_in(cast.alice).get("/").content.decode()
    assert set(re.findall(r'href="/cases/(\d+)/"', page)) == {str(cast.alices.pk)}
    assert "0 of 4 slices with masks" in page
    assert "Not started" in page


def test_progress_counts_slices_that_have_a_mask(cast: Cast) -> None:
    for label, z, pixel in (
        (cast.liver, 1, True),
        (cast.spleen, 1, True),
        (cast.liver, 2, True),
        (cast.liver, 3, False),
    ):
        mask = masks.encode(np.full((1, 1), pixel))
        slicemasks.save(cast.alices.pk, label.pk, z, 1, 1, mask, None, [], cast.alice.pk)
    assert "2 of 4 slices with masks" in logged_in(cast.alice).get("/").content.decode()


def test_a_reviewer_sees_everybody_s_cases_of_the_project(cast: Cast) -> None:
    page = logged_in(cast.rob).get("/").content.decode()
    assert set(re.findall(r'href="/cases/(\d+)/"', page)) == {str(cast.alices.pk), str(cast.bobs.pk)}
    assert "No case is assigned to you yet" in page


def test_nobody_s_page_is_friendly(db) -> None:
    page = logged_in(factories.make_person("new")).get("/").content.decode()
    assert "A project manager gives cases out" in page


def test_pages_take_a_handful_of_queries(cast: Cast, django_assert_max_num_queries) -> None:
    for _ in range(5):
        factories.assign(cast.project, cast.alice)
    client = logged_in(cast.maria)
    with django_assert_max_num_queries(15):
        client.get("/")


def test_synthetic_cases_say_so(cast: Cast) -> None:
    factories.assign(cast.project, cast.bob, factories.make_series(synthetic=True))
    assert "made by a computer" in logged_in(cast.bob).get("/").content.decode()


@pytest.mark.parametrize(("name", "status"), [("alice", 200), ("rob", 200), ("bob", 404), ("eve", 404)])
@pytest.mark.parametrize("tail", ["", "export/"])
def test_only_people_of_the_case_open_it(cast: Cast, name: str, status: int, tail: str) -> None:
    assert logged_in(getattr(cast, name)).get(f"/cases/{cast.alices.pk}/{tail}").status_code == status


def test_the_case_page_is_the_frontend_s(cast: Cast) -> None:
    page = logged_in(cast.alice).get(f"/cases/{cast.alices.pk}/").content.decode()
    assert f'<div id="case" data-assignment="{cast.alices.pk}"></div>' in page
    assert "src/case.tsx" in page


def test_only_staff_reach_the_admin(cast: Cast) -> None:
    assert logged_in(cast.maria).get("/admin/").status_code == 302
    client = logged_in(cast.staff)
    for table in ("project", "label", "membership", "task", "assignment", "modelversion", "interaction", "slicemask"):
        assert client.get(f"/admin/annotation/{table}/").status_code == 200
    for table in ("study", "series", "upload"):
        assert client.get(f"/admin/studies/{table}/").status_code == 200


def test_the_log_is_not_changed_in_the_admin(cast: Cast) -> None:
    from annotator.annotation import history
    from annotator.protocol import AddClick

    row = history.record(cast.alices.pk, cast.alice.pk, AddClick(1, cast.liver.pk, 0, 0, 0, True)).interaction
    client = logged_in(cast.staff)
    assert client.get("/admin/annotation/interaction/add/").status_code == 403
    assert client.post(f"/admin/annotation/interaction/{row}/change/", {"z": 3}).status_code == 403
    assert client.post(f"/admin/annotation/interaction/{row}/delete/", {"post": "yes"}).status_code == 403
    client.post(f"/admin/annotation/assignment/{cast.alices.pk}/delete/", {"post": "yes"})
    cast.alices.refresh_from_db()


@pytest.mark.parametrize(("ready", "status", "says"), [(True, 200, "ok"), (False, 503, "starting")])
def test_healthz(db, monkeypatch: pytest.MonkeyPatch, ready: bool, status: int, says: str) -> None:
    monkeypatch.setitem(sys.modules, "annotator.inference.status", SimpleNamespace(ready=lambda: ready))
    response = Client().get("/healthz")
    assert (response.status_code, response.json()["status"]) == (status, says)
    assert response.json()["inference"] == ("ok" if ready else "away")
