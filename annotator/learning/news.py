"""What people are told of trainings and evaluations that they have asked for, once these are over."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.urls import reverse

from annotator.annotation import access
from annotator.events import notices
from annotator.events.models import Notice
from annotator.learning.models import EvaluationRun, TrainingRun, Verdict

DONE, FAILED = EvaluationRun.State.DONE, EvaluationRun.State.FAILED


def trained(run: TrainingRun, verdict: Verdict) -> None:
    """A run has come to the gate."""
    kind = Notice.Kind.PASSED if verdict.passed else Notice.Kind.REFUSED
    _tell_wanting(run, kind, version=str(verdict.candidate), why=" ".join(verdict.sentences))


def failed(run: TrainingRun) -> None:
    """A run has failed."""
    _tell_wanting(run, Notice.Kind.FAILED, name=str(run), why=run.error)


def evaluated(run: EvaluationRun) -> None:
    """An evaluation is over, well or not; whoever wanted it is told once, however often this is called."""
    person, url = run.person, reverse("evaluation", args=[run.pk])
    if person is None or not access.administers(person) or Notice.objects.filter(person=person, url=url).exists():
        return
    if run.state == DONE:
        notices.tell(person, Notice.Kind.EVALUATED, url, version=str(run.version))
    elif run.state == FAILED:
        notices.tell(person, Notice.Kind.FAILED, url, name=str(run), why=run.error)


def _tell_wanting(run: TrainingRun, kind: Notice.Kind, **about: str) -> None:
    url = reverse("training_run", args=[run.pk])
    for person in filter(access.administers, _wanting(run)):
        notices.tell(person, kind, url, **about)


def _wanting(run: TrainingRun) -> Iterable[User]:
    """Whoever pressed the button; all admins where the site's rules wanted it."""
    triggers = run.triggers.values_list("person", "reason")
    by_rule = any(person is None for person, _ in triggers)
    people = User.objects.filter(is_staff=True) if by_rule else User.objects.none()
    return (people | User.objects.filter(pk__in=[person for person, _ in triggers if person])).distinct().order_by("pk")
