"""Which window works on a case: the first one, until another takes over, or it is gone, or the case moves on."""

from datetime import timedelta

import pytest
from channels.consumer import AsyncConsumer

from annotator.annotation import lease, progress
from annotator.annotation.models import Interaction, Membership
from annotator.protocol import (
    AddClick,
    Error,
    Hello,
    Lease,
    MaskFrame,
    News,
    Preview,
    PreviewClick,
    Saved,
    Stored,
    TakeOver,
)
from tests.annotator.factories import make_person
from tests.live.conftest import in_database

pytestmark = pytest.mark.usefixtures("worker")
Z = 5


class Clock:
    def __init__(self):
        self.ahead = timedelta()

    def __call__(self):
        return real_now() + self.ahead


real_now = lease.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(lease, "now", clock)
    return clock


async def opened(connect, case, person=None):
    """A window that has been greeted, and the lease as it was told then."""
    window = await connect(case.pk, person or case.person)
    await window.send(Hello(3, window.name))
    return window, await window.receive_until(Lease)


def click(labels, sequence, x=20):
    return AddClick(sequence, labels["liver"], Z, 22, x, True)


async def test_the_second_window_looks_on_until_it_takes_over_and_the_first_is_told(case, labels, connect):
    here, mine = await opened(connect, case)
    there, theirs = await opened(connect, case)
    assert (mine.mine, theirs.mine, theirs.person) == (True, False, "annotator") and theirs.since == mine.since
    await there.send(click(labels, 1))
    error = await there.receive_until(Error)
    assert (error.code, error.sequence) == ("lease", 1)
    await there.send(TakeOver())
    assert (await there.receive_until(Lease)).mine
    assert not (await here.receive_until(Lease)).mine
    await there.send(click(labels, 1))
    await there.receive_until(Saved)
    await here.send(click(labels, 2))
    assert (await here.receive_until(Error)).code == "lease"
    assert await in_database(Interaction.objects.count)() == 1
    await here.send(TakeOver())
    assert (await here.receive_until(Lease)).mine
    await here.send(click(labels, 2, 24))
    assert (await here.receive_until(Stored)).sequence == 2


async def test_what_was_stored_before_the_lease_was_lost_is_answered_once_more(case, labels, connect):
    here, _ = await opened(connect, case)
    there, _ = await opened(connect, case)
    await here.send(click(labels, 1))
    await here.receive_until(Saved)
    await there.send(TakeOver())
    await there.receive_until(Lease)
    await here.send(click(labels, 1))
    assert (await here.receive_until(Stored)).sequence == 1
    await here.send(click(labels, 1, 30))
    assert (await here.receive_until(Error)).code == "lease"


async def test_a_window_that_looks_on_still_sees_previews(case, labels, connect):
    await opened(connect, case)
    there, _ = await opened(connect, case)
    await there.send(Preview(1, labels["liver"], Z, 0, (PreviewClick(22, 20, True),)))
    assert (await there.receive_until(MaskFrame)).kind == MaskFrame.PREVIEW


async def test_a_window_that_is_closed_passes_the_lease_on(case, connect):
    here, _ = await opened(connect, case)
    there, _ = await opened(connect, case)
    await here.close()
    assert (await there.receive_until(Lease)).mine


async def test_a_broken_line_keeps_it_for_a_while(case, labels, connect, clock):
    here, _ = await opened(connect, case)
    there, _ = await opened(connect, case)
    await here.application.send_input({"type": "websocket.disconnect", "code": 1006})
    await here.application.wait()
    await there.send(click(labels, 1))
    assert (await there.receive_until(Error)).code == "lease"
    clock.ahead = lease.ALIVE + timedelta(seconds=1)
    await there.send(click(labels, 1))
    assert (await there.receive_until(Stored)).sequence == 1


async def test_an_idle_window_gives_way_to_one_that_is_opened(case, connect, clock):
    here, _ = await opened(connect, case)
    clock.ahead = lease.IDLE + timedelta(seconds=1)
    _, theirs = await opened(connect, case)
    assert theirs.mine
    assert not (await here.receive_until(Lease)).mine


async def test_the_beat_of_a_window_that_looks_on_finds_the_lease_free(case, connect, clock, monkeypatch):
    monkeypatch.setattr(lease, "BEAT", timedelta(seconds=0.05))
    here, _ = await opened(connect, case)
    there, _ = await opened(connect, case)
    await here.application.send_input({"type": "websocket.disconnect", "code": 1006})
    await here.application.wait()
    clock.ahead = lease.ALIVE + timedelta(seconds=1)
    while not (await there.receive_until(Lease)).mine:
        pass


async def test_a_reviewer_sees_who_works_and_never_has_the_lease(case, connect):
    boss = await in_database(make_person)("boss")
    await in_database(Membership.objects.create)(project=case.task.project, person=boss, role="reviewer")
    window, held = await opened(connect, case, boss)
    assert held == Lease(False, "", "")
    await opened(connect, case)
    assert (await window.receive_until(Lease)).person == "annotator"
    await window.send(TakeOver())
    assert not (await window.receive_until(Lease)).mine


async def test_a_submitted_case_has_no_lease_and_one_that_is_taken_back_has_it_again(case, connect):
    window, _ = await opened(connect, case)
    await in_database(progress.make)("submit", case.person, case)
    assert await window.receive_until(Lease) == Lease(False, "", "")
    assert (await window.receive_until(News)).what == "progress"
    await in_database(progress.make)("take_back", case.person, case)
    assert (await window.receive_until(Lease)).mine


async def test_the_first_click_is_news_to_all_windows(case, labels, connect):
    here, _ = await opened(connect, case)
    there, _ = await opened(connect, case)
    await here.send(click(labels, 1))
    assert (await here.receive_until(News)).what == (await there.receive_until(News)).what == "progress"


async def test_a_window_that_goes_while_it_is_told_something_lets_go(case, labels, connect, monkeypatch):
    here, _ = await opened(connect, case)
    there, _ = await opened(connect, case)
    send = AsyncConsumer.send

    async def send_to_who_is_there(self, message):
        if self.window.name == here.name:
            raise OSError("The browser is gone.")
        await send(self, message)

    monkeypatch.setattr(AsyncConsumer, "send", send_to_who_is_there)
    await here.send(TakeOver())  # is answered, in vain
    await here.close()
    assert (await there.receive_until(Lease)).mine
