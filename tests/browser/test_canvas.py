"""A day at the canvas, on a synthetic case: labels, keys, windows, trouble on the line, other people."""

import io
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from segmodel import phantom
from tests.browser.conftest import SIZE, fill_in_log_in, shoot
from tests.browser.screen import CaseScreen

pytestmark = pytest.mark.browser
LIVER, SPLEEN = 5, 7  # label values of the phantom


@pytest.fixture
def case(phantom_case):
    return phantom_case


@pytest.fixture
def screen(case_screen, case):
    return case_screen(case.id)


def spot(truth):
    """(x, y) of the pixel of a mask [y, x] that is nearest to its middle."""
    points = np.argwhere(truth)
    y, x = points[np.abs(points - points.mean(axis=0)).sum(axis=1).argmin()]
    return int(x), int(y)


def spleen_slice(case):
    return int((case.labels == SPLEEN).sum(axis=(1, 2)).argmax())


def liver_slice(case, rank):
    """The slice that shows most of the liver, the second most, … so that every test has one of its own."""
    ranked = np.argsort((case.labels == LIVER).sum(axis=(1, 2)))[::-1]
    return int([z for z in ranked if z != spleen_slice(case)][rank])


def test_two_labels_on_one_slice_are_seen_together(screen, case):
    z = spleen_slice(case)
    screen.go_to(z)
    screen.click(*spot(case.labels[z] == LIVER))
    liver = screen.label()
    screen.page.keyboard.press("2")
    screen.wait("s.label !== a", liver)
    screen.click(*spot(case.labels[z] == SPLEEN))
    assert screen.mask(liver).any() and screen.mask().any()
    assert len(screen.state()["clicks"]) == 1  # the chosen label's own


def test_a_click_outside_the_slice_does_nothing(screen, case):
    before = screen.sequence()
    x, y = screen.point(0, 0)
    screen.page.mouse.click(x - 30, y)
    screen.wait_until_saved()
    assert screen.sequence() == before and screen.state()["clicks"] == []


def test_everything_works_from_the_keyboard(screen, case):
    z = liver_slice(case, 1)
    screen.page.keyboard.press("Home")
    screen.wait("s.z === 0")
    for _ in range(z):
        screen.page.keyboard.press("ArrowUp")
    screen.wait("s.z === a && s.sliceLoaded", z)
    screen.page.keyboard.press("c")
    with screen.new_mask():
        screen.page.keyboard.press("Shift+ArrowLeft")
        screen.page.keyboard.press("Enter")
    screen.wait_until_saved()
    assert len(screen.state()["clicks"]) == 1
    screen.page.keyboard.press("Control+z")
    screen.wait("s.clicks.length === 0")
    screen.wait_until_saved()
    screen.page.keyboard.press("?")
    assert screen.page.get_by_role("dialog", name="Keys and mouse").is_visible()
    screen.page.keyboard.press("Escape")


def test_escape_cancels_a_drag_and_leaves_no_trace(screen, case):
    z = liver_slice(case, 2)
    screen.go_to(z)
    x, y = spot(case.labels[z] == LIVER)
    with screen.new_mask():
        screen.page.mouse.move(*screen.point(x, y))
        screen.page.mouse.down()
    screen.page.keyboard.press("Escape")
    screen.page.mouse.up()
    screen.wait_until_empty()
    assert screen.state()["clicks"] == [] and screen.state()["saved"] == "saved"


def test_a_deleted_click_takes_its_mask_along(screen, case):
    z = liver_slice(case, 3)
    screen.go_to(z)
    x, y = spot(case.labels[z] == LIVER)
    screen.click(x, y)
    with screen.new_mask():
        screen.page.mouse.move(*screen.point(x, y))
        screen.page.keyboard.press("Delete")
    screen.wait_until_saved()
    screen.wait_until_empty()
    assert screen.state()["clicks"] == []


def test_a_slow_or_broken_line_loses_nothing(screen, case, site):
    z = liver_slice(case, 4)
    screen.go_to(z)
    screen.page.context.set_offline(True)
    site.stop("web")
    screen.wait("s.connection !== 'connected'")
    x, y = spot(case.labels[z] == LIVER)
    screen.page.mouse.click(*screen.point(x, y))
    screen.wait("s.waiting === 1 && s.saved === 'unsaved'")
    screen.page.get_by_text("1 change waiting").wait_for()
    screen.page.context.set_offline(False)
    site.start_web()
    screen.wait_until_ready()
    screen.wait_until_saved()
    assert [(c["x"], c["y"]) for c in screen.state()["clicks"]] == [(x, y)]
    screen.page.reload()
    CaseScreen(screen.page).wait_until_ready()
    screen.go_to(z)
    screen.wait("s.clicks.length === 1")


