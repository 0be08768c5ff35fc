"""Finished cases measure people who are given them unawares, as checks; nobody reviews those, and they are no data."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from django.test import Client
from django.utils import timezone

from annotator.annotation import access, agreement, agreement_tables, assign, gold, jobs, progress, truth, work
from annotator.annotation.models import Assignment, Comparison, Project, Task, Transition
from annotator.events.models import Notice
from tests.annotator import factories
from tests.annotator.factories import Cast, box, outline


@pytest.fixture
def golden(cast: Cast):
    """A gold case whose truth is Alice's, accepted by Rob: a liver of 2×4×4 voxels."""
    return make_gold(cast)


def make_gold(cast: Cast, by=None):
    case = factories.assign(cast.project, by or cast.alice, factories.make_series(description="Known"))
    outline(case, cast.liver, box((1, 3), (1, 5), (1, 5)))
    progress.make("submit", case.person, case)
    progress.make("accept", cast.rob, case)
    gold.mark(case.task, cast.maria)
    return case


def slip(cast: Cast, *people, each: int = 1, days: int = 0):
    return gold.slip(cast.project, people, each, days, cast.maria, Random(1))


@pytest.fixture
def check(cast: Cast, golden):
    slip(cast, cast.bob)
    return Assignment.objects.get(kind="check")


def logged_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_a_check_is_compared_with_the_truth_and_accepted_silently(cast: Cast, golden, check, at_once) -> None:
    outline(check, cast.liver, box((1, 3), (1, 5), (2, 6)))
    with at_once():
        progress.make("submit", cast.bob, check)
    comparison = Comparison.objects.get()
    assert (comparison.first, comparison.second, comparison.state) == (check, golden, "done")
    check.refresh_from_db()
    assert (check.state, check.transitions.last().person) == ("accepted", None)
    (bob,) = gold.people(cast.project)
    assert (bob.name, bob.dice, bob.by_label) == ("bob", 0.75, {cast.liver.pk: 0.75})
    assert not Notice.objects.exists()


def test_the_person_is_told_where_the_project_wants_that(cast: Cast, golden, check, at_once) -> None:
    Project.objects.filter(pk=cast.project.pk).update(gold_feedback=True)
    check.refresh_from_db()
    outline(check, cast.liver, box((1, 3), (1, 5), (2, 6)))
    with at_once():
        progress.make("submit", cast.bob, check)
    notice = Notice.objects.get()
    assert (notice.person, notice.kind, notice.sentence) == (cast.bob, "scored", "How you did on Known: liver 0.75")
    assert "liver 0.75" in logged_in(cast.bob).get("/?show=done").content.decode()


# ------------------------------------------------------------------------------------------ unawares


def test_a_check_looks_like_a_reading_to_its_person(cast: Cast, check) -> None:
    client = logged_in(cast.bob)
    reading = client.get(f"/api/assignments/{cast.bobs.pk}/").json()
    checks = client.get(f"/api/assignments/{check.pk}/").json()
    assert checks.keys() == reading.keys() and checks["links"].keys() == reading["links"].keys()
    assert checks["progress"] == reading["progress"] and checks["kind"] == reading["kind"]
    for path in ("/", f"/cases/{check.pk}/"):
        text = client.get(path).content.decode().lower()
        assert "check" not in text and "gold" not in text
    assert check in work.own_cases(cast.bob, work.TO_DO)


def test_its_person_reaches_nothing_else_of_the_case_until_it_is_submitted(cast: Cast, golden, at_once) -> None:
    case = make_gold(cast)
    Transition.objects.filter(person=cast.rob).update(person=cast.maria)  # Rob decided about none
    slip(cast, cast.rob, each=2)
    check = Assignment.objects.get(kind="check", task=case.task)
    client = logged_in(cast.rob)
    assert client.get(f"/api/assignments/{case.pk}/masks/").status_code == 404
    assert client.get(f"/cases/{check.pk}/").status_code == 200
    with at_once():
        progress.make("submit", cast.rob, check)
    assert client.get(f"/api/assignments/{case.pk}/masks/").status_code == 200


