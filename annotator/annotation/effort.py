"""What outlining cost: clicks, strokes and seconds of each label, from the log and the server's clock."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q

from annotator.annotation.models import Assignment, Effort
from annotator.protocol import AddClick, MoveClick, Paint

PAUSE = 60.0
"""Seconds that a pause counts at the most: longer ones were spent elsewhere."""
CLICKS = (AddClick.type, MoveClick.type)
CONFIRMED = "accept"  # the tool of a paint that only says yes to what is there


@dataclass
class Cost:
    """Of one label. A click that was undone was made all the same."""

    clicks: int = 0
    strokes: int = 0
    seconds: float = 0.0


def count(assignment: Assignment) -> list[Effort]:
    """Count anew what each label of the assignment cost its person; the same log gives the same rows."""
    costs, masks = _costs(assignment), _masks(assignment)
    versions = _versions(assignment)
    rows = [
        Effort(
            assignment=assignment,
            label_id=label,
            model_version_id=versions.get(label),
            slices=masks.get(label, 0),
            **vars(costs.get(label, Cost())),
        )
        for label in sorted(costs.keys() | masks.keys())
    ]
    with transaction.atomic():
        Effort.objects.filter(assignment=assignment).delete()
        return Effort.objects.bulk_create(rows)


def _costs(assignment: Assignment) -> dict[int, Cost]:
    """By label. The time since the interaction before belongs to the label of the later one; the first has none.

    Work that was copied from somebody else cost this person nothing.
    """
    own = assignment.interactions.filter(person=assignment.person_id).order_by("sequence")
    costs: dict[int, Cost] = {}
    before: datetime | None = None
    for label, kind, payload, at in own.values_list("label_id", "kind", "payload", "created_at").iterator():
        cost = costs.setdefault(label, Cost())
        cost.clicks += kind in CLICKS
        cost.strokes += kind == Paint.type and payload.get("tool") != CONFIRMED
        if before:
            cost.seconds += min(max((at - before).total_seconds(), 0.0), PAUSE)
        before = at
    return costs


def _masks(assignment: Assignment) -> dict[int, int]:
    """How many slices have a mask, by label."""
    kept = assignment.masks.filter(pixels__gt=0).order_by()
    return dict(kept.values("label").annotate(slices=Count("pk")).values_list("label", "slices"))


def _versions(assignment: Assignment) -> dict[int, int]:
    """The model version behind most of a label's masks, by label; of equals the newest."""
    kept = assignment.masks.filter(Q(pixels__gt=0) & ~Q(model_version=None)).order_by()
    pairs = Counter(kept.values_list("label_id", "model_version_id"))
    return {label: version for (label, version), _ in sorted(pairs.items(), key=lambda pair: (pair[1], pair[0][1]))}
