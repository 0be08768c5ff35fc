"""Review: the queue, the drawn share, return with comments, and a reviewer's own edited copy."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from annotator import masks
from annotator.annotation import comments, history, lease, progress, review, sample, slicemasks
from annotator.annotation.models import Assignment, Interaction, Lease, Membership, ReviewTurn, SliceMask, Task
from annotator.annotation.progress import MoveRefused
from annotator.annotation.review import ReviseRefused
from annotator.annotation.truth import ground_truth
from annotator.events import language
from annotator.events.models import Event, Notice
from annotator.protocol import Paint
from tests.annotator.factories import SHAPE, Cast, assign, make_cast, make_person
from tests.annotator.together import at_once

S = Assignment.State


def paint(case: Assignment, rows: int) -> None:
    """Fills so many rows of slice 1 with liver, as the case's person does."""
    label = case.task.project.labels.get(name="liver")
    mask = np.zeros(SHAPE[1:], bool)
    mask[:rows] = True
    sequence = history.state(case.pk).last_sequence + 1
    encoded = masks.encode(mask)
    history.record(case.pk, case.person_id, Paint(sequence, label.pk, 1, "brush", base64.b64encode(encoded).decode()))
    slicemasks.save(case.pk, label.pk, 1, sequence, sequence, encoded, None, (), case.person_id)


def rows_of(case: Assignment) -> int:
    return int(masks.decode(bytes(SliceMask.objects.get(assignment=case).mask))[:, 0].sum())


@pytest.fixture
def submitted(cast: Cast) -> Assignment:
    paint(cast.alices, 2)
    progress.make("submit", cast.alice, cast.alices)
    return cast.alices


def page(person: Any, address: str) -> str:
    client = Client()
    client.force_login(person)
    return client.get(address, follow=True).content.decode()


# ------------------------------------------------------------------------------------------ the queue


def test_submitted_cases_wait_the_oldest_first(cast: Cast) -> None:
    progress.make("submit", cast.bob, cast.bobs)
    progress.make("submit", cast.alice, cast.alices)
    assert list(review.queue(cast.rob, cast.project)) == [cast.bobs, cast.alices]
    assert review.next_case(cast.rob, cast.project) == cast.bobs
    progress.make("accept", cast.rob, cast.bobs)
    assert review.next_case(cast.rob, cast.project) == cast.alices
    assert "Review next" in page(cast.rob, f"/projects/{cast.project.pk}/review/")


def test_the_queue_shows_fifty_at_a_time(cast: Cast) -> None:
    for _ in range(51):
        progress.make("submit", cast.alice, assign(cast.project, cast.alice))
    address = f"/projects/{cast.project.pk}/review/"
    assert "51 cases wait for your review" in page(cast.rob, address) and "Page 1 of 2" in page(cast.rob, address)
    assert page(cast.rob, f"{address}?page=2").count("<time ") == 1


def test_two_reviewers_are_handed_different_cases(cast: Cast) -> None:
    progress.make("submit", cast.bob, cast.bobs)
    progress.make("submit", cast.alice, cast.alices)
    assert [review.next_case(cast.rob, cast.project) for _ in range(2)] == [cast.bobs, cast.bobs]
    assert review.next_case(cast.maria, cast.project) == cast.alices
    assert review.next_case(cast.staff, cast.project) is None
    address = f"/projects/{cast.project.pk}/review/next/"
    assert "Other reviewers have just opened all cases that wait" in page(cast.staff, address)
    ReviewTurn.objects.filter(person=cast.rob).update(at=timezone.now() - review.TURN - timedelta(seconds=1))
    assert review.next_case(cast.staff, cast.project) == cast.bobs


def test_who_opens_a_case_from_the_list_has_it_in_hand(cast: Cast, submitted: Assignment) -> None:
    page(cast.alice, f"/cases/{submitted.pk}/")  # her own: not hers to review
    assert not ReviewTurn.objects.exists()
    page(cast.rob, f"/cases/{submitted.pk}/")
    page(cast.maria, f"/cases/{submitted.pk}/")  # he was first
    assert ReviewTurn.objects.get().person == cast.rob and review.next_case(cast.maria, cast.project) is None


def test_what_a_reviewer_edits_is_handed_to_no_other_however_long_it_takes(cast: Cast, submitted: Assignment) -> None:
    lease.hold(lease.Window(review.revise(submitted, cast.rob).pk, cast.rob.pk, "window"))
    assert review.next_case(cast.maria, cast.project) is None
    assert review.next_case(cast.rob, cast.project) == submitted
    Lease.objects.update(alive_at=timezone.now() - 2 * lease.ALIVE)
    ReviewTurn.objects.all().delete()
    assert review.next_case(cast.maria, cast.project) == submitted


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_ten_reviewers_at_once_are_handed_different_cases() -> None:
    cast = make_cast()
    people = [make_person(f"reviewer{i}") for i in range(10)]
    Membership.objects.bulk_create(Membership(project=cast.project, person=one, role="reviewer") for one in people)
    for _ in range(8):
        progress.make("submit", cast.alice, assign(cast.project, cast.alice))
    handed = at_once(10, lambda i: review.next_case(people[i], cast.project))
    cases = [case for case in handed if case is not None]
    assert not any(isinstance(case, Exception) for case in cases)
    assert len({case.pk for case in cases}) == len(cases) == 8


