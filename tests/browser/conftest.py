"""A real Chromium on a running site: Debian's browser, driven by Playwright."""

import shutil
from types import SimpleNamespace

import pytest
from playwright.sync_api import Error, sync_playwright

from segmodel import phantom
from segmodel.volumes import nifti
from tests.browser.screen import CaseScreen
from tests.site import ROOT, Site

SHOTS = ROOT / "build" / "screenshots"

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZE = {"width": 1280, "height": 800}


def installed():
    """The path of a Chromium, or None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")  # Playwright's loop goes on in this thread until it ends; asynchronous tests come later
def chromium():
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=installed(), args=FLAGS)
        except Error as error:
            pytest.skip(f"no Chromium to drive: {error.message.splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, request):
    """A page of a fresh profile; errors on its console fail the test, except those a test says it `allows`."""
    context = chromium.new_context(viewport=SIZE)
    page, page_errors = context.new_page(), []
    page.set_default_timeout(60_000)
    page.on("pageerror", lambda error: page_errors.append(str(error)))
    yield page
    context.close()
    assert not page_errors, page_errors


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site with the people `annotator`, `reviewer`, `manager` and `stranger`, and nothing imported."""
    folder = tmp_path_factory.mktemp("site")
    with Site(folder) as site:
        site.manage("migrate", "--verbosity", "0")
        site.people("annotator")
        site.people("reviewer", role="reviewer")
        site.people("manager", role="manager")
        site.people("stranger", project="Elsewhere")
        site.start_web()
        yield site


@pytest.fixture(scope="module")
def phantom_case(site):
    """A synthetic case of 24 slices, assigned to `annotator`, with its truth."""
    volume, labels, _ = phantom.make(seed=3, shape=(24, 320, 320), spacing=(7.5, 1.28, 1.28))
    phantom.write_dicom(volume, site.folder / "phantom")
    site.manage("import_series", str(site.folder / "phantom"), "--project", "Tests", "--assign", "annotator")
    return SimpleNamespace(volume=volume, labels=labels, id=1)


@pytest.fixture(scope="module")
def liver(site, shared_data):
    """The liver [z, y, x] of a real CT as a person drew it; the CT is imported and assigned to `annotator`."""
    archive = shared_data / "ct-dicom" / "ircad17_dicom.zip"
    site.manage("import_series", str(archive), "--project", "Tests", "--assign", "annotator")
    return nifti.read(shared_data / "ct-dicom" / "ircad17_labels.nii.gz").voxels == 1


@pytest.fixture(scope="module")
def z(liver):
    """The slice that shows most of the liver."""
    return int(liver.sum(axis=(1, 2)).argmax())


def shoot(page, name):
    """A screenshot to look at, `build/screenshots/<name>.png`."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def fill_in_log_in(page, name, password="demo"):
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


@pytest.fixture
def log_in(site, page):
    def log_in(name):
        page.goto(site.url)
        fill_in_log_in(page, name)
        return page

    return log_in


@pytest.fixture
def case_screen(site, log_in, page):
    """`case_screen(id)` → the canvas of a case, opened by its annotator and ready."""

    def open_case(case, name="annotator"):
        log_in(name)
        page.goto(f"{site.url}/cases/{case}/")
        return CaseScreen(page).wait_until_ready()

    return open_case


@pytest.fixture
def screen(case_screen, liver, z):
    """The canvas of the real CT, at the slice that shows most of its liver."""
    screen = case_screen(1)
    screen.go_to(z)
    return screen
