"""Comparison jobs. Their broker only wakes them: the comparison's row says whether there is anything to do."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_ready

from annotator import broker
from annotator.annotation import agreement, gold


@shared_task(name="annotator.compare")
def compare(comparison_id: int) -> None:
    """Compare two assignments."""
    agreement.run(comparison_id, then=gold.settle)


def queue(comparison_id: int) -> None:
    """Have a comparison run; where no broker takes the job, it waits for the next worker that starts."""
    broker.put(compare, comparison_id, waits=f"comparison {comparison_id}")


@worker_ready.connect
def resume(**kwargs: Any) -> None:
    """A worker starts with what one before it may have left."""
    for comparison_id in agreement.resume():
        queue(comparison_id)
