"""Who runs a job: its row says so, not the broker, which may deliver a job twice or not at all.

Such a row has a `state` (waiting, running, done, failed …) and a `heartbeat_at`. A job takes the row by one conditional update
and owns it for as long as the row's heartbeat is the one that the job wrote last; one that was taken for dead writes nothing
any more.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
OPEN = (WAITING, RUNNING)
EVERY = 0.5  # seconds between two signs of life


class Superseded(Exception):
    """The row is somebody else's by now, or nobody's."""


def silent(silence: timedelta) -> Q:
    """Rows whose job has given no sign of life for so long, and is taken for dead.

    A sign that lies in the future counts as none: a clock has jumped, and nobody is to wait until it comes round again.
    """
    now = timezone.now()
    return Q(state=RUNNING) & (Q(heartbeat_at__lt=now - silence) | Q(heartbeat_at__gt=now + silence))


def free(silence: timedelta) -> Q:
    """Rows that a job may take: nobody has them, or whoever had them is dead."""
    return Q(state=WAITING) | silent(silence)


def in_seconds(rows: QuerySet[Any], silence: timedelta) -> list[tuple[int, float]]:
    """The open rows, each with the seconds until a job may be able to take it: one whose job died a moment ago is not known
    to be dead yet.
    """
    at_once = set(rows.filter(free(silence)).values_list("pk", flat=True))
    left = rows.filter(state__in=OPEN).order_by("pk").values_list("pk", flat=True)
    return [(pk, 0.0 if pk in at_once else silence.total_seconds() + 1) for pk in left]


class Claim:
    """A job's hold on its row. Raises Superseded as soon as it is lost."""

    def __init__(self, rows: QuerySet[Any], silence: timedelta) -> None:
        """`rows` holds the one row."""
        self._rows, self._silence = rows, silence
        self._beat: datetime | None = None
        self._last = 0.0

    def take(self, **fields: object) -> bool:
        """Whether the row is this job's now: nobody had it, or whoever had it is dead."""
        return bool(self._rows.filter(free(self._silence)).update(state=RUNNING, error="", **fields, **self._sign()))

    def note(self, **fields: object) -> None:
        """A sign of life, now and then, and what there is to say with it."""
        if time.monotonic() - self._last >= EVERY:
            self.write(**fields)

    def write(self, **fields: object) -> None:
        """At once."""
        held = self._rows.filter(state=RUNNING, heartbeat_at=self._beat)
        if not held.update(**fields, **self._sign()):
            raise Superseded

    def fail(self, sentence: str, state: str = FAILED) -> None:
        """The end, with a reason; nothing where the row is somebody else's."""
        try:
            self.write(state=state, error=sentence)
        except Superseded:
            pass

    def _sign(self) -> dict[str, datetime]:
        self._beat, self._last = timezone.now(), time.monotonic()
        return {"heartbeat_at": self._beat}