def test_the_wheel_turns_slices_and_presets_change_the_picture(screen):
    z = screen.state()["z"]
    screen.page.mouse.move(*screen.point(160, 160))
    screen.page.mouse.wheel(0, -120)
    screen.wait("s.z !== a && s.sliceLoaded", z)
    shots = []
    for preset in ("Lung", "Bone"):
        screen.page.get_by_role("button", name=preset).click()
        screen.page.get_by_text({"Lung": "W 1500", "Bone": "W 1800"}[preset]).wait_for()
        shots.append(screen.page.locator("canvas").first.screenshot())
    assert shots[0] != shots[1]


@pytest.mark.parametrize("ratio", [1, 2])
def test_the_mask_is_painted_where_it_is(chromium, site, case, ratio):
    """Read from a screenshot, at two zooms: the label's colour where the mask is, and nowhere else."""
    context = chromium.new_context(viewport=SIZE, device_scale_factor=ratio)
    page = context.new_page()
    try:
        page.goto(f"{site.url}/cases/{case.id}/")
        fill_in_log_in(page, "annotator")
        screen = CaseScreen(page).wait_until_ready()
        z = liver_slice(case, 4 + ratio)
        screen.go_to(z)
        screen.click(*spot(case.labels[z] == LIVER))
        page.mouse.move(5, 300)  # the pointer's own marks out of the way
        page.get_by_role("checkbox", name="Outline").uncheck()
        for _zoom in range(2):
            page.mouse.move(5, 300)
            assert_painted(screen, ratio)
            page.keyboard.press("+")
    finally:
        context.close()


def assert_painted(screen, ratio):
    picture = np.asarray(Image.open(io.BytesIO(screen.page.screenshot())).convert("RGB"), int)
    stage = screen.page.locator("canvas").first.bounding_box()
    mask, checked = screen.mask(), 0
    clicks = [(c["x"], c["y"]) for c in screen.state()["clicks"]]
    rng = np.random.default_rng(4242)
    for y, x in rng.permutation(np.argwhere(np.ones_like(mask)))[:1500]:
        if any(abs(x - cx) < 12 and abs(y - cy) < 12 for cx, cy in clicks) or on_edge(mask, y, x):
            continue
        px, py = screen.point(int(x), int(y))
        inside = stage["x"] + 210 < px < stage["x"] + stage["width"] - 210
        if not (inside and stage["y"] + 40 < py < stage["y"] + stage["height"] - 40):
            continue  # under the texts in the corners
        red, _, blue = picture[int(py * ratio), int(px * ratio)]
        assert (red - blue > 20) == mask[y, x], f"voxel {x}, {y}: {picture[int(py * ratio), int(px * ratio)]}"
        checked += 1
    assert checked > 100


def on_edge(mask, y, x):
    around = mask[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
    return around.any() != around.all()


def test_whoever_does_not_belong_gets_no_page_and_no_picture(log_in, page, site, case):
    log_in("stranger")
    assert page.goto(f"{site.url}/cases/{case.id}/").status == 404
    assert page.goto(f"{site.url}/api/assignments/{case.id}/").status == 404


def test_a_synthetic_case_says_so(chromium, site, log_in, page):
    site.manage(
        "shell",
        "--no-imports",
        "-c",
        "from annotator.studies.models import Series; Series.objects.update(synthetic=True)",
    )
    log_in("annotator")
    page.goto(f"{site.url}/cases/1/")
    page.get_by_text("Synthetic phantom – not a patient").wait_for()


def test_a_manager_uploads_a_dicom_zip_and_a_bad_file(log_in, page, site, tmp_path):
    site.start_jobs()
    volume, _, _ = phantom.make(seed=9, shape=(6, 64, 64), spacing=(30.0, 6.4, 6.4))
    phantom.write_dicom(volume, tmp_path / "series")
    archive = shutil.make_archive(str(tmp_path / "series"), "zip", tmp_path / "series")
    (tmp_path / "letter.nii.gz").write_bytes(b"not an image")
    log_in("manager")
    page.get_by_role("link", name="Upload a series").first.click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").click()
    chooser.value.set_files([archive, str(tmp_path / "letter.nii.gz")])
    page.get_by_role("button", name="Upload").click()
    report = page.get_by_role("list", name="What became of the files")
    report.get_by_text("letter.nii.gz").first.wait_for()
    assert report.get_by_role("listitem").count() == 2
    shoot(page, "upload")
    assert "not a NIfTI" in report.inner_text()
    page.goto(site.url)


def test_the_ruler_measures_millimetres(screen):
    page = screen.page
    page.keyboard.press("z")
    page.mouse.move(*screen.point(60, 100))
    page.mouse.down()
    page.mouse.move(*screen.point(160, 100))
    page.mouse.up()
    said = page.get_by_text(re.compile(r"^[\d.]+ millimetres$"))
    said.wait_for(state="attached")
    # 100 pixels of 1.28 mm, aimed at to half a pixel
    assert float(said.text_content().split()[0]) == pytest.approx(128, abs=1)
    shoot(page, "ruler")
    page.keyboard.press("Escape")
    page.keyboard.press("v")
