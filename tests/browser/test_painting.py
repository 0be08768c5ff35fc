"""The person's own hand on a real CT: brush, lasso, whole masks, and clicks that go on from there."""

import cv2
import numpy as np
import pytest

from segmodel.metrics import dice
from segmodel.simulation import centre_click
from tests.browser.conftest import shoot

pytestmark = pytest.mark.browser


@pytest.fixture
def screen(screen):
    yield screen
    shoot(screen.page, "painting")


def drag(screen, way, button="left"):
    """One stroke over voxels (x, y), until its mask is saved."""
    mouse = screen.page.mouse
    mouse.move(*screen.point(*way[0]))
    mouse.down(button=button)
    for x, y in way[1:]:
        mouse.move(*screen.point(x, y))
    mouse.up(button=button)
    screen.wait_until_saved()


def outline(mask, count=60):
    """Points (x, y) around the largest piece of a mask."""
    lines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    line = max(lines, key=len)[:, 0]
    return [(int(x), int(y)) for x, y in line[np.linspace(0, len(line) - 1, count).astype(int)]]


def test_a_stroke_of_the_brush_is_as_wide_as_it_says(screen):
    screen.page.keyboard.press("b")
    for _ in range(8):
        screen.page.keyboard.press("]")
    screen.page.keyboard.press("[")  # 20 mm, the last but one of its steps
    drag(screen, [(200, 250), (240, 250), (280, 250)])
    mask = screen.mask()
    ys, xs = np.nonzero(mask)
    assert np.ptp(ys) + 1 == pytest.approx(2 * 20 / 0.743, abs=1.5)
    assert np.ptp(xs) + 1 == pytest.approx(80 + 2 * 20 / 0.743, abs=1.5)
    assert screen.page.get_by_label("Brush radius").input_value() == "20"


def test_the_right_button_takes_away_and_undo_gives_back_the_whole_stroke(screen):
    before = screen.mask()
    screen.page.keyboard.press("b")
    drag(screen, [(240, 200), (240, 300)], button="right")
    cut = screen.mask()
    assert not (cut & ~before).any() and before.sum() - cut.sum() > 500
    with screen.new_mask():
        screen.page.keyboard.press("Control+z")
    screen.wait_until_saved()
    np.testing.assert_array_equal(screen.mask(), before)


def test_a_stroke_can_be_given_up(screen):
    before = screen.mask()
    screen.page.keyboard.press("b")
    screen.page.mouse.move(*screen.point(100, 100))
    with screen.new_mask():
        screen.page.mouse.down()
    with screen.new_mask():
        screen.page.keyboard.press("Escape")
    screen.page.mouse.up()
    np.testing.assert_array_equal(screen.mask(), before)
    assert screen.state()["waiting"] == 0


def test_the_slice_is_cleared_by_a_key(screen):
    with screen.new_mask():
        screen.page.keyboard.press("Shift+Delete")
    screen.wait_until_saved()
    assert not screen.mask().any()


def test_a_lasso_around_the_liver_is_the_liver(screen, liver, z):
    screen.page.keyboard.press("l")
    drag(screen, outline(liver[z], count=200))
    around = np.array([outline(liver[z], count=1000)])
    drawn = cv2.fillPoly(np.zeros(liver[z].shape, np.uint8), around, 1).astype(bool)
    assert dice(screen.mask(), drawn) > 0.97


def test_clicks_go_on_from_what_was_painted(screen, liver, z):
    """A third of the liver is cut off by hand; a click there brings it back, and what was painted elsewhere stays."""
    before = screen.mask()
    line = int(np.quantile(np.nonzero(before)[1], 0.66))
    screen.page.keyboard.press("l")
    drag(screen, [(line, 5), (505, 5), (505, 505), (line, 505)], button="right")
    cut = screen.mask()
    assert not cut[:, line + 1 :].any() and (cut == before)[:, : line - 1].all()
    screen.page.keyboard.press("v")
    missed = centre_click(liver[z], cut)
    screen.click(missed.x, missed.y)
    after = screen.mask()
    print(f"Dice {dice(cut, liver[z]):.3f} as painted, {dice(after, liver[z]):.3f} after a click")
    assert dice(after, liver[z]) > dice(cut, liver[z])
    assert dice(after[:, :line], before[:, :line]) > 0.8
    assert len(screen.state()["clicks"]) == 1


def test_after_a_reload_the_painted_mask_and_the_click_are_there(screen, z):
    before = screen.mask()
    screen.page.reload()
    screen.wait_until_ready()
    screen.go_to(z)
    screen.wait("s.clicks.length === 1")
    np.testing.assert_array_equal(screen.mask(), before)
    with screen.new_mask():
        screen.page.keyboard.press("Control+z")
    screen.wait("s.clicks.length === 0")
    screen.wait_until_saved()
    assert screen.mask().any()


