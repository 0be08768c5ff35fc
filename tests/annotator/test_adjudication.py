"""A reviewer who read none of two readings decides between them; what they submit is the ground truth."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from django.test import Client

from annotator import masks
from annotator.annotation import access, adjudication, assign, history, progress, truth
from annotator.annotation.adjudication import AdjudicationRefused
from annotator.annotation.models import Assignment, Membership
from annotator.protocol import Paint, Undo
from tests.annotator import factories
from tests.annotator.factories import SHAPE, Cast, box, outline
from tests.annotator.together import at_once as together


@pytest.fixture
def readings(cast: Cast, at_once):
    """Alice and Bob agree on the liver of slice 1, differ on slice 2, and only Bob has it on slice 3."""
    alices, bobs = factories.make_double(cast.project, cast.alice, cast.bob, description="Twice")
    outline(alices, cast.liver, box((1, 3), (1, 5), (1, 5)))
    both = box((1, 2), (1, 5), (1, 5)) | box((2, 4), (1, 5), (2, 6))
    outline(bobs, cast.liver, both)
    with at_once():
        for one in (alices, bobs):
            progress.make("submit", one.person, one)
    return alices, bobs


@pytest.fixture
def task(readings):
    return readings[0].task


def take(case: Assignment, label, z: int, mask, tool: str = "first") -> None:
    """What the browser does when a reading's mask is taken."""
    sequence = history.state(case.pk).last_sequence + 1
    text = base64.b64encode(masks.encode(mask)).decode()
    history.record(case.pk, case.person_id, Paint(sequence, label.pk, z, tool, text, 0))


def test_it_begins_with_what_both_agree_on(cast: Cast, task) -> None:
    case = adjudication.begin(task, cast.maria)
    assert (case.kind, case.person, case.state) == ("adjudication", cast.maria, "assigned")
    kept = case.masks.get()
    assert (kept.label, kept.z) == (cast.liver, 1)
    np.testing.assert_array_equal(masks.decode(bytes(kept.mask)), box((1, 2), (1, 5), (1, 5))[1])
    assert history.state(case.pk).last_sequence == 1
    assert adjudication.undecided(case) == 2


def test_what_it_begins_with_can_be_undone_and_painted_over(cast: Cast, task) -> None:
    case = adjudication.begin(task, cast.maria)
    history.record(case.pk, cast.maria.pk, Undo(2))
    assert history.state(case.pk).clicks == ()


def test_submitting_it_accepts_it_and_both_readings(cast: Cast, readings, task) -> None:
    case = adjudication.begin(task, cast.maria)
    for z in (2, 3):
        take(case, cast.liver, z, box((z, z + 1), (1, 5), (1, 5))[z])
    assert truth.ground_truth(task) is None
    progress.make("submit", cast.maria, case)
    assert case.state == "accepted"
    for one in readings:
        one.refresh_from_db()
        last = one.transitions.last()
        assert (one.state, last.person, last.reason) == ("accepted", None, "adjudicated")
    assert truth.ground_truth(task) == case


def test_it_is_not_submitted_while_masks_differ_that_nobody_decided(cast: Cast, readings, task) -> None:
    case = adjudication.begin(task, cast.maria)
    take(case, cast.liver, 2, box((2, 3), (1, 5), (1, 5))[2])
    with pytest.raises(progress.MoveRefused, match="differ on 1 mask more"):
        progress.make("submit", cast.maria, case)
    assert case.state == "assigned" and Assignment.objects.filter(state="accepted").count() == 0
    take(case, cast.liver, 3, np.zeros(SHAPE[1:], bool))  # that there is none is a decision as well
    progress.make("submit", cast.maria, case)


def test_the_readings_come_as_what_each_label_has(cast: Cast, readings, task) -> None:
    outline(readings[0], cast.spleen, box((1, 2), (1, 5), (1, 3)))  # newer, so it has half of the liver's voxels
    case = adjudication.begin(task, cast.maria)
    client = Client()
    client.force_login(cast.maria)
    first, second = client.get(f"/api/assignments/{case.pk}/readings/").json()["readings"]
    assert (first["person"], second["person"]) == ("alice", "bob")
    found = {(label, z): masks.decode(base64.b64decode(text)) for label, z, text in first["masks"]}
    assert found[cast.spleen.pk, 1].sum() == 8 and found[cast.liver.pk, 1].sum() == 8
    assert [(label, z) for label, z, _ in second["masks"]] == [(cast.liver.pk, z) for z in (1, 2, 3)]