def test_a_check_that_waits_for_its_turn_is_not_there_yet(cast: Cast, golden) -> None:
    slip(cast, cast.bob, days=14)
    planned = Assignment.objects.get(kind="check")
    assert planned.created_at > timezone.now()
    for person in (cast.bob, cast.maria, cast.staff):
        assert access.assignment_for(person, planned.pk) is None
    progress.make("submit", cast.bob, cast.bobs)
    assert assign.next_case(cast.project, cast.bob) is None
    assert cast.project not in work.queues(cast.bob)


def test_when_its_turn_comes_the_queue_hands_it_out_instead_of_a_new_case(cast: Cast, golden) -> None:
    slip(cast, cast.bob, days=14)
    Assignment.objects.filter(kind="check").update(created_at=timezone.now() - timedelta(minutes=1))
    newer = Task.objects.create(project=cast.project, series=factories.make_series(), priority=9)
    progress.make("submit", cast.bob, cast.bobs)
    newest = Assignment.objects.latest("pk").pk
    assert work.queues(cast.bob) == [cast.project]
    case = assign.next_case(cast.project, cast.bob)
    assert case and (case.kind, case.task, case.person) == ("check", golden.task, cast.bob)
    assert case.pk > newest and case.created_at > timezone.now() - timedelta(minutes=1)
    assert assign.next_case(cast.project, cast.bob) == case
    progress.make("submit", cast.bob, case)
    after = assign.next_case(cast.project, cast.bob)
    assert after and after.task == newer


def test_its_own_unfinished_case_comes_first(cast: Cast, golden) -> None:
    slip(cast, cast.bob, days=14)
    Assignment.objects.filter(kind="check").update(created_at=timezone.now())
    assert assign.next_case(cast.project, cast.bob) == cast.bobs


# ------------------------------------------------------------------------------------------ who gets which


def test_who_made_or_accepted_the_truth_never_gets_it(cast: Cast, golden) -> None:
    made, sentences = slip(cast, cast.alice, cast.bob, cast.rob)
    assert made == 1
    assert list(Assignment.objects.filter(kind="check").values_list("person__username", flat=True)) == ["bob"]
    assert sentences == ["alice knows all gold cases but 0.", "rob knows all gold cases but 0."]


def test_nobody_gets_a_gold_case_twice(cast: Cast, golden, check) -> None:
    assert slip(cast, cast.bob) == (0, ["bob knows all gold cases but 0."])


def test_managers_see_which_are_gold_so_they_are_not_measured(cast: Cast, golden) -> None:
    with pytest.raises(gold.GoldRefused, match="annotators and reviewers only"):
        slip(cast, cast.maria)


@pytest.mark.parametrize(("each", "days"), [(0, 0), (21, 0), (1, -1), (1, 91)])
def test_a_plan_out_of_bounds_is_refused(cast: Cast, golden, each: int, days: int) -> None:
    with pytest.raises(gold.GoldRefused, match="1 to 20 checks"):
        slip(cast, cast.bob, each=each, days=days)


def test_without_people_or_gold_cases_nothing_is_given(cast: Cast) -> None:
    with pytest.raises(gold.GoldRefused, match="at least one person"):
        slip(cast)
    with pytest.raises(gold.GoldRefused, match="no gold case yet"):
        slip(cast, cast.bob)


def test_only_a_case_with_a_ground_truth_is_gold(cast: Cast) -> None:
    with pytest.raises(gold.GoldRefused, match="no accepted ground truth"):
        gold.mark(cast.alices.task, cast.maria)


def test_a_case_that_is_gold_no_more_gives_no_checks_that_were_planned(cast: Cast, golden) -> None:
    slip(cast, cast.bob, days=14)
    gold.unmark(golden.task, cast.maria)
    assert not Assignment.objects.filter(kind="check").exists()
    assert not Task.objects.get(pk=golden.task_id).gold


