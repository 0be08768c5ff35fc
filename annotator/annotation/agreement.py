"""How far two people agree on a case: a job compares their masks, label by label, slice by slice and as volumes.

A `Comparison` row is claimed as `annotator.claims` says, so a job that was taken for dead, or whose masks have changed, writes
nothing any more.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta

import numpy as np
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from numpy.typing import NDArray

from annotator import claims, engine
from annotator.annotation import access, overlap
from annotator.annotation.models import Agreement, Assignment, Comparison, SliceMask, Task

logger = logging.getLogger(__name__)

State = Comparison.State
SILENCE = timedelta(minutes=5)
"""After so long without a sign of life, the job that runs a comparison is taken for dead, and another may begin anew."""

UNEXPECTED = gettext_noop("The comparison failed because of an error in the program; the server's log has the details.")
OPEN = gettext_noop("Both have to be submitted before they are compared.")
"""Why a comparison failed; nobody asked for it, so it is kept in English and translated where it is read."""

_ROWS = 200  # masks read at once

Masks = dict[int, NDArray[np.bool_]]  # of one slice, by label id


class CompareRefused(ValueError):
    """One sentence why two assignments are not compared."""


# ------------------------------------------------------------------------------------------ what is compared


def readings_of(task: Task) -> QuerySet[Assignment]:
    """The task's readings that somebody has, in their order."""
    readings = task.assignments.filter(kind=Assignment.Kind.READING).exclude(state=Assignment.State.HANDED_BACK)
    return readings.select_related("person").order_by("reading")


def compare_readings(task: Task) -> None:
    """Have every two readings of the task compared, once all of them are submitted."""
    if access.is_read(task.pk):
        for first, second in itertools.combinations(readings_of(task), 2):
            want(first, second)


def want(first: Assignment, second: Assignment) -> Comparison:
    """Have two assignments of one task compared, anew where they were; the job starts once this is committed."""
    comparison, made = Comparison.objects.get_or_create(first=first, second=second)
    if not made:
        _wait_anew(Comparison.objects.filter(pk=comparison.pk))
    _wake(comparison.pk)
    return comparison


def again(comparison: Comparison) -> None:
    """The button: compare once more what is done, has failed or was never begun. Raises CompareRefused."""
    idle = Comparison.objects.filter(pk=comparison.pk).exclude(Q(state=State.RUNNING) & ~claims.silent(SILENCE))
    if not _wait_anew(idle):
        raise CompareRefused(_("This comparison is running; its figures come in a moment."))
    _wake(comparison.pk)


def resume() -> list[int]:
    """The comparisons that wait for a job, with those whose job has died."""
    dead = Comparison.objects.filter(claims.silent(SILENCE))
    if dead.exists():  # asked often, and writing locks others out
        _wait_anew(dead)
    return list(Comparison.objects.filter(state=State.WAITING).order_by("created_at").values_list("pk", flat=True))


def wake_the_dead() -> None:
    """Begin anew what a job that died has left; asked where somebody waits for figures."""
    dead = list(Comparison.objects.filter(claims.silent(SILENCE)))
    for comparison in dead:
        again(comparison)


def _wait_anew(comparisons: QuerySet[Comparison]) -> int:
    return comparisons.update(state=State.WAITING, progress=0.0, error="", heartbeat_at=None)


def _wake(comparison_id: int) -> None:
    from annotator.annotation import jobs

    transaction.on_commit(lambda: jobs.queue(comparison_id))


# ------------------------------------------------------------------------------------------ the job


def run(comparison_id: int, then: Callable[[Comparison], None] = lambda comparison: None) -> None:
    """Compare. Of several deliveries of the same job, one does it: the row decides.

    `then` is what follows from the figures; it is kept together with them or not at all.
    """
    claim = claims.Claim(Comparison.objects.filter(pk=comparison_id), SILENCE)
    if not claim.take():
        return
    try:
        comparison = Comparison.objects.select_related(
            "first__task__series", "first__task__project", "second__task", "first__person"
        ).get(pk=comparison_id)
        rows = list(figures(comparison.first, comparison.second, lambda share: claim.note(progress=min(share, 1.0))))
        with transaction.atomic():
            claim.write(state=State.DONE, progress=1.0, done_at=timezone.now())
            _keep(comparison, rows)
            then(comparison)
    except claims.Superseded:
        return
    except CompareRefused as refused:
        claim.fail(str(refused))
    except Exception:
        logger.exception("Comparison %s failed.", comparison_id)
        claim.fail(UNEXPECTED)


def figures(
    first: Assignment, second: Assignment, note: Callable[[float], None] = lambda share: None
) -> Iterator[Agreement]:
    """Rows, not saved, of every label of the project; `note` is told the share that is done. Raises CompareRefused."""
    if not {first.state, second.state} <= set(access.READ):
        raise CompareRefused(OPEN)
    series = first.task.series
    nothing = np.zeros(series.shape[1:], bool)
    comparisons = {label.pk: engine.new_comparison(series.spacing) for label in first.task.project.labels.all()}
    for z, (one, other) in visible_slices(first, second):
        for label_id in one.keys() | other.keys():
            found = comparisons[label_id].add(z, one.get(label_id, nothing), other.get(label_id, nothing))
            yield Agreement(label_id=label_id, **found._asdict())
        note((z + 1) / series.depth)
    for label_id, comparison in comparisons.items():
        yield Agreement(label_id=label_id, **comparison.volume()._asdict())


def visible_slices(first: Assignment, second: Assignment) -> Iterator[tuple[int, list[Masks]]]:
    """(z, what each label has there in either assignment) of the slices with a mask, the lowest first.

    Labels that have nothing are left out; voxels that several claim go to one by the project's rule.
    """
    rule, pair = first.task.project.overlap, (first.pk, second.pk)
    rows = SliceMask.objects.filter(assignment__in=pair).order_by("z")
    for z, here in itertools.groupby(rows.iterator(_ROWS), key=lambda row: row.z):
        of_slice = list(here)
        both = [overlap.visible((row for row in of_slice if row.assignment_id == pk), rule) for pk in pair]
        yield z, [{label: mask for label, mask in one.items() if mask.any()} for one in both]


def _keep(comparison: Comparison, rows: list[Agreement]) -> None:
    """The figures instead of older ones."""
    comparison.agreements.all().delete()
    for row in rows:
        row.comparison = comparison
    Agreement.objects.bulk_create(rows, batch_size=500)
