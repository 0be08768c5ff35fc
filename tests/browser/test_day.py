"""One day of a team, each person in a browser of their own: from an empty site to the ground truth on the manager's disk.

The tests are the hours of the day: each goes on from where the one before it stopped.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile

import numpy as np
import pydicom
import pytest
from playwright.sync_api import expect

from segmodel import phantom
from segmodel.metrics import dice
from segmodel.simulation import centre_click
from tests.browser.conftest import SIZE, fill_in_log_in, shoot
from tests.browser.screen import CaseScreen
from tests.browser.test_accessibility import check
from tests.site import Site

pytestmark = pytest.mark.browser
PASSWORD = "a-long-day-7"
SERIES, SHAPE, SPACING = 6, (8, 160, 160), (12.0, 2.4, 2.4)
LIVER = 5  # the phantom's value
LABELS = '    1   214  84  60   1  1  1    "liver"\n    2   150 110 220   1  1  1    "spleen"\n'


class Day:
    """A site with its jobs, the people at work, and what the phantoms really look like."""

    def __init__(self, site, browser):
        self.site, self.browser, self.pages, self.livers = site, browser, {}, []
        self.project = ""  # its address
        self.gold = -1  # which phantom becomes a gold case

    def arrive(self, name):
        """A new person at a browser of their own."""
        context = self.browser.new_context(viewport=SIZE, color_scheme="dark", accept_downloads=True)
        page = self.pages[name] = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: pytest.fail(f"{name}: {error}"))
        return page

    def __getattr__(self, name):
        return self.pages[name]

    def open(self, name, tab):
        """A tab of the project."""
        page = self.pages[name]
        page.goto(self.project)
        page.get_by_role("navigation", name="Project").get_by_role("link", name=tab, exact=True).click()
        return page

    def next_case(self, name):
        """The canvas of the case that the queue gives, and which phantom it is."""
        page = self.pages[name]
        page.goto(self.site.url)
        page.get_by_role("button", name="Next case of Livers").click()
        page.wait_for_url("**/cases/*/")
        return self.canvas(name)

    def canvas(self, name):
        screen = CaseScreen(self.pages[name]).wait_until_ready()
        title = screen.page.locator("h1").inner_text()
        return screen, int(title.split()[-1]) - 1

    def outline(self, name, slices=(0,), submit=True):
        """Click on the liver of some slices, counted from the one that shows most of it; then submit."""
        screen, number = self.next_case(name)
        liver = self.livers[number]
        for step in slices:
            click_on(screen, liver, middle(liver) + step)
        if submit:
            move(screen, "Submit", "submitted")
        return screen, number


def middle(liver):
    return int(liver.sum(axis=(1, 2))[1:-1].argmax()) + 1


def click_on(screen, liver, z):
    """The click of a person who knows where the liver is, and a second one where the answer is not good enough."""
    screen.go_to(z)
    for _ in range(2):
        found = screen.mask()
        if found.any() and dice(found, liver[z]) > 0.8:
            return
        click = centre_click(liver[z], found)
        screen.click(click.x, click.y, button="left" if click.positive else "right")


def move(screen, button, state):
    screen.page.get_by_role("button", name=button, exact=True).click()
    screen.page.locator(f".progress .is-{state}").wait_for()


@pytest.fixture(scope="module")
def day(chromium, tmp_path_factory):
    folder = tmp_path_factory.mktemp("day")
    with Site(folder, DJANGO_SUPERUSER_PASSWORD=PASSWORD) as site:
        site.manage("migrate", "--verbosity", "0")
        site.manage("createsuperuser", "--noinput", "--username", "admin", "--email", "admin@example.org")
        site.start_web()
        site.start_jobs()
        day = Day(site, chromium)
        yield day
        for page in day.pages.values():
            page.context.close()


def write_phantoms(day):
    """A folder with a folder for every series."""
    for number in range(SERIES):
        volume, labels, _ = phantom.make(seed=number + 20, shape=SHAPE, spacing=SPACING)
        day.livers.append(labels == LIVER)
        for file in phantom.write_dicom(volume, day.site.folder / "scans" / f"{number + 1}"):
            slice_ = pydicom.dcmread(file)
            slice_.SeriesDescription = f"Abdomen, portal venous {number + 1}"
            slice_.save_as(file)
    return day.site.folder / "scans"


def test_the_admin_makes_a_project_and_invites_four_people(day):
    page = day.arrive("admin")
    page.goto(day.site.url)
    fill_in_log_in(page, "admin", PASSWORD)
    page.get_by_role("link", name="Projects", exact=True).click()
    shoot(page, "day-01-no-projects")
    page.get_by_role("link", name="New project").click()
    page.get_by_label("Name").fill("Livers")
    page.get_by_label("Guidelines").fill("# The liver\n\nOutline the **whole liver**, without the gallbladder.\n")
    page.get_by_role("button", name="Make the project").click()
    page.wait_for_url("**/labels/")
    day.project = page.url.removesuffix("labels/")
    page.goto(day.project)
    shoot(page, "day-02-new-project")
    for name, role in (("anna", "annotator"), ("ben", "annotator"), ("rosa", "reviewer"), ("max", "manager")):
        _join(day, name, _invitation(day, role))
    page = day.open("admin", "People")
    expect(page.get_by_role("row")).to_have_count(6)
    shoot(page, "day-05-people")


def _invitation(day, role):
    page = day.open("admin", "People")
    page.locator("#invitations [name=role]").select_option(role)
    page.get_by_role("button", name="Invite", exact=True).click()
    link = page.get_by_label("This link is shown only now")
    link.wait_for()
    shoot(page, "day-03-invitation")
    return link.input_value()


def _join(day, name, link):
    page = day.arrive(name)
    page.goto(link)
    page.get_by_label("Username").fill(name)
    page.get_by_label("First name").fill(name.title())
    page.get_by_label("Last name").fill("Example")
    page.get_by_label("Email").fill(f"{name}@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password confirmation").fill(PASSWORD)
    shoot(page, "day-04-sign-up")
    check(page)
    page.get_by_role("button", name="Sign up and join").click()
    page.get_by_text("Welcome to Livers.").wait_for()
    shoot(page, f"day-04-welcome-{name}")


def test_the_manager_brings_labels_and_cases(day):
    (day.site.folder / "organs.label").write_text(LABELS)
    page = day.open("max", "Labels")
    shoot(page, "day-06-no-labels")
    page.get_by_label("A colour table of 3D Slicer").set_input_files(day.site.folder / "organs.label")
    page.get_by_role("button", name="Look at the file").click()
    shoot(page, "day-07-labels-proposed")
    page.get_by_role("button", name="Add 2 labels").click()
    page.get_by_text("2 labels were added.").wait_for()
    shoot(page, "day-08-labels")
    scans = write_phantoms(day)
    page.goto(day.project)
    page.get_by_role("link", name="Upload series").click()
    page.locator("input[data-input=folder]").set_input_files(scans)
    shoot(page, "day-09-upload")
    page.get_by_role("button", name=re.compile("^Upload 48 files")).click()
    page.get_by_text("Import finished.").wait_for()
    expect(page.locator(".report .tag.good")).to_have_count(SERIES)
    shoot(page, "day-10-imported")
    check(page)
    page = day.open("max", "Cases")
    for number in (5, 6):
        page.get_by_label(f"portal venous {number}").check()
    page.locator("summary", has_text="Plan").click()
    page.get_by_label("Readings").fill("2")
    page.get_by_label("Priority").fill("-1")  # so they come last
    shoot(page, "day-11-plan")
    page.get_by_role("button", name="Set", exact=True).click()
    page.get_by_text("2 cases were planned.").wait_for()
    expect(page.get_by_text("0 of 2 readings given")).to_have_count(2)
    shoot(page, "day-12-cases")


def test_an_early_case_is_accepted_and_becomes_gold(day):
    day.anna.goto(day.site.url)
    shoot(day.anna, "day-13-my-work")
    screen, day.gold = day.outline("anna", slices=(0, 1))
    shoot(screen.page, "day-14-submitted")
    page = day.open("rosa", "Review")
    shoot(page, "day-15-review")
    page.get_by_role("link", name="Review next").click()
    page.wait_for_url("**/cases/*/")
    screen, number = day.canvas("rosa")
    assert number == day.gold
    shoot(page, "day-16-reviewing")
    check(page)
    page.get_by_role("button", name="Accept", exact=True).click()
    page.get_by_text("No case waits for your review").first.wait_for()
    page = day.open("max", "Gold cases")
    shoot(page, "day-17-no-gold")
    page.get_by_role("button", name="Mark as gold").click()
    page.get_by_label("ben").check()
    for other in ("anna", "rosa"):
        page.get_by_label(other).uncheck()
    page.get_by_label("Over how many days").fill("0")
    shoot(page, "day-18-gold")
    page.get_by_role("button", name="Give checks").click()
    page.get_by_text("1 check is given.").wait_for()


def test_a_check_looks_like_any_other_case_and_is_measured(day):
    screen, number = day.outline("ben", submit=False)
    assert number == day.gold
    shoot(screen.page, "day-19-check")
    assert not re.search("gold|check", screen.page.locator("body").inner_text(), re.IGNORECASE)
    screen.page.goto(day.site.url)
    assert not re.search("gold|check", screen.page.locator("body").inner_text(), re.IGNORECASE)
    screen, _ = day.next_case("ben")
    move(screen, "Submit", "submitted")
    page = day.open("max", "Gold cases")
    until(page, page.get_by_role("rowheader", name="ben"))
    shoot(page, "day-20-measured")


def until(page, locator):
    """Reloads until something is there that a job makes."""
    for _ in range(60):
        if locator.first.is_visible():
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(f"{locator} did not come.")


def test_a_returned_case_is_corrected_where_the_comment_is(day):
    _, annas = day.outline("anna")
    day.outline("ben")
    page = day.open("rosa", "Review")
    page.get_by_role("link", name="Review next").click()
    page.wait_for_url("**/cases/*/")
    screen, number = day.canvas("rosa")
    assert number == annas
    _comment(screen, day.livers[number])
    shoot(page, "day-21-comment")
    page.get_by_role("button", name="Return", exact=True).click()
    page.get_by_role("dialog").wait_for()
    shoot(page, "day-22-return")
    page.get_by_role("dialog").get_by_role("button", name="Return").click()
    page.wait_for_url(lambda url: url.rstrip("/") != screen.page.url)
    page = day.anna
    page.goto(day.site.url)
    expect(page.locator(".bell .count")).to_have_text("1")
    shoot(page, "day-23-bell")
    page.locator(".bell").click()
    shoot(page, "day-24-notices")
    check(page)
    page.locator(".news a").first.click()
    page.wait_for_url("**/cases/*/**")
    screen, number = day.canvas("anna")
    assert number == annas
    page.locator(".comment.is-chosen").wait_for()
    assert screen.state()["z"] == middle(day.livers[number]) + 1
    shoot(page, "day-25-at-the-comment")
    check(page)
    click_on(screen, day.livers[number], middle(day.livers[number]) + 1)
    page.get_by_role("button", name="Resolve", exact=True).click()
    page.get_by_text("Resolved (1)").wait_for()
    move(screen, "Submit", "submitted")
    for _ in range(2):  # hers, and the one that ben has submitted
        page = day.open("rosa", "Review")
        page.get_by_role("link", name="Review next").click()
        page.wait_for_url("**/cases/*/")
        day.canvas("rosa")
        address = page.url
        page.get_by_role("button", name="Accept", exact=True).click()
        page.wait_for_url(lambda url, before=address: url != before)


def _comment(screen, liver):
    z = middle(liver) + 1
    screen.go_to(z)
    screen.page.get_by_role("button", name="Pin a comment").click()
    where = centre_click(liver[z], np.zeros_like(liver[z]))
    screen.page.mouse.click(*screen.point(where.x, where.y))
    screen.page.get_by_label(f"At the pin on slice {z + 1}").fill("The liver goes on here.")
    screen.page.keyboard.press("Control+Enter")
    screen.page.locator(".comment").wait_for()


def test_two_readings_are_compared_and_adjudicated(day):
    day.outline("anna")  # the last case that one person reads
    _, number = day.outline("ben", slices=(0, 1))
    _, same = day.outline("anna", slices=(0,))
    assert number == same
    page = day.open("rosa", "Agreement")
    until(page, page.get_by_text("to be adjudicated"))
    shoot(page, "day-26-agreement")
    page.get_by_role("row", name=f"portal venous {number + 1}").get_by_role("link").click()
    shoot(page, "day-27-agreement-of-a-case")
    check(page)
    page.get_by_role("button", name="Adjudicate").click()
    page.wait_for_url("**/cases/*/")
    screen, _ = day.canvas("rosa")
    page.get_by_text("undecided", exact=False).first.wait_for()
    shoot(page, "day-28-adjudication")
    check(page)
    page.keyboard.press("Shift+J")
    page.keyboard.press("Shift+H")
    page.get_by_text("all decided").wait_for()
    screen.wait_until_saved()
    shoot(page, "day-29-decided")
    page.get_by_role("button", name="Submit", exact=True).click()
    page.locator(".progress .is-accepted").wait_for()
    page = day.open("rosa", "Agreement")
    page.get_by_text("adjudicated", exact=True).wait_for()


def test_the_manager_takes_the_accepted_cases_home(day):
    page = day.max
    page.goto(day.project)
    shoot(page, "day-30-overview")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export 4 accepted cases").click()
    packed = zipfile.ZipFile(download.value.path())
    manifest = json.loads(packed.read("manifest.json"))
    assert packed.testzip() is None
    assert sorted(case["kind"] for case in manifest["cases"]) == ["adjudication", "reading", "reading", "reading"]
    assert [case["people"] for case in manifest["cases"] if case["kind"] == "adjudication"] == [["ben", "anna", "rosa"]]
    assert {case["accepted_by"] for case in manifest["cases"]} == {"rosa", None}
    assert {f"{case['folder']}/labels.nii.gz" for case in manifest["cases"]} < set(packed.namelist())
    rows = list(csv.DictReader(io.StringIO(packed.read("agreement.csv").decode())))
    assert {(row["first"], row["second"], row["label"]) for row in rows} >= {("ben", "anna", "liver")}
    page = day.open("max", "Record")
    page.get_by_role("row", name="ground truth").wait_for()
    shoot(page, "day-31-record")


def test_every_page_of_the_project_is_fit_to_be_seen(day):
    """In dark and in light, by everybody."""
    for name in ("max", "rosa", "anna"):
        page = day.pages[name]
        page.goto(day.project)
        tabs = page.get_by_role("navigation", name="Project").get_by_role("link")
        for tab in [tab.inner_text() for tab in tabs.all()]:
            day.open(name, tab)
            for colours in ("dark", "light"):
                page.emulate_media(color_scheme=colours)
                shoot(page, f"day-end-{name}-{tab.lower().replace(' ', '-')}-{colours}")
                check(page)
