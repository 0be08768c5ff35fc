"""Inference in a process of its own, over Redis: it is killed in mid-drag and nothing that was acknowledged is lost."""

import shutil
import signal

import pytest

from annotator import masks
from annotator.protocol import AddClick, InferenceState, MaskFrame, MoveClick, Preview, PreviewClick, Saved, Stored
from segmodel import phantom
from tests.client import Client
from tests.site import Site

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("redis-server"), reason="no redis-server on this machine"),
]
Z = 5


@pytest.fixture
def site(tmp_path, small_ct):
    with Site(tmp_path, ANNOTATOR_INFERENCE="1") as site:
        site.start_redis()
        site.manage("migrate", "--verbosity", "0")
        site.people("annotator")
        phantom.write_dicom(small_ct[0], tmp_path / "dicom")
        site.manage("import_series", str(tmp_path / "dicom"), "--project", "Tests", "--assign", "annotator")
        site.start_worker()
        site.start_web()
        yield site


def preview(socket, label, request, x):
    socket.send(Preview(request, label, Z, 0, (PreviewClick(22, x, True),)))


def test_a_worker_that_is_killed_in_mid_drag_loses_no_acknowledged_click(site):
    person = Client(site.url, "annotator")
    case = person.json("/api/assignments/1/")
    label = case["labels"][0]["id"]
    with person.socket(1) as socket:
        socket.hello()
        socket.send(AddClick(1, label, Z, 22, 20, True))
        assert socket.receive_until(Saved).sequence == 1
        for request in range(1, 4):
            preview(socket, label, request, 20 + request)
            assert socket.receive_until(MaskFrame).number == request
        site.stop("worker0", signal.SIGKILL)
        preview(socket, label, 4, 24)
        socket.send(MoveClick(2, 1, 22, 25))  # the release, with nobody to answer it
        assert [c.x for c in socket.receive_until(Stored).slices[0].clicks] == [25]
        assert socket.receive_until(InferenceState).state == "away"
    with person.socket(1) as again:  # a reload meanwhile finds the click as it was released
        assert [c.x for of in again.hello().clicks for c in of.clicks] == [25]
        site.start_worker()
        frame = again.receive_until(MaskFrame)
        assert (frame.kind, frame.number) == (MaskFrame.STORED, 2)
        assert again.receive_until(Saved).sequence == 2
        preview(again, label, 1, 26)  # and the drag goes on
        assert again.receive_until(MaskFrame).kind == MaskFrame.PREVIEW
    saved = MaskFrame.from_bytes(person.get("/api/assignments/1/masks/")[4:])
    assert saved.number == 2 and (masks.decode(saved.mask) == masks.decode(frame.mask)).all()