def test_an_empty_queue_says_so(cast: Cast) -> None:
    assert "No case of Abdomen waits for your review." in page(cast.rob, f"/projects/{cast.project.pk}/review/next/")


def test_the_queue_has_neither_pairs_nor_checks_nor_own_work(cast: Cast) -> None:
    pair, check, own = cast.alices, cast.bobs, assign(cast.project, cast.rob)
    pair.task.readings = 2
    pair.task.save()
    Assignment.objects.filter(pk=check.pk).update(kind=Assignment.Kind.CHECK)
    for case in (pair, check, own):
        progress.make("submit", case.person, Assignment.objects.get(pk=case.pk))
    assert not review.queue(cast.rob, cast.project).exists()
    cast.project.reviews_own = True
    cast.project.save()
    assert list(review.queue(cast.rob, cast.project)) == [own]


def test_annotators_and_outsiders_have_no_queue(cast: Cast, submitted: Assignment) -> None:
    for person in (cast.alice, cast.bob, cast.eve):
        assert not review.queue(person, cast.project).exists()


# ------------------------------------------------------------------------------------------ the drawn share


@pytest.mark.parametrize(("share", "state"), [(1.0, S.SUBMITTED), (0.0, S.ACCEPTED)])
def test_what_is_not_drawn_is_accepted_by_nobody(cast: Cast, share: float, state: S) -> None:
    cast.project.review_share = share
    cast.project.save()
    cast.alices.task.project.refresh_from_db()
    progress.make("submit", cast.alice, cast.alices)
    assert cast.alices.state == Assignment.objects.get(pk=cast.alices.pk).state == state
    last = cast.alices.transitions.latest("pk")
    assert (last.after, last.person) == (state, None if state == S.ACCEPTED else cast.alice)


def test_the_share_is_about_that_of_the_project(cast: Cast) -> None:
    drawn = [sample.drawn(pk) for pk in range(2000)]
    assert 0.27 < np.mean([number < 0.3 for number in drawn]) < 0.33
    assert drawn == [sample.drawn(pk) for pk in range(2000)]


def test_a_case_that_came_back_once_is_seen_again(cast: Cast, submitted: Assignment) -> None:
    progress.make("return", cast.rob, submitted, "The dome")
    submitted.task.project.review_share = 0.0
    progress.make("submit", cast.alice, submitted)
    assert submitted.state == S.SUBMITTED


# ------------------------------------------------------------------------------------------ return and accept


def test_a_reason_that_nobody_wrote_is_in_the_language_of_whoever_gets_the_case_back(
    cast: Cast, submitted: Assignment
) -> None:
    language.remember(cast.alice, "de")
    for z in (1, 2):
        comments.add(cast.rob, submitted, "Here", z)
    assert progress.make("return", cast.rob, submitted).reason == "Siehe die 2 offenen Kommentare."


def test_open_comments_are_reason_enough_to_return(cast: Cast, submitted: Assignment) -> None:
    with pytest.raises(MoveRefused, match="Say why"):
        progress.make("return", cast.rob, submitted)
    said = comments.add(cast.rob, submitted, "Here", 1)
    made = progress.make("return", cast.rob, submitted)
    assert (made.after, made.reason) == (S.RETURNED, "See the open comment.")
    notice = Notice.objects.get(person=cast.alice)
    assert (notice.kind, notice.url) == (Notice.Kind.RETURNED, f"/cases/{submitted.pk}/")
    comments.resolve(cast.alice, said, True)
    progress.make("submit", cast.alice, submitted)
    with pytest.raises(MoveRefused, match="Say why"):
        progress.make("return", cast.rob, submitted)


