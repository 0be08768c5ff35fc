"""Evaluation jobs. Their broker only wakes them: the evaluation's row says whether there is anything to do."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_ready

from annotator import broker, claims
from annotator.learning import evaluation, news
from annotator.learning.models import EvaluationRun


@shared_task(name="annotator.evaluate")
def evaluate(evaluation_id: int) -> None:
    """Evaluate a model version on a frozen set, and tell whoever asked for it."""
    news.evaluated(evaluation.run(evaluation_id))


def queue(evaluation_id: int, **options: Any) -> None:
    """Have an evaluation run; where no broker takes the job, it waits for the next minute, or the next worker that starts."""
    broker.put(evaluate, evaluation_id, waits=f"evaluation {evaluation_id}", **options)


@worker_ready.connect
def resume(**kwargs: Any) -> None:
    """A worker starts with what one before it may have left."""
    for evaluation_id, seconds in claims.in_seconds(EvaluationRun.objects.all(), evaluation.SILENCE):
        queue(evaluation_id, countdown=seconds)
