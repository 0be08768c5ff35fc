"""axe-core finds nothing serious on any page, in the states in which a person meets them."""

import pytest

from tests.site import ROOT

pytestmark = pytest.mark.browser
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


def check(page):
    """No violation that axe-core calls serious or critical."""
    page.add_script_tag(path=AXE)
    found = page.evaluate("rules => axe.run(document, { runOnly: rules })", RULES)
    serious = [
        f"{rule['id']}: {rule['help']}: {[node['html'][:120] for node in rule['nodes']]}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
    ]
    assert not serious, "\n".join(serious)
    assert len(found["passes"]) > 5  # it has looked at something


def test_the_log_in(page, site):
    page.goto(site.url)
    check(page)


@pytest.mark.parametrize("address", ["/", "/upload/", "/nowhere/"])
def test_the_pages_of_a_manager(log_in, site, address):
    page = log_in("manager")
    page.goto(site.url + address)
    check(page)


@pytest.mark.parametrize("name", ["manager", "reviewer", "annotator"])
def test_the_pages_of_a_project(log_in, site, phantom_case, name):
    """Every page that a person's tabs lead to, in dark and in light."""
    page = log_in(name)
    page.goto(f"{site.url}/projects/1/")
    tabs = page.get_by_role("navigation", name="Project").get_by_role("link")
    for address in [tab.get_attribute("href") for tab in tabs.all()]:
        for colours in ("dark", "light"):
            page.emulate_media(color_scheme=colours)
            page.goto(site.url + address)
            check(page)


def test_the_case_in_every_state(case_screen, phantom_case):
    screen = case_screen(phantom_case.id)
    page = screen.page
    check(page)
    screen.click(110, 150)
    page.keyboard.press("t")
    page.get_by_label("Lowest HU to paint").wait_for()
    page.get_by_text("History", exact=True).click()
    page.locator(".past").first.wait_for()
    page.get_by_role("button", name="Lock liver", exact=True).click()
    page.get_by_role("button", name="Lock liver", exact=True, pressed=True).wait_for()
    check(page)
    page.get_by_role("button", name="Coronal and sagittal plane").click()
    page.get_by_role("application", name="Coronal plane").focus()
    screen.wait("s.awaited === 0")
    check(page)
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    check(page)
