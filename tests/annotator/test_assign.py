"""Who gets which task: by hand, spread over people, from the queue; never two people for one reading."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, transaction

from annotator import masks
from annotator.annotation import assign, history, progress
from annotator.annotation.assign import AssignRefused
from annotator.annotation.models import Assignment, Interaction, Membership, SliceMask, Task
from annotator.protocol import AddClick
from tests.annotator.factories import SHAPE, Cast, make_cast, make_person, make_series
from tests.annotator.together import at_once

S = Assignment.State


def make_task(cast: Cast, **fields) -> Task:
    return Task.objects.create(project=cast.project, series=make_series(), **fields)


def test_a_task_is_given_once(cast: Cast) -> None:
    task = make_task(cast)
    given = assign.give(task, cast.alice, cast.maria)
    assert (given.state, given.reading) == (S.ASSIGNED, 1)
    assert [(t.before, t.after, t.person) for t in given.transitions.all()] == [("", S.ASSIGNED, cast.maria)]
    assert assign.give(task, cast.alice, cast.maria) == given
    with pytest.raises(AssignRefused, match="Abdomen already has its reader; nobody else can get it"):
        assign.give(task, cast.bob, cast.maria)
    assert given.transitions.count() == 1


def test_two_readings_are_for_two_people(cast: Cast) -> None:
    task = make_task(cast, readings=2)
    assert assign.give(task, cast.alice, cast.maria).reading == 1
    assert assign.give(task, cast.bob, cast.maria).reading == 2
    with pytest.raises(AssignRefused, match="its 2 readers"):
        assign.give(task, cast.rob, cast.maria)


def test_the_database_holds_it_whoever_writes(cast: Cast) -> None:
    assign.give(task := make_task(cast), cast.alice, cast.maria)
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.create(task=task, person=cast.bob)


@pytest.mark.parametrize("name", ["eve", "staff"])
def test_nobody_from_elsewhere_gets_a_task(cast: Cast, name: str) -> None:
    with pytest.raises(AssignRefused, match=f"{name} is no member of the project Abdomen."):
        assign.give(make_task(cast), getattr(cast, name), cast.maria)


def test_nobody_who_left_gets_a_task(cast: Cast) -> None:
    cast.alice.is_active = False
    cast.alice.save()
    with pytest.raises(AssignRefused, match="alice is no member"):
        assign.give(make_task(cast), cast.alice, cast.maria)


def test_what_is_handed_back_can_go_to_anybody_and_come_back(cast: Cast) -> None:
    task = make_task(cast)
    first = assign.give(task, cast.alice, cast.maria)
    progress.make("hand_back", cast.alice, first)
    second = assign.give(task, cast.bob, cast.maria)
    assert second != first and second.reading == 1
    progress.make("hand_back", cast.bob, second)
    assert assign.give(task, cast.alice, cast.maria) == first
    assert [t.after for t in first.transitions.all()] == [S.ASSIGNED, S.HANDED_BACK, S.ASSIGNED]


def test_the_next_case_is_the_most_urgent_one(cast: Cast) -> None:
    Assignment.objects.all().delete()
    Task.objects.all().delete()
    last, soon, first = make_task(cast), make_task(cast, due_on=date(2030, 1, 1)), make_task(cast, priority=1)
    for task in (first, soon, last):
        case = assign.next_case(cast.project, cast.alice)
        assert case is not None and case.task == task
        progress.make("submit", cast.alice, case)
    assert assign.next_case(cast.project, cast.alice) is None


def test_own_open_work_comes_before_new_work_and_returned_work_before_all(cast: Cast) -> None:
    make_task(cast, priority=5)
    assert assign.next_case(cast.project, cast.alice) == cast.alices
    returned = Assignment.objects.create(task=make_task(cast), person=cast.alice, state=S.RETURNED)
    assert assign.next_case(cast.project, cast.alice) == returned


def test_a_case_that_a_person_gave_back_is_not_offered_to_them_again(cast: Cast) -> None:
    progress.make("hand_back", cast.alice, cast.alices)
    assert assign.next_case(cast.project, cast.alice) is None
    assert list(assign.waiting(cast.project)) == [cast.alices.task]


def test_tasks_are_spread_by_load(cast: Cast) -> None:
    tasks = [make_task(cast) for _ in range(4)]
    Assignment.objects.create(task=make_task(cast), person=cast.alice)  # alice has two open cases now, bob has one
    made = assign.spread(tasks, [cast.alice, cast.bob], cast.maria)
    assert [one.person.username for one in made] == ["bob", "alice", "bob", "alice"]


def test_a_double_reading_is_spread_over_two_people(cast: Cast) -> None:
    task = make_task(cast, readings=2)
    made = assign.spread([task, task], [cast.alice, cast.bob], cast.maria)
    assert {one.person for one in made} == {cast.alice, cast.bob}


def test_spreading_gives_all_or_nothing(cast: Cast) -> None:
    with pytest.raises(AssignRefused, match="Choose at least one person"):
        assign.spread([make_task(cast)], [], cast.maria)
    fresh = make_task(cast)
    with pytest.raises(AssignRefused, match="already"):
        assign.spread([fresh, cast.bobs.task], [cast.alice], cast.maria)
    assert not fresh.assignments.exists()


def click(cast: Cast) -> None:
    history.record(cast.alices.pk, cast.alice.pk, AddClick(1, cast.liver.pk, 1, 2, 3, True))
    progress.start(cast.alice, cast.alices)
    mask = masks.empty(*SHAPE[1:])
    SliceMask.objects.create(
        assignment=cast.alices, label=cast.liver, z=1, sequence=1, since=1, mask=mask, pixels=0, person=cast.alice
    )


def test_a_case_goes_on_with_somebody_else_with_the_work_so_far(cast: Cast) -> None:
    click(cast)
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    Interaction.objects.update(created_at=long_ago)
    theirs = assign.reassign(cast.alices, cast.bob, cast.maria, keep_work=True)
    assert (theirs.person, theirs.state, cast.alices.state) == (cast.bob, S.IN_PROGRESS, S.HANDED_BACK)
    assert history.state(theirs.pk).clicks == history.state(cast.alices.pk).clicks != ()
    row = theirs.interactions.get()
    assert (row.person, row.created_at) == (cast.alice, long_ago)
    assert theirs.masks.get().z == 1


def test_or_begins_anew(cast: Cast) -> None:
    click(cast)
    theirs = assign.reassign(cast.alices, cast.bob, cast.maria, keep_work=False)
    assert theirs.state == S.ASSIGNED and not theirs.interactions.exists() and not theirs.masks.exists()
    assert cast.alices.interactions.count() == 1  # hers stays


def test_a_case_is_not_reassigned_to_whoever_has_it_nor_by_those_who_do_not_manage(cast: Cast) -> None:
    with pytest.raises(AssignRefused, match="alice has this case"):
        assign.reassign(cast.alices, cast.alice, cast.maria, keep_work=True)
    with pytest.raises(progress.MoveRefused, match="You may not withdraw this case"):
        assign.reassign(cast.alices, cast.bob, cast.rob, keep_work=True)
    with pytest.raises(AssignRefused, match="eve is no member"):
        assign.reassign(cast.alices, cast.eve, cast.maria, keep_work=True)
    assert Assignment.objects.get(pk=cast.alices.pk).state == S.ASSIGNED


@pytest.mark.parametrize("kind", ["check", "revision", "adjudication"])
def test_only_readings_go_on_with_somebody_else(cast: Cast, kind: str) -> None:
    Assignment.objects.filter(pk=cast.alices.pk).update(kind=kind)
    with pytest.raises(AssignRefused, match="Only readings go on"):
        assign.reassign(Assignment.objects.get(pk=cast.alices.pk), cast.bob, cast.maria, keep_work=True)
    assert Assignment.objects.get(pk=cast.alices.pk).state == S.ASSIGNED and cast.bob.assignments.count() == 1


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_twenty_takers_at_once_get_twenty_cases() -> None:
    cast = make_cast()
    people = [make_person(f"taker{i}") for i in range(20)]
    Membership.objects.bulk_create(Membership(project=cast.project, person=one) for one in people)
    for _ in range(12):
        make_task(cast)
    for _ in range(3):
        make_task(cast, readings=2)
    taken = at_once(20, lambda i: assign.next_case(cast.project, people[i]))
    cases = [case for case in taken if case is not None]
    assert len(cases) == 18 and not any(isinstance(case, Exception) for case in cases)
    assert len({(case.task_id, case.reading) for case in cases}) == 18
    assert len({case.person_id for case in cases}) == 18
