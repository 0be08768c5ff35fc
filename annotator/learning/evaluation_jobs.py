"""Evaluation jobs. Their broker only wakes them: the evaluation's row says whether there is anything to do."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from kombu.exceptions import OperationalError

from annotator.learning import evaluation, news

logger = logging.getLogger(__name__)


@shared_task(name="annotator.evaluate")
def evaluate(evaluation_id: int) -> None:
    """Evaluate a model version on a frozen set, and tell whoever asked for it."""
    news.evaluated(evaluation.run(evaluation_id))


def queue(evaluation_id: int, after: float = 0.0) -> None:
    """Have an evaluation run `after` so many seconds; where no broker takes the job, it waits for the next worker."""
    try:
        evaluate.apply_async((evaluation_id,), countdown=after)
    except (OperationalError, OSError) as error:
        logger.warning("The queue of jobs does not answer; evaluation %s waits: %s", evaluation_id, error)


@worker_ready.connect
def resume(**kwargs: Any) -> None:
    """A worker starts with what one before it may have left."""
    for evaluation_id, after in evaluation.resume():
        queue(evaluation_id, after)
