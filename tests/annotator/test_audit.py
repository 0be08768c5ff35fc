"""The audit record: what gets a line, who reads it, and that nobody changes it."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.utils import timezone

from annotator.annotation import assign
from annotator.events import audit
from annotator.events.models import Event
from tests.annotator.factories import Cast, make_person, make_series
from tests.annotator.test_api import logged_in


def lines(**wanted) -> list[str]:
    return [str(event) for event in Event.objects.filter(**wanted).order_by("pk")]


def test_the_record_tells_a_case_s_story(cast: Cast) -> None:
    given = assign.give(cast.alices.task, cast.alice, cast.maria)
    logged_in(cast.rob).get(f"/cases/{given.pk}/")
    logged_in(cast.rob).get(f"/cases/{given.pk}/export/")
    assert lines(kind="assignment") == [f"rob saw {given}", f"rob exported {given}"]
    page = logged_in(cast.maria).get(f"/projects/{cast.project.pk}/record/").content.decode()
    assert "exported" in page and "what: masks" in page


def test_a_new_case_and_a_reassigned_one_are_written_down(cast: Cast) -> None:
    from annotator.annotation.models import Task

    given = assign.give(Task.objects.create(project=cast.project, series=make_series()), cast.alice, cast.maria)
    theirs = assign.reassign(given, cast.bob, cast.maria, keep_work=True)
    assert Event.objects.filter(verb="assigned", person="maria", project_id=cast.project.pk).count() == 2
    line = Event.objects.get(verb="reassigned")
    assert (line.thing_id, line.details) == (str(theirs.pk), {"before": "alice", "with_work": True})


def test_looking_is_written_down_once_an_hour(cast: Cast) -> None:
    for _ in range(3):
        audit.saw(cast.rob, cast.alices, cast.project.pk)
        audit.saw(cast.maria, cast.alices, cast.project.pk)
    assert lines(verb="saw") == [f"rob saw {cast.alices}", f"maria saw {cast.alices}"]
    line = Event(at=timezone.now() - timedelta(hours=2), person_id=cast.bob.pk, verb="saw", kind="assignment")
    line.thing_id = str(cast.bobs.pk)
    line.save()
    audit.saw(cast.bob, cast.bobs)
    assert Event.objects.filter(verb="saw", person_id=cast.bob.pk).count() == 2


def test_it_survives_who_and_what_it_speaks_of(cast: Cast) -> None:
    guest, series = make_person("guest"), make_series(description="Thorax")
    audit.note(guest, "changed", series, cast.project.pk)
    guest.delete()
    series.delete()
    assert lines(verb="changed") == ["guest changed Thorax"]


def test_nobody_rewrites_it(cast: Cast) -> None:
    line = audit.note(cast.alice, "changed", cast.project)
    for deed in (line.save, line.delete, Event.objects.all().delete, lambda: Event.objects.update(verb="x")):
        with pytest.raises(TypeError, match="append-only"):
            deed()
    client = logged_in(cast.staff)
    assert client.get("/admin/events/event/").status_code == 200
    assert client.get("/admin/events/event/add/").status_code == 403
    assert client.post(f"/admin/events/event/{line.pk}/change/", {"verb": "x"}).status_code == 403
    assert client.post(f"/admin/events/event/{line.pk}/delete/", {"post": "yes"}).status_code == 403


def test_log_ins_and_those_that_fail(cast: Cast) -> None:
    client = Client()
    for name, password in (("alice", "wrong"), ("my secret password", ""), ("nobody-here", "x"), ("alice", "secret")):
        client.post("/login/", {"username": name, "password": password})
    client.post("/logout/")
    assert lines() == [
        "the program failed to log in alice",
        "the program failed to log in an unknown name",
        "alice logged in alice",
        "alice logged out alice",
    ]


def test_the_program_and_the_nameless_have_no_number(cast: Cast) -> None:
    for person in (None, AnonymousUser()):
        line = audit.note(person, "imported", cast.project)
        assert (line.person_id, line.person) == (None, "")


def test_the_record_is_searched(cast: Cast) -> None:
    audit.note(cast.alice, "changed", cast.alices, cast.project.pk)
    audit.note(cast.bob, "saw", cast.bobs, cast.project.pk)
    audit.note(cast.eve, "saw", cast.eves, cast.elsewhere.pk)
    today = timezone.localdate()
    client, address = logged_in(cast.maria), f"/projects/{cast.project.pk}/record.csv"

    def found(**query) -> set[str]:
        text = client.get(address, query).content.decode()
        return {row["person"] for row in csv.DictReader(io.StringIO(text)) if row["verb"] in ("changed", "saw")}

    assert found() == {"alice", "bob"}
    assert found(person="ali") == {"alice"}
    assert found(verb="saw") == {"bob"}
    assert found(kind="project") == set()
    assert found(text="→ bob") == {"bob"}
    assert found(since=today, until=today) == {"alice", "bob"}
    assert found(since=today + timedelta(days=1)) == found(until=today - timedelta(days=1)) == set()
    everything = logged_in(cast.staff).get("/audit/").content.decode()
    assert "eve" in everything and "Elsewhere" in everything
    assert "eve" not in client.get(f"/projects/{cast.project.pk}/record/").content.decode()


def test_a_search_that_makes_no_sense_is_told_so(cast: Cast) -> None:
    answer = logged_in(cast.maria).get(f"/projects/{cast.project.pk}/record/?since=yesterday&before=x")
    assert answer.status_code == 400
    assert "Enter a valid date" in answer.content.decode()


def test_a_long_record_is_paged(cast: Cast, django_assert_max_num_queries) -> None:
    Event.objects.bulk_create(
        Event(verb="saw", kind="series", thing=f"thing {n}", project_id=cast.project.pk) for n in range(250)
    )
    client, address = logged_in(cast.maria), f"/projects/{cast.project.pk}/record/"
    client.get(address)
    with django_assert_max_num_queries(15):
        page = client.get(address)
    assert "thing 249 " in page.content.decode() and "thing 149 " not in page.content.decode()
    older = client.get(address, {"before": page.context["older"]}).content.decode()
    assert "thing 149 " in older and "thing 150 " not in older


def test_a_file_of_it_is_itself_in_the_record(cast: Cast) -> None:
    series = make_series(description="=1+1")
    audit.note(cast.alice, "changed", series, cast.project.pk)
    text = logged_in(cast.maria).get(f"/projects/{cast.project.pk}/record.csv").content.decode()
    assert "'=1+1" in text
    assert lines(verb="exported") == ["maria exported Abdomen"]
