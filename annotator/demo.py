"""The demo: three people with a password that everybody knows, and a synthetic case to try everything on."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from annotator import engine
from annotator.annotation import assign
from annotator.annotation.models import Assignment, Label, Membership, Project
from annotator.studies.models import Series

PROJECT = "Demo: abdominal CT (synthetic)"
PASSWORD = "demo"
SEED = 1
GUIDELINES = (
    "This CT was made by a computer; no patient stands behind it. Click into an organ to outline it, click outside with "
    "the right button to take away, and drag a click to see the outline follow."
)
LABELS = {
    "aorta": "#e5484d",
    "gallbladder": "#3fb950",
    "left kidney": "#2f81f7",
    "right kidney": "#26a69a",
    "liver": "#f0a020",
    "pancreas": "#db61a2",
    "spleen": "#a371f7",
    "stomach": "#d4e157",
    "liver lesion": "#40e0ff",
}
"""In the order of the phantom's label values, 1 to 9."""


class DemoError(RuntimeError):
    """The demo may not be loaded; the message is one sentence."""


def load() -> bool:
    """Load what is missing of the demo; False where nothing was. Raises DemoError unless the site is in debug mode."""
    if not settings.DEBUG:
        raise DemoError("The demo's passwords are public, so it is loaded in debug mode only: set ANNOTATOR_DEBUG=1.")
    if Assignment.objects.filter(task__project__name=PROJECT).exists():
        return False
    (settings.DATA / "demo").touch()  # from here on this folder does not serve without debug mode
    with transaction.atomic():
        annotator = _person("annotator")
        project = _project()
        _join(project, annotator, Membership.Role.ANNOTATOR)
        _join(project, _person("manager"), Membership.Role.MANAGER)
        _join(project, _person("admin", everything=True), Membership.Role.MANAGER)
    series = _series()
    with transaction.atomic():
        task, _ = assign.add(project, series)
        assign.give(task, annotator, annotator)
    return True


def _person(name: str, everything: bool = False) -> User:
    create = User.objects.create_superuser if everything else User.objects.create_user
    return User.objects.filter(username=name).first() or create(name, password=PASSWORD)


def _project() -> Project:
    project, _ = Project.objects.get_or_create(name=PROJECT, defaults={"guidelines": GUIDELINES})
    for value, (name, colour) in enumerate(LABELS.items(), start=1):
        Label.objects.get_or_create(project=project, value=value, defaults={"name": name, "colour": colour})
    return project


def _join(project: Project, person: User, role: str) -> None:
    Membership.objects.get_or_create(project=project, person=person, defaults={"role": role})


def _series() -> Series:
    """The phantom, kept by the same function as every imported volume."""
    from annotator.studies import imports

    return imports.keep(engine.make_phantom(SEED), synthetic=True)
