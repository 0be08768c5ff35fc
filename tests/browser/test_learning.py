"""The learning loop as an admin and an annotator see it: train on, judge, promote, click, go back."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SIZE, fill_in_log_in, shoot
from tests.browser.screen import CaseScreen
from tests.browser.test_accessibility import check

pytestmark = pytest.mark.browser

PREPARE = """
from pathlib import Path
from django.contrib.auth.models import User
from tests.learning import trainable
trainable.make_site(Path({folder!r}))
User.objects.create_superuser("admin", password="demo")
"""
STEPS = "60"
MINUTE = 60_000  # milliseconds


@pytest.fixture(scope="module")
def learning_site(site, phantom_case):
    """A site whose model can be trained on in seconds, and a case for the annotator to click on."""
    site.environment["ANNOTATOR_TRAINING_NICE"] = "0"  # other tests run on the machine
    site.manage("shell", "--no-imports", "-c", PREPARE.format(folder=str(site.folder / "made")))
    site.start_jobs()
    return site


@pytest.fixture
def annotator(learning_site, chromium):
    """A second browser, in which an annotator is logged in."""
    context = chromium.new_context(viewport=SIZE)
    page = context.new_page()
    page.set_default_timeout(MINUTE)
    page.goto(learning_site.url)
    fill_in_log_in(page, "annotator")
    yield page
    context.close()


def open_case(page, site, case):
    page.goto(f"{site.url}/cases/{case.id}/")
    return CaseScreen(page).wait_until_ready()


def answered_by(screen, *at):
    """The version that answers a click."""
    screen.click(*at)
    title = screen.page.locator("[title^='Last answer by']").get_attribute("title")
    return re.search(r"Last answer by ([^:]+):", title)[1]


def test_a_retraining_from_the_button_to_the_way_back(learning_site, phantom_case, log_in, annotator):
    site, page = learning_site, log_in("admin")
    before = open_case(annotator, site, phantom_case)
    assert answered_by(before, 150, 150) == "start 0"

    page.goto(f"{site.url}/models/training/")
    shoot(page, "learning-form")
    page.get_by_label("Steps").fill(STEPS)
    page.get_by_role("button", name="Start").click()

    # live progress
    expect(page.locator("[data-run=step]")).not_to_have_text("0", timeout=2 * MINUTE)
    shoot(page, "learning-progress")
    expect(page.get_by_role("heading", name="The gate")).to_be_visible(timeout=4 * MINUTE)
    shoot(page, "learning-verdict")
    expect(page.get_by_role("heading", name="The gate")).to_contain_text("passed")
    expect(page.get_by_alt_text("The network's masks after one, three and five clicks")).to_be_visible()

    # promotion
    page.get_by_role("link", name="retraining 1").first.click()
    shoot(page, "learning-candidate")
    page.get_by_role("button", name="Promote").click()
    expect(page.get_by_role("status").first).to_contain_text("answers in cases that are opened from now on")
    shoot(page, "learning-promoted")

    # the open case keeps its version; opened again, it is answered by the new one
    assert answered_by(before, 170, 150) == "start 0"
    assert answered_by(open_case(annotator, site, phantom_case), 150, 170) == "retraining 1"

    # the way back
    page.goto(f"{site.url}/models/")
    shoot(page, "learning-versions")
    page.get_by_role("button", name="Roll back to start 0").click()
    expect(page.get_by_role("status").first).to_contain_text("answers clicks again")
    assert answered_by(open_case(annotator, site, phantom_case), 170, 170) == "start 0"


def test_its_evaluations_are_looked_at(learning_site, log_in):
    page = log_in("admin")
    page.goto(f"{learning_site.url}/models/evaluations/")
    shoot(page, "evaluations")
    page.locator("table a[href*='/models/evaluations/']").first.click()
    expect(page.get_by_role("heading", level=2).first).to_be_visible()
    shoot(page, "evaluation")
    page.goto(f"{learning_site.url}/models/evaluations/compare/?a=1&b=2")
    shoot(page, "evaluations-compared")


@pytest.mark.parametrize(
    "place", ["", "1/", "patients/", "rules/", "training/", "training/1/", "evaluations/", "evaluations/1/"]
)
def test_pages_of_models_are_accessible(learning_site, log_in, place):
    page = log_in("admin")
    for colours in ("dark", "light"):
        page.emulate_media(color_scheme=colours)
        page.goto(f"{learning_site.url}/models/{place}")
        check(page)
