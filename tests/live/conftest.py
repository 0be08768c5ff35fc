"""A socket on a small synthetic case, with the real worker and the shipped network behind it."""

import asyncio
import contextlib
import uuid

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from channels.layers import channel_layers
from channels.routing import URLRouter
from django.urls import path

from annotator import protocol
from annotator.annotation.models import Assignment, Label, Membership, Project, Task
from annotator.engine import ClickEngine
from annotator.inference.worker import Worker
from annotator.live.consumers import AssignmentConsumer
from annotator.protocol import MaskFrame
from annotator.studies import store
from tests.annotator.factories import make_person, make_series

APPLICATION = URLRouter([path("ws/assignments/<int:assignment_id>/", AssignmentConsumer.as_asgi())])


class Window:
    """One browser window: sends messages, receives decoded messages and mask frames."""

    def __init__(self, assignment_id, person):
        self.name = str(uuid.uuid4())
        url = f"/ws/assignments/{assignment_id}/"
        scope = {"type": "websocket", "path": url, "headers": [], "query_string": b"", "user": person}
        self.application = ApplicationCommunicator(APPLICATION, scope)

    async def open(self):
        await self.application.send_input({"type": "websocket.connect"})
        assert (await self.output())["type"] == "websocket.accept"
        return self

    async def close(self):
        await self.application.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.application.wait()

    async def send(self, message):
        await self.send_frame(text=protocol.encode(message))

    async def send_frame(self, **frame):
        await self.application.send_input({"type": "websocket.receive", **frame})

    async def output(self):
        return await self.application.receive_output(20)

    async def receive(self):
        """The next message that is about the work itself: neither who has the lease nor that the case has moved on."""
        while isinstance(message := await self.receive_any(), protocol.Lease | protocol.News):
            pass
        return message

    async def receive_any(self):
        frame = await self.output()
        if frame.get("bytes") is not None:
            return MaskFrame.from_bytes(frame["bytes"])
        return protocol.decode(frame["text"], protocol.SERVER_MESSAGES)

    async def receive_until(self, kind):
        """The next message of this class; those before it are dropped."""
        while not isinstance(message := await self.receive_any(), kind):
            pass
        return message

    async def hello(self):
        await self.send(protocol.Hello(protocol.PROTOCOL_VERSION, self.name))
        return await self.receive_until(protocol.Welcome)


@pytest.fixture
def case(transactional_db, settings, tmp_path, small_ct):
    """An assignment of `annotator` on a stored coarse phantom, with the labels liver and spleen."""
    options = {"location": tmp_path / "storage"}
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": backend}
    volume, _, _ = small_ct
    series = make_series(volume.voxels.shape)
    store.write(series.prefix, iter(volume.voxels), volume.voxels.shape)
    type(series).objects.filter(pk=series.pk).update(spacing=list(volume.spacing))
    person, project = make_person("annotator"), Project.objects.create(name="Abdomen")
    Membership.objects.create(project=project, person=person, role="annotator")
    for value, name in enumerate(("liver", "spleen"), 1):
        Label.objects.create(project=project, name=name, value=value, colour="#c0504d")
    return Assignment.objects.create(task=Task.objects.create(project=project, series=series), person=person)


@pytest.fixture
def engine():
    """The worker's own."""
    return ClickEngine()


@pytest.fixture
async def worker(engine):
    """The real loop on the in-memory layer."""
    channel_layers.backends.clear()  # a layer belongs to one event loop
    task = asyncio.create_task(Worker(0, engine).run())
    yield task
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.fixture
async def connect():
    """`await connect(assignment, person)` → Window; closed at the end."""
    open_windows = []

    async def connect(assignment_id, person):
        open_windows.append(await Window(assignment_id, person).open())
        return open_windows[-1]

    yield connect
    for window in open_windows:
        with contextlib.suppress(BaseException):
            await window.close()


@pytest.fixture
def labels(case):
    return {label.name: label.pk for label in case.task.project.labels.all()}


in_database = database_sync_to_async
