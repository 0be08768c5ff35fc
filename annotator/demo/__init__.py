"""The demo: a project in mid-life on synthetic CT, and its people with a password that everybody knows.

`people` are who works in it, `hand` outlines as people do, `past` puts what happens into earlier days, `story` tells who did
what. All of it goes the way that real work goes; only the record says honestly that it was made today.
"""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from annotator import engine
from annotator.annotation.models import Membership
from annotator.demo import people, story
from annotator.demo.project import PROJECT
from annotator.studies import imports

SEED = 1
"""Of the case that everybody begins with: large, and outlined by nobody yet."""
OTHERS = {2: (0, 14, 42, 90, 180, 365), 3: (0, 7, 30, 60, 120, 240)}
"""Seeds of two more people, and the days on which each was scanned."""


class DemoError(RuntimeError):
    """The demo may not be loaded; the message is one sentence."""


def load() -> bool:
    """Load what is missing of the demo; False where nothing was. Raises DemoError unless the site is in debug mode."""
    if not settings.DEBUG:
        raise DemoError("The demo's passwords are public, so it is loaded in debug mode only: set ANNOTATOR_DEBUG=1.")
    if _is_loaded():
        return False
    (settings.DATA / "demo").touch()  # from here on this folder does not serve without debug mode
    first = imports.keep(engine.make_phantom(SEED), synthetic=True)
    scans = [
        story.Scan(imports.keep(volume, synthetic=True), truth)
        for seed, days in OTHERS.items()
        for volume, truth in engine.make_small_phantoms(seed, days)
    ]
    with transaction.atomic():
        story.tell(people.cast(), first, scans)
    return True


def _is_loaded() -> bool:
    """The reviewer comes with the story, which is told whole or not at all."""
    return Membership.objects.filter(project__name=PROJECT, person__username="reviewer").exists()
