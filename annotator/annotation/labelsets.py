"""A project's label set: changed label by label, taken from files of other programs or from another project.

Names, colours and hotkeys are each there once. A label's value, which its voxels have in exported files, never changes.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, OuterRef, ProtectedError, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotator.annotation import kept
from annotator.annotation.models import Label, Project, SliceMask
from annotator.events import audit

MOST_LABELS = 250
GREATEST_VALUE = 32767
"""What a small integer of every database and int16 in every NIfTI reader holds."""

LONGEST_NAME = 64
TOUCHING = ("name", "colour", "snomed")
"""What of a label its masks are known by."""


class LabelRefused(ValueError):
    """One sentence why the label set stays as it is."""


@dataclass(frozen=True)
class Entry:
    """A label outside of any project, as files have it. `value` is a wish."""

    value: int
    name: str
    colour: str
    hotkey: str = ""
    snomed: str = ""
    locked: bool = False


@dataclass(frozen=True)
class Proposal:
    """What of some entries a project would get: not saved yet."""

    labels: list[Label]
    kept: list[str]
    """Names that the project has already."""
    notes: list[str]
    """What would be otherwise than in the source, in sentences."""


# ---------------------------------------------------------------------------------------------------- one label


def add(project: Project, by: User, **fields: Any) -> Label:
    """A new label at the end of the list, with the next free value. Raises LabelRefused."""
    with transaction.atomic():
        others = _locked(project)
        _check_room(others, 1)
        label = Label(project=project, value=_free_value({one.value for one in others}), position=_next(others))
        _set(label, fields, others)
        label.save()
        audit.note(by, "created", label, project.pk)
    return label


def change(label: Label, by: User, **fields: Any) -> None:
    """Change any of its fields but its project. Raises LabelRefused."""
    before = {name: getattr(label, name) for name in fields}
    with transaction.atomic():
        _set(label, fields, [one for one in _locked(label.project) if one != label])
        changed = {name: getattr(label, name) for name in fields if getattr(label, name) != before[name]}
        if changed:
            label.save(update_fields=list(changed))
            audit.note(by, "changed", label, label.project_id, **changed)


def touched(label: Label) -> str | None:
    """What stands under the label's name, e.g. "12 masks in 3 cases"; None where nothing does."""
    masks = SliceMask.objects.filter(label=label, pixels__gt=0).aggregate(
        masks=Count("pk"), cases=Count("assignment__task", distinct=True)
    )
    if not masks["masks"]:
        return None
    standing = ngettext("%(n)d mask", "%(n)d masks", masks["masks"]) % {"n": masks["masks"]}
    return standing + " " + ngettext("in %(n)d case", "in %(n)d cases", masks["cases"]) % {"n": masks["cases"]}


def with_masks(project: Project) -> QuerySet[Any]:
    """The label set, each label with the number of masks that have it, `used`."""
    masks = SliceMask.objects.filter(label=OuterRef("pk"), pixels__gt=0).order_by().values("label")
    return project.labels.annotate(used=Coalesce(Subquery(masks.annotate(number=Count("pk")).values("number")), 0))


def move(label: Label, by: User, steps: int) -> None:
    """Up (negative) or down the list; it stops at the ends."""
    with transaction.atomic():
        labels = _locked(label.project)
        place = labels.index(label)
        labels.insert(max(place + steps, 0), labels.pop(place))
        for position, one in enumerate(labels):
            one.position = position
        Label.objects.bulk_update(labels, ["position"])
        audit.note(by, "moved", label, label.project_id)


def delete(label: Label, by: User) -> None:
    """Raises LabelRefused where anybody has worked with the label."""
    refusal = _("The label %(label)s has %(work)s, so it cannot be deleted.")
    if work := kept.work(label=label):
        raise LabelRefused(refusal % {"label": label, "work": work})
    try:
        with transaction.atomic():
            audit.note(by, "deleted", label, label.project_id)
            label.delete()
    except ProtectedError as error:  # somebody has begun meanwhile
        raise LabelRefused(refusal % {"label": label, "work": _("work of somebody by now")}) from error


def _locked(project: Project) -> list[Label]:
    """The label set, which nobody else changes until this transaction is over."""
    Project.objects.select_for_update().get(pk=project.pk)
    return list(project.labels.all())


def _set(label: Label, fields: dict[str, Any], others: Sequence[Label]) -> None:
    for name, value in fields.items():
        setattr(label, name, value)
    label.name, label.colour = label.name.strip(), label.colour.strip().lower()
    label.hotkey, label.snomed = label.hotkey.upper(), label.snomed.strip()
    _check(label, others)


def _check(label: Label, others: Sequence[Label]) -> None:
    if fault := next(iter(_faults(label, others)), None):
        raise LabelRefused(fault)


def _faults(label: Label, others: Sequence[Label]) -> Iterable[str]:
    if not 1 <= len(label.name) <= LONGEST_NAME:
        yield _("A label has a name of 1 to %(most)d characters.") % {"most": LONGEST_NAME}
    if any(other.name.casefold() == label.name.casefold() for other in others):
        yield _("There is a label %(name)s already.") % {"name": label.name}
    if not is_colour(label.colour):
        yield _("A colour is written #rrggbb, e.g. #f0a020.")
    if same := next((other for other in others if other.colour == label.colour), None):
        yield _("The label %(label)s has this colour already.") % {"label": same}
    if same := next((other for other in others if other.value == label.value), None):
        yield _("The label %(label)s has the value %(value)d already.") % {"label": same, "value": label.value}
    if label.hotkey and not is_hotkey(label.hotkey):
        yield _("A hotkey is one letter, digit or sign.")
    if same := next((other for other in others if label.hotkey and other.hotkey == label.hotkey), None):
        yield _("The label %(label)s has the hotkey %(key)s already.") % {"label": same, "key": label.hotkey}
    if label.snomed and not is_snomed(label.snomed):
        sentence = _("%(code)s is no SNOMED CT code: these have 6 to 18 digits, and the last one checks the others.")
        yield sentence % {"code": label.snomed}