def test_every_move_is_on_record(cast: Cast, submitted: Assignment) -> None:
    progress.make("return", cast.rob, submitted, "The dome")
    progress.make("submit", cast.alice, submitted)
    progress.make("accept", cast.rob, submitted)
    progress.make("reopen", cast.maria, submitted, "A lesion was missed")
    lines = [(line.person, line.verb) for line in Event.objects.order_by("pk")]
    assert lines == [
        ("alice", "submitted"), ("rob", "returned"), ("alice", "submitted"), ("rob", "accepted"), ("maria", "reopened"),
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------ a revision


def test_a_reviewer_edits_a_copy_that_is_accepted_with_the_reading(cast: Cast, submitted: Assignment) -> None:
    revision = review.revise(submitted, cast.rob)
    assert (revision.kind, revision.revises, revision.state) == (Assignment.Kind.REVISION, submitted, S.IN_PROGRESS)
    assert rows_of(revision) == 2 and revision.interactions.get().person == cast.alice
    assert review.revise(submitted, cast.rob) == revision
    paint(revision, 4)
    progress.make("submit", cast.rob, revision)
    submitted.refresh_from_db()
    assert (revision.state, submitted.state) == (S.ACCEPTED, S.ACCEPTED)
    assert (rows_of(submitted), rows_of(revision)) == (2, 4)
    truth = ground_truth(submitted.task)
    assert truth == revision


def test_a_revision_is_refused_where_the_reading_has_moved_on(cast: Cast, submitted: Assignment) -> None:
    revision = review.revise(submitted, cast.rob)
    progress.make("take_back", cast.alice, submitted)
    with pytest.raises(MoveRefused, match="alice has worked on this case since"):
        progress.make("submit", cast.rob, revision)
    assert Assignment.objects.get(pk=revision.pk).state == S.IN_PROGRESS
    paint(submitted, 3)
    progress.make("submit", cast.alice, submitted)
    with pytest.raises(MoveRefused, match="alice has worked on this case since"):
        progress.make("submit", cast.rob, Assignment.objects.get(pk=revision.pk))
    assert Assignment.objects.get(pk=submitted.pk).state == S.SUBMITTED


def test_a_revision_that_is_taken_up_again_has_what_the_reading_has_by_then(cast: Cast, submitted: Assignment) -> None:
    revision = review.revise(submitted, cast.rob)
    progress.make("hand_back", cast.rob, revision)
    progress.make("return", cast.rob, submitted, "The dome")
    paint(submitted, 5)
    progress.make("submit", cast.alice, submitted)
    again = review.revise(submitted, cast.rob)
    assert again == revision and again.state == S.IN_PROGRESS and rows_of(again) == 5
    assert Interaction.objects.filter(assignment=again).count() == 2
    progress.make("submit", cast.rob, again)
    assert ground_truth(submitted.task) == again


def test_a_case_that_is_opened_again_has_no_ground_truth(cast: Cast, submitted: Assignment) -> None:
    revision = review.revise(submitted, cast.rob)
    progress.make("submit", cast.rob, revision)
    submitted.refresh_from_db()
    progress.make("reopen", cast.maria, submitted, "A lesion was missed")
    assert ground_truth(submitted.task) is None
    progress.make("submit", cast.alice, submitted)
    progress.make("accept", cast.rob, submitted)
    assert ground_truth(submitted.task) == submitted


def test_what_is_said_of_a_revision_is_said_of_its_reading(cast: Cast, submitted: Assignment) -> None:
    revision = review.revise(submitted, cast.rob)
    said = comments.add(cast.rob, revision, "I moved the edge", 1)
    assert list(comments.thread(submitted)) == [said]


def test_a_revision_moves_only_with_its_reading(cast: Cast, submitted: Assignment) -> None:
    revision = review.revise(submitted, cast.rob)
    assert progress.moves(cast.rob, revision) == ["submit", "hand_back"]
    progress.make("submit", cast.rob, revision)
    assert progress.moves(cast.maria, revision) == []


def test_who_may_not_edit(cast: Cast, submitted: Assignment) -> None:
    for person in (cast.alice, cast.bob, cast.eve, cast.staff):  # staff is no member
        with pytest.raises(ReviseRefused):
            review.revise(submitted, person)
    progress.make("accept", cast.rob, submitted)
    with pytest.raises(ReviseRefused):
        review.revise(submitted, cast.rob)


def test_own_work_is_edited_only_where_the_project_says_so(cast: Cast, submitted: Assignment) -> None:
    Membership.objects.filter(person=cast.alice).update(role="reviewer")
    with pytest.raises(ReviseRefused):
        review.revise(submitted, cast.alice)


# ------------------------------------------------------------------------------------------ the ground truth


def test_a_single_reading_is_the_truth_once_accepted_and_of_two_neither_is(cast: Cast, submitted: Assignment) -> None:
    assert ground_truth(submitted.task) is None
    progress.make("accept", cast.rob, submitted)
    assert ground_truth(submitted.task) == submitted
    Task.objects.filter(pk=submitted.task_id).update(readings=2)
    assert ground_truth(submitted.task) is None
    decided = Assignment.objects.create(
        task=submitted.task, person=cast.rob, kind=Assignment.Kind.ADJUDICATION, state=S.ACCEPTED
    )
    assert ground_truth(submitted.task) == decided
