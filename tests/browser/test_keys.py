"""A person gives commands keys of their own."""

import pytest

from tests.browser.conftest import shoot
from tests.browser.screen import CaseScreen

pytestmark = pytest.mark.browser


@pytest.fixture
def screen(case_screen, phantom_case):
    return case_screen(phantom_case.id)


def ask_for(page, does):
    page.get_by_role("button", name=f"change this key of “{does}”").first.click()
    page.get_by_role("textbox", name=f"New key for “{does}”").wait_for()


def test_a_key_is_changed_by_the_keyboard_and_counts_in_every_window_and_after_a_reload(screen):
    page = screen.page
    other = CaseScreen(page.context.new_page())
    other.page.goto(page.url)
    other.wait_until_ready()
    page.keyboard.press("?")
    page.get_by_role("button", name="B: change this key of “Brush”").press("Enter")
    page.get_by_text("Press the new key for “Brush”.").wait_for()
    page.keyboard.press("F5")
    page.get_by_text("“F5” belongs to the browser or to assistive technology.").wait_for()
    page.keyboard.press("Tab")
    page.get_by_text("“Tab” moves through the page").wait_for()
    page.keyboard.press("e")
    page.get_by_text("E is the key of “Eraser”.").wait_for()
    shoot(page, "keys-taken")
    page.keyboard.press("Enter")  # the focus is on the swap
    page.get_by_text("“Brush” has the key E now.").wait_for()
    shoot(page, "keys")
    assert page.evaluate("document.activeElement.ariaLabel") == "E: change this key of “Brush”"
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")
    for one in (page, other.page):
        one.locator(".viewer").focus()
        one.keyboard.press("e")
        one.get_by_role("button", name="Brush", exact=True, pressed=True).wait_for()
        assert one.get_by_role("button", name="Brush", exact=True).get_attribute("title").startswith("Brush (E;")
    page.reload()
    screen.wait_until_ready()
    page.keyboard.press("b")
    page.get_by_role("button", name="Eraser", exact=True, pressed=True).wait_for()


def test_escape_leaves_the_key_and_then_the_sheet(screen):
    page = screen.page
    page.keyboard.press("?")
    ask_for(page, "Held: see the mask of a click before it is placed")
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").is_visible() and page.get_by_role("textbox").count() == 0
    ask_for(page, "Held: see the mask of a click before it is placed")
    page.keyboard.press(";")
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")
    page.mouse.move(*screen.point(110, 150))
    with screen.new_mask():
        page.keyboard.down(";")
    with screen.new_mask():
        page.keyboard.up(";")
    assert screen.state()["clicks"] == []