def is_colour(text: str) -> bool:
    return re.fullmatch(r"#[0-9a-f]{6}", text) is not None


def is_hotkey(text: str) -> bool:
    """One character that a keyboard types; the space bar pans."""
    return len(text) == 1 and text.isprintable() and not text.isspace()


def is_snomed(code: str) -> bool:
    """Whether these are the digits of a SNOMED CT identifier: the last one is Verhoeff's check of those before it."""
    return re.fullmatch(r"[1-9][0-9]{5,17}", code) is not None and _verhoeff(code) == 0


def _verhoeff(digits: str) -> int:
    """0 where the last digit checks the others: a walk through the symmetries of a pentagon."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        turned = int(digit)
        for _time in range(place % 8):
            turned = _TURN[turned]
        check = _together(check, turned)
    return check


_TURN = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _together(first: int, second: int) -> int:
    """The product in the dihedral group of ten: 0 to 4 are rotations, 5 to 9 reflections."""
    if first < 5:
        return (first + second) % 5 + (0 if second < 5 else 5)
    return (first - second) % 5 + (5 if second < 5 else 0)


# ---------------------------------------------------------------------------------------------------- many labels


def entries_of(project: Project) -> list[Entry]:
    """The label set, for files and for other projects."""
    fields = ("value", "name", "colour", "hotkey", "snomed", "locked")
    return [Entry(**row) for row in project.labels.values(*fields)]


def propose(project: Project, entries: Sequence[Entry]) -> Proposal:
    """What the project would get of these. Names that it has stay as they are. Raises LabelRefused."""
    there = list(project.labels.all())
    names = {label.name.casefold() for label in there}
    proposal = Proposal([], [], [])
    for entry in entries:
        if entry.name.casefold() in names:
            proposal.kept.append(entry.name)
            continue
        names.add(entry.name.casefold())
        proposal.labels.append(_fitted(project, entry, [*there, *proposal.labels], proposal.notes))
    _check_room(there, len(proposal.labels))
    return proposal


def take(project: Project, proposal: Proposal, by: User) -> list[Label]:
    """Add what was proposed, all of it or, where somebody was faster, nothing. Raises LabelRefused."""
    with transaction.atomic():
        others = _locked(project)
        _check_room(others, len(proposal.labels))
        for label in proposal.labels:
            _check(label, others)
            label.save()
            others.append(label)
        names = [label.name for label in proposal.labels]
        audit.note(by, "added labels", project, project.pk, labels=names)
    return proposal.labels


def _fitted(project: Project, entry: Entry, others: list[Label], notes: list[str]) -> Label:
    """The entry as a label that can stand beside the others."""
    values, colours = {other.value for other in others}, {other.colour for other in others}
    label = Label(project=project, name=entry.name, value=entry.value, colour=entry.colour, position=_next(others))
    label.snomed, label.locked = entry.snomed, entry.locked
    if not 1 <= entry.value <= GREATEST_VALUE or entry.value in values:
        label.value = _free_value(values)
        sentence = _("%(name)s gets the value %(value)d, as %(wanted)d is not free.")
        notes.append(sentence % {"name": entry.name, "value": label.value, "wanted": entry.value})
    if entry.colour in colours:
        label.colour = free_colour(colours)
        sentence = _("%(name)s gets another colour, as %(colour)s is taken.")
        notes.append(sentence % {"name": entry.name, "colour": entry.colour})
    if entry.hotkey and all(other.hotkey != entry.hotkey for other in others):
        label.hotkey = entry.hotkey
    try:
        _check(label, others)
    except LabelRefused as refused:
        raise LabelRefused(f"{entry.name[:LONGEST_NAME]}: {refused}") from refused
    return label


def free_colour(taken: Iterable[str]) -> str:
    """A colour that none of these is: the next on a walk around the wheel by the golden angle."""
    taken = set(taken)
    for step in range(len(taken) + 1):
        red, green, blue = colorsys.hls_to_rgb(step * 0.61803398875 % 1, 0.6, 0.65)
        colour = f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
        if colour not in taken:
            return colour
    raise AssertionError("Of one colour more than are taken, one is free.")


def _check_room(there: Sequence[Label], more: int) -> None:
    if len(there) + more > MOST_LABELS:
        sentence = _("A project may have %(most)d labels; with these it would have %(n)d.")
        raise LabelRefused(sentence % {"most": MOST_LABELS, "n": len(there) + more})


def _free_value(taken: set[int]) -> int:
    """After the greatest, so that a value of a deleted label seldom comes back; else the smallest that is free."""
    after = max(taken, default=0) + 1
    return after if after <= GREATEST_VALUE else next(value for value in range(1, after) if value not in taken)


def _next(others: Sequence[Label]) -> int:
    return max((other.position for other in others), default=0) + 1
