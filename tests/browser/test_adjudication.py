"""Two people read a synthetic case blind, a job compares them, and the manager decides between them on the canvas."""

import numpy as np
import pytest

from tests.browser.conftest import fill_in_log_in, shoot
from tests.browser.screen import CaseScreen
from tests.browser.test_accessibility import check

pytestmark = pytest.mark.browser
PRESENT, DIFFERENT, ONE_ONLY = 10, 12, 13  # slices


@pytest.fixture(scope="module")
def double(site, phantom_case):
    """The case is read by `annotator` and `second`; numbers of both assignments."""
    site.people("second")
    site.start_jobs()
    found = site.manage(
        "shell",
        "--no-imports",
        "-c",
        "from django.contrib.auth.models import User\n"
        "from annotator.annotation import assign\n"
        "from annotator.annotation.models import Task\n"
        "Task.objects.update(readings=2)\n"
        "task, second = Task.objects.get(), User.objects.get(username='second')\n"
        "print(assign.give(task, second, second).pk)\n",
    )
    return phantom_case.id, int(found)


@pytest.fixture
def enter(chromium, site):
    """`enter(name)` → a page of somebody's own, logged in."""
    contexts = []

    def enter(name):
        contexts.append(chromium.new_context(viewport={"width": 1280, "height": 800}))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.goto(site.url)
        fill_in_log_in(page, name)
        return page

    yield enter
    for context in contexts:
        context.close()


def shoot_both(page, name):
    """In either scheme of colours."""
    for theme in ("dark", "light"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        shoot(page, f"{name}-{theme}")


def stroke(screen, z, x):
    """Down the column x, with the brush as it is."""
    screen.go_to(z)
    mouse = screen.page.mouse
    with screen.new_mask():
        mouse.move(*screen.point(x, 130))
        mouse.down()
        mouse.move(*screen.point(x, 180), steps=4)
        mouse.up()
    screen.wait_until_saved()


def read_case(page, site, case, columns):
    """Paints `columns` (slice → column) and submits."""
    page.goto(f"{site.url}/cases/{case}/")
    screen = CaseScreen(page).wait_until_ready()
    page.keyboard.press("b")
    for _ in range(6):
        page.keyboard.press("]")
    for z, x in columns.items():
        stroke(screen, z, x)
    page.keyboard.press("Control+Enter")
    page.get_by_text("submitted", exact=True).wait_for()


def test_from_two_readings_to_one_ground_truth(site, double, enter):
    first, second = double
    read_case(enter("annotator"), site, first, {PRESENT: 110, DIFFERENT: 110})
    read_case(enter("second"), site, second, {PRESENT: 110, DIFFERENT: 118, ONE_ONLY: 110})

    page = enter("manager")
    page.goto(f"{site.url}/projects/1/")
    page.get_by_role("link", name="Agreement", exact=True).click()
    page.locator("#cases ~ .scroll a").click()
    for _ in range(200):  # the job takes a moment
        if page.get_by_text("Whole volumes").count():
            break
        page.wait_for_timeout(250)
        page.reload()
    page.get_by_role("button", name="Adjudicate").wait_for()
    shoot_both(page, "agreement-case")
    check(page)
    page.get_by_role("button", name="Adjudicate").click()

    screen = CaseScreen(page).wait_until_ready()
    panel = page.get_by_role("region", name="Two readings")
    panel.get_by_text("2 undecided", exact=True).wait_for()
    check(page)
    screen.go_to(PRESENT)
    agreed = screen.mask()
    assert agreed.sum() > 500  # both drew the same there, so it is decided
    page.get_by_role("button", name="Submit").click()
    page.get_by_text("The readings differ on 2 masks more").wait_for()

    page.keyboard.press("Shift+J")  # the worst: only the second has it
    screen.wait("s.z === a && s.sliceLoaded", ONE_ONLY)
    page.keyboard.press("Shift+Q")  # the first has nothing there
    panel.get_by_text("1 undecided", exact=True).wait_for()
    page.keyboard.press("Shift+J")
    screen.wait("s.z === a && s.sliceLoaded", DIFFERENT)
    shoot(page, "adjudication")
    with screen.new_mask():
        page.keyboard.press("Shift+W")
    right = screen.mask()
    with screen.new_mask():
        page.keyboard.press("Shift+X")
    either = screen.mask()
    assert either.sum() > right.sum() and not (right & ~either).any()
    with screen.new_mask():
        page.keyboard.press("Shift+R")
    both = screen.mask()
    assert np.array_equal(both & right, both) and 0 < both.sum() < right.sum()
    with screen.new_mask():
        page.keyboard.press("Control+z")  # as any other step
    screen.wait_until_saved()
    assert np.array_equal(screen.mask(), either)
    panel.get_by_text("all decided", exact=True).wait_for()
    page.get_by_role("button", name="Submit").click()
    page.get_by_text("accepted", exact=True).wait_for()
    page.goto(f"{site.url}/projects/1/agreement/")
    page.get_by_text("adjudicated", exact=True).wait_for()
    shoot_both(page, "agreement")
    check(page)
    page.goto(f"{site.url}/projects/1/gold/")
    page.get_by_role("button", name="Mark").first.click()
    page.get_by_role("button", name="Give checks").wait_for()
    shoot_both(page, "gold")
    check(page)
