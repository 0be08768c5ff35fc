"""An assignment's way: every move, by whom, from where; of several at once one is made, and each is a row."""

from __future__ import annotations

import pytest

from annotator.annotation import progress
from annotator.annotation.models import Assignment, Interaction, Transition
from annotator.annotation.progress import MOVES, MoveRefused
from tests.annotator.factories import Cast, make_cast
from tests.annotator.together import at_once

S = Assignment.State
NAMES = ("alice", "bob", "rob", "maria", "eve", "staff")
ANNOTATOR, REVIEWERS, MANAGERS = {"alice"}, {"rob", "maria", "staff"}, {"maria", "staff"}

#  move          from                                       to               by
TABLE = [
    ("start", {S.ASSIGNED, S.RETURNED}, S.IN_PROGRESS, ANNOTATOR),
    ("submit", {S.ASSIGNED, S.IN_PROGRESS, S.RETURNED}, S.SUBMITTED, ANNOTATOR),
    ("take_back", {S.SUBMITTED}, S.IN_PROGRESS, ANNOTATOR),
    ("skip", {S.ASSIGNED, S.IN_PROGRESS, S.RETURNED}, S.SKIPPED, ANNOTATOR),
    ("hand_back", {S.ASSIGNED, S.IN_PROGRESS, S.RETURNED}, S.HANDED_BACK, ANNOTATOR),
    ("withdraw", {S.ASSIGNED, S.IN_PROGRESS, S.RETURNED, S.SKIPPED}, S.HANDED_BACK, MANAGERS),
    ("accept", {S.SUBMITTED}, S.ACCEPTED, REVIEWERS),
    ("return", {S.SUBMITTED}, S.RETURNED, REVIEWERS),
    ("reopen", {S.ACCEPTED, S.SKIPPED}, S.RETURNED, MANAGERS),
]


def put(case: Assignment, state: str) -> Assignment:
    Assignment.objects.filter(pk=case.pk).update(state=state)
    return Assignment.objects.get(pk=case.pk)


def test_the_table_has_every_move() -> None:
    assert [row[0] for row in TABLE] == list(MOVES)


@pytest.mark.parametrize(("name", "before", "after", "by"), TABLE)
def test_who_may_make_which_move_from_where(cast: Cast, name: str, before: set[S], after: S, by: set[str]) -> None:
    for state in S:
        for who in NAMES:
            case, person = put(cast.alices, state), getattr(cast, who)
            if state in before and who in by:
                made = progress.make(name, person, case, "because")
                assert (made.before, made.after, made.person) == (state, after, person)
                assert case.state == Assignment.objects.get(pk=case.pk).state == after
            else:
                with pytest.raises(MoveRefused):
                    progress.make(name, person, case, "because")
                assert Assignment.objects.get(pk=case.pk).state == state
            offered = name in progress.moves(person, put(case, state))
            assert offered == (state in before and who in by and name != "start")


@pytest.mark.parametrize("name", ["skip", "return", "reopen"])
def test_what_stops_somebody_needs_a_reason(cast: Cast, name: str) -> None:
    case = put(cast.alices, min(MOVES[name].before))
    person = {"skip": cast.alice, "return": cast.rob, "reopen": cast.maria}[name]
    with pytest.raises(MoveRefused, match=f"Say why you {name} this case."):
        progress.make(name, person, case, "  ")
    assert progress.make(name, person, case, " The scan ends too early. ").reason == "The scan ends too early."


def test_a_move_that_does_not_exist(cast: Cast) -> None:
    with pytest.raises(MoveRefused, match="There is no move 'burn'"):
        progress.make("burn", cast.maria, cast.alices)


def test_a_stale_idea_of_the_state_makes_no_move(cast: Cast) -> None:
    old = Assignment.objects.get(pk=cast.alices.pk)
    progress.make("submit", cast.alice, cast.alices)
    with pytest.raises(MoveRefused, match="The case is submitted, so you cannot skip it"):
        progress.make("skip", cast.alice, old, "too noisy")


def test_nobody_reviews_their_own_work_unless_the_project_lets_them(cast: Cast) -> None:
    own = Assignment.objects.create(task=cast.bobs.task, person=cast.rob, reading=2, state=S.SUBMITTED)
    assert progress.moves(cast.rob, own) == ["take_back"]
    with pytest.raises(MoveRefused, match="You may not accept this case"):
        progress.make("accept", cast.rob, own)
    own.task.project.reviews_own = True
    assert progress.moves(cast.rob, own) == ["take_back", "accept", "return"]


def test_work_is_started_once(cast: Cast) -> None:
    progress.start(cast.alice, cast.alices)
    progress.start(cast.alice, cast.alices)
    assert [str(t) for t in Transition.objects.filter(assignment=cast.alices)] == ["assigned → in_progress"]


@pytest.mark.parametrize("state", S)
def test_masks_change_only_while_the_work_is_open(cast: Cast, state: S) -> None:
    case = put(cast.alices, state)
    with pytest.raises(MoveRefused, match="only its annotator"):
        progress.check_editable(cast.maria, case)
    if state in progress.EDITABLE:
        progress.check_editable(cast.alice, case)
    else:
        with pytest.raises(MoveRefused, match="its masks stay as they are"):
            progress.check_editable(cast.alice, case)


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_of_several_at_once_one_moves() -> None:
    cast = make_cast()
    put(cast.alices, S.SUBMITTED)
    people = [cast.rob, cast.maria, cast.staff] * 2
    names = ["accept", "return"] * 3

    def press(i: int) -> Transition:
        return progress.make(names[i], people[i], Assignment.objects.get(pk=cast.alices.pk), "because")

    results = at_once(6, press)
    assert sum(isinstance(result, Transition) for result in results) == 1
    assert Transition.objects.count() == 1
    assert not Interaction.objects.exists()
