"""Comparison jobs. Their broker only wakes them: the comparison's row says whether there is anything to do."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from kombu.exceptions import OperationalError

from annotator.annotation import agreement, gold

logger = logging.getLogger(__name__)


@shared_task(name="annotator.compare")
def compare(comparison_id: int) -> None:
    """Compare two assignments."""
    agreement.run(comparison_id, then=gold.settle)


def queue(comparison_id: int) -> None:
    """Have a comparison run; where no broker takes the job, it waits for the next worker that starts."""
    try:
        compare.delay(comparison_id)
    except (OperationalError, OSError) as error:
        logger.warning("The queue of jobs does not answer; comparison %s waits: %s", comparison_id, error)


@worker_ready.connect
def resume(**kwargs: Any) -> None:
    """A worker starts with what one before it may have left."""
    for comparison_id in agreement.resume():
        queue(comparison_id)
