"""The whole liver of a real CT from a few clicks on one slice."""

import re
import struct

import numpy as np
import pytest

from annotator import masks
from annotator.protocol import MaskFrame
from segmodel.metrics import dice
from segmodel.simulation import centre_click
from tests.browser.conftest import shoot

pytestmark = pytest.mark.browser


def saved(screen, site, shape):
    """The saved masks [z, y, x] of the first label."""
    data, volume = screen.page.request.get(f"{site.url}/api/assignments/1/masks/").body(), np.zeros(shape, bool)
    while data:
        (length,) = struct.unpack_from("<I", data)
        frame = MaskFrame.from_bytes(data[4 : 4 + length])
        if frame.label == screen.label():
            volume[frame.z] = masks.decode(frame.mask)
        data = data[4 + length :]
    return volume


def test_a_mask_propagates_up_and_down_and_waits_to_be_accepted(screen, site, liver, z):
    page = screen.page
    for _ in range(3):
        click = centre_click(liver[z], screen.mask())
        screen.click(click.x, click.y, button="left" if click.positive else "right")
    page.keyboard.press("Shift+P")
    page.get_by_role("button", name="Stop").wait_for()
    page.get_by_text(re.compile(r"^\d+ slices were reached\.$")).wait_for(state="attached", timeout=300_000)
    screen.wait_until_saved()
    volume = saved(screen, site, liver.shape)
    reached = int(volume.any(axis=(1, 2)).sum())
    print(f"3 clicks: {reached} slices, 3-D Dice {dice(volume, liver):.3f}")
    assert reached > 20 and dice(volume, liver) > 0.7
    count = page.locator("h2", has_text="Propagate").locator(".count")
    assert count.text_content() == f"{reached - 1} unconfirmed"
    screen.go_to(z + 1)
    shoot(page, "propagated")
    page.get_by_role("button", name="Accept this slice").click()
    screen.wait("s.z === a + 2", z)
    screen.wait_until_saved()
    assert count.text_content() == f"{reached - 2} unconfirmed"


def test_after_a_reload_what_waits_still_waits_and_undo_takes_back_slice_by_slice(screen, site, liver):
    page, before = screen.page, saved(screen, site, liver.shape)
    count = page.locator("h2", has_text="Propagate").locator(".count")
    waiting = int(count.text_content().split()[0])
    page.keyboard.press("Control+z")  # the acceptance
    page.get_by_text(f"{waiting + 1} unconfirmed").wait_for()
    page.keyboard.press("Control+z")
    page.get_by_text(f"{waiting} unconfirmed").wait_for()
    screen.wait_until_saved()
    after = saved(screen, site, liver.shape)
    assert after.any(axis=(1, 2)).sum() == before.any(axis=(1, 2)).sum() - 1


def test_a_correction_flows_to_the_slices_beside_it(screen, site, liver):
    before, page = saved(screen, site, liver.shape), screen.page
    z = screen.state()["z"] + 8
    screen.go_to(z)
    page.get_by_role("button", name="Accept this slice").wait_for()
    click = centre_click(liver[z], screen.mask())
    screen.click(click.x, click.y, button="left" if click.positive else "right")
    page.wait_for_function("() => !document.querySelector('.side [role=status]')")
    screen.wait_until_saved()
    after = saved(screen, site, liver.shape)
    print(f"a click more: 3-D Dice {dice(before, liver):.3f} → {dice(after, liver):.3f}")
    assert (before[z] != after[z]).any() and dice(after, liver) > dice(before, liver) - 0.02
    assert page.get_by_role("button", name="Accept this slice").count() == 0
