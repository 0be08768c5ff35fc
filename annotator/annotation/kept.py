"""What people's work hangs on is never deleted: how much of it there is, in words."""

from __future__ import annotations

from typing import Any

from annotator import words
from annotator.annotation.models import Interaction, SliceMask


def work(**lookup: Any) -> str | None:
    """The work on something, e.g. "12 interactions and 3 masks by alice, bob"; None where nobody has worked on it.

    Args:
        lookup: fields that interactions and masks share, e.g. `label=…` or `assignment__task__project=…`.
    """
    interactions, masks = Interaction.objects.filter(**lookup), SliceMask.objects.filter(**lookup)
    counts = [(interactions.count(), "interaction"), (masks.count(), "mask")]
    if not any(number for number, _ in counts):
        return None
    people = {*_names(interactions), *_names(masks)}
    return f"{' and '.join(words.counted(*one) for one in counts)} by {', '.join(sorted(people))}"


def _names(rows: Any) -> set[str]:
    return set(rows.order_by().values_list("person__username", flat=True).distinct())
