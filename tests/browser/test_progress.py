"""A case goes from the queue to its annotator, to the manager, back with a reason, and is accepted."""

import pytest

from segmodel import phantom
from tests.browser.conftest import shoot
from tests.browser.screen import CaseScreen
from tests.browser.test_accessibility import check

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def waiting_case(site):
    """A synthetic case in the queue of the project that `annotator` belongs to."""
    volume, _, _ = phantom.make(seed=5, shape=(12, 256, 256), spacing=(10, 1.6, 1.6))
    phantom.write_dicom(volume, site.folder / "waiting")
    site.manage("import_series", str(site.folder / "waiting"), "--project", "Tests")


def test_a_case_from_the_queue_to_its_acceptance(log_in, page, site, waiting_case):
    def become(name):
        page.goto(site.url)
        page.get_by_role("button", name="Log out").click()
        log_in(name)

    def case_at(address):
        page.goto(address)
        return CaseScreen(page).wait_until_ready()

    log_in("annotator")
    page.get_by_role("button", name="Next case of Tests").click()
    page.wait_for_url(f"{site.url}/cases/*/")
    screen = CaseScreen(page).wait_until_ready()
    address = page.url
    state = page.locator(".progress [role=status]")
    assert state.text_content() == "new"
    screen.click(100, 120)
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Take back").wait_for()
    assert state.text_content() == "submitted"
    page.mouse.click(*screen.point(60, 60))
    page.get_by_text("This case is submitted; its masks stay as they are.").wait_for()
    assert screen.mask()[120, 100]
    shoot(page, "submitted")
    check(page)
    page.get_by_role("button", name="Next case").click()
    page.get_by_text("No case of Tests waits for you.").wait_for()

    become("manager")
    case_at(address)
    page.get_by_role("button", name="Return").click()
    question = page.get_by_role("textbox", name="What is to be done again?")
    question.fill("The dome of the liver is missing.")
    shoot(page, "return")
    check(page)
    page.get_by_role("dialog").get_by_role("button", name="Return").click()
    page.get_by_text("No case of Tests waits for your review.").first.wait_for()

    become("annotator")
    shoot(page, "returned-work")
    page.get_by_role("button", name="Next case of Tests").wait_for(state="detached")
    screen = case_at(address)
    page.get_by_text("returned by manager: The dome of the liver is missing.").wait_for()
    screen.click(60, 100)
    page.get_by_role("button", name="Submit").click()
    page.get_by_role("button", name="Take back").wait_for()

    become("manager")
    case_at(address)
    page.get_by_role("button", name="Accept", exact=True).click()
    page.get_by_text("No case of Tests waits for your review.").first.wait_for()
    page.goto(site.url)
    page.locator(".tag.is-accepted").wait_for()
    check(page)
    shoot(page, "overseen")
