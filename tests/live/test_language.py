"""Refusals come in the language of whoever is refused, window by window."""

import pytest

from annotator.annotation.models import Membership
from annotator.events import language
from annotator.protocol import PROTOCOL_VERSION, AddClick, Error, Hello, Propagate, Undo, View, Welcome
from tests.annotator.factories import make_person
from tests.live.conftest import in_database

pytestmark = pytest.mark.usefixtures("worker")


async def opened(connect, case, person):
    window = await connect(case.pk, person)
    await window.send(Hello(PROTOCOL_VERSION, window.name))
    await window.receive_until(Welcome)
    return window


async def test_a_refusal_is_in_its_reader_s_language(case, labels, connect):
    boss = await in_database(make_person)("boss")
    await in_database(Membership.objects.create)(project=case.task.project, person=boss, role="reviewer")
    await in_database(language.remember)(case.person, "de")
    german, english = await opened(connect, case, case.person), await opened(connect, case, boss)
    await english.send(AddClick(1, labels["liver"], 5, 22, 20, True))
    assert "only its annotator can change it" in (await english.receive_until(Error)).message
    await german.send(Undo(1))
    assert (await german.receive_until(Error)).message == "Es gibt nichts rückgängig zu machen."
    await german.send(AddClick(1, labels["liver"], 5, 999, 20, True))
    assert (await german.receive_until(Error)).message.startswith("Das liegt außerhalb des Volumens: ")


async def test_what_the_socket_itself_has_to_say_is_too(case, labels, connect):
    await in_database(language.remember)(case.person, "de")
    depth = (await in_database(lambda: case.task.series)()).depth
    window = await opened(connect, case, case.person)
    await window.send(View(labels["liver"], depth))
    assert (await window.receive_until(Error)).message == f"Das Volumen hat {depth} Schichten."
    await window.send(Propagate(1, labels["liver"], 6, 5, 6, False))
    sentence = "Schicht 6 hat keine Maske, von der aus es weitergehen könnte."
    assert (await window.receive_until(Error)).message == sentence