def test_a_check_whose_truth_was_reopened_is_over_without_figures(cast: Cast, golden, check) -> None:
    progress.make("reopen", cast.maria, golden, "A vessel is missing.")
    progress.make("submit", cast.bob, check)
    check.refresh_from_db()
    assert check.state == "accepted" and not Comparison.objects.exists()


def test_a_check_that_could_not_be_compared_is_compared_again_with_what_is_the_truth_now(
    cast: Cast, golden, check, at_once
) -> None:
    progress.make("submit", cast.bob, check)
    progress.make("reopen", cast.maria, golden, "A vessel is missing.")
    jobs.compare(Comparison.objects.get().pk)
    client, address = logged_in(cast.maria), f"/projects/{cast.project.pk}/gold/"
    assert agreement.OPEN in client.get(address).content.decode()
    progress.make("submit", cast.alice, golden)
    progress.make("accept", cast.rob, golden)
    with at_once():
        client.post(f"{address}again/")
    check.refresh_from_db()
    assert check.state == "accepted" and Comparison.objects.get().state == "done"
    assert agreement.OPEN not in client.get(address).content.decode()


# ------------------------------------------------------------------------------------------ no data


def test_checks_are_no_data(cast: Cast, golden, check, at_once) -> None:
    with at_once():
        progress.make("submit", cast.bob, check)
    assert truth.ground_truth(golden.task) == golden
    assert agreement_tables.matrix(cast.project, None).rows == []
    assert not assign.waiting(cast.project).exists()


def test_nobody_reviews_a_check(cast: Cast, check) -> None:
    progress.make("submit", cast.bob, check)  # its job has not run
    for move in ("accept", "return"):
        with pytest.raises(progress.MoveRefused):
            progress.make(move, cast.rob, check, "Why?")


def test_a_check_in_hand_is_not_taken_for_a_reading(cast: Cast, golden, check) -> None:
    Task.objects.filter(pk=golden.task_id).update(readings=2)
    given = assign.give(Task.objects.get(pk=golden.task_id), cast.bob, cast.maria)
    assert (given.kind, given.reading) == ("reading", 2)


# ------------------------------------------------------------------------------------------ the page


def test_the_page_shows_how_people_do_over_time(cast: Cast, at_once) -> None:
    for columns in ((2, 6), (1, 5)):
        case = make_gold(cast)
        slip(cast, cast.bob)
        check = Assignment.objects.get(kind="check", task=case.task)
        outline(check, cast.liver, box((1, 3), (1, 5), columns))
        with at_once():
            progress.make("submit", cast.bob, check)
    (bob,) = gold.people(cast.project)
    assert [dice for _, dice in bob.checks] == [pytest.approx(0.75), 1.0]
    assert bob.trend == pytest.approx(0.25)
    text = logged_in(cast.maria).get(f"/projects/{cast.project.pk}/gold/").content.decode()
    assert "0.875" in text and "+0.250" in text


def test_a_manager_marks_gives_and_unmarks(cast: Cast, golden) -> None:
    client, base = logged_in(cast.maria), f"/projects/{cast.project.pk}/gold/"
    answer = client.post(f"{base}checks/", {"people": [cast.bob.pk, cast.rob.pk], "each": 1, "days": 0}, follow=True)
    text = answer.content.decode()
    assert "1 check is given." in text and "rob knows all gold cases but 0." in text
    client.post(f"{base}{golden.task_id}/", {"gold": "0"})
    assert not Task.objects.filter(gold=True).exists()
    client.post(f"{base}{golden.task_id}/")
    assert Task.objects.filter(gold=True).exists()


def test_a_form_that_makes_no_sense_gives_nothing(cast: Cast, golden) -> None:
    answer = logged_in(cast.maria).post(f"/projects/{cast.project.pk}/gold/checks/", {"each": 99, "days": "soon"})
    assert answer.status_code == 400 and "Choose at least one person." in answer.content.decode()
    assert not Assignment.objects.filter(kind="check").exists()