def test_only_the_case_of_an_adjudication_says_where_its_readings_are(cast: Cast, readings, task) -> None:
    client = Client()
    client.force_login(cast.maria)
    case = adjudication.begin(task, cast.maria)
    links = client.get(f"/api/assignments/{case.pk}/").json()["links"]
    assert links["readings"] == f"/api/assignments/{case.pk}/readings/"
    assert "readings" not in client.get(f"/api/assignments/{readings[0].pk}/").json()["links"]
    assert client.get(f"/api/assignments/{readings[0].pk}/readings/").status_code == 404


def test_readers_and_others_do_not_see_it_through_the_readings(cast: Cast, task) -> None:
    case = adjudication.begin(task, cast.maria)
    for person, status in ((cast.alice, 404), (cast.eve, 404), (cast.rob, 200)):
        client = Client()
        client.force_login(person)
        assert client.get(f"/api/assignments/{case.pk}/readings/").status_code == status


def test_pressed_twice_it_is_the_same_one(cast: Cast, task) -> None:
    assert adjudication.begin(task, cast.maria) == adjudication.begin(task, cast.maria)


def test_the_button_opens_the_case(cast: Cast, task) -> None:
    client = Client()
    client.force_login(cast.rob)
    answer = client.post(f"/projects/{cast.project.pk}/agreement/{task.pk}/adjudicate/")
    case = Assignment.objects.get(kind="adjudication")
    assert answer["Location"] == f"/cases/{case.pk}/" and case.person == cast.rob


# ------------------------------------------------------------------------------------------ refusals


def test_one_person_has_it(cast: Cast, task) -> None:
    adjudication.begin(task, cast.maria)
    with pytest.raises(AdjudicationRefused, match="maria adjudicates this case"):
        adjudication.begin(task, cast.rob)


def test_somebody_else_may_take_what_was_handed_back(cast: Cast, task) -> None:
    case = adjudication.begin(task, cast.maria)
    progress.make("hand_back", cast.maria, case)
    assert adjudication.begin(task, cast.rob).person == cast.rob


def test_whoever_handed_it_back_goes_on_where_they_were(cast: Cast, task) -> None:
    case = adjudication.begin(task, cast.maria)
    progress.make("hand_back", cast.maria, case)
    again = adjudication.begin(task, cast.maria)
    assert (again, again.state, again.masks.count()) == (case, "assigned", 1)


@pytest.mark.parametrize("name", ["alice", "bob", "eve"])
def test_readers_annotators_and_outsiders_do_not_adjudicate(cast: Cast, task, name: str) -> None:
    with pytest.raises(AdjudicationRefused):
        adjudication.begin(task, getattr(cast, name))


def test_a_manager_who_read_it_does_not_adjudicate(cast: Cast, at_once) -> None:
    pair = factories.make_double(cast.project, cast.maria, cast.bob)
    with at_once():
        for one in pair:
            progress.make("submit", one.person, one)
    with pytest.raises(AdjudicationRefused, match="who read none"):
        adjudication.begin(pair[0].task, cast.maria)
    Membership.objects.filter(person=cast.bob).update(role="reviewer")
    assert not access.may_adjudicate(cast.bob, pair[0].task)


def test_staff_who_are_no_members_do_not_adjudicate(cast: Cast, task) -> None:
    with pytest.raises(AdjudicationRefused, match="Only members"):
        adjudication.begin(task, cast.staff)


def test_both_must_have_submitted(cast: Cast) -> None:
    task = factories.make_double(cast.project, cast.alice, cast.bob)[0].task
    with pytest.raises(AdjudicationRefused, match="once two people have read it"):
        adjudication.begin(task, cast.maria)
    assert not Assignment.objects.filter(kind="adjudication").exists()


def test_a_reading_that_was_returned_meanwhile_keeps_it_from_being_submitted(cast: Cast, readings, task) -> None:
    case = adjudication.begin(task, cast.maria)
    progress.make("return", cast.rob, readings[1], "The spleen is missing.")
    with pytest.raises(progress.MoveRefused, match="both have submitted"):
        progress.make("submit", cast.maria, case)


def test_an_adjudication_takes_no_reading_from_the_queue(cast: Cast, task) -> None:
    adjudication.begin(task, cast.maria)
    assert not assign.waiting(cast.project).filter(pk=task.pk).exists()


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_of_two_who_press_at_once_one_has_it() -> None:
    cast = factories.make_cast()
    pair = factories.make_double(cast.project, cast.alice, cast.bob)
    Assignment.objects.filter(pk__in=[one.pk for one in pair]).update(state="submitted")
    people = (cast.maria, cast.rob)
    got = together(2, lambda i: adjudication.begin(pair[0].task, people[i]))
    assert sorted(type(one).__name__ for one in got) == ["AdjudicationRefused", "Assignment"]
    assert Assignment.objects.filter(kind="adjudication").count() == 1
