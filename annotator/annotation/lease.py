"""The lease: of all windows open on a case, the one that works there. The others look on.

Two clocks run. `alive_at` ticks while the window's connection lives; a lease whose clock has stood still for `ALIVE` is free.
`acted_at` is when its person last did something; after `IDLE` whoever opens the case takes it without asking. A lease that is
lost costs nothing: what was stored stays, what was not is kept by its window.

Every change is one conditional update, so of several windows at once one has it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.utils import timezone

from annotator.annotation.models import Lease, ModelVersion

ALIVE = timedelta(seconds=30)
IDLE = timedelta(minutes=10)
BEAT = timedelta(seconds=10)


def now() -> datetime:
    """The clock of all leases; tests set it."""
    return timezone.now()


class Window(NamedTuple):
    """A browser window of a person on an assignment; `name` is the window's own, made anew whenever the page is loaded.

    `version_id` is the model version that answers it, which the lease keeps over a line that breaks.
    """

    assignment_id: int
    person_id: int
    name: str
    version_id: int | None = None


def hold(window: Window) -> bool:
    """Keep the lease, or take it where no living window has it. Whether it is this window's now."""
    return _take(window, _gone())


def begin(window: Window) -> bool:
    """What opening a case does: `hold`, and take the lease from a window whose person is idle."""
    return _take(window, _gone() | Q(acted_at__lt=now() - IDLE))


def take_over(window: Window) -> bool:
    """Take the lease from whichever window has it, because the person says so."""
    return _take(window, Q())


def beat(window: Window, acted_at: datetime) -> bool:
    """The holder's sign of life, and when its person last did something. False where the lease is another's now."""
    return bool(_of(window).update(alive_at=now(), acted_at=acted_at))


def let_go(window: Window) -> bool:
    """The window is done with the case. False where it did not have the lease."""
    return bool(_of(window).delete()[0])


def holder(assignment_id: int) -> Lease | None:
    """The lease with its person, while its window lives."""
    return living().filter(assignment=assignment_id).select_related("person").first()


def living() -> QuerySet[Lease]:
    """The leases whose windows live."""
    return Lease.objects.exclude(_gone())


def is_of(held: Lease | None, window: Window) -> bool:
    """Whether the lease is this window's."""
    return held is not None and (held.person_id, held.window) == (window.person_id, window.name)


def version(window: Window) -> ModelVersion | None:
    """The model version that answers the window since it took the lease; None where it has not the lease."""
    held = _of(window).select_related("model_version").first()
    return held.model_version if held else None


def _take(window: Window, takeable: Q) -> bool:
    at = now()
    clocks = {"alive_at": at, "acted_at": at}
    whose = {"person_id": window.person_id, "window": window.name, "model_version_id": window.version_id}
    fresh = {**whose, "since": at, **clocks}
    others = Lease.objects.filter(takeable, assignment=window.assignment_id)
    if _of(window).update(**clocks) or others.update(**fresh):
        return True
    _, made = Lease.objects.get_or_create(assignment_id=window.assignment_id, defaults=fresh)
    return made


def _of(window: Window) -> QuerySet[Lease]:
    return Lease.objects.filter(assignment=window.assignment_id, person=window.person_id, window=window.name)


def _gone() -> Q:
    return Q(alive_at__lt=now() - ALIVE)
