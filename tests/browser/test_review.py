"""A case between its annotator and its reviewer, and between two windows of one person."""

import re
from types import SimpleNamespace

import pytest

from segmodel import phantom
from tests.browser.conftest import fill_in_log_in, shoot
from tests.browser.screen import CaseScreen
from tests.browser.test_accessibility import check

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def cases(site):
    """Three synthetic cases of `annotator`, in the project that `reviewer` reviews."""
    made = []
    for seed in range(3):
        volume, _, _ = phantom.make(seed=11 + seed, shape=(12, 192, 192), spacing=(10, 2.1, 2.1))
        phantom.write_dicom(volume, site.folder / f"case{seed}")
        site.manage("import_series", str(site.folder / f"case{seed}"), "--project", "Tests", "--assign", "annotator")
        made.append(seed + 1)
    return made


@pytest.fixture
def people(chromium, site):
    """`people.annotator` and `people.reviewer`: pages of browsers of their own, logged in."""

    def page_of(name):
        page = chromium.new_context(viewport={"width": 1280, "height": 800}).new_page()
        page.set_default_timeout(60_000)
        page.goto(site.url)
        fill_in_log_in(page, name)
        page.get_by_role("button", name="Log out").wait_for()
        return page

    found = SimpleNamespace(annotator=page_of("annotator"), reviewer=page_of("reviewer"))
    yield found
    for page in vars(found).values():
        page.context.close()


def opened(page, site, case):
    page.goto(f"{site.url}/cases/{case}/")
    return CaseScreen(page).wait_until_ready()


class Line:
    """The connection of a page's sockets, which can be cut; to be made before the page is opened."""

    def __init__(self, page):
        self.page, self.is_cut, self.ends = page, False, []
        page.route_web_socket(re.compile("/ws/"), self.carry)

    def carry(self, socket):
        if self.is_cut:
            socket.close()
        else:
            self.ends += [socket, socket.connect_to_server()]

    def cut(self):
        self.is_cut = True
        for end in self.ends:
            end.close()

    def mend(self):
        self.is_cut = False
        self.page.evaluate("window.dispatchEvent(new Event('online'))")


def chip(page, state):
    page.locator(f".progress .state.is-{state}").wait_for()


def test_a_case_is_returned_with_a_comment_corrected_accepted_and_locked(people, site, cases):
    annotator, reviewer = people.annotator, people.reviewer
    screen = opened(annotator, site, cases[0])
    chip(annotator, "assigned")
    screen.click(60, 100)
    chip(annotator, "in_progress")  # at once, without a reload
    annotator.keyboard.press("Control+Enter")
    chip(annotator, "submitted")

    reviewer.goto(f"{site.url}/projects/")
    reviewer.get_by_role("link", name="Tests").click()
    reviewer.get_by_role("link", name="Review", exact=True).click()
    reviewer.get_by_text("1 case waits for your review").wait_for()
    check(reviewer)
    shoot(reviewer, "review-queue")
    reviewer.get_by_role("link", name="Review next").click()
    looking = CaseScreen(reviewer).wait_until_ready()
    reviewer.mouse.click(*looking.point(50, 50))
    reviewer.get_by_text("You can look at this assignment, but only its annotator can change it.").wait_for()
    looking.go_to(3)
    reviewer.keyboard.press("Shift+C")
    reviewer.mouse.click(*looking.point(70, 90))
    reviewer.get_by_label("At the pin on slice 4").fill("The dome is missing here.")
    reviewer.keyboard.press("Control+Enter")
    reviewer.get_by_text("1 open", exact=True).wait_for()
    check(reviewer)
    shoot(reviewer, "review-comment")
    annotator.get_by_text("The dome is missing here.").wait_for()  # live in the other window
    reviewer.keyboard.press("Control+Shift+Enter")
    reviewer.get_by_text("Your open comments (1) are enough").wait_for()
    shoot(reviewer, "review-return")
    reviewer.get_by_role("dialog").get_by_role("button", name="Return").click()
    reviewer.get_by_text("No case of Tests waits for your review.").first.wait_for()

    chip(annotator, "returned")
    annotator.goto(site.url)
    annotator.locator(".card").first.get_by_text("returned").wait_for()  # on top of the list
    screen = opened(annotator, site, cases[0])
    screen.wait("s.z === 3")
    annotator.get_by_text("returned by reviewer: See the open comment.").wait_for()
    shoot(annotator, "review-returned")
    screen.click(70, 90)
    annotator.get_by_role("button", name="Resolve").click()
    annotator.get_by_text("Resolved (1)").wait_for()
    annotator.keyboard.press("Control+Enter")
    chip(annotator, "submitted")

    reviewer.goto(f"{site.url}/cases/{cases[0]}/")
    CaseScreen(reviewer).wait_until_ready()
    reviewer.keyboard.press("Control+Enter")
    reviewer.get_by_text("No case of Tests waits for your review.").first.wait_for()
    chip(annotator, "accepted")
    annotator.mouse.click(*screen.point(50, 50))
    annotator.get_by_text("This case is accepted; its masks stay as they are.").wait_for()
    check(annotator)