def test_the_brush_for_a_range_paints_only_what_is_in_it(screen, site, z):
    screen.page.keyboard.press("Shift+Delete")
    screen.wait_until_empty()
    screen.wait_until_saved()
    screen.page.keyboard.press("t")
    screen.page.get_by_label("Lowest HU to paint").fill("100")
    screen.page.get_by_label("Highest HU to paint").fill("300")
    screen.page.keyboard.press("Enter")
    drag(screen, [(230, 230), (280, 260)])
    inside = screen.mask()
    case = screen.page.request.get(f"{site.url}/api/assignments/1/").json()
    stored = screen.page.request.get(site.url + case["series"]["slice_url"].replace("{z}", str(z))).body()
    hu = np.frombuffer(stored, "<i2").reshape(inside.shape)
    assert inside.any() and hu[inside].min() >= 100 and hu[inside].max() <= 300


def test_whole_masks_are_changed_by_keys(screen):
    before = screen.mask()
    sizes = [before.sum()]
    for key in ("g", "j", "k", "s"):
        screen.page.keyboard.press(key)
        screen.wait_until_saved()
        sizes.append(screen.mask().sum())
    assert sizes[1] > sizes[0] and sizes[2] >= sizes[1] and sizes[3] <= sizes[2] and sizes[4] < sizes[3]


def test_a_mask_is_copied_to_the_slice_beside(screen, z):
    mask = screen.mask()
    screen.go_to(z + 1)
    with screen.new_mask():
        screen.page.keyboard.press("d")
    screen.wait_until_saved()
    np.testing.assert_array_equal(screen.mask(), mask)


def test_a_locked_label_is_neither_changed_nor_painted_over(screen, z):
    liver, locked = screen.label(), screen.mask()
    ys, xs = np.nonzero(locked)
    over = [(int(xs[0]), int(ys[0])), (int(xs[-1]), int(ys[-1]))]
    screen.page.get_by_role("button", name="Lock liver").click()
    lock = screen.page.get_by_role("button", name="Lock liver", pressed=True)
    lock.wait_for()
    screen.page.locator(".viewer").focus()
    screen.page.keyboard.press("Shift+Delete")
    screen.page.get_by_text("liver is locked. Unlock it to change its masks.").wait_for()
    screen.page.keyboard.press("2")
    screen.page.keyboard.press("b")
    drag(screen, over)
    spleen = screen.mask()
    assert spleen.any() and not (spleen & locked).any()
    np.testing.assert_array_equal(screen.mask(liver), locked)
    shoot(screen.page, "locked")
    screen.page.reload()
    screen.wait_until_ready()
    screen.go_to(z)
    lock.click()
    screen.page.get_by_role("button", name="Lock liver", pressed=False).wait_for()
    screen.page.keyboard.press("2")
    screen.page.keyboard.press("b")
    drag(screen, over)
    assert (screen.mask() & locked).any()
    with screen.new_mask():
        screen.page.keyboard.press("Control+z")
    screen.wait_until_saved()
    np.testing.assert_array_equal(screen.mask(liver), locked)


def test_the_history_leads_back_and_forth_and_replays(screen):
    before = screen.mask()
    page = screen.page
    page.get_by_text("History", exact=True).click()
    steps = page.locator(".past")
    steps.first.wait_for()
    assert steps.nth(1).get_attribute("aria-current") == "step"  # the first was undone
    lasso = page.get_by_role("button", name="Lasso liver").last
    with screen.new_mask():
        lasso.click()
    screen.wait_until_saved()
    page.locator(".past[aria-current]", has_text="Lasso").wait_for()
    shoot(page, "history")
    with screen.new_mask():
        steps.nth(1).click()
    screen.wait_until_saved()
    np.testing.assert_array_equal(screen.mask(), before)
    with screen.new_mask():
        page.get_by_role("button", name="Replay this mask").click()
    page.wait_for_function("() => annotator.state().replayed === undefined")
    np.testing.assert_array_equal(screen.mask(), before)


def test_strokes_without_a_network_are_kept_and_saved_later(screen, z):
    screen.page.context.set_offline(True)
    screen.page.evaluate("() => window.dispatchEvent(new Event('offline'))")
    screen.page.keyboard.press("b")
    screen.page.mouse.move(*screen.point(100, 400))
    with screen.new_mask():
        screen.page.mouse.down()
    screen.page.mouse.move(*screen.point(140, 400))
    screen.page.mouse.up()
    painted = screen.mask()
    screen.page.context.set_offline(False)
    screen.page.evaluate("() => window.dispatchEvent(new Event('online'))")
    screen.wait_until_saved()
    screen.page.reload()
    screen.wait_until_ready()
    screen.go_to(z)
    screen.page.wait_for_function("label => annotator.readMask(label).data.some(Boolean)", arg=screen.label())
    np.testing.assert_array_equal(screen.mask(), painted)
