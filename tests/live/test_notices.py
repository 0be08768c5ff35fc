"""The bell's socket: the count at once, each notice as it comes, nothing for whoever is not logged in."""

import json

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.layers import channel_layers
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser
from django.urls import path

from annotator.events import notices
from annotator.live.notices import NoticeConsumer
from tests.annotator.factories import make_person
from tests.live.conftest import in_database

APPLICATION = URLRouter([path("ws/notices/", NoticeConsumer.as_asgi())])


@pytest.fixture
def alice(transactional_db):
    channel_layers.backends.clear()  # a layer belongs to one event loop
    return make_person("alice")


class Bell:
    def __init__(self, person):
        scope = {"type": "websocket", "path": "/ws/notices/", "headers": [], "query_string": b"", "user": person}
        self.application = ApplicationCommunicator(APPLICATION, scope)

    async def open(self):
        await self.application.send_input({"type": "websocket.connect"})
        assert (await self.output())["type"] == "websocket.accept"
        return self

    async def output(self):
        return await self.application.receive_output(10)

    async def news(self):
        frame = json.loads((await self.output())["text"])
        return frame["unseen"], frame["text"]

    async def close(self):
        await self.application.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.application.wait()


async def test_every_open_page_counts_along(alice):
    bells = [await Bell(alice).open() for _ in range(2)]
    assert [await bell.news() for bell in bells] == [(0, ""), (0, "")]
    told = await in_database(notices.tell)(alice, "returned", "/cases/1/", series="Abdomen", reason="The dome.")
    assert [await bell.news() for bell in bells] == [(1, "Abdomen came back: The dome.")] * 2
    await in_database(notices.see)(alice, told)
    assert [await bell.news() for bell in bells] == [(0, "")] * 2
    for bell in bells:
        await bell.close()


async def test_news_is_for_its_person_only(alice):
    bob = await in_database(make_person)("bob")
    bell = await Bell(alice).open()
    await bell.news()
    await in_database(notices.tell)(bob, "returned", "/", series="Abdomen", reason="For Bob.")
    await in_database(notices.tell)(alice, "returned", "/", series="Abdomen", reason="For Alice.")
    assert await bell.news() == (1, "Abdomen came back: For Alice.")
    await bell.close()


async def test_who_may_not_log_in_any_more_is_told_nothing(alice):
    bell = await Bell(alice).open()
    await bell.news()
    await in_database(type(alice).objects.filter(pk=alice.pk).update)(is_active=False)
    await in_database(notices.tell)(alice, "returned", "/", series="Abdomen", reason="A secret.")
    assert await bell.news() == (0, "")
    await bell.close()


async def test_nobody_is_turned_away(transactional_db):
    bell = await Bell(AnonymousUser()).open()
    assert await bell.output() == {"type": "websocket.close", "code": 4401}
