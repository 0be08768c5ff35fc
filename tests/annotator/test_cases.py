"""The cases of a project: found, given out, planned, taken back and brought from other projects; all or none."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.utils import timezone

from annotator.annotation import assign, cases, history, labelsets, progress
from annotator.annotation.cases import Standing, Wanted
from annotator.annotation.models import Assignment, Membership, Project, Task
from annotator.events.models import Event
from annotator.protocol import AddClick
from annotator.studies.models import Series
from tests.annotator.factories import Cast, make_person, make_project, make_series
from tests.annotator.test_api import logged_in

S = Assignment.State
TODAY = date(2026, 5, 4)


def make_task(cast: Cast, name: str = "Chest", **fields) -> Task:
    return Task.objects.create(project=cast.project, series=make_series(description=name), **fields)


def found(cast: Cast, **wanted) -> list[str]:
    return [str(task.series) for task in cases.find(cast.project, Wanted(**wanted), TODAY)]


def do(cast: Cast, deed: str, *tasks: Task, query: str = "", **fields):
    sent = {"deed": deed, "task": [str(task.pk) for task in tasks], **fields}
    return logged_in(cast.maria).post(f"/projects/{cast.project.pk}/cases/{query}", sent)


def holders(task: Task) -> list[str]:
    return [one.person.username for one in task.assignments.exclude(state=S.HANDED_BACK).order_by("reading")]


# ---------------------------------------------------------------------------------------------------- found


def test_a_task_stands_where_its_readings_stand(cast: Cast) -> None:
    Task.objects.all().delete()
    task = make_task(cast, readings=2)
    first = assign.give(task, cast.alice, cast.maria)

    def standing() -> str:
        return cases.tasks(cast.project).get().standing

    assert standing() == Standing.WAITING
    second = assign.give(task, cast.bob, cast.maria)
    steps = [
        (first, S.IN_PROGRESS, Standing.IN_PROGRESS),
        (first, S.SUBMITTED, Standing.ASSIGNED),
        (second, S.SUBMITTED, Standing.SUBMITTED),
        (first, S.RETURNED, Standing.RETURNED),
        (first, S.ACCEPTED, Standing.SUBMITTED),
        (second, S.SKIPPED, Standing.SKIPPED),
        (second, S.ACCEPTED, Standing.ACCEPTED),
    ]
    for reading, state, expected in steps:
        Assignment.objects.filter(pk=reading.pk).update(state=state)
        assert standing() == expected


def test_an_accepted_adjudication_decides_for_its_task(cast: Cast) -> None:
    Assignment.objects.create(task=cast.alices.task, person=cast.rob, kind="adjudication", state=S.ACCEPTED)
    assert cases.counts([cast.project])[cast.project.pk][Standing.ACCEPTED] == 1


def test_cases_are_found_by_what_one_knows_of_them(cast: Cast) -> None:
    Task.objects.all().delete()
    late = make_task(cast, "Late", due_on=TODAY - timedelta(1), skill="cardiac")
    make_task(cast, "Soon", due_on=TODAY + timedelta(7), gold=True)
    make_task(cast, "Whenever", priority=3)
    assign.give(late, cast.alice, cast.maria)
    assert found(cast) == ["Whenever", "Late", "Soon"]
    assert found(cast, order="name") == ["Late", "Soon", "Whenever"]
    assert found(cast, standing="waiting", order="due") == ["Soon", "Whenever"]
    assert found(cast, person=cast.alice.pk) == found(cast, due="overdue") == found(cast, text="CARD") == ["Late"]
    assert found(cast, gold=True) == found(cast, due="soon") == ["Soon"]
    assert found(cast, due="never") == found(cast, text="when") == ["Whenever"]
    assert len(found(cast, text="patient")) == 3


def test_the_table_shows_fifty_at_a_time(cast: Cast, django_assert_max_num_queries) -> None:
    for number in range(60):
        make_task(cast, f"Number {number:02}")
    client = logged_in(cast.maria)
    with django_assert_max_num_queries(30):
        page = client.get(f"/projects/{cast.project.pk}/cases/?order=newest").content.decode()
    assert page.count("data-tick ") + page.count("data-tick>") == 50 and "Page 1 of 2" in page and "62 cases" in page
    assert 'href="?order=newest&amp;page=2"' in page
    page = client.get(f"/projects/{cast.project.pk}/cases/?text=nothing&person=x&due=x").content.decode()
    assert "No case is like that." in page


# ---------------------------------------------------------------------------------------------------- given


def test_ticked_cases_are_given_to_a_person(cast: Cast) -> None:
    tasks = [make_task(cast) for _ in range(2)]
    response = do(cast, "give", *tasks, query="?text=chest", person=str(cast.alice.pk))
    assert (response.status_code, response["Location"]) == (302, f"/projects/{cast.project.pk}/cases/?text=chest")
    assert [holders(task) for task in tasks] == [["alice"], ["alice"]]


def test_all_that_the_filter_gives_can_be_meant(cast: Cast) -> None:
    chosen, other = [make_task(cast, "Chest") for _ in range(3)], make_task(cast, "Head")
    do(cast, "give", query="?text=chest", person=str(cast.alice.pk), all="1")
    assert all(holders(task) == ["alice"] for task in chosen) and holders(other) == []


def test_cases_are_spread_by_load_and_by_skill(cast: Cast) -> None:
    Membership.objects.filter(person=cast.bob, project=cast.project).update(skills=["Cardiac"])
    plain, cardiac = make_task(cast), [make_task(cast, skill="cardiac") for _ in range(2)]
    do(cast, "spread", plain, *cardiac, people=[cast.alice.pk, cast.bob.pk], by_skill="on")
    assert [holders(task) for task in cardiac] == [["bob"], ["bob"]]
    assert holders(plain) == ["alice"]


@pytest.mark.parametrize(
    ("deed", "fields", "sentence"),
    [
        ("give", {}, "Choose a person."),
        ("spread", {}, "Choose at least one person."),
        ("plan", {}, "Fill in what is to be set."),
        ("plan", {"due_on": "2020-01-01"}, "A due date lies today or later."),
        ("plan", {"priority": "5000"}, "A priority lies between"),
        ("plan", {"readings": "0"}, "Readings: Ensure this value is greater than or equal to 1."),
        ("plan", {"due_on": "soon"}, "Due on: Enter a valid date."),
        ("withdraw", {}, "Nobody has Chest open, so it cannot be withdrawn."),
        ("reassign", {"other": "3"}, "Nobody has Chest open"),
        ("explode", {}, "Choose what is to be done with the cases."),
    ],
)
def test_what_cannot_be_done_gets_a_sentence(cast: Cast, deed: str, fields: dict[str, str], sentence: str) -> None:
    task = make_task(cast)
    fields = {name: str(cast.rob.pk) if name == "other" else value for name, value in fields.items()}
    response = do(cast, deed, task, **fields)
    assert response.status_code == 409 and sentence in response.content.decode()
    assert re.search(rf'value="{task.pk}"[^>]* checked', response.content.decode())
    assert holders(task) == []


def test_nothing_ticked_is_nothing_done(cast: Cast) -> None:
    foreign = cast.eves.task
    response = do(cast, "give", foreign, person=str(cast.alice.pk))
    assert response.status_code == 409 and "Tick at least one case." in response.content.decode()
    assert holders(foreign) == ["eve"]


def test_who_is_deactivated_or_from_elsewhere_gets_nothing(cast: Cast) -> None:
    tasks = [make_task(cast) for _ in range(2)]
    cast.bob.is_active = False
    cast.bob.save()
    for person in (cast.bob, cast.eve):
        with pytest.raises(assign.AssignRefused, match=f"{person} is no member of the project Abdomen."):
            cases.give(tasks, person, cast.maria)
        assert do(cast, "give", *tasks, person=str(person.pk)).status_code == 409
    assert not Assignment.objects.filter(task__in=tasks).exists()


def test_all_or_none_are_given(cast: Cast) -> None:
    free = make_task(cast)
    response = do(cast, "give", free, cast.bobs.task, person=str(cast.alice.pk))
    assert "already has its reader" in response.content.decode() and holders(free) == []


def test_nobody_has_the_skill(cast: Cast) -> None:
    task = make_task(cast, skill="cardiac")
    with pytest.raises(assign.AssignRefused, match="Nobody of them who is free for Chest has the skill cardiac"):
        assign.spread([task], [cast.alice], cast.maria, by_skill=True)


# ---------------------------------------------------------------------------------------------------- planned


def test_many_cases_are_planned_at_once(cast: Cast) -> None:
    tasks, day = [make_task(cast) for _ in range(2)], timezone.localdate() + timedelta(3)
    do(cast, "plan", *tasks, priority="2", due_on=day.isoformat(), skill=" Cardiac ", readings="2")
    for task in tasks:
        task.refresh_from_db()
        assert (task.priority, task.due_on, task.skill, task.readings) == (2, day, "cardiac", 2)
    assert Event.objects.filter(verb="planned").count() == 2
    do(cast, "plan", tasks[0], no_date="on", no_skill="on")
    tasks[0].refresh_from_db()
    assert (tasks[0].priority, tasks[0].due_on, tasks[0].skill) == (2, None, "")


def test_readings_that_people_have_are_not_planned_away(cast: Cast) -> None:
    task = make_task(cast, readings=2)
    for person in (cast.alice, cast.bob):
        assign.give(task, person, cast.maria)
    with pytest.raises(assign.AssignRefused, match="Chest has 2 readers already; withdraw one of them first"):
        cases.plan([make_task(cast), task], cast.maria, TODAY, readings=1)
    assert not Event.objects.filter(verb="planned").exists()


def test_a_task_that_asks_for_a_skill_is_offered_to_who_has_it(cast: Cast) -> None:
    task = make_task(cast, skill="cardiac", priority=5)
    assert task not in assign.waiting_for(cast.alice, cast.project)
    Membership.objects.filter(person=cast.alice, project=cast.project).update(skills=["Cardiac "])
    assert task in assign.waiting_for(cast.alice, cast.project)


# ---------------------------------------------------------------------------------------------------- taken back


def test_cases_are_withdrawn(cast: Cast) -> None:
    do(cast, "withdraw", cast.alices.task, cast.bobs.task)
    assert set(Assignment.objects.filter(task__project=cast.project).values_list("state", flat=True)) == {S.HANDED_BACK}


@pytest.mark.parametrize(("keep", "interactions"), [("yes", 1), ("no", 0)])
def test_a_case_is_handed_on_with_the_work_or_without(cast: Cast, keep: str, interactions: int) -> None:
    history.record(cast.alices.pk, cast.alice.pk, AddClick(1, cast.liver.pk, 1, 2, 3, True))
    do(cast, "reassign", cast.alices.task, other=str(cast.rob.pk), keep_work=keep)
    theirs = Assignment.objects.get(task=cast.alices.task, person=cast.rob)
    assert theirs.interactions.count() == interactions
    assert holders(cast.alices.task) == ["rob"]


def test_of_two_readers_it_must_be_said_who(cast: Cast) -> None:
    task = make_task(cast, readings=2)
    for person in (cast.alice, cast.bob):
        assign.give(task, person, cast.maria)
    with pytest.raises(assign.AssignRefused, match="alice and bob both have Chest"):
        cases.reassign([task], cast.rob, cast.maria, keep_work=True)


def test_what_is_submitted_is_not_withdrawn_with_the_others(cast: Cast) -> None:
    progress.make("submit", cast.bob, cast.bobs)
    with pytest.raises(assign.AssignRefused, match="Nobody has Abdomen open"):
        cases.withdraw([cast.alices.task, cast.bobs.task], cast.maria)
    assert holders(cast.alices.task) == ["alice"]


# ---------------------------------------------------------------------------------------------------- brought


def test_series_come_from_another_project_that_is_mine(cast: Cast) -> None:
    other = make_project("Thorax", {cast.maria: "manager"})
    tasks = [Task.objects.create(project=other, series=make_series(description=f"Lung {i}")) for i in range(2)]
    client, address = logged_in(cast.maria), f"/projects/{cast.project.pk}/cases/add/"
    page = client.get(f"{address}?from={other.pk}&text=lung").content.decode()
    assert "Lung 0" in page and "Lung 1" in page
    client.post(address, {"series": [str(task.series_id) for task in tasks]})
    assert cast.project.tasks.filter(series__description__startswith="Lung").count() == 2
    assert "There is no series to add" in client.get(address).content.decode()
    answer = client.post(address, {"series": [str(tasks[0].series_id)]}, follow=True).content.decode()
    assert "0 cases were added." in answer and cast.project.tasks.count() == 4


def test_series_of_others_are_not_there(cast: Cast) -> None:
    foreign = cast.eves.task.series
    address = f"/projects/{cast.project.pk}/cases/add/"
    assert str(foreign.pk) not in logged_in(cast.maria).get(address).content.decode()
    for wanted, sentence in ((str(foreign.pk), "in no project that you manage"), ("x", "This is no series.")):
        answer = logged_in(cast.maria).post(address, {"series": [wanted]}, follow=True)
        assert sentence in answer.content.decode()
    assert not cast.project.tasks.filter(series=foreign).exists()


# ---------------------------------------------------------------------------------------------------- new tasks


def test_a_share_of_new_cases_is_read_by_two(cast: Cast) -> None:
    series = [Series(uid=f"1.2.3.{number}") for number in range(1000)]
    for share, least, most in ((0.0, 0, 0), (0.3, 250, 350), (1.0, 1000, 1000)):
        cast.project.double_share = share
        doubled = [one for one in series if assign.readings_for(cast.project, one) == 2]
        assert least <= len(doubled) <= most
        assert doubled == [one for one in series if assign.readings_for(cast.project, one) == 2]
    task, is_new = assign.add(cast.project, make_series())
    assert is_new and task.readings == 2
    Project.objects.filter(pk=cast.project.pk).update(double_share=0)
    assert assign.add(cast.project, task.series) == (task, False)


def test_labels_that_begin_locked_are_locked_in_a_new_case(cast: Cast) -> None:
    labelsets.change(cast.liver, cast.maria, locked=True)
    made = assign.give(make_task(cast), cast.alice, cast.maria)
    assert [lock.label for lock in made.locks.all()] == [cast.liver]
    made.locks.all().delete()  # unlocked by its person, it stays so
    assign.give(made.task, cast.alice, cast.maria)
    assert not made.locks.exists()


def test_nobody_but_a_manager_gives_out(cast: Cast) -> None:
    task, reader = make_task(cast), make_person("reader")
    for person in (cast.alice, cast.rob, reader):
        address = f"/projects/{cast.project.pk}/cases/"
        sent = {"deed": "give", "task": str(task.pk), "person": str(cast.alice.pk)}
        assert logged_in(person).post(address, sent).status_code == 404
    assert holders(task) == []
