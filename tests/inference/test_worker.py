"""The inference loop: newest wins, everybody is answered, idle time encodes ahead, one failure hurts nobody else.

A checkpoint that is not there yet is read beside all this.
"""

import asyncio
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest
from channels.layers import channel_layers, get_channel_layer

from annotator.engine import SliceKey
from annotator.inference import worker as module
from annotator.inference.requests import Answer, Load, Ping, Pong, Request, View, pack, send, unpack
from annotator.inference.worker import Worker
from annotator.protocol import MaskFrame

REQUEST = Request("?", 1, 1, "a-series", 5, 1, [[1, 2, True]], MaskFrame.PREVIEW, 1, "default", 1)


class SlowEngine:
    """Stands where the network stands; every call waits until the test lets it go on."""

    def __init__(self):
        self.encoded, self.answered = {}, []
        self.gate, self.busy = threading.Semaphore(0), threading.Event()
        self.loaded, self.asked = {"default"}, []
        self.reading, self.disk = threading.Event(), threading.Semaphore(0)

    def has(self, model):
        return model in self.loaded

    def read(self, model):
        self.asked.append(model)
        self.reading.set()
        assert self.disk.acquire(timeout=10)
        if model.startswith("broken"):
            raise ValueError("broken.safetensors is damaged.")
        return f"predictor of {model}"

    def put(self, model, predictor):
        assert threading.current_thread().name.startswith("network") and predictor == f"predictor of {model}"
        self.loaded.add(model)

    def encode(self, key, read):
        self.busy.set()
        assert self.gate.acquire(timeout=10)
        self.encoded[key] = read

    def mask(self, key, read, clicks, base=b"", by_hand=True):
        self.busy.set()
        assert self.gate.acquire(timeout=10)
        if key.series == "broken":
            raise ValueError("This slice cannot be read.")
        self.answered.append((key, list(clicks)))
        return b"mask", 0.9, 1.5

    def go(self, times=1):
        self.gate.release(times)


@pytest.fixture
async def bench():
    """A worker whose network is held, and a channel to be answered on."""
    channel_layers.backends.clear()
    engine = SlowEngine()
    worker = Worker(0, engine)
    task = asyncio.create_task(worker.run())
    reply = await get_channel_layer().new_channel()

    async def ask(**fields):
        await worker.take(replace(REQUEST, reply=reply, **fields))

    async def answer():
        async with asyncio.timeout(10):
            return unpack(await get_channel_layer().receive(reply))

    async def until(event):
        assert await asyncio.to_thread(event.wait, 10)
        event.clear()

    async def until_busy():
        await until(engine.busy)

    yield SimpleNamespace(
        engine=engine,
        worker=worker,
        reply=reply,
        ask=ask,
        answer=answer,
        until=until,
        until_busy=until_busy,
        go=engine.go,
    )
    task.cancel()
    engine.go(100)
    engine.disk.release(100)
    await asyncio.gather(task, return_exceptions=True)


async def test_of_a_burst_only_the_first_and_the_newest_are_computed(bench):
    for number in range(1, 31):
        await bench.ask(number=number, clicks=[[number, 0, True]])
        if number == 1:
            await bench.until_busy()
    bench.go(30)
    assert [(await bench.answer()).number for _ in range(2)] == [1, 30]
    assert [clicks for _, clicks in bench.engine.answered] == [[(1, 0, True)], [(30, 0, True)]]


async def test_people_slices_and_labels_do_not_outdate_each_other(bench):
    await bench.ask(number=1)
    await bench.until_busy()
    for number, place in enumerate([{"person": 2}, {"z": 6}, {"label": 2}, {"assignment": 2}], 2):
        await bench.ask(number=number, **place)
    bench.go(9)
    assert [(await bench.answer()).number for _ in range(5)] == [1, 2, 3, 4, 5]


async def test_a_stored_click_outdates_the_drag_that_led_to_it_and_is_never_outdated_by_a_preview(bench):
    await bench.ask(number=1, z=9)
    await bench.until_busy()
    await bench.ask(number=2)
    await bench.ask(number=7, kind=MaskFrame.STORED)
    await bench.ask(number=3)
    bench.go(9)
    answers = [await bench.answer() for _ in range(3)]
    assert [(a.kind, a.number) for a in answers[1:]] == [(MaskFrame.STORED, 7), (MaskFrame.PREVIEW, 3)]


async def test_a_failing_slice_is_answered_with_a_sentence_and_the_next_with_a_mask(bench):
    await bench.ask(series="broken")
    await bench.ask(number=2, z=6)
    bench.go(2)
    failed, fine = await bench.answer(), await bench.answer()
    assert (failed.error, failed.mask) == ("This slice cannot be read.", b"")
    assert (fine.error, fine.mask, fine.network_ms) == ("", b"mask", 1.5)


