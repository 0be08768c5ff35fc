"""What goes wrong in a working day, and what the person keeps."""

import shutil

import numpy as np
import pytest

from tests.browser.conftest import FLAGS, SIZE, fill_in_log_in, shoot
from tests.browser.screen import CaseScreen

pytestmark = pytest.mark.browser


@pytest.fixture
def screen(case_screen, phantom_case):
    return case_screen(phantom_case.id)


def stroke(screen, way):
    """A stroke of the brush over canvas points, until it is saved."""
    screen.page.keyboard.press("b")
    mouse = screen.page.mouse
    mouse.move(*way[0])
    mouse.down()
    for at in way[1:]:
        mouse.move(*at)
    mouse.up()
    screen.wait_until_saved()


def paint(screen, *way):
    """The same over voxels (x, y)."""
    stroke(screen, [screen.point(*at) for at in way])


def has(screen, condition):
    """Waits until a condition on the painted mask `m` (how many voxels it has) of the chosen label holds."""
    read = "label => { const m = annotator.readMask(label).data.reduce((a, b) => a + b, 0); return %s; }"
    screen.page.wait_for_function(read % condition, arg=screen.label())


def test_a_stroke_that_leaves_the_image_paints_what_lies_inside(screen):
    screen.go_to(1)
    left, top = screen.point(0, 0)
    stroke(screen, [(left - 40, top - 5), (left - 20, top + 30)])  # all of it outside
    assert screen.state()["waiting"] == 0 and not screen.mask().any()
    stroke(screen, [(left - 30, top + 100), (left + 60, top + 100), (left + 60, top - 30), (left - 30, top - 30)])
    mask = screen.mask()
    assert mask[:, 0].any() and mask[0].any() and not mask[80:].any() and not mask[:, 80:].any()


def test_a_lasso_of_thousands_of_points_around_the_whole_slice(screen):
    screen.go_to(2)
    page = screen.page
    page.keyboard.press("l")
    left, top = screen.point(0, 0)
    right, bottom = screen.point(319, 319)
    page.mouse.move(left - 5, top - 5)
    page.mouse.down()
    page.mouse.move(right + 5, top - 5, steps=1000)
    page.mouse.move(right + 5, bottom + 5, steps=1000)
    page.mouse.move(left - 5, bottom + 5, steps=1000)
    page.mouse.up()
    screen.wait_until_saved()
    assert screen.mask().all()
    page.reload()
    screen.wait_until_ready()
    screen.go_to(2)
    has(screen, "m === 320 * 320")


def test_two_windows_see_each_other_s_strokes_and_undo(screen):
    here, there = screen, CaseScreen(screen.page.context.new_page())
    there.page.goto(here.page.url)
    there.wait_until_ready()
    for one in (here, there):
        one.page.bring_to_front()
        one.go_to(3)
    here.page.bring_to_front()
    paint(here, (100, 100), (140, 100))
    there.page.bring_to_front()
    has(there, "m > 0")
    np.testing.assert_array_equal(there.mask(), here.mask())
    there.page.get_by_role("button", name="Work here").click()
    there.page.get_by_text("You have this case open in another window").wait_for(state="detached")
    paint(there, (100, 200), (140, 200))
    both = there.mask()
    assert both[100, 120] and both[200, 120]
    here.page.bring_to_front()
    has(here, f"m === {both.sum()}")
    here.page.get_by_role("button", name="Take back").click()
    here.page.get_by_text("You went on in another window").wait_for(state="detached")
    with here.new_mask():
        here.page.keyboard.press("Control+z")
    here.wait_until_saved()
    assert not here.mask()[200].any()
    there.page.bring_to_front()
    has(there, f"m === {here.mask().sum()}")


def test_a_stroke_under_way_gives_way_to_the_window_that_takes_over(screen):
    here, there = screen, CaseScreen(screen.page.context.new_page())
    there.page.goto(here.page.url)
    there.wait_until_ready()
    there.go_to(4)
    here.page.bring_to_front()
    here.go_to(4)
    here.page.keyboard.press("b")
    here.page.mouse.move(*here.point(100, 100))
    here.page.mouse.down()  # and while it is held …
    there.page.bring_to_front()
    there.page.get_by_role("button", name="Work here").click()
    there.page.get_by_text("You have this case open in another window").wait_for(state="detached")
    paint(there, (100, 200), (140, 200))
    theirs = there.mask()
    here.page.bring_to_front()
    here.page.get_by_text("You went on in another window").wait_for()
    here.page.mouse.move(*here.point(140, 100))
    here.page.mouse.up()
    has(here, f"m === {theirs.sum()}")
    np.testing.assert_array_equal(here.mask(), theirs)
    assert here.state()["waiting"] == 0


