"""What people are told of trainings and evaluations that they have asked for, once these are over."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db.models import Q
from django.urls import reverse

from annotator.annotation import access
from annotator.events import language, notices
from annotator.events.models import Notice
from annotator.learning import gate
from annotator.learning.models import EvaluationRun, TrainingRun, Verdict

DONE, FAILED = EvaluationRun.State.DONE, EvaluationRun.State.FAILED


def trained(run: TrainingRun, verdict: Verdict) -> None:
    """A run has come to the gate."""
    kind = Notice.Kind.PASSED if verdict.passed else Notice.Kind.REFUSED
    for person in _wanting(run):
        with language.reading(person.pk):
            why = " ".join(gate.why(verdict))
        notices.tell(person, kind, _page(run), version=str(verdict.candidate), why=why)


def failed(run: TrainingRun) -> None:
    """A run has failed."""
    for person in _wanting(run):
        notices.tell(person, Notice.Kind.FAILED, _page(run), name=str(run), why=run.error)


def evaluated(run: EvaluationRun) -> None:
    """An evaluation is over, well or not; whoever wanted it is told once, however often this is called."""
    person, url = run.person, reverse("evaluation", args=[run.pk])
    if person is None or not access.administers(person) or Notice.objects.filter(person=person, url=url).exists():
        return
    if run.state == DONE:
        notices.tell(person, Notice.Kind.EVALUATED, url, version=str(run.version))
    elif run.state == FAILED:
        notices.tell(person, Notice.Kind.FAILED, url, name=str(run), why=run.error)


def _page(run: TrainingRun) -> str:
    return reverse("training_run", args=[run.pk])


def _wanting(run: TrainingRun) -> Iterable[User]:
    """The admins among those who pressed the button; all of them where the site's rules wanted it."""
    people = list(run.triggers.values_list("person", flat=True))
    wanting = Q(pk__in=[person for person in people if person])
    if None in people:
        wanting |= Q(is_staff=True)
    return filter(access.administers, User.objects.filter(wanting).order_by("pk"))
