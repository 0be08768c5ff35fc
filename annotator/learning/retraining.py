"""Who wants the model trained on, and what with: one run at a time, which whoever comes meanwhile joins.

People ask by a button, the site's rules by the clock or by newly accepted masks. What cannot work is refused here, before a run
is made; `annotator.learning.stages` is the run itself.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from annotator import claims, engine
from annotator.annotation import versions
from annotator.annotation.models import ModelVersion, Project
from annotator.events import audit
from annotator.learning import freeze, rules
from annotator.learning.models import Lineage, Manifest, Policy, TrainingRun, Trigger

logger = logging.getLogger(__name__)

State = TrainingRun.State
SILENCE = timedelta(seconds=60)
"""After so long without a sign of life the job of a run is taken for dead, and another goes on with it."""

NOTHING_OLD = gettext_noop("There are no earlier data to replay, so it learns from the new masks alone.")


class TrainingRefused(ValueError):
    """One sentence why the model is not trained on."""


@dataclass(frozen=True)
class Choices:
    """What a run is to be; whatever is None follows the site's rules."""

    begins_with: ModelVersion | None = None  # the active version
    projects: Sequence[Project] = ()  # whose masks it takes; none: all
    labels: Sequence[str] = ()  # none: all
    recipe: str = "finetune"
    settings: Mapping[str, Any] = field(default_factory=dict)  # what differs from the recipe
    steps: int | None = None
    minutes: float | None = None  # at most
    replay: float | None = None  # share of old data
    promotes: bool | None = None

    def taken_from(self) -> list[Project]:
        return list(self.projects) or list(Project.objects.order_by("pk"))


def want(reason: Trigger.Reason, person: User | None = None, **choices: Any) -> tuple[TrainingRun, bool]:
    """Have the model trained on as `Choices` say; the run, and whether it was made for this.

    One that is open is joined, whatever was chosen. Raises TrainingRefused.
    """
    if joined := _join(reason, person):
        return joined, False
    fields = _checked(Choices(**choices), rules.current())
    while True:
        try:
            return _make(reason, person, fields), True
        except IntegrityError:  # somebody was faster
            if joined := _join(reason, person):
                return joined, False


def cancel(run: TrainingRun, person: User) -> None:
    """End an open run now; its job finds the row closed within a second, and stops. Raises TrainingRefused."""
    now = timezone.now()
    ended = {"state": State.CANCELLED, "cancel_asked_at": now, "done_at": now, "is_only": None, "eta_s": None}
    if not TrainingRun.objects.filter(pk=run.pk, state__in=claims.OPEN).update(**ended):
        raise TrainingRefused(_("This run is over already."))
    audit.note(person, "cancelled", run)


def left_behind() -> list[int]:
    """Open runs that no living job has: they wait, or their job has died."""
    return list(TrainingRun.objects.filter(claims.free(SILENCE)).values_list("pk", flat=True))


# ------------------------------------------------------------------------------------------ the site's rules


def by_the_clock(now: datetime) -> TrainingRun | None:
    """The nightly call: a run, where the schedule says so and there are new masks."""
    schedule = rules.current().schedule
    is_night = schedule == Policy.Schedule.NIGHTLY or (schedule == Policy.Schedule.WEEKLY and now.weekday() == 6)
    return _by_rule(Trigger.Reason.SCHEDULE) if is_night and new_masks().masks else None


def after_acceptance() -> TrainingRun | None:
    """A run, where as many masks as the rules say have been accepted since the last one."""
    enough = rules.current().after_masks
    if not enough or TrainingRun.objects.filter(state__in=claims.OPEN).exists():
        return None
    return _by_rule(Trigger.Reason.ACCEPTED) if new_masks().masks >= enough else None


def new_masks() -> freeze.Outlook:
    """What has been accepted since the masks of the last run were frozen."""
    last = Manifest.objects.filter(training_runs__isnull=False).order_by("-training_runs").first()
    return freeze.outlook(Project.objects.all(), since=last.created_at if last else None)


def _by_rule(reason: Trigger.Reason) -> TrainingRun | None:
    try:
        return want(reason)[0]
    except TrainingRefused as refused:
        logger.info("No training by %s: %s", reason, refused)
        return None


