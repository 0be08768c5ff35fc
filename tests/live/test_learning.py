"""The socket of a training: what its row says at once, then whenever it changes, to admins alone, until it is over."""

import json

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser
from django.urls import path

from annotator.learning.models import TrainingRun
from annotator.live import learning
from annotator.live.learning import TrainingConsumer
from tests.annotator.factories import make_person, make_version
from tests.live.conftest import in_database

APPLICATION = URLRouter([path("ws/learning/training/<int:run_id>/", TrainingConsumer.as_asgi())])


@pytest.fixture
def run(transactional_db, monkeypatch):
    monkeypatch.setattr(learning, "EVERY", 0.01)
    return TrainingRun.objects.create(begins_with=make_version())


@pytest.fixture
def admin(transactional_db):
    return make_person("admin", is_staff=True)


class Page:
    def __init__(self, run_id, person):
        url = f"/ws/learning/training/{run_id}/"
        scope = {"type": "websocket", "path": url, "headers": [], "query_string": b"", "user": person}
        self.application = ApplicationCommunicator(APPLICATION, scope)

    async def open(self):
        await self.application.send_input({"type": "websocket.connect"})
        assert (await self.output())["type"] == "websocket.accept"
        return self

    async def output(self):
        return await self.application.receive_output(10)

    async def told(self):
        return json.loads((await self.output())["text"])

    async def close(self):
        await self.application.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.application.wait()


@in_database
def change(run, **fields):
    TrainingRun.objects.filter(pk=run.pk).update(**fields)


async def test_a_page_is_told_how_far_the_run_is(run, admin):
    page = await Page(run.pk, admin).open()
    first = await page.told()
    assert (first["state"], first["step"], first["losses"], first["eta"]) == ("waiting", 0, [], "")
    assert await page.application.receive_nothing(0.1)  # nothing has changed
    curve = [{"step": 0, "dice": {"1": 0.5, "5": 0.6}}, {"step": 1, "loss": 0.25}]
    await change(run, state="running", stage="train", step=1, progress=0.5, eta_s=65.0, curve=curve)
    told = await page.told()
    assert (told["state"], told["stage"], told["step"], told["progress"], told["eta"]) == (
        "running", "train", 1, 0.5, "1:05",
    )  # fmt: skip
    assert (told["losses"], told["looks"]) == ([[1, 0.25]], [[0, 0.5, 0.6]])
    await change(run, state="done", is_only=None)
    assert (await page.told())["is_open"] is False
    assert await page.application.receive_nothing(0.1)
    await page.close()


async def test_who_is_turned_away(run, admin):
    alice = await in_database(make_person)("alice")
    for person, run_id, code in ((AnonymousUser(), run.pk, 4401), (alice, run.pk, 4404), (admin, run.pk + 1, 4404)):
        page = await Page(run_id, person).open()
        assert (await page.output())["code"] == code
        await page.close()
