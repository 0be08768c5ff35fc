"""Two people read a case blind; once both have submitted, a job says how far they agree, and pages show it."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from annotator.annotation import access, agreement, agreement_tables, assign, jobs, overlap, progress
from annotator.annotation.models import Agreement, Comparison, SliceMask, Task
from tests.annotator import factories
from tests.annotator.factories import Cast, box, outline


@pytest.fixture
def readings(cast: Cast):
    """Alice and Bob each outlined a liver of 2×4×4 voxels of 3×0.8×0.8 mm; Bob's lies one column further left."""
    alices, bobs = factories.make_double(cast.project, cast.alice, cast.bob, description="Twice")
    outline(alices, cast.liver, box((1, 3), (1, 5), (1, 5)))
    outline(bobs, cast.liver, box((1, 3), (1, 5), (2, 6)))
    return alices, bobs


def submit(*assignments) -> None:
    for one in assignments:
        progress.make("submit", one.person, one)


def page(person, project, *more) -> str:
    client = Client()
    client.force_login(person)
    answer = client.get("/".join([f"/projects/{project.pk}/agreement", *map(str, more)]) + "/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_two_readings_are_compared_once_both_are_submitted(cast: Cast, readings, at_once) -> None:
    with at_once():
        submit(readings[0])
    assert not Comparison.objects.exists()
    with at_once():
        submit(readings[1])
    comparison = Comparison.objects.get()
    assert (comparison.state, comparison.progress) == ("done", 1.0)
    assert (comparison.first, comparison.second) == readings
    of_slice, volume = (
        comparison.agreements.get(label=cast.liver, z=1),
        comparison.agreements.get(label=cast.liver, z=None),
    )
    assert of_slice.dice == pytest.approx(2 * 12 / 32) and volume.dice == pytest.approx(2 * 24 / 64)
    assert of_slice.hd95 == pytest.approx(0.8) and volume.hd95 == pytest.approx(0.8)
    assert volume.surface_dice == 1.0  # one column of 0.8 mm is within 2 mm
    assert volume.first_ml == volume.second_ml == pytest.approx(32 * 3 * 0.8 * 0.8 / 1000)
    nothing = comparison.agreements.get(label=cast.spleen)
    assert (nothing.z, nothing.dice, nothing.hd95, nothing.first_ml) == (None, None, None, 0.0)
    assert comparison.agreements.count() == 4


def test_what_a_newer_mask_covers_is_not_compared(cast: Cast, readings, at_once) -> None:
    outline(readings[0], cast.spleen, box((1, 3), (1, 5), (1, 3)))  # over half of Alice's liver
    with at_once():
        submit(*readings)
    liver = Agreement.objects.get(label=cast.liver, z=None)
    assert liver.first_ml == pytest.approx(liver.second_ml / 2)


def test_three_readings_are_three_pairs(cast: Cast, at_once) -> None:
    with at_once():
        submit(*factories.make_double(cast.project, cast.alice, cast.bob, cast.rob))
    assert Comparison.objects.filter(state="done").count() == 3


def test_a_single_reading_is_compared_with_nothing(cast: Cast, at_once) -> None:
    with at_once():
        submit(cast.alices)
    assert not Comparison.objects.exists()


# ------------------------------------------------------------------------------------------ blindness


def test_a_reviewer_who_reads_a_case_sees_the_other_reading_only_once_both_are_submitted(cast: Cast, at_once) -> None:
    robs, bobs = factories.make_double(cast.project, cast.rob, cast.bob)
    assert access.assignment_for(cast.rob, robs.pk) and not access.assignment_for(cast.rob, bobs.pk)
    assert access.assignment_for(cast.maria, bobs.pk)  # she reads nothing of it
    with at_once():
        submit(bobs)
    assert not access.assignment_for(cast.rob, bobs.pk)
    with at_once():
        submit(robs)
    assert access.assignment_for(cast.rob, bobs.pk)
    assert not access.assignment_for(cast.bob, robs.pk)  # an annotator sees nobody's work but their own


def test_nothing_of_it_is_seen_through_any_address(cast: Cast) -> None:
    _, bobs = factories.make_double(cast.project, cast.rob, cast.bob)
    client = Client()
    client.force_login(cast.rob)
    for address in ("api/assignments/%d/", "api/assignments/%d/masks/", "cases/%d/", "cases/%d/export/"):
        assert client.get("/" + address % bobs.pk).status_code == 404
    assert f"/cases/{bobs.pk}/" not in client.get("/").content.decode()


def test_staff_who_read_a_case_are_blind_as_well(cast: Cast) -> None:
    cast.project.memberships.create(person=cast.staff, role="annotator")
    _, bobs = factories.make_double(cast.project, cast.staff, cast.bob)
    assert not access.assignment_for(cast.staff, bobs.pk)


def test_what_both_have_submitted_is_not_taken_back(cast: Cast, readings, at_once) -> None:
    alices, bobs = readings
    with at_once():
        submit(alices)
        progress.make("take_back", cast.alice, alices)
        submit(alices, bobs)
    with pytest.raises(progress.MoveRefused):
        progress.make("take_back", cast.alice, alices)


def test_one_of_two_readings_is_not_accepted_by_itself_but_may_be_returned(cast: Cast, readings, at_once) -> None:
    with at_once():
        submit(*readings)
    with pytest.raises(progress.MoveRefused):
        progress.make("accept", cast.rob, readings[0])
    progress.make("return", cast.rob, readings[0], "The spleen is missing.")
    assert readings[0].state == "returned"


def test_the_queue_gives_a_case_with_two_readings_to_two_people(cast: Cast) -> None:
    task = Task.objects.create(project=cast.project, series=factories.make_series(), readings=2, priority=9)
    submit(cast.alices, cast.bobs)
    given = [assign.next_case(cast.project, person) for person in (cast.alice, cast.alice, cast.bob, cast.rob)]
    assert [one.task_id if one else None for one in given] == [task.pk, task.pk, task.pk, None]
    assert [one.reading for one in given if one] == [1, 1, 2]


# ------------------------------------------------------------------------------------------ the job


def test_a_returned_reading_is_compared_anew_when_it_is_submitted_again(cast: Cast, readings, at_once) -> None:
    alices, bobs = readings
    with at_once():
        submit(alices, bobs)
    progress.make("return", cast.rob, bobs, "Too far left.")
    SliceMask.objects.filter(assignment=bobs).delete()
    outline(bobs, cast.liver, box((1, 3), (1, 5), (1, 5)))
    with at_once():
        submit(bobs)
    assert Comparison.objects.count() == 1
    assert Agreement.objects.get(label=cast.liver, z=None).dice == 1.0


@pytest.fixture
def waiting(readings):
    """Both have submitted and no job has run."""
    submit(*readings)
    return Comparison.objects.get()


def test_of_several_deliveries_one_compares(cast: Cast, waiting, monkeypatch) -> None:
    runs = []
    figures = agreement.figures

    def counted(*arguments):
        runs.append(1)
        jobs.compare(waiting.pk)  # delivered again meanwhile
        return figures(*arguments)

    monkeypatch.setattr(agreement, "figures", counted)
    jobs.compare(waiting.pk)
    jobs.compare(waiting.pk)
    assert len(runs) == 1 and Agreement.objects.count() == 4


def test_a_job_that_was_taken_for_dead_writes_nothing(cast: Cast, waiting, monkeypatch) -> None:
    def overtaken(*arguments):
        Comparison.objects.update(heartbeat_at=timezone.now() + timedelta(seconds=1))
        return iter(())

    monkeypatch.setattr(agreement, "figures", overtaken)
    jobs.compare(waiting.pk)
    waiting.refresh_from_db()
    assert waiting.state == "running" and not Agreement.objects.exists()


def test_a_failure_is_one_sentence_and_leaves_the_older_figures(cast: Cast, readings, at_once, monkeypatch) -> None:
    with at_once():
        submit(*readings)
    comparison = Comparison.objects.get()
    monkeypatch.setattr(overlap, "visible", lambda *_: 1 / 0)
    with at_once():
        agreement.again(comparison)
    comparison.refresh_from_db()
    assert (comparison.state, comparison.error) == ("failed", agreement.UNEXPECTED)
    assert Agreement.objects.count() == 4


def test_a_reading_that_is_open_again_is_not_compared(cast: Cast, waiting) -> None:
    progress.make("return", cast.rob, waiting.first, "Again.")
    jobs.compare(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.error) == ("failed", agreement.OPEN)


def test_a_worker_that_starts_takes_up_what_waits_and_what_died(cast: Cast, waiting, monkeypatch) -> None:
    queued: list[int] = []
    monkeypatch.setattr(jobs.compare, "apply_async", lambda arguments: queued.extend(arguments))
    jobs.resume()
    assert queued == [waiting.pk]
    Comparison.objects.update(state="running", heartbeat_at=timezone.now())
    jobs.resume()
    assert queued == [waiting.pk]
    Comparison.objects.update(heartbeat_at=timezone.now() - agreement.SILENCE - timedelta(seconds=1))
    jobs.resume()
    assert queued == [waiting.pk] * 2


def test_a_broker_that_does_not_answer_costs_no_submission(cast: Cast, readings, monkeypatch, at_once) -> None:
    def refuse(pk):
        raise OSError("no broker")

    with at_once():
        monkeypatch.setattr(jobs.compare, "apply_async", refuse)
        submit(*readings)
    assert Comparison.objects.get().state == "waiting"


def test_what_runs_is_not_begun_again(cast: Cast, waiting) -> None:
    Comparison.objects.update(state="running", heartbeat_at=timezone.now())
    with pytest.raises(agreement.CompareRefused, match="is running"):
        agreement.again(waiting)


# ------------------------------------------------------------------------------------------ pages


def test_the_page_shows_who_agrees_with_whom(cast: Cast, readings, at_once) -> None:
    with at_once():
        submit(*readings)
    found = agreement_tables.matrix(cast.project, cast.liver)
    assert found.names == ["alice", "bob"]
    cell = agreement_tables.Cell(0.75, 1)
    assert found.rows == [("alice", [None, cell]), ("bob", [cell, None])]
    text = page(cast.rob, cast.project)
    assert "0.750" in text and "to be adjudicated" in text and "Twice" in text
    assert "0.750" in page(cast.maria, cast.project, readings[0].task_id)


def test_the_order_of_two_readers_does_not_matter_in_the_matrix(cast: Cast, readings, at_once) -> None:
    bobs, alices = factories.make_double(cast.project, cast.bob, cast.alice)
    for one in (bobs, alices):
        outline(one, cast.liver, box((1, 3), (1, 5), (1, 5)))
    with at_once():
        submit(*readings, bobs, alices)
    alice_with_bob = agreement_tables.matrix(cast.project, None).rows[0][1][1]
    assert alice_with_bob == agreement_tables.Cell((0.75 + 1) / 2, 2)


def test_of_many_people_those_are_shown_who_share_the_most(cast: Cast, readings, at_once, monkeypatch) -> None:
    pair = factories.make_double(cast.project, cast.bob, cast.rob)
    with at_once():
        submit(*readings, *pair)
    monkeypatch.setattr(agreement_tables, "MOST_PEOPLE", 2)
    outline(pair[0], cast.liver, box((1, 3), (1, 5), (1, 5)))
    with at_once():
        agreement.again(Comparison.objects.get(first=pair[0]))
    found = agreement_tables.matrix(cast.project, None)
    assert (found.names, found.left_out) == (["alice", "bob"], 1)
    assert "1 more person has fewer cases in common" in page(cast.maria, cast.project)


def test_an_empty_page_says_what_to_do(cast: Cast) -> None:
    assert "No case is read by two people yet." in page(cast.maria, cast.project)


def test_a_case_that_waits_for_its_readers_shows_no_figures(cast: Cast, readings) -> None:
    assert "0 of 2 submitted" in page(cast.maria, cast.project)
    assert "Compare again" not in page(cast.maria, cast.project, readings[0].task_id)


def test_csv_has_the_figures_and_no_formula(cast: Cast, readings, at_once) -> None:
    cast.liver.name = "=1+1"
    cast.liver.save()
    with at_once():
        submit(*readings)
    client = Client()
    client.force_login(cast.maria)
    whole = client.get(f"/projects/{cast.project.pk}/agreement.csv").content.decode().splitlines()
    assert whole[0].startswith("case,first,second,label,slice,dice")
    assert whole[1] == "Twice,alice,bob,'=1+1,all,0.7500,1.0000,0.8000,0.0614,0.0614"
    task = client.get(f"/projects/{cast.project.pk}/agreement/{readings[0].task_id}.csv").content.decode()
    assert len(task.splitlines()) == 1 + 4


def test_the_button_compares_again(cast: Cast, readings, at_once) -> None:
    with at_once():
        submit(*readings)
    Agreement.objects.all().delete()
    client = Client()
    client.force_login(cast.maria)
    with at_once():
        answer = client.post(f"/projects/{cast.project.pk}/agreement/{readings[0].task_id}/again/")
    assert answer.status_code == 302 and Agreement.objects.count() == 4


def test_a_case_of_another_project_is_not_there(cast: Cast, readings) -> None:
    client = Client()
    client.force_login(cast.eve)
    assert client.get(f"/projects/{cast.elsewhere.pk}/agreement/{readings[0].task_id}/").status_code == 404


def test_the_page_asks_the_database_as_often_whatever_there_is(
    cast: Cast, at_once, django_assert_max_num_queries
) -> None:
    for _ in range(8):
        pair = factories.make_double(cast.project, cast.alice, cast.bob)
        for one in pair:
            outline(one, cast.liver, np.ones(factories.SHAPE, bool))
        with at_once():
            submit(*pair)
    client = Client()
    client.force_login(cast.maria)
    with django_assert_max_num_queries(25):
        client.get(f"/projects/{cast.project.pk}/agreement/")
