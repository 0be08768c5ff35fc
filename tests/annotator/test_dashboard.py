"""A project's figures: each from rows that a hand can count."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from annotator.annotation.dashboard import FIGURES, Figures, Table
from annotator.annotation.models import Agreement, Assignment, Comparison, Effort, Label, Task, Transition
from annotator.spans import Span, midnight
from tests.annotator.factories import Cast, make_series, make_version
from tests.annotator.test_api import logged_in

S, Kind = Assignment.State, Assignment.Kind
TODAY = date(2026, 5, 13)  # a Wednesday
NOON = timedelta(hours=12)


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: midnight(TODAY) + NOON)


@pytest.fixture
def figures(cast: Cast) -> Figures:
    """Of an empty project, for ten days."""
    cast.project.tasks.all().delete()
    return Figures(cast.project, Span.latest(10))


def ago(days: float) -> datetime:
    return midnight(TODAY) + NOON - timedelta(days=days)


def make_case(cast: Cast, person: Any, *way: tuple[str, float], kind: str = Kind.READING, **task: Any) -> Assignment:
    """A case that went this way: (state, days ago)."""
    made = Task.objects.create(project=cast.project, series=make_series(), **task)
    case = Assignment.objects.create(task=made, person=person, kind=kind, state=way[-1][0])
    before = ""
    for after, days in way:
        move = Transition.objects.create(assignment=case, before=before, after=after, person=person)
        Transition.objects.filter(pk=move.pk).update(at=ago(days))
        before = after
    return case


def cost(case: Assignment, label: Label, clicks: int, seconds: float, slices: int = 4, version: Any = None) -> None:
    Effort.objects.create(
        assignment=case, label=label, slices=slices, clicks=clicks, strokes=1, seconds=seconds, model_version=version
    )


def by_name(table: Table) -> dict[Any, list[Any]]:
    return {row[0]: row[1:] for row in table.rows}


def test_where_the_project_stands(cast: Cast, figures: Figures) -> None:
    make_case(cast, cast.alice, (S.ACCEPTED, 1))
    make_case(cast, cast.alice, (S.SUBMITTED, 1), due_on=TODAY - timedelta(days=1))
    make_case(cast, cast.bob, (S.RETURNED, 1), due_on=TODAY - timedelta(days=1))
    make_case(cast, cast.bob, (S.HANDED_BACK, 1))
    make_case(cast, cast.bob, (S.ASSIGNED, 1), readings=2, due_on=TODAY)
    standing = figures.standing()
    assert (standing.planned, standing.accepted, standing.percent) == (6, 1, 16)
    assert (standing.by_state[S.SUBMITTED], standing.by_state[S.RETURNED], standing.not_given) == (1, 1, 2)
    assert standing.overdue == 1
    due = by_name(figures.due())
    assert due == {date(2026, 5, 11): [4, 1, 3]}


def test_states_over_time(cast: Cast, figures: Figures) -> None:
    make_case(cast, cast.alice, (S.ASSIGNED, 30), (S.IN_PROGRESS, 5), (S.SUBMITTED, 4), (S.ACCEPTED, 2))
    make_case(cast, cast.bob, (S.ASSIGNED, 3))
    rows = by_name(figures.progress())
    assert len(rows) == 10

    def on(days: int) -> list[int]:
        """accepted, submitted, returned, in progress, new, skipped"""
        return rows[TODAY - timedelta(days=days)]

    assert on(9) == on(6) == [0, 0, 0, 0, 1, 0]
    assert on(5) == [0, 0, 0, 1, 0, 0]
    assert on(4) == [0, 1, 0, 0, 0, 0]
    assert on(3) == [0, 1, 0, 0, 1, 0]
    assert on(2) == on(0) == [1, 0, 0, 0, 1, 0]
    earlier = Figures(cast.project, Span(TODAY - timedelta(days=6), TODAY - timedelta(days=4)))
    assert [row[1:] for row in earlier.progress().rows] == [on(6), on(5), on(4)]


def test_throughput_by_day_and_by_week(cast: Cast, figures: Figures) -> None:
    make_case(cast, cast.alice, (S.SUBMITTED, 8), (S.RETURNED, 8), (S.SUBMITTED, 7), (S.ACCEPTED, 1), (S.RETURNED, 0))
    rows = by_name(figures.throughput())
    assert rows[TODAY - timedelta(days=8)] == [1, 1, 0]
    assert rows[TODAY - timedelta(days=1)] == [0, 0, 1]
    assert rows[TODAY] == [0, 0, 0]  # reopened, not returned by a review
    weeks = by_name(Figures(cast.project, Span.latest(60)).throughput())
    assert weeks[date(2026, 5, 4)] == [2, 1, 0] and weeks[date(2026, 5, 11)] == [0, 0, 1]
    assert all(day.weekday() == 0 for day in weeks) and len(weeks) == 10


def test_what_stands_longest(cast: Cast, figures: Figures) -> None:
    make_case(cast, cast.alice, (S.ASSIGNED, 40), (S.IN_PROGRESS, 2))
    oldest = make_case(cast, cast.bob, (S.SUBMITTED, 30))
    make_case(cast, cast.bob, (S.ACCEPTED, 90))
    ages = by_name(figures.ageing())
    assert ages["1 to 3 days"] == [0, 1, 0, 0] and ages["28 days and more"] == [0, 0, 0, 1]
    assert sum(map(sum, ages.values())) == 2
    table = figures.oldest()
    assert [(row[1], row[3]) for row in table.rows] == [("bob", 30.0), ("alice", 2.0)]
    assert table.links and table.links[0] == f"/cases/{oldest.pk}/"


def test_who_holds_and_does_what(cast: Cast, figures: Figures) -> None:
    case = make_case(cast, cast.alice, (S.SUBMITTED, 5), (S.RETURNED, 4), (S.SUBMITTED, 3), (S.ACCEPTED, 2))
    make_case(cast, cast.alice, (S.ASSIGNED, 3))
    make_case(cast, cast.bob, (S.SUBMITTED, 30), (S.ACCEPTED, 20))
    cost(case, cast.liver, clicks=10, seconds=60)
    cost(case, cast.spleen, clicks=20, seconds=100)
    rows = by_name(figures.people())
    assert rows["alice"] == [1, 0, 0, 0, 2, 1, 1, 50, 15, 80, None]
    assert rows["bob"] == [0, 0, 0, 0, 0, 0, 0, None, None, None, None]
    assert set(rows) == {"alice", "bob", "rob", "maria"}
    assert figures.people().rows[0][0] == "alice"


def test_what_a_label_costs(cast: Cast, figures: Figures) -> None:
    old, new = make_version("old"), make_version("new")
    first = make_case(cast, cast.alice, (S.ACCEPTED, 1), (S.RETURNED, 1), (S.ACCEPTED, 0))
    second = make_case(cast, cast.bob, (S.ACCEPTED, 1))
    waiting = make_case(cast, cast.bob, (S.SUBMITTED, 1))
    cost(first, cast.liver, 10, 60, slices=4, version=old)
    cost(second, cast.liver, 20, 90, slices=2, version=new)
    cost(second, cast.spleen, 6, 30, slices=3)
    cost(first, cast.spleen, 99, 999, slices=0)  # clicked, then undone: no label came of it
    cost(waiting, cast.liver, 99, 999)
    assert by_name(figures.labels()) == {"liver": [2, 3, 15, 1, 75, 5], "spleen": [1, 3, 6, 1, 30, 2]}
    assert {name: row[2] for name, row in by_name(figures.versions()).items()} == {"old": 10, "new": 20, "none": 6}


def compare(cast: Cast, first: Assignment, second: Assignment, dice: float | None, days: float = 1) -> None:
    pair = Comparison.objects.create(first=first, second=second, state="done", done_at=ago(days))
    for z, value in ((None, dice), (3, 0.1)):
        Agreement.objects.create(
            comparison=pair,
            label=cast.liver,
            z=z,
            dice=value,
            surface_dice=value,
            hd95=4.0,
            first_ml=12.0,
            second_ml=10.0,
        )


def test_how_far_people_agree(cast: Cast, figures: Figures) -> None:
    a, b, c = (make_case(cast, person, (S.SUBMITTED, 2)) for person in (cast.alice, cast.bob, cast.rob))
    check = make_case(cast, cast.maria, (S.SUBMITTED, 2), kind=Kind.CHECK)
    compare(cast, a, b, 0.8)
    compare(cast, a, c, 0.9)
    compare(cast, b, c, None)  # neither has the label
    compare(cast, a, check, 0.2)
    assert by_name(figures.agreement()) == {"liver": [2, pytest.approx(0.85), pytest.approx(0.85), 4.0, 2.0]}
    people = {name: row[-1] for name, row in by_name(figures.people()).items()}
    assert people == {"alice": pytest.approx(0.85), "bob": 0.8, "rob": 0.9, "maria": None}
    assert not Figures(cast.project, Span(TODAY, TODAY)).agreement().rows


@pytest.mark.parametrize("kind", [Kind.CHECK, Kind.REVISION, Kind.ADJUDICATION])
def test_what_is_no_reading_is_no_data(cast: Cast, figures: Figures, kind: str) -> None:
    case = make_case(cast, cast.alice, (S.SUBMITTED, 2), (S.ACCEPTED, 1), kind=kind)
    cost(case, cast.liver, 10, 60)
    assert not figures.standing().by_state
    assert not any(sum(row[1:]) for row in figures.throughput().rows)
    assert not figures.labels().rows and not figures.oldest().rows
    assert by_name(figures.people())["alice"][:7] == [0] * 7


def test_the_pages_show_tables_that_become_charts(cast: Cast) -> None:
    make_case(cast, cast.alice, (S.ASSIGNED, 3), (S.SUBMITTED, 1))
    client = logged_in(cast.maria)
    page = client.get(f"/projects/{cast.project.pk}/figures/?first=2026-05-11&last=2026-05-13").content.decode()
    assert "<b>0 %</b><span>0 of 3 accepted</span>" in page and "<b>1</b><span>wait for review</span>" in page
    assert 'data-chart="stacked"' in page and "2026-05-11</td>" in page and "2026-05-10</td>" not in page
    assert "alice" in client.get(f"/projects/{cast.project.pk}/figures/people/").content.decode()
    assert "Nothing to count" in client.get(f"/projects/{cast.project.pk}/figures/effort/").content.decode()


@pytest.mark.parametrize("name", FIGURES)
def test_every_table_is_a_file(cast: Cast, name: str) -> None:
    cast.alice.username = "=alice"
    cast.alice.save()
    make_case(cast, cast.alice, (S.ASSIGNED, 3), due_on=TODAY)
    text = logged_in(cast.maria).get(f"/projects/{cast.project.pk}/figures/{name}.csv").content.decode()
    head, *rows = csv.reader(io.StringIO(text))
    assert len(head) > 3 and all(len(row) == len(head) for row in rows)
    assert not any(cell.startswith("=") for row in rows for cell in row)


def test_a_table_that_does_not_exist(cast: Cast) -> None:
    assert logged_in(cast.maria).get(f"/projects/{cast.project.pk}/figures/luck.csv").status_code == 404


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("first=2026-05-13&last=2026-05-12", "The first day comes after the last."),
        ("first=1900-01-01", "Three years is the most"),
        ("first=soon", "Enter a valid date."),
    ],
)
def test_dates_that_make_no_sense(cast: Cast, query: str, says: str) -> None:
    answer = logged_in(cast.maria).get(f"/projects/{cast.project.pk}/figures/?{query}")
    assert answer.status_code == 400 and says in answer.content.decode()


def test_an_empty_project_says_what_to_do(cast: Cast, figures: Figures) -> None:
    assert "Upload a series" in logged_in(cast.maria).get(f"/projects/{cast.project.pk}/figures/").content.decode()


@pytest.mark.parametrize("page", ["", "people/", "effort/"])
def test_many_cases_take_no_more_queries(cast: Cast, django_assert_max_num_queries, page: str) -> None:
    for _ in range(100):
        make_case(cast, cast.alice, (S.ASSIGNED, 3), (S.SUBMITTED, 1), due_on=TODAY)
    client = logged_in(cast.maria)
    with django_assert_max_num_queries(19):
        client.get(f"/projects/{cast.project.pk}/figures/{page}")
