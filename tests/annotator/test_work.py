"""My work: what is to be done first, what was done, how fast; and for overseers what goes on."""

from __future__ import annotations

from datetime import date, timedelta

from django.utils import timezone

from annotator.annotation import work
from annotator.annotation.models import Assignment, Effort, Task, Transition
from annotator.spans import monday
from tests.annotator import factories
from tests.annotator.factories import Cast, make_series
from tests.annotator.test_api import logged_in

S = Assignment.State


def make_case(cast: Cast, state: str, **fields) -> Assignment:
    task = Task.objects.create(project=cast.project, series=make_series(), **fields)
    return Assignment.objects.create(task=task, person=cast.alice, state=state)


def test_returned_cases_come_first_then_what_is_due(cast: Cast) -> None:
    cast.alices.delete()
    new, late, begun = (
        make_case(cast, S.ASSIGNED),
        make_case(cast, S.ASSIGNED, due_on=date(2030, 1, 1)),
        make_case(cast, S.IN_PROGRESS),
    )
    back = make_case(cast, S.RETURNED)
    done = make_case(cast, S.ACCEPTED)
    make_case(cast, S.HANDED_BACK)
    assert list(work.own_cases(cast.alice, work.TO_DO)) == [back, begun, late, new]
    assert list(work.own_cases(cast.alice, work.DONE)) == [done]


def test_to_do_and_done_are_two_lists(cast: Cast) -> None:
    done = make_case(cast, S.SUBMITTED)
    client = logged_in(cast.alice)
    assert f"/cases/{done.pk}/" not in client.get("/").content.decode()
    page = client.get("/?show=done").content.decode()
    assert f"/cases/{done.pk}/" in page and f"/cases/{cast.alices.pk}/" not in page


def test_a_due_date_is_shown_and_one_that_is_over_stands_out(cast: Cast) -> None:
    make_case(cast, S.ASSIGNED, due_on=date(2020, 1, 2))
    assert '<span class="tag bad">due 2 Jan 2020</span>' in logged_in(cast.alice).get("/").content.decode()


def test_the_cases_of_one_project(cast: Cast) -> None:
    client = logged_in(cast.alice)
    assert "Only cases of Abdomen." in client.get(f"/?project={cast.project.pk}").content.decode()
    elsewhere = client.get(f"/?project={cast.elsewhere.pk}").content.decode()
    assert "Elsewhere" not in elsewhere and f"/cases/{cast.alices.pk}/" not in elsewhere
    for odd in ("x", "9" * 30, "-1"):
        assert client.get(f"/?project={odd}").status_code == 200


def test_my_pace_counts_a_case_once_when_it_was_last_handed_in(cast: Cast) -> None:
    now, this_week = timezone.now(), monday(timezone.localdate())
    for weeks in (3, 0, 30):
        case = make_case(cast, S.SUBMITTED)
        for back in (weeks + 1, weeks):
            move = Transition.objects.create(assignment=case, after=S.SUBMITTED, person=cast.alice)
            Transition.objects.filter(pk=move.pk).update(at=now - timedelta(weeks=back))
        for label in (cast.liver, cast.spleen):
            Effort.objects.create(assignment=case, label=label, slices=1, clicks=1, strokes=0, seconds=90)
    found = work.pace(cast.alice)
    assert len(found) == 8 and found[-1].monday == this_week
    assert [(week.cases, week.minutes) for week in found] == [(0, 0)] * 4 + [(1, 3.0)] + [(0, 0)] * 2 + [(1, 3.0)]
    assert work.pace(cast.bob) == []
    assert "My pace" in logged_in(cast.alice).get("/").content.decode()


def test_overseers_see_counts_and_what_moved_last(cast: Cast) -> None:
    Assignment.objects.create(task=cast.alices.task, person=cast.bob, kind=Assignment.Kind.CHECK)
    [one] = work.overseen_projects(cast.rob)
    assert (one.project, one.managed, one.cases) == (cast.project, False, {S.ASSIGNED: 2})
    Transition.objects.create(assignment=cast.alices, before=S.ASSIGNED, after=S.IN_PROGRESS, person=cast.alice)
    assert work.lately(cast.rob, [cast.project])[0] == cast.alices
    assert work.lately(cast.alice, [cast.project]) == [cast.alices]
    assert work.overseen_projects(cast.alice) == []


def test_hundreds_of_cases_are_paged_and_take_no_more_queries(cast: Cast, django_assert_max_num_queries) -> None:
    for _ in range(60):
        for person in (cast.alice, cast.maria):
            factories.assign(cast.project, person).transitions.create(after=S.ASSIGNED, person=cast.maria)
    for person, most in ((cast.alice, 15), (cast.maria, 15)):
        client = logged_in(person)
        with django_assert_max_num_queries(most):
            page = client.get("/")
        assert page.content.decode().count('<article class="card">') == 24
        assert "Page 1 of 3" in page.content.decode()
    assert client.get("/?page=99").context["page"].number == 3
