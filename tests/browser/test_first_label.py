"""The main job on a real CT: open it, click in the liver, drag, undo, come back, take it home."""

import contextlib
import gzip
import json
import zipfile

import nibabel as nib
import numpy as np
import pytest

from segmodel.metrics import dice
from segmodel.simulation import centre_click
from segmodel.volumes import Geometry
from tests.browser.conftest import shoot

pytestmark = pytest.mark.browser


def test_one_click_outlines_the_liver_and_a_second_corrects_it(screen, liver, z):
    first = centre_click(liver[z], np.zeros_like(liver[z]))
    screen.click(first.x, first.y)
    after_one = dice(screen.mask(), liver[z])
    shoot(screen.page, "liver-one-click")
    second = centre_click(liver[z], screen.mask())
    screen.click(second.x, second.y, button="left" if second.positive else "right")
    after_two = dice(screen.mask(), liver[z])
    shoot(screen.page, "liver-two-clicks")
    area_cm2 = np.count_nonzero(screen.mask()) * 0.743**2 / 100  # the series' pixels are of 0.743 mm
    shown = screen.page.locator(".measures dd").first.text_content()
    assert float(shown.removesuffix(" cm²")) == pytest.approx(area_cm2, rel=0.01)
    print(f"liver, slice {z}: Dice {after_one:.3f} after one click, {after_two:.3f} after two")
    assert after_one > 0.7 and after_two > 0.8
    assert [c["positive"] for c in screen.state()["clicks"]] == [True, second.positive]


def test_the_mask_follows_a_dragged_click_in_order(screen):
    start = screen.state()["clicks"][0]
    painted_before = screen.sequence()
    screen.page.mouse.move(*screen.point(start["x"], start["y"]))
    screen.page.mouse.down()
    for step in range(1, 26):
        with screen.new_mask() if step % 2 else contextlib.nullcontext():
            screen.page.mouse.move(*screen.point(start["x"] - 2 * step, start["y"] + step))
    shoot(screen.page, "liver-drag")
    screen.page.mouse.up()
    screen.wait_until_saved()
    painted = screen.page.evaluate("n => annotator.paintedAt.filter(p => p.sequence > n)", painted_before)
    numbers = [p["answer"]["number"] for p in painted if p["answer"]["kind"] == "preview"]
    assert len(numbers) >= 10 and numbers == sorted(numbers)
    moved = screen.state()["clicks"][0]
    assert (moved["x"], moved["y"]) == (start["x"] - 50, start["y"] + 25)


def test_a_held_key_shows_the_mask_of_a_click_before_it_is_placed(screen, liver, z):
    before, clicks = screen.mask(), screen.state()["clicks"]
    outside = centre_click(~liver[z], np.zeros_like(liver[z]))
    screen.page.mouse.move(*screen.point(outside.x, outside.y))
    with screen.new_mask():
        screen.page.keyboard.down("q")
    assert screen.mask()[outside.y, outside.x]
    shoot(screen.page, "peek")
    with screen.new_mask():
        screen.page.keyboard.up("q")
    assert screen.state()["clicks"] == clicks
    np.testing.assert_array_equal(screen.mask(), before)
    assert screen.state()["waiting"] == 0


def test_undo_takes_back_the_whole_drag_and_redo_repeats_it(screen):
    dragged = screen.state()["clicks"][0]
    screen.page.keyboard.press("Control+z")
    screen.wait("s.clicks[0].x === a + 50", dragged["x"])
    screen.wait_until_saved()
    screen.page.keyboard.press("Control+Shift+Z")
    screen.wait("s.clicks[0].x === a", dragged["x"])
    screen.page.keyboard.press("Control+z")
    screen.wait("s.clicks[0].x === a + 50", dragged["x"])
    screen.wait_until_saved()


def test_after_a_reload_the_clicks_and_the_mask_are_there(screen, z):
    before, clicks = screen.mask(), screen.state()["clicks"]
    assert before.any()
    screen.page.reload()
    screen.wait_until_ready()
    screen.go_to(z)
    screen.wait("s.clicks.length === a", len(clicks))
    assert screen.state()["clicks"] == clicks
    np.testing.assert_array_equal(screen.mask(), before)


def test_the_export_has_the_mask_in_the_geometry_of_the_source(screen, shared_data, z):
    mask = screen.mask()
    with screen.page.expect_download() as download:
        screen.page.get_by_role("link", name="Export").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        names = archive.namelist()
        volume = nib.Nifti1Image.from_bytes(
            gzip.decompress(archive.read(next(n for n in names if n.endswith(".nii.gz"))))
        )
        described = json.loads(archive.read(next(n for n in names if n.endswith(".json"))))
    truth = nib.load(shared_data / "ct-dicom" / "ircad17_labels.nii.gz")
    assert volume.shape == truth.shape
    np.testing.assert_allclose(volume.affine, truth.affine, atol=1e-3)
    stored = Geometry(volume.affine, volume.shape).to_stored(np.asarray(volume.dataobj))
    np.testing.assert_array_equal(stored[z] == 1, mask)
    assert not np.delete(stored, z, axis=0).any()
    assert "liver" in json.dumps(described) and "annotator" in json.dumps(described)


def test_every_answer_says_its_milliseconds(screen, liver, z):
    point = centre_click(liver[z], screen.mask())
    screen.click(point.x, point.y, button="left" if point.positive else "right")
    answer = screen.state()["lastAnswer"]
    print(answer)
    assert 0 < answer["networkMs"] <= answer["totalMs"] <= answer["roundTripMs"]
    readout = screen.page.locator(".speed")
    assert readout.is_visible() and "network" in str(readout.get_attribute("title"))
    screen.page.keyboard.press("Control+z")
    screen.wait_until_saved()
