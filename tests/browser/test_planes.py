"""The coronal and the sagittal plane of a real CT, beside the slice."""

import numpy as np
import pytest

from segmodel.simulation import centre_click
from tests.browser.conftest import SIZE, shoot

pytestmark = pytest.mark.browser


def show_planes(screen):
    screen.page.keyboard.press("Shift+V")
    screen.page.get_by_role("region", name="Planes across the slices").wait_for()
    screen.wait("s.awaited === 0")


def test_a_key_shows_the_mask_in_all_planes_where_the_slice_has_it(screen, liver, z):
    click = centre_click(liver[z], np.zeros_like(liver[z]))
    screen.click(click.x, click.y)
    show_planes(screen)
    point = screen.state()["point"]
    assert (point["x"], point["y"]) == (click.x, click.y)  # where the last press was
    row, mask = len(liver) - 1 - z, screen.mask()
    for plane, line in (("coronal", mask[click.y]), ("sagittal", mask[:, click.x])):
        shown = screen.wait_for_plane_mask(plane)
        assert line.any() and (shown[row] == line).all()
        assert not np.delete(shown, row, axis=0).any()
    shoot(screen.page, "planes")


def test_a_press_in_a_plane_goes_there_and_places_nothing(screen, liver, z):
    show_planes(screen)
    below = z - 20
    screen.page.mouse.click(*screen.point_in("coronal", 200, len(liver) - 1 - below))
    # a row is more than a pixel here, a column less: it is hit to within one
    screen.wait("s.z === a && Math.abs(s.point.x - 200) < 2 && s.sliceLoaded", below)
    screen.page.mouse.move(*screen.point_in("sagittal", 300, len(liver) - 1 - below))
    screen.page.mouse.down()
    screen.page.mouse.move(*screen.point_in("sagittal", 310, len(liver) - 1 - z))
    screen.page.mouse.up()
    screen.wait("s.z === a && Math.abs(s.point.y - 310) < 2", z)
    before = screen.state()["point"]
    screen.page.mouse.wheel(0, -120)
    screen.wait("s.point.x === a + 1", before["x"])
    assert len(screen.state()["clicks"]) == 1  # that of the test before
    shoot(screen.page, "planes-linked")


def test_the_planes_have_the_proportions_of_the_patient(screen, site):
    show_planes(screen)
    series = screen.page.request.get(f"{site.url}/api/assignments/1/").json()["series"]
    (depth, rows, columns), (slice_mm, row_mm, column_mm) = series["shape"], series["spacing"]
    for plane, width, mm in (("coronal", columns, column_mm), ("sagittal", rows, row_mm)):
        left, top = screen.point_in(plane, 0, 0)
        right, bottom = screen.point_in(plane, width - 1, depth - 1)
        proportion = ((width - 1) * mm) / ((depth - 1) * slice_mm)
        assert (right - left) / (bottom - top) == pytest.approx(proportion, rel=0.02)
        box = screen.page.get_by_role("application", name=f"{plane.capitalize()} plane").bounding_box()
        assert box["x"] <= left < right <= box["x"] + box["width"] <= SIZE["width"]
        assert box["y"] <= top < bottom <= box["y"] + box["height"] <= SIZE["height"]


def test_the_keys_move_the_point_and_the_crosshair_takes_the_planes_along(screen, z):
    show_planes(screen)
    page, before = screen.page, screen.state()["point"]
    page.get_by_role("application", name="Sagittal plane").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("PageUp")
    screen.wait("s.z === a + 1 && s.sliceLoaded", z)
    assert screen.state()["point"] == {"x": before["x"] + 1, "y": before["y"] + 10, "z": z + 1}
    page.keyboard.press("c")
    page.get_by_role("application", name="Slice").focus()
    page.keyboard.press("ArrowLeft")
    screen.wait("s.point.x === a", before["x"])


def test_the_planes_are_still_there_after_a_reload(screen):
    show_planes(screen)
    screen.page.reload()
    screen.wait_until_ready()
    screen.page.get_by_role("application", name="Coronal plane").wait_for()
    screen.wait("s.awaited === 0")
    screen.page.keyboard.press("Shift+V")
    screen.page.get_by_role("application", name="Coronal plane").wait_for(state="detached")