LONG = """
from annotator import masks
from annotator.annotation.models import Assignment, Interaction
import numpy as np
from django.db.models import Max
case = Assignment.objects.get(pk=1)
label, person = case.task.project.labels.first(), case.person
first = (case.interactions.aggregate(last=Max("sequence"))["last"] or 0) + 1
def mask(i):
    pixels = np.zeros((320, 320), bool)
    pixels[100:140, 100 : 110 + i % 100] = True
    return masks.encode(pixels)
Interaction.objects.bulk_create([
    Interaction(assignment=case, sequence=n, kind="paint", label=label, z=6 + n % 4, person=person,
                payload={"tool": "brush", "mask": n}, mask=mask(n))
    for n in range(first, 10_001)
], batch_size=1000)
"""


def test_ten_thousand_steps_can_be_opened_undone_and_listed(case_screen, phantom_case, site):
    site.manage("shell", "--no-imports", "-c", LONG)
    screen = case_screen(phantom_case.id)
    page = screen.page
    screen.go_to(6)  # 10 000 is a multiple of 4
    has(screen, "m === 40 * 10")
    with screen.new_mask():
        page.keyboard.press("Control+z")
    has(screen, "m === 40 * 106")
    screen.wait_until_saved()
    page.keyboard.press("Control+Shift+Z")
    has(screen, "m === 40 * 10")
    screen.wait_until_saved()
    page.get_by_text("History", exact=True).click()
    page.locator(".past").first.wait_for()
    assert page.locator(".past").count() == 200
    older = page.get_by_role("button", name="Older steps")
    hidden = int(older.inner_text().split("(")[1].rstrip(")"))
    assert hidden > 9700
    older.click()
    page.get_by_role("button", name=f"Older steps ({hidden - 200})").wait_for()
    assert page.locator(".past").count() == 400
    shoot(page, "long-history")
    page.get_by_role("button", name="Back to the beginning").click()
    page.wait_for_function("() => annotator.state().waiting === 0")
    screen.wait_until_saved()
    screen.wait_until_empty()
    page.locator(".is-undone .past").first.click()  # the newest
    page.locator(".past[aria-current]").wait_for()
    screen.wait_until_saved()
    screen.go_to(6)
    has(screen, "m === 40 * 10")


DELETE = "from annotator.annotation.models import Label; Label.objects.get(name='{}').delete()"
ADD = """
from annotator.annotation.models import Label, Project
Label.objects.create(project=Project.objects.get(name="Tests"), name="cyst", value=3, colour="#40c0c0")
"""


def test_a_label_deleted_while_it_is_drawn_costs_that_stroke_only(case_screen, phantom_case, site):
    site.manage("shell", "--no-imports", "-c", ADD)
    screen = case_screen(phantom_case.id)
    page = screen.page
    screen.go_to(12)
    page.keyboard.press("3")
    page.keyboard.press("b")
    page.mouse.move(*screen.point(100, 100))
    page.mouse.down()
    site.manage("shell", "--no-imports", "-c", DELETE.format("cyst"))
    page.mouse.move(*screen.point(140, 100))
    page.mouse.up()
    page.get_by_text("This label was deleted from the project.").wait_for()
    shoot(page, "deleted-label")
    screen.wait_until_empty()
    page.keyboard.press("1")
    paint(screen, (100, 200), (140, 200))
    assert screen.mask().any()


def test_a_browser_without_webgl_shows_and_paints_all_the_same(site, phantom_case, chromium):
    path = chromium.browser_type.executable_path
    flags = [*FLAGS, "--disable-webgl", "--disable-3d-apis"]
    browser = chromium.browser_type.launch(executable_path=shutil.which("chromium") or path, args=flags)
    try:
        page = browser.new_page(viewport=SIZE)
        page.goto(f"{site.url}/cases/{phantom_case.id}/")
        fill_in_log_in(page, "annotator")
        screen = CaseScreen(page).wait_until_ready()
        assert page.evaluate("document.createElement('canvas').getContext('webgl')") is None
        screen.go_to(14)
        paint(screen, (100, 100), (140, 100))
        assert screen.mask()[100, 120]
    finally:
        browser.close()
