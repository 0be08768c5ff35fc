"""The figures of comparisons put together: people against people, and case by case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Avg, Count, F, Prefetch, QuerySet
from django.db.models.functions import Abs

from annotator import tables
from annotator.annotation import access
from annotator.annotation.models import Agreement, Assignment, Comparison, Label, Project, Task

S = Assignment.State
Kind = Assignment.Kind
MOST_PEOPLE = 40
"""In a table of people against people: more cannot be read."""
CSV_HEAD = ("case", "first", "second", "label", "slice", "dice", "surface_dice", "hd95_mm", "first_ml", "second_ml")


@dataclass(frozen=True)
class Cell:
    """How far two people agree: mean Dice, and of how many cases."""

    dice: float
    cases: int

    @property
    def share(self) -> int:
        """Where it lies between a Dice of 0.5 (0) and 1 (100), for its colour."""
        return round(100 * min(max(2 * self.dice - 1, 0.0), 1.0))


@dataclass(frozen=True)
class Matrix:
    """People against people; None where they have no case in common, and for a person against themselves."""

    names: list[str]
    rows: list[tuple[str, list[Cell | None]]]
    left_out: int = 0  # people whom the table has no room for


def matrix(project: Project, label: Label | None) -> Matrix:
    """Of one label, or of the mean of all; of the `MOST_PEOPLE` with the most cases in common with others, by name."""
    names = ("comparison__first__person__username", "comparison__second__person__username")
    found: dict[tuple[str, str], list[tuple[float, int]]] = {}
    figures = _volumes(project, label).filter(dice__isnull=False).values_list(*names)
    cases = Count("comparison__first__task", distinct=True)
    for one, other, dice, count in figures.annotate(mean=Avg("dice"), cases=cases).order_by():
        found.setdefault((min(one, other), max(one, other)), []).append((dice, count))
    cells = {pair: _together(parts) for pair, parts in found.items()}
    shared: Counter[str] = Counter()
    for pair, cell in cells.items():
        shared.update(dict.fromkeys(pair, cell.cases))
    people = sorted(sorted(shared, key=lambda name: (-shared[name], name))[:MOST_PEOPLE])
    rows = [(one, [cells.get((min(one, other), max(one, other))) for other in people]) for one in people]
    return Matrix(people, rows, len(shared) - len(people))


def _together(parts: Sequence[tuple[float, int]]) -> Cell:
    """Who was the first reader of a case and who the second does not matter."""
    cases = sum(count for _, count in parts)
    return Cell(sum(dice * count for dice, count in parts) / cases, cases)


@dataclass(frozen=True)
class Case:
    """A task that several people read: who they are, where it stands, and its figures where there are any."""

    task: Task
    readings: list[Assignment]
    adjudication: Assignment | None
    comparisons: list[Comparison]
    figures: dict[str, float | None] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """One of open, waiting, failed, compared, adjudicating, adjudicated."""
        if self.adjudication:
            return "adjudicated" if self.adjudication.state == S.ACCEPTED else "adjudicating"
        if self.submitted < self.task.readings:
            return "open"
        states = {one.state for one in self.comparisons}
        if Comparison.State.FAILED in states:
            return "failed"
        return "compared" if states == {Comparison.State.DONE} else "waiting"

    @property
    def submitted(self) -> int:
        return sum(one.state in access.READ for one in self.readings)


def double_read(project: Project) -> QuerySet[Task]:
    """The project's tasks that several people are to read, the newest first."""
    return project.tasks.filter(readings__gt=1).select_related("series", "project").order_by("-pk")


def cases(tasks: Iterable[Task], label: Label | None) -> list[Case]:
    """A page of such tasks; figures are of one label, or the mean of all."""
    pks = [task.pk for task in tasks]
    people = Assignment.objects.filter(kind__in=(Kind.READING, Kind.ADJUDICATION)).exclude(state=S.HANDED_BACK)
    given = Prefetch("assignments", people.select_related("person").order_by("reading"), to_attr="given")
    found = Task.objects.filter(pk__in=pks).select_related("series", "project").prefetch_related(given).order_by("-pk")
    figures, comparisons = _figures_of(pks, label), _comparisons_of(pks)
    return [_case(task, comparisons.get(task.pk, []), figures.get(task.pk, {})) for task in found]


