"""Another model version is activated while people work: an open case keeps its own, the next that is opened has the new one."""

import asyncio
import shutil

import pytest

from annotator import engine as shipped
from annotator.annotation import lease, versions
from annotator.annotation.models import ModelVersion, SliceMask
from annotator.protocol import AddClick, Lease, MaskFrame, Preview, PreviewClick, Propagate, Saved, TakeOver
from tests.live.conftest import in_database

pytestmark = pytest.mark.usefixtures("worker")
Z = 5


@pytest.fixture
def old(case):
    return versions.active()


@pytest.fixture
def new(case, tmp_path):
    """A checkpoint in the storage that nobody has asked for yet."""
    path = tmp_path / "storage" / "models" / "new.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(shipped.default_checkpoint()[0], path)
    return ModelVersion.objects.create(name="new", sha256="f" * 64, path="models/new.safetensors")


async def activate(version):
    await in_database(versions.activate)(version)


async def clicked(window, labels, sequence, x=20):
    """The model version of a click's mask, once that is saved."""
    await window.send(AddClick(sequence, labels["liver"], Z, 22, x, True))
    while (frame := await window.receive_until(MaskFrame)).number != sequence:
        pass  # of another window
    await window.receive_until(Saved)
    return frame.model_version


async def break_line(window):
    await window.application.send_input({"type": "websocket.disconnect", "code": 1006})
    await window.application.wait()


async def again(connect, case, window):
    """The same window on another line, and what it was welcomed with."""
    other = await connect(case.pk, case.person)
    other.name = window.name
    return other, await other.hello()


async def test_an_open_case_keeps_its_version_until_it_is_opened_again(case, labels, connect, old, new):
    window = await connect(case.pk, case.person)
    assert (await window.hello()).model == old.name
    await activate(new)
    assert await clicked(window, labels, 1) == old.pk
    await window.send(Preview(1, labels["liver"], Z, 0, (PreviewClick(22, 20, True),)))
    assert (await window.receive_until(MaskFrame)).model_version == old.pk
    await window.send(Propagate(2, labels["liver"], Z + 1, Z, Z + 1, False))
    assert (await window.receive_until(MaskFrame)).model_version == old.pk
    await window.close()
    reopened = await connect(case.pk, case.person)
    assert (await reopened.hello()).model == "new"
    assert await clicked(reopened, labels, 3, 30) == new.pk
    made_by = in_database(lambda: set(SliceMask.objects.values_list("z", "model_version")))
    assert await made_by() == {(Z, new.pk), (Z + 1, old.pk)}


async def test_a_line_that_breaks_changes_nothing(case, labels, connect, old, new):
    window = await connect(case.pk, case.person)
    await window.hello()
    await activate(new)
    await break_line(window)
    window, welcome = await again(connect, case, window)
    assert welcome.model == old.name
    assert await clicked(window, labels, 1) == old.pk


async def test_going_back_is_the_same(case, labels, connect, old, new):
    await activate(new)
    window = await connect(case.pk, case.person)
    assert (await window.hello()).model == "new"
    await activate(old)
    assert (await window.hello()).model == "new"
    assert await clicked(window, labels, 1) == new.pk
    await window.close()
    reopened = await connect(case.pk, case.person)
    assert (await reopened.hello()).model == old.name
    assert await clicked(reopened, labels, 2, 30) == old.pk


async def test_each_window_has_its_own_and_takes_it_along_when_it_takes_over(case, labels, connect, old, new):
    here = await connect(case.pk, case.person)
    await here.hello()
    await activate(new)
    there = await connect(case.pk, case.person)
    assert (await there.hello()).model == "new"  # it looks on
    assert await clicked(here, labels, 1) == old.pk
    await there.send(TakeOver())
    await there.receive_until(Lease)
    assert await clicked(there, labels, 2, 30) == new.pk
    await activate(old)
    await break_line(there)
    there, welcome = await again(connect, case, there)
    assert welcome.model == "new"
    await here.send(TakeOver())
    assert await clicked(here, labels, 3, 25) == old.pk


async def test_who_lost_the_case_with_the_line_has_what_answers_now(case, connect, clock_ahead, old, new):
    window = await connect(case.pk, case.person)
    await window.hello()
    await activate(new)
    await break_line(window)
    clock_ahead(lease.ALIVE * 2)
    other = await connect(case.pk, case.person)
    await other.hello()
    _, welcome = await again(connect, case, window)
    assert welcome.model == "new"


@pytest.fixture
def clock_ahead(monkeypatch):
    now = lease.now

    def ahead(span):
        monkeypatch.setattr(lease, "now", lambda: now() + span)

    return ahead


async def test_what_is_activated_is_loaded_before_anybody_asks(case, engine, old, new):
    await activate(new)
    async with asyncio.timeout(20):
        while not engine.has(new.path):
            await asyncio.sleep(0.01)
    assert not engine.encoded
