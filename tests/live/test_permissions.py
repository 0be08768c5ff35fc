"""Every message × everybody. A message that is not in the table fails the test, so that none is made without a thought."""

import base64

import numpy as np
import pytest

from annotator import masks, protocol
from annotator.annotation.models import Interaction, Membership
from annotator.protocol import Error, MaskFrame, Welcome
from tests.annotator.factories import make_person
from tests.live.conftest import in_database

pytestmark = pytest.mark.usefixtures("worker")
Z = 5
TAKEN, REFUSED = "taken", "read_only"

#  message          its annotator  reviewer  manager  staff       whoever else is turned away at the door
TABLE = {
    "hello": (TAKEN, TAKEN, TAKEN, TAKEN),
    "take_over": (TAKEN, TAKEN, TAKEN, TAKEN),  # only its annotator gets the lease by it: test_lease.py
    "view": (TAKEN, TAKEN, TAKEN, TAKEN),
    "preview": (TAKEN, TAKEN, TAKEN, TAKEN),
    "lock": (TAKEN, REFUSED, REFUSED, REFUSED),
    "add_click": (TAKEN, REFUSED, REFUSED, REFUSED),
    "move_click": (TAKEN, REFUSED, REFUSED, REFUSED),
    "delete_click": (TAKEN, REFUSED, REFUSED, REFUSED),
    "paint": (TAKEN, REFUSED, REFUSED, REFUSED),
    "propagate": (TAKEN, REFUSED, REFUSED, REFUSED),
    "undo": (TAKEN, REFUSED, REFUSED, REFUSED),
    "redo": (TAKEN, REFUSED, REFUSED, REFUSED),
}
PEOPLE = ("annotator", "reviewer", "manager", "staff")


def messages(label, name):
    """One of each, in an order in which each can be taken."""
    mask = np.zeros((48, 64), bool)
    mask[16:28, 12:28] = True
    return [
        protocol.Hello(protocol.PROTOCOL_VERSION, name),
        protocol.TakeOver(),
        protocol.View(label, Z),
        protocol.Preview(1, label, Z, 0, (protocol.PreviewClick(22, 20, True),)),
        protocol.AddClick(1, label, Z, 22, 20, True),
        protocol.MoveClick(2, 1, 22, 21),
        protocol.DeleteClick(3, 1),
        protocol.Paint(4, label, Z, "brush", base64.b64encode(masks.encode(mask)).decode()),
        protocol.Undo(5),
        protocol.Redo(6),
        protocol.Propagate(7, label, Z + 1, Z, Z + 1, False),
        protocol.Lock(label, True),
    ]


def test_the_table_has_every_message():
    assert set(TABLE) == set(protocol.CLIENT_MESSAGES) == {message.type for message in messages(1, "w")}


ANSWERS = {
    "hello": Welcome, "take_over": protocol.Lease, "preview": MaskFrame, "lock": protocol.Locks,
}  # fmt: skip


async def outcome(window, message):
    """What becomes of a message: "taken", or the code of the refusal."""
    await window.send(message)
    if message.type == "view":
        return TAKEN  # it has no answer
    expected = ANSWERS.get(message.type, protocol.Stored)
    answer = await window.receive_until((expected, Error))
    if expected is protocol.Stored and isinstance(answer, expected):
        await window.receive_until(protocol.Saved)
    return answer.code if isinstance(answer, Error) else TAKEN


@pytest.mark.parametrize(("column", "who"), list(enumerate(PEOPLE)))
async def test_who_may_send_what(case, labels, connect, column, who):
    person = case.person if who == "annotator" else await in_database(make_person)(who, is_staff=who == "staff")
    if who in ("reviewer", "manager"):
        await in_database(Membership.objects.create)(project=case.task.project, person=person, role=who)
    window = await connect(case.pk, person)
    got = {message.type: await outcome(window, message) for message in messages(labels["liver"], window.name)}
    assert got == {kind: row[column] for kind, row in TABLE.items()}
    assert await in_database(Interaction.objects.exists)() == (who == "annotator")


async def test_who_is_turned_away_at_the_door(case, connect):
    colleague = await in_database(make_person)("colleague")
    await in_database(Membership.objects.create)(project=case.task.project, person=colleague, role="annotator")
    stranger = await in_database(make_person)("stranger")
    for person in (colleague, stranger):
        assert (await (await connect(case.pk, person)).output())["code"] == 4404
