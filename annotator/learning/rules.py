"""The site's rules for learning: when it retrains by itself, and what the gate asks for."""

from __future__ import annotations

from annotator.learning.models import Policy


def current() -> Policy:
    """The one row; its defaults where nobody has changed them."""
    return Policy.objects.get_or_create(pk=1)[0]


def waits_for_masks() -> bool:
    """Whether newly accepted masks may start a training."""
    return Policy.objects.filter(after_masks__gt=0).exists()
