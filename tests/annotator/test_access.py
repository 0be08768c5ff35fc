"""Who reaches what, as one table; pages, API and socket all ask the same functions."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from annotator.annotation import access
from annotator.annotation.models import Membership
from tests.annotator.factories import Cast

#          person   alice's  bob's  eve's  writes alice's  oversees               manages
TABLE = [
    ("alice", True, False, False, True, [], []),
    ("bob", False, True, False, False, [], []),
    ("rob", True, True, False, False, ["Abdomen"], []),
    ("maria", True, True, False, False, ["Abdomen"], ["Abdomen"]),
    ("eve", False, False, True, False, ["Elsewhere"], ["Elsewhere"]),
    ("staff", True, True, True, False, ["Abdomen", "Elsewhere"], ["Abdomen", "Elsewhere"]),
    ("nobody", False, False, False, False, [], []),
]


def person(cast: Cast, name: str) -> access.Person:
    return AnonymousUser() if name == "nobody" else getattr(cast, name)


@pytest.mark.parametrize(("name", "alices", "bobs", "eves", "writes", "oversees", "manages"), TABLE)
def test_the_table(cast, name, alices, bobs, eves, writes, oversees, manages) -> None:
    who = person(cast, name)
    for assignment, reached in ((cast.alices, alices), (cast.bobs, bobs), (cast.eves, eves)):
        assert access.assignment_for(who, assignment.pk) == (assignment if reached else None)
        series = assignment.task.series
        assert access.series_for(who, series.pk) == (series if reached else None)
    assert access.works_on(who, cast.alices) is writes
    assert [project.name for project in access.projects_overseen_by(who)] == oversees
    assert [project.name for project in access.projects_managed_by(who)] == manages


def test_an_annotator_who_left_the_project_reaches_nothing(cast: Cast) -> None:
    Membership.objects.filter(person=cast.alice).delete()
    assert access.assignment_for(cast.alice, cast.alices.pk) is None
    assert access.series_for(cast.alice, cast.alices.task.series_id) is None
    assert not access.works_on(cast.alice, cast.alices)


@pytest.mark.parametrize("name", ["alice", "maria", "staff"])
def test_a_deactivated_person_reaches_nothing(cast: Cast, name: str) -> None:
    who = getattr(cast, name)
    who.is_active = False
    who.save()
    assert not access.assignments_of(who).exists()
    assert not access.projects_of(who).exists()
    assert not access.works_on(who, cast.alices)


def test_what_does_not_exist(cast: Cast) -> None:
    assert access.assignment_for(cast.staff, 0) is None


def test_a_series_of_two_projects_is_reached_through_either(cast: Cast) -> None:
    cast.elsewhere.tasks.create(series=cast.alices.task.series)
    assert access.series_for(cast.eve, cast.alices.task.series_id) == cast.alices.task.series
    assert access.assignment_for(cast.eve, cast.alices.pk) is None
