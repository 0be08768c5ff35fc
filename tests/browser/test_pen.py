"""A pen and fingers, as the browser itself reports them."""

import numpy as np
import pytest

from segmodel.simulation import centre_click
from tests.browser.conftest import shoot

pytestmark = pytest.mark.browser
LIVER = 5  # label value of the phantom


@pytest.fixture
def screen(case_screen, phantom_case):
    return case_screen(phantom_case.id)


@pytest.fixture
def hand(screen):
    return Hand(screen)


class Hand:
    """Real input events on voxels (x, y), sent by way of the browser's debugging protocol."""

    def __init__(self, screen):
        self.screen, self.browser = screen, screen.page.context.new_cdp_session(screen.page)

    def pen(self, kind, x, y, pressed=True):
        x, y = self.screen.point(x, y)
        button = {"button": "left" if pressed else "none", "buttons": int(pressed), "clickCount": 1}
        event = {"type": kind, "x": x, "y": y, "pointerType": "pen", "force": 0.5, **button}
        self.browser.send("Input.dispatchMouseEvent", event)

    def draw(self, way):
        self.pen("mousePressed", *way[0])
        for at in way[1:]:
            self.pen("mouseMoved", *at)
        self.pen("mouseReleased", *way[-1])

    def fingers(self, kind, *points):
        at = [self.screen.point(*point) for point in points]
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(at)]
        self.browser.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def liver(case, rank):
    """The slice with the most liver, the second most, …, and the point (x, y) in its middle."""
    z = int(np.argsort((case.labels == LIVER).sum(axis=(1, 2)))[::-1][rank])
    middle = centre_click(case.labels[z] == LIVER, np.zeros(case.labels[z].shape, bool))
    return z, middle.x, middle.y


def test_a_pen_hovers_clicks_and_drags_and_the_mask_follows(screen, hand, phantom_case):
    z, x, y = liver(phantom_case, 0)
    screen.go_to(z)
    hand.pen("mouseMoved", x, y, pressed=False)
    screen.page.get_by_text(f"x {x} y {y} z {z}").wait_for()
    with screen.new_mask():
        hand.pen("mousePressed", x, y)
    with screen.new_mask():
        hand.pen("mouseMoved", x + 15, y + 4)
    hand.pen("mouseReleased", x + 15, y + 4)
    screen.wait_until_saved()
    assert [(c["x"], c["y"], c["positive"]) for c in screen.state()["clicks"]] == [(x + 15, y + 4, True)]
    with screen.new_mask():
        hand.draw([(x + 15, y + 4), (x, y)])  # moves the click that it takes hold of
    screen.wait_until_saved()
    assert [(c["x"], c["y"]) for c in screen.state()["clicks"]] == [(x, y)]


def test_a_pen_paints_while_the_hand_lies_on_the_screen(screen, hand, phantom_case):
    z, x, y = liver(phantom_case, 1)
    screen.go_to(z)
    screen.page.keyboard.press("b")
    hand.pen("mousePressed", x, y)
    hand.fingers("touchStart", (40, 200), (60, 220))
    hand.pen("mouseMoved", x + 30, y)
    hand.fingers("touchMove", (45, 205), (64, 222))
    hand.pen("mouseMoved", x + 60, y)
    hand.fingers("touchEnd")
    hand.pen("mouseReleased", x + 60, y)
    screen.wait_until_saved()
    shoot(screen.page, "pen")
    ys, xs = np.nonzero(screen.mask())
    radius = 5 / 1.28
    assert (xs.min(), xs.max()) == (pytest.approx(x - radius, abs=1), pytest.approx(x + 60 + radius, abs=1))
    assert np.ptp(ys) + 1 == pytest.approx(2 * radius, abs=1.5)
    assert screen.state()["clicks"] == []


def test_one_finger_clicks_and_two_zoom_and_pan_and_click_nothing(screen, hand, phantom_case):
    z, x, y = liver(phantom_case, 2)
    screen.go_to(z)
    with screen.new_mask():
        hand.fingers("touchStart", (x, y))
        hand.fingers("touchEnd")
    screen.wait_until_saved()
    assert [(c["x"], c["y"], c["positive"]) for c in screen.state()["clicks"]] == [(x, y, True)]
    before = [screen.point(0, 0), screen.point(100, 0)]
    hand.fingers("touchStart", (140, 150))
    hand.fingers("touchStart", (140, 150), (180, 150))
    hand.fingers("touchMove", (130, 160), (210, 160))
    hand.fingers("touchEnd")
    after = [screen.point(0, 0), screen.point(100, 0)]
    assert (after[1][0] - after[0][0]) / (before[1][0] - before[0][0]) == pytest.approx(2, abs=0.05)
    assert after[0] != before[0]
    screen.wait_until_saved()
    assert len(screen.state()["clicks"]) == 1
