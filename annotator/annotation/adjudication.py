"""Somebody who read none of a task's readings makes its ground truth of them.

Where the readings are the same there is nothing to decide, so the adjudication begins with what they share.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from numpy.typing import NDArray

from annotator import masks
from annotator.annotation import access, agreement, history, progress
from annotator.annotation.models import Assignment, Interaction, SliceMask, Task
from annotator.events import audit

S = Assignment.State
AGREED = "agreed"
"""The tool of the paints that an adjudication begins with (`annotator.protocol.TOOLS`)."""

DECIDED = "adjudicated"  # why the readings are accepted

Place = tuple[int, int]  # label id, z
Pair = tuple[NDArray[np.bool_] | None, NDArray[np.bool_] | None]  # None: an empty mask


class AdjudicationRefused(ValueError):
    """One sentence why a task is not adjudicated by a person."""


def of(task: Task) -> Assignment | None:
    """The task's adjudication, unless it was handed back."""
    found = task.assignments.filter(kind=Assignment.Kind.ADJUDICATION).exclude(state=S.HANDED_BACK)
    return found.select_related("person").first()


def begin(task: Task, person: User) -> Assignment:
    """The person's adjudication of the task, made now or before; one person has it. Raises AdjudicationRefused."""
    if not access.may_adjudicate(person, task):
        raise AdjudicationRefused(_("Only a reviewer who read none of its readings decides between them."))
    if not access.is_member(person, task.project_id):
        raise AdjudicationRefused(
            _("Only members of %(project)s decide between its readings.") % {"project": task.project}
        )
    with transaction.atomic():
        Task.objects.select_for_update().get(pk=task.pk)  # two who press at once are one after the other from here
        held = of(task)
        if held and held.person_id != person.pk:
            raise AdjudicationRefused(_("%(name)s adjudicates this case.") % {"name": held.person.get_username()})
        if held:
            return held
        first, second = _two_readings(task)
        made = _take(task, person)
        if not made.interactions.exists():
            _write(made, _same(first, second))
        audit.note(person, "adjudicates", made, task.project_id)
        return made


def readings_json(adjudication: Assignment) -> list[dict[str, Any]]:
    """Of each reading its person, and what each label has of each slice: `[label, z, base64 of annotator.masks]`."""
    first, second = _two_readings(adjudication.task)
    found: tuple[list[Any], list[Any]] = ([], [])
    for z, both in agreement.visible_slices(first, second):
        for rows, one in zip(found, both, strict=True):
            rows += [[label, z, base64.b64encode(masks.encode(mask)).decode()] for label, mask in one.items()]
    return [
        {"person": one.person.get_username(), "masks": rows} for one, rows in zip((first, second), found, strict=True)
    ]


def undecided(adjudication: Assignment) -> int:
    """On how many masks the readings differ that the adjudication has neither taken nor made."""
    decided = {(one.label, one.z) for one in history.state(adjudication.pk).clicks}
    places = {place for place, pair in _pairs(*_two_readings(adjudication.task)) if not _is_same(pair)}
    return len(places - decided)


def check_decided(adjudication: Assignment) -> None:
    """Raises AdjudicationRefused while there is a mask to decide on."""
    if left := undecided(adjudication):
        sentence = ngettext(
            "The readings differ on %(n)s mask more; take one, merge them, or outline it yourself.",
            "The readings differ on %(n)s masks more; take one, merge them, or outline it yourself.",
            left,
        )
        raise AdjudicationRefused(sentence % {"n": left})


def settle(adjudication: Assignment) -> None:
    """A submitted adjudication is the ground truth, and its readings have done their part."""
    progress.accept_by_rule(adjudication, DECIDED)
    for reading in agreement.readings_of(adjudication.task):
        progress.accept_by_rule(reading, DECIDED)


def _two_readings(task: Task) -> tuple[Assignment, Assignment]:
    readings = list(agreement.readings_of(task))
    if len(readings) != 2 or any(one.state not in access.READ for one in readings):
        raise AdjudicationRefused(_("A case is adjudicated once two people have read it and both have submitted."))
    for one in readings:
        one.task = task  # not asked of the database again for every slice
    return readings[0], readings[1]


def _take(task: Task, person: User) -> Assignment:
    """The person's adjudication, made, or taken up again after it was handed back."""
    made, is_new = Assignment.objects.get_or_create(task=task, person=person, kind=Assignment.Kind.ADJUDICATION)
    if not is_new:
        made.state = S.ASSIGNED
        made.save(update_fields=["state"])
    progress.begin(made, person, "" if is_new else S.HANDED_BACK)
    return made


# ------------------------------------------------------------------------------------------ where they agree


def _pairs(first: Assignment, second: Assignment) -> Iterator[tuple[Place, Pair]]:
    """Both masks of every label and slice on which one of them has any."""
    for z, (one, other) in agreement.visible_slices(first, second):
        for label in sorted(one.keys() | other.keys()):
            yield (label, z), (one.get(label), other.get(label))


def _is_same(pair: Pair) -> bool:
    one, other = pair
    return one is not None and other is not None and bool((one == other).all())


def _same(first: Assignment, second: Assignment) -> Iterator[tuple[Place, bytes]]:
    for place, pair in _pairs(first, second):
        if _is_same(pair) and pair[0] is not None:
            yield place, masks.encode(pair[0])


def _write(adjudication: Assignment, agreed: Iterator[tuple[Place, bytes]]) -> None:
    """Stores masks as if the person had painted them, so that all that follows is as with any other case."""
    paints, kept = [], []
    for sequence, ((label_id, z), mask) in enumerate(agreed, 1):
        place = {"assignment": adjudication, "label_id": label_id, "z": z, "person": adjudication.person}
        text = base64.b64encode(mask).decode()
        payload = {"tool": AGREED, "mask": zlib.crc32(text.encode()), "since": 0}
        paints.append(Interaction(**place, sequence=sequence, kind="paint", payload=payload, mask=mask))
        kept.append(SliceMask(**place, sequence=sequence, since=sequence, mask=mask, pixels=masks.area(mask)))
    Interaction.objects.bulk_create(paints, batch_size=500)
    SliceMask.objects.bulk_create(kept, batch_size=500)
