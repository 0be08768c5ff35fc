"""The lease: one window works, whichever way two come at once; time is what the test says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from annotator.annotation import lease
from annotator.annotation.lease import Window
from annotator.annotation.models import Lease
from tests.annotator.factories import Cast, make_cast
from tests.annotator.together import at_once


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 11, 28, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def pass_(self, **span: float) -> None:
        self.time += timedelta(**span)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(lease, "now", clock)
    return clock


@pytest.fixture
def here(cast: Cast) -> Window:
    return Window(cast.alices.pk, cast.alice.pk, "here")


@pytest.fixture
def there(cast: Cast) -> Window:
    return Window(cast.alices.pk, cast.alice.pk, "there")


def has_it(window: Window) -> bool:
    return lease.is_of(lease.holder(window.assignment_id), window)


def test_the_first_window_has_it_and_the_second_looks_on(clock: Clock, here: Window, there: Window) -> None:
    assert lease.begin(here) and not lease.begin(there) and not lease.hold(there)
    held = lease.holder(here.assignment_id)
    assert held and (str(held.person), held.since) == ("alice", clock.time)


def test_to_open_the_case_again_keeps_since_when(clock: Clock, here: Window) -> None:
    lease.begin(here)
    begun = clock.time
    clock.pass_(minutes=5)
    assert lease.begin(here) and lease.hold(here)
    held = lease.holder(here.assignment_id)
    assert held and held.since == begun


def test_a_window_takes_over_when_its_person_says_so(clock: Clock, here: Window, there: Window) -> None:
    lease.begin(here)
    assert lease.take_over(there) and has_it(there)
    assert not lease.hold(here) and not lease.beat(here, clock.time)
    assert lease.take_over(here) and has_it(here)


def test_a_window_that_has_gone_leaves_it_free(clock: Clock, here: Window, there: Window) -> None:
    lease.begin(here)
    assert lease.let_go(here) and not lease.let_go(there)
    assert lease.holder(here.assignment_id) is None
    assert lease.hold(there)


def test_it_is_free_half_a_minute_after_the_last_sign_of_life(clock: Clock, here: Window, there: Window) -> None:
    lease.begin(here)
    clock.pass_(seconds=25)
    assert lease.beat(here, clock.time)
    clock.pass_(seconds=30)
    assert not lease.hold(there) and has_it(here)
    clock.pass_(seconds=1)
    assert lease.holder(here.assignment_id) is None
    assert lease.hold(there)


def test_whoever_lost_the_line_goes_on_where_nobody_came(clock: Clock, here: Window) -> None:
    lease.begin(here)
    clock.pass_(hours=2)
    assert lease.hold(here) and has_it(here)


def test_an_idle_window_gives_way_to_one_that_is_opened(clock: Clock, here: Window, there: Window) -> None:
    lease.begin(here)
    acted = clock.time
    clock.pass_(minutes=10)
    lease.beat(here, acted)
    assert not lease.begin(there)
    clock.pass_(seconds=1)
    lease.beat(here, acted)
    assert not lease.hold(there)  # nobody opened it
    assert lease.begin(there)


def test_every_case_has_its_own(cast: Cast, here: Window) -> None:
    assert lease.begin(here) and lease.begin(Window(cast.bobs.pk, cast.bob.pk, "here"))


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("take", [lease.hold, lease.begin])
@pytest.mark.parametrize("is_left", [False, True])
def test_of_several_at_once_one_has_it(take, is_left: bool) -> None:
    cast = make_cast()
    if is_left:
        long_ago = lease.now() - timedelta(hours=1)
        clocks = {"since": long_ago, "alive_at": long_ago, "acted_at": long_ago}
        Lease.objects.create(assignment=cast.alices, person=cast.alice, window="old", **clocks)
    windows = [Window(cast.alices.pk, cast.alice.pk, f"window {i}") for i in range(6)]
    taken = at_once(6, lambda i: take(windows[i]))
    assert sum(taken) == 1
    assert has_it(windows[taken.index(True)])
