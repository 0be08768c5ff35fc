"""The real NoC: clicks that people placed for each accepted mask that the network made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.utils import timezone

from annotator import masks
from annotator.annotation import progress, realnoc, slicemasks
from annotator.annotation.models import Assignment, Interaction, Label, ModelVersion
from annotator.annotation.realnoc import Clicks
from annotator.protocol import PlacedClick
from tests.annotator.factories import Cast, assign, make_version

START = datetime(2026, 5, 4, 9, tzinfo=UTC)


@pytest.fixture
def old(db: None) -> ModelVersion:
    return make_version("old")


@pytest.fixture
def new(old: ModelVersion) -> ModelVersion:
    return make_version("new")


def outlined(case: Assignment, label: Label, z: int, version: ModelVersion | None, *kinds: str) -> None:
    """A slice that took these interactions, 10 s each; its mask is of clicks where there are any among them."""
    for kind in kinds:
        sequence = case.interactions.count() + 1
        at = START + timedelta(seconds=10 * sequence)
        Interaction.objects.create(
            assignment=case, sequence=sequence, kind=kind, label=label, z=z, person=case.person, created_at=at
        )
    clicks = [PlacedClick(1, 0, 0, True)] if "add_click" in kinds else []
    sequence, mask = case.interactions.count(), masks.encode(np.ones((1, 1), bool))
    made_by = version.pk if version else None
    slicemasks.save(case.pk, label.pk, z, sequence, sequence, mask, made_by, clicks, case.person_id)


def accept(cast: Cast, case: Assignment) -> None:
    progress.make("submit", case.person, case)
    progress.make("accept", cast.rob, case)


def figures() -> list[tuple[str, str, str, Clicks]]:
    return [(row.label.name, row.version.name, row.person, row.clicks) for row in realnoc.real_clicks()]


def test_clicks_are_counted_by_label_version_and_person(cast: Cast, old, new) -> None:
    add = "add_click"
    for z, n in enumerate([1, 1, 2, 6]):
        outlined(cast.alices, cast.liver, z, old, *[add] * n)
    outlined(cast.alices, cast.liver, 4, new, add)
    outlined(cast.alices, cast.spleen, 0, new, add, add)
    outlined(cast.bobs, cast.liver, 0, old, add, add, add)
    for case in (cast.alices, cast.bobs):
        accept(cast, case)
    assert figures() == [
        ("liver", "old", "alice", Clicks(4, 2.5, 1.5, 0.5, 0)),
        ("liver", "old", "bob", Clicks(1, 3, 3, 0.0, 0)),
        ("liver", "new", "alice", Clicks(1, 1, 1, 1.0, 0)),
        ("spleen", "new", "alice", Clicks(1, 2, 2, 0.0, 0)),
    ]


def test_a_click_that_was_moved_or_undone_was_made_all_the_same(cast: Cast, old) -> None:
    outlined(cast.alices, cast.liver, 0, old, "add_click", "move_click", "add_click", "undo", "delete_click")
    accept(cast, cast.alices)
    assert figures() == [("liver", "old", "alice", Clicks(1, 3, 3, 0.0, 0))]


def test_what_propagated_took_no_click_and_what_is_painted_is_not_the_network_s(cast: Cast, old) -> None:
    outlined(cast.alices, cast.liver, 0, old, "add_click")
    outlined(cast.alices, cast.liver, 1, old, "propagate")
    outlined(cast.alices, cast.liver, 2, None, "paint")
    outlined(cast.alices, cast.spleen, 1, old, "propagate")
    accept(cast, cast.alices)
    assert figures() == [
        ("liver", "old", "alice", Clicks(1, 1, 1, 1.0, 1)),
        ("spleen", "old", "alice", Clicks(0, None, None, None, 1)),
    ]


def test_only_accepted_readings_count(cast: Cast, old) -> None:
    outlined(cast.alices, cast.liver, 0, old, "add_click")
    progress.make("submit", cast.alice, cast.alices)
    outlined(cast.bobs, cast.liver, 0, old, "add_click")
    accept(cast, cast.bobs)
    Assignment.objects.filter(pk=cast.bobs.pk).update(kind="check")
    assert figures() == []


def test_versions_are_compared_by_clicks_and_seconds(cast: Cast, old, new) -> None:
    outlined(cast.alices, cast.liver, 0, old, "add_click", "add_click", "add_click")
    outlined(cast.bobs, cast.liver, 0, new, "add_click", "add_click")
    outlined(cast.bobs, cast.spleen, 0, new, "add_click")
    for case in (cast.alices, cast.bobs):
        accept(cast, case)
    first, second = realnoc.compare_effort()
    assert (first.version, first.clicks, first.labels, first.seconds) == (new, Clicks(2, 1.5, 1.5, 0.5, 0), 2, 10.0)
    assert (second.version, second.clicks, second.labels, second.seconds) == (old, Clicks(1, 3, 3, 0.0, 0), 1, 20.0)


def test_they_are_compared_within_a_project_and_since_a_day(cast: Cast, old) -> None:
    outlined(cast.alices, cast.liver, 0, old, "add_click")
    accept(cast, cast.alices)
    now = timezone.now()
    assert realnoc.compare_effort(cast.project.pk, now - timedelta(hours=1)) == realnoc.compare_effort() != []
    assert realnoc.compare_effort(cast.elsewhere.pk) == realnoc.compare_effort(since=now + timedelta(hours=1)) == []
    assert realnoc.real_clicks(cast.elsewhere.pk) == realnoc.real_clicks(since=now + timedelta(hours=1)) == []


def test_many_cases_are_as_few_queries_as_one(cast: Cast, old, django_assert_num_queries) -> None:
    for number in range(3):
        case = assign(cast.project, cast.alice) if number else cast.alices
        outlined(case, cast.liver, 0, old, "add_click")
        accept(cast, case)
    with django_assert_num_queries(4):
        assert figures() == [("liver", "old", "alice", Clicks(3, 1, 1, 1.0, 0))]
    with django_assert_num_queries(4):
        realnoc.compare_effort()
