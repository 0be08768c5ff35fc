"""Training jobs. Their broker only wakes them: the run's row says whether there is anything to do."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.db import transaction
from django.db.models.signals import post_save
from django.utils import timezone

from annotator import broker, claims
from annotator.annotation.models import Assignment, Transition
from annotator.learning import evaluation, evaluation_jobs, ranking, retraining, rules, stages
from annotator.learning.models import TrainingRun

MINUTE = 60  # seconds, after which a call of the clock is made anew


@shared_task(name="annotator.retrain")
def retrain(run_id: int) -> None:
    """Do a training run, then see whether the masks accepted meanwhile want another."""
    stages.run(run_id)
    if TrainingRun.objects.filter(pk=run_id, state=TrainingRun.State.DONE).exists():  # one that fails would fail again
        retraining.after_acceptance()


@shared_task(name="annotator.count_masks")
def count_masks() -> None:
    """A case was accepted."""
    retraining.after_acceptance()


@shared_task(name="annotator.every_minute")
def every_minute() -> None:
    """Wake the trainings and evaluations that nobody works on."""
    for run_id in retraining.left_behind():
        queue(run_id, expires=MINUTE)
    for evaluation_id in evaluation.left_behind():
        evaluation_jobs.queue(evaluation_id, expires=MINUTE)


@shared_task(name="annotator.every_night")
def every_night() -> None:
    """Train by the schedule."""
    retraining.by_the_clock(timezone.localtime())


@shared_task(name="annotator.rank")
def rank() -> None:
    """Put waiting cases in the order that their projects ask for."""
    ranking.rank_all()


def queue(run_id: int, **options: Any) -> None:
    """Have a run done; where no broker takes the job, it waits for the next minute, or the next worker that starts."""
    broker.put(retrain, run_id, waits=f"training run {run_id}", **options)


def follow_acceptances() -> None:
    """Every accepted case has the new masks counted, once that is committed."""
    post_save.connect(_count_soon, Transition, dispatch_uid="annotator.learning")


def _count_soon(instance: Transition, **_: object) -> None:
    if instance.after == Assignment.State.ACCEPTED:
        transaction.on_commit(_count)


def _count() -> None:
    if rules.waits_for_masks():
        broker.put(count_masks, waits="the count of new masks")


@worker_ready.connect
def resume(**kwargs: Any) -> None:
    """A worker starts with what one before it may have left."""
    stages.clear_away()
    for run_id, seconds in claims.in_seconds(TrainingRun.objects.all(), retraining.SILENCE):
        queue(run_id, countdown=seconds)