# ------------------------------------------------------------------------------------------ one run


def _join(reason: Trigger.Reason, person: User | None) -> TrainingRun | None:
    """The open run, which has one more trigger now."""
    run = TrainingRun.objects.filter(is_only=True).first()
    if run:
        Trigger.objects.create(run=run, reason=reason, person=person)
    return run


def _make(reason: Trigger.Reason, person: User | None, fields: dict[str, Any]) -> TrainingRun:
    """Raises IntegrityError where a run is open."""
    from annotator.learning import jobs

    with transaction.atomic():
        run = TrainingRun.objects.create(person=person, **fields)
        Trigger.objects.create(run=run, reason=reason, person=person)
        audit.note(person, "asked for", run, reason=reason)
        transaction.on_commit(lambda: jobs.queue(run.pk))
    return run


def _checked(choices: Choices, policy: Policy) -> dict[str, Any]:
    """The fields of the run. Raises TrainingRefused."""
    version = choices.begins_with or versions.active()
    steps = policy.steps if choices.steps is None else choices.steps
    if steps < 1:
        raise TrainingRefused(_("A training has at least one step."))
    if choices.minutes is not None and choices.minutes <= 0:
        sentence = _("A training needs more than 0 minutes; leave them out to let it take all its steps.")
        raise TrainingRefused(sentence)
    check_file(version)
    replay, notes = _replay(choices, policy, version)
    fields = {
        "begins_with": version,
        "projects": [project.pk for project in choices.projects],
        "labels": sorted({freeze.name_of(label) for label in choices.labels}),
        "recipe": choices.recipe,
        "settings": dict(choices.settings),
        "steps": steps,
        "minutes": choices.minutes,
        "replay": replay,
        "promotes": policy.promotes if choices.promotes is None else choices.promotes,
        "notes": notes,
    }
    recipe_of(TrainingRun(**fields))
    with _refusing():
        freeze.check(choices.taken_from(), choices.labels)
    return fields


def check_file(version: ModelVersion) -> None:
    """Raises TrainingRefused where the version's checkpoint is not there any more."""
    if not versions.file_of(version).exists():
        sentence = _("The checkpoint of %(version)s, which this run begins with, is gone.")
        raise TrainingRefused(sentence % {"version": version})


def recipe_of(run: TrainingRun) -> dict[str, Any]:
    """Every setting of the run's training. Raises TrainingRefused."""
    chosen = {
        "steps": run.steps,
        "replay": run.replay,
        "bfloat16": engine.has_bfloat16(settings.LEARNING_DEVICE),
        **run.settings,
    }
    with _refusing():
        return engine.recipe(run.recipe, run.begins_with.header, chosen)


def _replay(choices: Choices, policy: Policy, version: ModelVersion) -> tuple[float, list[str]]:
    """The share of old data, and what there is to say of it. Raises TrainingRefused where it was asked for in vain."""
    wanted = policy.replay if choices.replay is None else choices.replay
    if not wanted or replay_folders() or learnt_before(version):
        return wanted, []
    if choices.replay is not None:
        raise TrainingRefused(_("There are no earlier data to replay: set the share of old data to 0."))
    return 0.0, [_(NOTHING_OLD)]


def replay_folders() -> list[Path]:
    """The data sets on disk that the site keeps for replay."""
    return [Path(folder) for folder in settings.REPLAY_DATA]


def learnt_before(version: ModelVersion) -> list[Manifest]:
    """The frozen sets that the version and its ancestors have learnt from, the newest first."""
    found: dict[int, Manifest] = {}
    line = _lineages().filter(version=version).first()
    while line:
        if line.manifest:
            found[line.manifest.pk] = line.manifest
        line = _lineages().filter(version=line.parent_id).first() if line.parent_id else None
    return list(found.values())


def _lineages() -> QuerySet[Lineage]:
    return Lineage.objects.select_related("manifest")


@contextmanager
def _refusing() -> Iterator[None]:
    """The sentence of whatever refuses something inside becomes that of a TrainingRefused."""
    try:
        yield
    except ValueError as refused:
        raise TrainingRefused(str(refused)) from None
