"""What happens in the demo today, put into earlier days; the record alone cannot be rewritten, and need not be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db.models import Max, Model

from annotator.annotation.models import Assignment, Comment, Comparison, Task, Transition
from annotator.events.models import Notice

TIMES: dict[type[Model], tuple[str, ...]] = {
    Assignment: ("created_at",),
    Comment: ("created_at",),
    Comparison: ("created_at", "done_at"),
    Notice: ("at",),
    Task: ("created_at",),
    Transition: ("at",),
}


@contextmanager
def at(when: datetime) -> Iterator[None]:
    """Whatever begins to exist within it did so then."""
    last = {model: _newest(model) for model in TIMES}
    yield
    for model, fields in TIMES.items():
        model._default_manager.filter(pk__gt=last[model]).update(**dict.fromkeys(fields, when))


def _newest(model: type[Model]) -> int:
    return model._default_manager.aggregate(newest=Max("pk"))["newest"] or 0
