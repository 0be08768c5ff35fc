"""The bell: it counts along on open pages, says what is new, and is quiet once that was seen."""

import shutil

import pytest

from tests.browser.conftest import shoot
from tests.browser.screen import CaseScreen
from tests.browser.test_accessibility import check
from tests.site import Site

pytestmark = pytest.mark.browser
TELL = """
from django.contrib.auth.models import User
from annotator.events import notices
notices.tell(User.objects.get(username="annotator"), "returned", "/?show=done", series="Abdomen", reason="the dome is missing.")
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site whose processes reach each other's pages."""
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed")
    with Site(tmp_path_factory.mktemp("site")) as site:
        site.manage("migrate", "--verbosity", "0")
        site.people("annotator")
        site.start_redis()
        site.start_web()
        yield site


def test_the_bell_counts_live(log_in, page, site):
    log_in("annotator")
    page.get_by_role("heading", name="My work").wait_for()
    other = page.context.new_page()
    with other.expect_websocket(lambda socket: socket.url.endswith("/ws/notices/")) as opened:
        other.goto(site.url)
    opened.value.wait_for_event("framereceived")
    assert not page.locator("[data-unseen]").is_visible()
    site.manage("shell", "--no-imports", "-c", TELL)
    for one in (page, other):
        one.get_by_role("status").get_by_text("the dome is missing").wait_for()
        assert one.locator("[data-unseen]").text_content() == "1"
    shoot(page, "notice-toast")
    check(page)
    page.get_by_role("status").get_by_role("link").click()
    page.wait_for_url(f"{site.url}/?show=done")
    assert not page.locator("[data-unseen]").is_visible()
    other.locator("[data-unseen]").wait_for(state="hidden")
    page.get_by_role("link", name="Notices").click()
    page.get_by_role("heading", name="Notices").wait_for()
    shoot(page, "notices")
    check(page)


def test_it_tells_at_the_canvas_too(log_in, page, site, phantom_case):
    log_in("annotator")
    page.get_by_role("heading", name="My work").wait_for()
    with page.expect_websocket(lambda socket: socket.url.endswith("/ws/notices/")) as opened:
        page.goto(f"{site.url}/cases/{phantom_case.id}/")
    opened.value.wait_for_event("framereceived")
    screen = CaseScreen(page)
    screen.wait("s.sliceLoaded")
    before = page.locator("[data-unseen]").text_content() or "0"
    site.manage("shell", "--no-imports", "-c", TELL)
    toast = page.locator(".toasts").get_by_role("link")
    toast.get_by_text("the dome is missing").wait_for()
    page.get_by_role("link", name=f"Notices {int(before) + 1}", exact=True).wait_for()
    for control in page.locator("button:visible, input:visible, a.button:visible").all():
        if not control.evaluate("one => one.closest('.toasts') !== null"):
            assert not overlap(control.bounding_box(), toast.bounding_box()), control.evaluate("one => one.outerHTML")
    shoot(page, "notice-canvas")
    check(page)
    page.locator(".toasts").get_by_role("button", name="Close").click()
    toast.wait_for(state="detached")


def overlap(a, b):
    across = a["x"] < b["x"] + b["width"] and b["x"] < a["x"] + a["width"]
    return across and a["y"] < b["y"] + b["height"] and b["y"] < a["y"] + a["height"]