def test_a_reviewer_edits_a_copy_that_is_accepted_with_the_case(people, site, cases):
    annotator, reviewer = people.annotator, people.reviewer
    screen = opened(annotator, site, cases[1])
    screen.click(60, 100)
    annotator.keyboard.press("Control+Enter")
    chip(annotator, "submitted")
    looking = opened(reviewer, site, cases[1])
    reviewer.keyboard.press("r")  # a replay changes nothing
    looking.wait("s.replayed")
    reviewer.get_by_role("button", name="Edit", exact=True).click()
    reviewer.wait_for_url(lambda url: f"/cases/{cases[1]}/" not in url)
    editing = CaseScreen(reviewer).wait_until_ready()
    reviewer.get_by_text("revision by reviewer").wait_for()
    editing.wait("s.clicks.length === 1")
    shoot(reviewer, "review-edit")
    editing.click(70, 110)
    reviewer.keyboard.press("Control+Enter")
    reviewer.get_by_text("No case of Tests waits for your review.").first.wait_for()
    chip(annotator, "accepted")


def test_of_two_windows_one_works_and_nothing_is_overwritten_unseen(people, site, cases):
    page = people.annotator
    line = Line(page)
    here = opened(page, site, cases[2])
    here.click(60, 100)
    there = opened(page.context.new_page(), site, cases[2])
    there.page.get_by_text("You have this case open in another window").wait_for()
    there.page.mouse.click(*there.point(50, 50))
    there.page.get_by_text("Work here to change it in this one.").wait_for()
    check(there.page)
    shoot(there.page, "lease-second")
    looking = opened(people.reviewer, site, cases[2])
    looking.page.get_by_text("open by annotator since").wait_for()

    line.cut()
    here.wait("s.connection !== 'connected'")
    page.bring_to_front()
    page.mouse.click(*here.point(80, 60))
    here.wait("s.waiting === 1")
    there.page.bring_to_front()
    there.wait_until_ready()
    there.page.get_by_role("button", name="Work here").click()
    there.page.get_by_text("You have this case open in another window").wait_for(state="detached")
    there.click(100, 60)
    line.mend()
    page.bring_to_front()
    page.get_by_role("button", name="See the difference").click()
    shoot(page, "lease-conflict")
    check(page)
    page.get_by_role("button", name="Keep mine on top").click()
    here.wait_until_saved()
    here.wait("s.clicks.length === 3")
    there.page.bring_to_front()
    there.wait("s.clicks.length === 3")
    there.page.get_by_text("You went on in another window").wait_for()
    shoot(there.page, "lease-taken")
    there.page.get_by_role("button", name="Take back").click()
    there.page.get_by_text("You went on in another window").wait_for(state="detached")
    there.page.close()
