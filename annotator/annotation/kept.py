"""What people's work hangs on is never deleted: how much of it there is, in words."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotator.annotation.models import Interaction, SliceMask


def work(**lookup: Any) -> str | None:
    """The work on something, e.g. "12 interactions and 3 masks by alice, bob"; None where nobody has worked on it.

    Args:
        lookup: fields that interactions and masks share, e.g. `label=…` or `assignment__task__project=…`.
    """
    interactions, masks = Interaction.objects.filter(**lookup), SliceMask.objects.filter(**lookup)
    steps, drawn = interactions.count(), masks.count()
    if not (steps or drawn):
        return None
    return _("%(interactions)s and %(masks)s by %(people)s") % {
        "interactions": ngettext("%(n)d interaction", "%(n)d interactions", steps) % {"n": steps},
        "masks": ngettext("%(n)d mask", "%(n)d masks", drawn) % {"n": drawn},
        "people": ", ".join(sorted({*_names(interactions), *_names(masks)})),
    }


def _names(rows: Any) -> set[str]:
    return set(rows.order_by().values_list("person__username", flat=True).distinct())
