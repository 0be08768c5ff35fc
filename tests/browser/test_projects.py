"""A manager sets up a project in the browser: makes it, brings labels from a file, adds cases and gives them out."""

import pytest

from segmodel import phantom
from tests.browser.conftest import shoot
from tests.browser.test_accessibility import check

pytestmark = pytest.mark.browser
LABELS = b"""\
# ITK-SnAP Label Description File
    0     0    0    0        0  0  0    "Clear Label"
    1   240  160   32        1  1  1    "liver"
    2   163  113  247        1  1  1    "left kidney"
    5   240  160   32        1  1  1    "right kidney"
"""


@pytest.fixture(scope="module")
def series(site):
    """Two synthetic series, cases of the project that `manager` manages."""
    for seed in (5, 6):
        volume, _, _ = phantom.make(seed=seed, shape=(12, 128, 128), spacing=(10, 3.2, 3.2))
        phantom.write_dicom(volume, site.folder / f"waiting{seed}")
        site.manage("import_series", str(site.folder / f"waiting{seed}"), "--project", "Tests")


def seen(page, name):
    """Nothing serious for axe-core, and a picture of it, dark and light."""
    check(page)
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        shoot(page, f"{name}-{scheme}")


def test_a_project_from_its_name_to_its_first_cases(log_in, page, site, series):
    log_in("manager")
    page.goto(f"{site.url}/projects/")
    seen(page, "projects")
    page.get_by_role("link", name="New project").click()
    page.get_by_label("Name").fill("Kidneys")
    page.get_by_label("Guidelines").fill(
        "# Kidney\n\nOutline the **parenchyma**; leave out:\n\n* the pelvis\n* vessels"
    )
    seen(page, "new-project")
    page.get_by_role("button", name="Make the project").click()

    page.get_by_text("There are no labels yet.").wait_for()
    seen(page, "no-labels")
    file = {"name": "organs.label", "mimeType": "text/plain", "buffer": LABELS}
    page.get_by_label("A colour table of 3D Slicer").set_input_files(file)
    page.get_by_role("button", name="Look at the file").click()
    page.get_by_text("right kidney gets another colour").wait_for()
    seen(page, "labels-proposed")
    page.get_by_role("button", name="Add 3 labels").click()
    page.get_by_text("3 labels were added.").wait_for()
    page.get_by_role("button", name="Move right kidney up").click()
    page.get_by_role("row").nth(2).get_by_role("link", name="Edit right kidney").wait_for()
    assert page.evaluate("document.activeElement.id").startswith("up-")
    seen(page, "labels")
    page.get_by_role("link", name="Edit liver").click()
    page.get_by_label("Key on the canvas").fill(";")
    page.get_by_label("SNOMED CT code").fill("10200005")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("10200005 is no SNOMED CT code").wait_for()
    seen(page, "label")
    page.get_by_label("SNOMED CT code").fill("10200004")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("cell", name="10200004").wait_for()

    page.get_by_role("link", name="Cases", exact=True).click()
    page.get_by_role("link", name="From another project").click()
    page.get_by_label("Tick all of this page").check()
    page.get_by_text("2 ticked").wait_for()
    seen(page, "add-cases")
    page.get_by_role("button", name="Add the ticked ones").click()
    page.get_by_text("2 cases were added.").wait_for()
    page.get_by_label("Tick all of this page").check()
    page.get_by_text("2 ticked").wait_for()
    page.locator("summary", has_text="Plan").click()
    page.get_by_label("Priority").fill("3")
    seen(page, "cases-plan")
    page.get_by_role("button", name="Set", exact=True).click()
    page.get_by_text("2 cases were planned.").wait_for()
    page.locator("input[data-tick]").first.check()
    page.locator("summary", has_text="Give").click()
    page.get_by_label("Give to").select_option("manager (Manager)")
    page.get_by_role("button", name="Give", exact=True).click()
    page.get_by_text("1 case was given to manager.").wait_for()
    page.locator("#id_standing").select_option("waiting")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("table").get_by_text("1 case").wait_for()
    page.get_by_role("link", name="Cases", exact=True).click()
    seen(page, "cases")

    page.get_by_role("link", name="Overview").click()
    page.get_by_text("1 case waits for a person.").wait_for()
    seen(page, "overview")
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Name 1").fill("Fat")
    page.get_by_label("Level (HU) 1").fill("-100")
    page.get_by_label("Width (HU) 1").fill("200")
    seen(page, "project-settings")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("The settings are saved.").wait_for()

    page.goto(f"{site.url}/")
    page.locator(".card a").first.click()
    page.get_by_role("button", name="Fat", exact=True).wait_for()
    page.locator(".guidelines li", has_text="the pelvis").wait_for()
    page.locator(".labels kbd", has_text=";").wait_for()
    check(page)


def test_an_archived_project_is_folded_away(log_in, page, site):
    log_in("manager")
    page.goto(f"{site.url}/projects/new/")
    page.get_by_label("Name").fill("Old study")
    page.get_by_role("button", name="Make the project").click()
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("button", name="Archive the project").click()
    page.get_by_text("The project is archived; its work rests.").wait_for()
    page.goto(f"{site.url}/projects/")
    page.get_by_text("1 archived project").click()
    page.get_by_role("link", name="Old study").click()
    page.get_by_role("link", name="Settings").first.click()
    seen(page, "archived-settings")
    page.get_by_role("textbox", name="Type its name, Old study").fill("Old study")
    page.get_by_role("button", name="Delete the project").click()
    page.get_by_text("The project Old study is deleted.").wait_for()
