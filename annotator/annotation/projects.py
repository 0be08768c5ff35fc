"""Projects: made, changed, archived, restored; deleted only while nobody has worked in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone
from django.utils.translation import gettext as _

from annotator.annotation import access, kept
from annotator.annotation.models import Assignment, Membership, Project
from annotator.events import audit
from annotator.inference import requests

SETTINGS = (
    "name",
    "guidelines",
    "overlap",
    "reviews_own",
    "model_version",
    "double_share",
    "review_share",
    "order",
    "gold_feedback",
    "window_presets",
)
"""What a manager may change."""

MOST_PRESETS = 12
WIDTHS, LEVELS = (1, 8000), (-2048, 6000)
"""Hounsfield units, the limits of the viewer's own window tool."""


class ProjectRefused(ValueError):
    """One sentence why a project stays as it is."""


def create(by: User, **settings: Any) -> Project:
    """A new project with these of SETTINGS, whose manager is whoever makes it. Raises ProjectRefused."""
    if not access.may_create_projects(by):
        raise ProjectRefused(_("Projects are made by administrators and by those who manage one already."))
    project = Project()
    _set(project, settings)
    with transaction.atomic():
        project.save()
        Membership.objects.create(project=project, person=by, role=Membership.Role.MANAGER)
        audit.note(by, "created", project, project.pk)
    return project


def change(project: Project, by: User, **settings: Any) -> None:
    """Give the project other settings. Raises ProjectRefused, and nothing is changed then."""
    before = {name: getattr(project, name) for name in settings}
    _set(project, settings)
    changed = {name: _plain(value) for name, value in settings.items() if value != before[name]}
    if changed:
        with transaction.atomic():
            project.save(update_fields=list(changed))
            audit.note(by, "changed", project, project.pk, **changed)
            if "model_version" in changed and project.model_version:
                requests.load_on_commit(project.model_version.path)


def archive(project: Project, by: User) -> None:
    """Let the project rest: all of it can be seen, nothing of it changes. Once more does nothing."""
    _turn(project, by, "archived", timezone.now())


def restore(project: Project, by: User) -> None:
    """Let the work go on."""
    _turn(project, by, "restored", None)


def archived(project_id: int) -> str | None:
    """Why nothing may change in the project, in one sentence; None where it may. Asked of the database each time."""
    name = Project.objects.filter(pk=project_id, archived_at__isnull=False).values_list("name", flat=True).first()
    sentence = _("The project %(name)s is archived, so its work rests until a manager restores it.")
    return sentence % {"name": name} if name else None


def delete(project: Project, by: User, typed: str) -> None:
    """Delete a project that nobody has worked in; its series stay. Raises ProjectRefused.

    Args:
        typed: the project's name, as the person has written it to show that this one is meant.
    """
    if typed.strip() != project.name:
        raise ProjectRefused(_("To delete the project, type its name: %(name)s") % {"name": project.name})
    if work := kept.work(assignment__task__project=project):
        sentence = _("The project holds %(work)s, so it cannot be deleted; archive it instead.")
        raise ProjectRefused(sentence % {"work": work})
    untouched = (Assignment.State.ASSIGNED, Assignment.State.HANDED_BACK)
    done = Assignment.objects.filter(task__project=project).exclude(state__in=untouched).count()
    if done:
        sentence = _("People have decided on %(n)d of its cases, so it cannot be deleted; archive it instead.")
        raise ProjectRefused(sentence % {"n": done})
    try:
        with transaction.atomic():
            audit.note(by, "deleted", project, project.pk)
            project.delete()
    except ProtectedError as error:  # somebody has begun meanwhile
        raise ProjectRefused(_("People work in the project, so it cannot be deleted; archive it instead.")) from error


def checked_presets(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Window presets as they are kept, [{name, level, width}]. Raises ProjectRefused."""
    if len(rows) > MOST_PRESETS:
        raise ProjectRefused(_("A project may have %(most)d window presets.") % {"most": MOST_PRESETS})
    presets = [_checked_preset(row) for row in rows]
    names = [preset["name"].casefold() for preset in presets]
    if twice := next((one["name"] for one in presets if names.count(one["name"].casefold()) > 1), None):
        raise ProjectRefused(_("Two window presets are called %(name)s.") % {"name": twice})
    return presets


def _checked_preset(row: Any) -> dict[str, Any]:
    try:
        name, level, width = str(row["name"]).strip(), int(row["level"]), int(row["width"])
    except (TypeError, KeyError, ValueError) as error:
        sentence = _("A window preset has a name, a level and a width in whole Hounsfield units.")
        raise ProjectRefused(sentence) from error
    if not 1 <= len(name) <= 32:
        raise ProjectRefused(_("A window preset has a name of 1 to 32 characters."))
    if not WIDTHS[0] <= width <= WIDTHS[1]:
        sentence = _("%(name)s: a window is %(least)d to %(most)d Hounsfield units wide.")
        raise ProjectRefused(sentence % {"name": name, "least": WIDTHS[0], "most": WIDTHS[1]})
    if not LEVELS[0] <= level <= LEVELS[1]:
        sentence = _("%(name)s: a window's level lies between %(least)d and %(most)d Hounsfield units.")
        raise ProjectRefused(sentence % {"name": name, "least": LEVELS[0], "most": LEVELS[1]})
    return {"name": name, "level": level, "width": width}


def _set(project: Project, settings: dict[str, Any]) -> None:
    unknown = settings.keys() - set(SETTINGS)
    if unknown:
        raise ProjectRefused(_("A project has no setting %(name)s.") % {"name": repr(min(unknown))})
    if "window_presets" in settings:
        settings["window_presets"] = checked_presets(settings["window_presets"])
    if "name" in settings:
        settings["name"] = settings["name"].strip()
        _check_name(project, settings["name"])
    for name, value in settings.items():
        setattr(project, name, value)
    try:
        project.full_clean()
    except ValidationError as error:
        field, sentences = next(iter(error.message_dict.items()))
        raise ProjectRefused(f"{field.replace('_', ' ')}: {sentences[0]}") from error


def _check_name(project: Project, name: str) -> None:
    """Names that differ in capitals only would be confused."""
    if not name:
        raise ProjectRefused(_("A project needs a name."))
    if Project.objects.filter(name__iexact=name).exclude(pk=project.pk).exists():
        raise ProjectRefused(_("There is a project called %(name)s already.") % {"name": name})


def _turn(project: Project, by: User, verb: str, archived_at: datetime | None) -> None:
    """A conditional update, so that of two managers at once one did it."""
    others = Project.objects.filter(pk=project.pk, archived_at__isnull=archived_at is not None)
    with transaction.atomic():
        if others.update(archived_at=archived_at):
            audit.note(by, verb, project, project.pk)
    project.refresh_from_db(fields=["archived_at"])


def _plain(value: Any) -> Any:
    """As JSON has it: a model version by its name."""
    return value if isinstance(value, str | int | float | bool | list | None) else str(value)
