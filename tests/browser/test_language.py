"""The canvas and the upload box speak the reader's language."""

import pytest

from tests.browser.conftest import shoot
from tests.browser.screen import CaseScreen
from tests.browser.test_accessibility import check

pytestmark = pytest.mark.browser
WORDS = ".topbar, button, .button, h2, h3, dt, dd, kbd, .state, .count, .field span, legend"
CUT_OFF = """words => [...document.querySelectorAll(words)]
  .filter((one) => one.checkVisibility() && !one.closest(".unseen, .strip"))
  .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline")
  .map((one) => `${one.textContent} ${one.scrollWidth} > ${one.clientWidth}`)"""


@pytest.fixture
def german(log_in, site):
    """`german(name)` → a page of somebody who reads German."""

    def log_in_german(name):
        page = log_in(name)
        page.get_by_role("heading", name="My work").wait_for()
        page.context.add_cookies([{"name": "django_language", "value": "de", "url": site.url}])
        return page

    return log_in_german


def opened(page, site, case):
    page.goto(f"{site.url}/cases/{case.id}/")
    screen = CaseScreen(page)
    screen.wait("s.connection === 'connected' && s.inference === 'ready' && s.sliceLoaded")
    return screen


def test_the_canvas_is_in_german(german, site, phantom_case):
    page = german("annotator")
    screen = opened(page, site, phantom_case)
    assert page.locator("html").get_attribute("lang") == "de"
    with screen.new_mask():
        page.mouse.click(*screen.point(110, 150))
    screen.wait_until_saved()
    top, side = page.locator(".topbar"), page.get_by_role("complementary", name="Labels und Anzeige")
    for text in ("Gespeichert ✓", "in Bearbeitung", "Einreichen", "Überspringen", "Export"):
        top.get_by_text(text, exact=True).wait_for()
    top.get_by_role("link", name="Mitteilungen").wait_for()
    for text in ("Klicks auf dieser Schicht", "Diese Schicht bearbeiten", "Übertragen", "Messwerte", "Fenster"):
        side.get_by_role("heading", name=text).wait_for()
    page.get_by_text("7,5 mm Abstand").wait_for()
    page.get_by_role("button", name="Klick setzt Vordergrund").wait_for()
    shoot(page, "language-german")
    assert page.evaluate(CUT_OFF, WORDS) == []
    check(page)
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Tasten und Maus")
    sheet.get_by_text("Nächste Schicht kopfwärts").wait_for()
    sheet.get_by_text("Strg+Umschalt+Z", exact=True).wait_for()
    shoot(page, "language-german-keys")
    assert page.evaluate(CUT_OFF, WORDS) == []
    check(page)


def test_a_review_in_german_has_room_for_its_buttons(german, site, phantom_case):
    page = german("annotator")
    screen = opened(page, site, phantom_case)
    with screen.new_mask():
        page.mouse.click(*screen.point(112, 152))
    screen.wait_until_saved()
    page.get_by_role("button", name="Einreichen").click()
    page.get_by_text("eingereicht", exact=True).wait_for()
    page.context.clear_cookies()
    page = german("reviewer")
    opened(page, site, phantom_case)
    page.get_by_role("button", name="Annehmen", exact=True).wait_for()
    page.get_by_role("link", name="Nächsten Fall prüfen").wait_for()
    shoot(page, "language-german-review")
    assert page.evaluate(CUT_OFF, WORDS) == []
    page.get_by_role("button", name="Zurückgeben").click()
    page.get_by_role("dialog").get_by_text("Was ist noch einmal zu tun?").wait_for()
    check(page)


def test_the_upload_box_is_in_german(german, site, phantom_case):
    page = german("manager")
    page.goto(f"{site.url}/upload/")
    page.get_by_role("button", name="Ordner auswählen …").wait_for()
    scan = {"name": "scan.nii", "mimeType": "application/octet-stream", "buffer": b"x" * 1500}
    page.locator("[data-input=files]").set_input_files(scan)
    page.get_by_role("button", name="1 Datei, 2 kB hochladen").click()
    page.get_by_text("Warten auf den Import …").wait_for()
    shoot(page, "language-german-upload")
    check(page)