def _case(task: Any, comparisons: list[Comparison], figures: dict[str, float | None]) -> Case:
    readings = [one for one in task.given if one.kind == Kind.READING]
    adjudication = next((one for one in task.given if one.kind == Kind.ADJUDICATION), None)
    return Case(task, readings, adjudication, comparisons, figures)


def _comparisons_of(tasks: Sequence[int]) -> dict[int, list[Comparison]]:
    """Of the readings that stand: one that was handed back counts no more."""
    found: dict[int, list[Comparison]] = {}
    stand = {"first__kind": Kind.READING, "second__kind": Kind.READING, "first__task__in": tasks}
    rows = Comparison.objects.filter(**stand).exclude(first__state=S.HANDED_BACK).exclude(second__state=S.HANDED_BACK)
    for one in rows.select_related("first__person", "second__person").order_by("pk"):
        found.setdefault(one.first.task_id, []).append(one)
    return found


def _figures_of(tasks: Sequence[int], label: Label | None) -> dict[int, dict[str, float | None]]:
    """Of the labels that somebody has there: one that nobody has is no agreement, and would halve the differences."""
    rows = _volumes(None, label).filter(comparison__first__task__in=tasks, dice__isnull=False)
    means: dict[str, Any] = {name: Avg(name) for name in ("dice", "surface_dice", "hd95")}
    means["difference_ml"] = Avg(Abs(F("first_ml") - F("second_ml")))
    task = "comparison__first__task"
    found: Iterable[Any] = rows.values(task).annotate(**means).order_by()
    return {row[task]: {name: row[name] for name in means} for row in found}


def volumes(comparison: Comparison) -> QuerySet[Agreement]:
    """The figures of whole labels, in the labels' order."""
    rows = comparison.agreements.filter(z=None).select_related("label")
    return rows.annotate(difference_ml=F("second_ml") - F("first_ml")).order_by("label__position", "label__value")


def dice_by_slice(comparison: Comparison) -> tuple[list[Label], list[tuple[int, list[float | None]]]]:
    """The labels, and of each slice (counted from 1, as on screen) the Dice of each label."""
    labels = [row.label for row in volumes(comparison) if row.dice is not None]
    dice: dict[int, dict[int, float | None]] = {}
    for z, label_id, value in comparison.agreements.exclude(z=None).values_list("z", "label", "dice"):
        dice.setdefault(z or 0, {})[label_id] = value
    rows = [(z + 1, [dice[z].get(label.pk) for label in labels]) for z in sorted(dice)]
    return labels, rows


def to_csv(project: Project, task: Task | None = None) -> str:
    """Of a project the figures of volumes, of one task those of slices as well."""
    return tables.to_csv(CSV_HEAD, _csv_rows(project, task))


def _csv_rows(project: Project, task: Task | None) -> Iterable[Sequence[object]]:
    rows = _done(project).select_related(
        "label", "comparison__first__task__series", "comparison__first__person", "comparison__second__person"
    )
    rows = rows.filter(comparison__first__task=task) if task else rows.filter(z=None)
    for row in rows.order_by("comparison__first__task", "comparison", "label", "z"):
        pair = row.comparison
        names = (pair.first.task.series, pair.first.person.get_username(), pair.second.person.get_username())
        figures = (row.dice, row.surface_dice, row.hd95, row.first_ml, row.second_ml)
        rounded = ["" if figure is None else f"{figure:.4f}" for figure in figures]
        yield [*names, row.label.name, "all" if row.z is None else row.z + 1, *rounded]


def _volumes(project: Project | None, label: Label | None) -> QuerySet[Agreement]:
    rows = _done(project).filter(z=None)
    return rows.filter(label=label) if label else rows


def _done(project: Project | None) -> QuerySet[Agreement]:
    """Figures of readings; checks are figures of people, not of the data."""
    kinds = {"comparison__first__kind": Kind.READING, "comparison__second__kind": Kind.READING}
    rows = Agreement.objects.filter(comparison__state=Comparison.State.DONE, **kinds)
    return rows.filter(comparison__first__task__project=project) if project else rows