async def test_neighbours_are_encoded_ahead_nearest_first_within_the_volume(bench):
    await bench.worker.take(View(bench.reply, "a-series", 1, 4, "default"))
    bench.go(9)
    while len(bench.engine.encoded) < 4:
        await asyncio.sleep(0)
    assert [key.z for key in bench.engine.encoded] == [1, 2, 0, 3]


async def test_a_click_goes_before_slices_that_nobody_waits_for(bench):
    await bench.worker.take(View(bench.reply, "a-series", 1, 9, "default"))
    await bench.until_busy()
    await bench.ask(z=7)
    bench.go(2)
    await bench.answer()
    assert list(bench.engine.encoded) == [SliceKey("default", "a-series", 1)]


async def test_while_a_checkpoint_is_read_those_who_ask_another_are_answered(bench):
    await bench.ask(number=1, model="new")
    await bench.until(bench.engine.reading)
    bench.go(9)
    for number in (2, 3):
        await bench.ask(number=number, person=2)
        assert (await bench.answer()).number == number
    assert not bench.engine.has("new")
    await bench.ask(number=4, model="new")  # the newest wins here too
    bench.engine.disk.release()
    assert (await bench.answer()).number == 4
    assert [key.model for key, _ in bench.engine.answered] == ["default", "default", "new"]
    assert bench.engine.asked == ["new"]


async def test_a_checkpoint_that_will_be_asked_for_is_read_before_anybody_does(bench):
    await send(bench.worker.channel, Load("new"))
    await bench.until(bench.engine.reading)
    bench.engine.disk.release()
    await until_loaded(bench, "new")
    await bench.worker.take(Load("new"))
    assert bench.engine.asked == ["new"]


async def test_a_look_at_a_slice_has_its_checkpoint_read_and_the_slice_encoded_then(bench):
    await bench.worker.take(View(bench.reply, "a-series", 1, 1, "new"))
    await bench.until(bench.engine.reading)
    await bench.worker.take(View("somebody", "a-series", 1, 2, "default"))
    bench.go(9)
    while len(bench.engine.encoded) < 2:
        await asyncio.sleep(0)
    bench.engine.disk.release()
    while len(bench.engine.encoded) < 3:
        await asyncio.sleep(0)
    assert [key.model for key in bench.engine.encoded] == ["default", "default", "new"]


async def test_a_checkpoint_that_cannot_be_read_is_answered_with_a_sentence_and_tried_again(bench):
    for times in (1, 2):
        await bench.ask(model="broken")
        bench.engine.disk.release()
        assert (await bench.answer()).error == "broken.safetensors is damaged."
        assert bench.engine.asked == ["broken"] * times
    bench.go()
    await bench.ask()
    assert (await bench.answer()).mask == b"mask"


async def test_a_checkpoint_that_had_to_give_way_is_read_again(bench):
    await bench.ask(number=1)
    await bench.until_busy()
    bench.engine.loaded.add("old")
    await bench.ask(number=2, person=2, model="old")
    bench.engine.loaded.remove("old")
    bench.engine.disk.release()
    bench.go(2)
    assert [(await bench.answer()).number for _ in range(2)] == [1, 2]


async def until_loaded(bench, model):
    async with asyncio.timeout(10):
        while not bench.engine.has(model):
            await asyncio.sleep(0)


async def test_a_ping_is_answered_while_the_network_is_busy(bench):
    await bench.ask()
    await bench.until_busy()
    await send(bench.worker.channel, Ping(bench.reply))
    assert await bench.answer() == Pong()


async def test_a_message_that_is_none_does_not_stop_the_loop(bench):
    await get_channel_layer().send(bench.worker.channel, {"type": "inference.nonsense"})
    await get_channel_layer().send(bench.worker.channel, {"type": "inference.request", "z": 1})
    await bench.ask()
    bench.go()
    assert isinstance(await bench.answer(), Answer)


@pytest.mark.parametrize(
    "message", [REQUEST, Ping("a"), Pong(), Load("a"), View("a", "b", 1, 2, "c"), Answer(1, 2, 0, 3, 4, 0.5)]
)
def test_messages_survive_packing(message):
    assert unpack(pack(message)) == message


def test_a_series_stays_with_its_slot(settings):
    settings.INFERENCE_SLOTS = 4
    slots = {module.slot_name(n) for n in range(4)}
    from annotator.inference.requests import slot_of

    assert {slot_of(f"series {n}") for n in range(100)} == slots
    assert slot_of("a-series") == slot_of("a-series")
