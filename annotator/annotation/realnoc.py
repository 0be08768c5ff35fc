"""The real NoC: how many clicks people placed until they were content, by label, model version and person.

Counted is every slice mask of an accepted reading that the network made of clicks. Its clicks are those that were placed or
moved on its slice for its label, also if undone, as in `effort`. A mask that propagated there and took no click is counted
beside them. Simulated people stop at a Dice; these stopped when they were content, and a reviewer agreed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import mean, median
from typing import TypeVar

from django.db.models import Avg, Count, Q, QuerySet

from annotator.annotation import effort
from annotator.annotation.models import Assignment, Effort, Interaction, Label, ModelVersion, SliceMask

Kind, S = Assignment.Kind, Assignment.State
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Clicks:
    """What some masks took. The means are of those that clicks made, None where there is none."""

    masks: int
    mean: float | None  # clicks for one mask
    median: float | None
    with_one: float | None  # the share of masks, 0 to 1, that took one click
    propagated: int  # masks beside these that took none


@dataclass(frozen=True)
class RealClicks:
    """Of one person with one model version on one label."""

    label: Label
    version: ModelVersion
    person: str
    clicks: Clicks


@dataclass(frozen=True)
class VersionEffort:
    """What one model version cost people: clicks for a mask, and seconds for a label of a case, None where it has none."""

    version: ModelVersion
    clicks: Clicks
    labels: int
    seconds: float | None


@dataclass(frozen=True)
class _Made:
    """A mask that the network made."""

    label: int
    version: int
    person: str
    clicks: int  # 0 where it propagated


def real_clicks(project_id: int | None = None, since: datetime | None = None) -> list[RealClicks]:
    """By label, model version and person, in this order; of one project, and of readings accepted `since`, where given."""
    groups = _grouped(_made(_accepted(project_id, since)), lambda one: (one.label, one.version, one.person))
    labels = Label.objects.in_bulk({label for label, _, _ in groups})
    versions = ModelVersion.objects.in_bulk({version for _, version, _ in groups})
    rows = [RealClicks(labels[label], versions[v], person, _clicks(of)) for (label, v, person), of in groups.items()]
    return sorted(rows, key=lambda row: (row.label.project_id, row.label.value, row.version.pk, row.person))


def compare_effort(project_id: int | None = None, since: datetime | None = None) -> list[VersionEffort]:
    """By model version, the newest first; of one project, and of readings accepted `since`, where given.

    The seconds are those of labels most of whose masks the version made.
    """
    accepted = _accepted(project_id, since)
    groups, spent = _grouped(_made(accepted), lambda one: one.version), _seconds(accepted)
    versions = ModelVersion.objects.filter(pk__in=groups.keys() | spent.keys()).order_by("-pk")
    return [VersionEffort(one, _clicks(groups.get(one.pk, [])), *spent.get(one.pk, (0, None))) for one in versions]


def _accepted(project_id: int | None, since: datetime | None) -> QuerySet[Assignment]:
    """Readings only, as in the figures: checks measure people, and the others are reviewers' work."""
    accepted = Assignment.objects.filter(kind=Kind.READING, state=S.ACCEPTED).order_by()
    if project_id is not None:
        accepted = accepted.filter(task__project=project_id)
    if since is not None:
        accepted = accepted.filter(transitions__after=S.ACCEPTED, transitions__at__gte=since).distinct()
    return accepted


def _made(accepted: QuerySet[Assignment]) -> list[_Made]:
    placed = _placed(accepted)
    kept = SliceMask.objects.filter(assignment__in=accepted, pixels__gt=0).exclude(model_version=None).order_by()
    rows = kept.values_list("assignment", "label", "z", "model_version", "person__username", "clicks")
    return [
        _Made(label, version, person, placed.get((case, label, z), 0) if clicks else 0)
        for case, label, z, version, person, clicks in rows.iterator()
    ]


def _placed(accepted: QuerySet[Assignment]) -> dict[tuple[int, int, int], int]:
    """Clicks by case, label and slice."""
    clicks = Interaction.objects.filter(assignment__in=accepted, kind__in=effort.CLICKS).order_by()
    rows = clicks.values_list("assignment", "label", "z").annotate(n=Count("pk"))
    return {(case, label, z): n for case, label, z, n in rows.iterator()}


def _seconds(accepted: QuerySet[Assignment]) -> dict[int, tuple[int, float]]:
    """Labels of cases, and the mean seconds for one, by model version."""
    rows = Effort.objects.filter(Q(assignment__in=accepted, slices__gt=0) & ~Q(model_version=None)).order_by()
    means = rows.values_list("model_version").annotate(n=Count("pk"), seconds=Avg("seconds"))
    return {version: (n, seconds) for version, n, seconds in means}


def _grouped(made: Iterable[_Made], by: Callable[[_Made], Key]) -> dict[Key, list[int]]:
    """The masks' clicks."""
    groups: defaultdict[Key, list[int]] = defaultdict(list)
    for one in made:
        groups[by(one)].append(one.clicks)
    return groups


def _clicks(of: list[int]) -> Clicks:
    clicked = [n for n in of if n]
    if not clicked:
        return Clicks(0, None, None, None, len(of))
    return Clicks(len(clicked), mean(clicked), median(clicked), clicked.count(1) / len(clicked), len(of) - len(clicked))
