"""A project in figures: how far it is, how fast it goes, what waits, who has what, what it costs.

Counted are readings, the cases that become data: checks look like them but measure people, revisions and adjudications are
reviewers' work. `docs/figures.md` says what each figure means.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

from django.db.models import Avg, Case, Count, F, Max, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from annotator.annotation.models import Agreement, Assignment, Effort, Project, Transition
from annotator.spans import Span, midnight, monday

S = Assignment.State
READING = Assignment.Kind.READING
OPEN = (S.ASSIGNED, S.IN_PROGRESS, S.RETURNED)
WAITING = (S.ASSIGNED, S.IN_PROGRESS, S.RETURNED, S.SUBMITTED)
DONE = (S.SUBMITTED, S.ACCEPTED, S.SKIPPED)
AGES = (1, 3, 7, 14, 28)  # days
OLDEST = 20
BUSIEST = 30
FOLDED = 8  # more rows than these


@dataclass(frozen=True)
class Column:
    """`digits` after the point; None for a text. What is not `charted` stands in the table alone."""

    title: str
    digits: int | None = 0
    charted: bool = True


@dataclass(frozen=True)
class Cell:
    text: str
    kind: str  # "number", or nothing
    url: str = ""


@dataclass(frozen=True)
class Table:
    """A figure as rows of plain values, None where there is none; `links`, if any, are of the rows' first cells."""

    name: str
    title: str
    says: str
    columns: tuple[Column, ...]
    rows: list[list[Any]]
    chart: str = ""  # line, bar or stacked
    chart_rows: int | None = None  # so many of the first rows are charted; None: all
    links: list[str] | None = None

    def cells(self) -> list[list[Cell]]:
        """The rows as a page shows them."""
        links = self.links or [""] * len(self.rows)
        return [
            [
                Cell(_in_words(value, column) or "–", "" if column.digits is None else "number", url if first else "")
                for value, column, first in zip(row, self.columns, [True] + [False] * len(row), strict=False)
            ]
            for row, url in zip(self.rows, links, strict=True)
        ]

    def plain(self) -> Iterable[list[str]]:
        """The rows as a file has them."""
        for row in self.rows:
            yield [_in_words(value, column) for value, column in zip(row, self.columns, strict=True)]

    @property
    def is_folded(self) -> bool:
        """Whether its chart says enough at first."""
        return bool(self.chart) and len(self.rows) > FOLDED and not self.chart_rows

    @property
    def head(self) -> list[str]:
        return [column.title for column in self.columns]


@dataclass(frozen=True)
class Standing:
    """Where the project stands now, in readings."""

    planned: int
    by_state: dict[str, int]
    overdue: int

    @property
    def accepted(self) -> int:
        return self.by_state.get(S.ACCEPTED, 0)

    @property
    def not_given(self) -> int:
        return max(self.planned - sum(self.by_state.values()), 0)

    @property
    def percent(self) -> int:
        return 100 * self.accepted // self.planned if self.planned else 0


class Figures:
    """The figures of a project in a span of days; each is asked of the database when it is wanted."""

    def __init__(self, project: Project, span: Span) -> None:
        self.project, self.span = project, span
        self.readings = Assignment.objects.filter(task__project=project, kind=READING).exclude(state=S.HANDED_BACK)
        self.transitions = Transition.objects.filter(assignment__task__project=project, assignment__kind=READING)

    def standing(self) -> Standing:
        planned = self.project.tasks.aggregate(n=Sum("readings"))["n"] or 0
        late = sum(n for day, n in self._due.items() if day < timezone.localdate())
        return Standing(planned, dict(self._now), late)

    def progress(self) -> Table:
        """How many were in each state at the end of every day or week: those of now less what happened since."""
        states = (S.ACCEPTED, S.SUBMITTED, S.RETURNED, S.IN_PROGRESS, S.ASSIGNED, S.SKIPPED)
        names = (_("accepted"), _("submitted"), _("returned"), _("in progress"), _("new"), _("skipped"))
        now, rows, steps = Counter(self._now), [], self.span.steps()
        for i in reversed(range(len(steps) + 1)):
            if i < len(steps):
                rows.append([steps[i], *(max(now[state], 0) for state in states)])
            for (before, after), n in self._changes[i].items():
                now[before] += n
                now[after] -= n
        says = _("Cases in each state at the end of the day, or of the week that begins on it.")
        return Table("progress", _("Progress"), says, (_step(), *map(Column, names)), rows[::-1], "stacked")

    def throughput(self) -> Table:
        """What was done in every day or week."""
        rows = []
        for i, step in enumerate(self.span.steps()):
            done = self._changes[i]
            submitted = sum(n for (_before, after), n in done.items() if after == S.SUBMITTED)
            returned = done[S.SUBMITTED, S.RETURNED]
            accepted = sum(n for (_before, after), n in done.items() if after == S.ACCEPTED)
            rows.append([step, submitted, returned, accepted])
        names = (_("submitted"), _("returned"), _("accepted"))
        says = _(
            "Times that a case was submitted, returned by a reviewer, accepted, in the day or the week that begins on it."
        )
        return Table("throughput", _("Throughput"), says, (_step(), *map(Column, names)), rows, "bar")

    def due(self) -> Table:
        """What is due in which week, and how much of it is still open."""
        planned = self._weekly(self._planned)
        still_open = self._weekly(self._due)
        rows = [[week, n, n - still_open[week], still_open[week]] for week, n in sorted(planned.items())]
        columns = (
            Column(_("week from"), None),
            Column(_("due"), charted=False),
            Column(_("handed in")),
            Column(_("open")),
        )
        says = _("Cases with a due date by the week that it falls into; handed in are submitted, accepted or skipped.")
        return Table("due", _("Due dates"), says, columns, rows, "stacked")

    def ageing(self) -> Table:
        """How long unfinished cases have been in their state."""
        now, counts = timezone.now(), Counter[tuple[int, str]]()
        for since, _pk, state in self._unfinished:
            counts[sum(now - since >= timedelta(days=days) for days in AGES), state] += 1
        rows = [[name, *(counts[age, state] for state in WAITING)] for age, name in enumerate(_names_of_ages())]
        columns = (_("new"), _("in progress"), _("returned"), _("submitted"))
        says = _("How long cases have been in the state that they are in now.")
        return Table("ageing", _("Ageing"), says, (Column(_("for"), None), *map(Column, columns)), rows, "stacked")

    def oldest(self) -> Table:
        """The unfinished cases that nothing has moved for longest."""
        oldest = sorted(self._unfinished)[:OLDEST]
        cases = self.readings.select_related("task__series", "person").in_bulk([pk for _since, pk, _state in oldest])
        rows = [
            [str(case.task.series), case.person.get_username(), str(S(state).label), _days(since), case.task.due_on]
            for case, since, state in ((cases[pk], since, state) for since, pk, state in oldest)
        ]
        texts = (_("case"), _("person"), _("state"))
        columns = (*(Column(text, None) for text in texts), Column(_("days in it"), 1), Column(_("due"), None))
        links = [reverse("case", args=[pk]) for _since, pk, _state in oldest]
        says = _("Unfinished cases that have been in their state for longest.")
        return Table("oldest", _("Standing longest"), says, columns, rows, links=links)

    def people(self) -> Table:
        """Who holds what now, and what they did in the span."""
        held, done, costs, dice = self._held(), self._done(), self._costs("assignment__person"), self._dice_of_people()
        rows: list[list[Any]] = []
        for person, name in self._names().items():
            mine, (submitted, accepted, returned) = held[person], done[person]
            seen = accepted + returned
            clicks, seconds = costs.get(person, (None, None))
            rows.append(
                [name, *(mine[state] for state in WAITING), submitted, accepted, returned,
                 100 * returned / seen if seen else None, clicks, seconds, dice.get(person)]
            )  # fmt: skip
        rows.sort(key=lambda row: (-sum(row[1:5]), row[0]))
        now = (_("new"), _("in progress"), _("returned"), _("waiting for review"))
        span = (_("submitted"), _("accepted"), _("times returned"))
        columns = (
            Column(_("person"), None),
            *map(Column, now),
            *(Column(name, charted=False) for name in span),
            Column(_("returned, %"), 0, False),
            Column(_("clicks per label"), 1, False),
            Column(_("seconds per label"), 0, False),
            Column(_("Dice with others"), 3, False),
        )
        says = _("What people hold now; from “submitted” on, what they did between the dates above.")
        return Table("people", _("People"), says, columns, rows, "stacked", chart_rows=BUSIEST)

    def labels(self) -> Table:
        """What a label of an accepted case cost."""
        says = _("Per label of a case that was accepted between the dates above: the mean of those that have a mask.")
        return self._cost_table("labels", _("Effort by label"), _("label"), "label__name", says)

    def versions(self) -> Table:
        """The same by the model version behind most of the label's masks."""
        says = _("The same by the model version behind most of the label's masks; “none” where people drew them all.")
        return self._cost_table(
            "versions", _("Effort by model version"), _("model version"), "model_version__name", says
        )

    def agreement(self) -> Table:
        """How far two readings of a case agree."""
        rows = self._agreements().order_by("label__name").values("label__name").annotate(
            n=Count("dice"), dice_=Avg("dice"), surface=Avg("surface_dice"), hd=Avg("hd95"),
            ml=Avg(F("first_ml") - F("second_ml")),
        )  # fmt: skip
        columns = (
            Column(_("label"), None), Column(_("pairs"), charted=False), Column(_("Dice"), 3), Column(_("surface Dice"), 3),
            Column(_("HD95, mm"), 1, False), Column(_("difference, ml"), 1, False),
        )  # fmt: skip
        values = [[r["label__name"], r["n"], r["dice_"], r["surface"], r["hd"], r["ml"]] for r in rows]
        says = _(
            "Means over pairs of readings compared between the dates above; the difference is the first less the second."
        )
        return Table("agreement", _("Agreement"), says, columns, values, "bar")

    # ------------------------------------------------------------------------------------------ what they are made of

    @cached_property
    def _now(self) -> Counter[str]:
        return Counter(dict(self.readings.order_by().values_list("state").annotate(n=Count("pk"))))

    @cached_property
    def _changes(self) -> dict[int, Counter[tuple[str, str]]]:
        """How often which state became which, by the number of the span's step; what came after the span has the next one."""
        starts = [midnight(step) for step in self.span.steps()] + [self.span.end]
        step = Case(*(When(at__gte=starts[i], then=Value(i)) for i in reversed(range(len(starts)))), default=Value(0))
        rows = self.transitions.filter(at__gte=self.span.start).annotate(step=step).order_by()
        changes: dict[int, Counter[tuple[str, str]]] = {i: Counter() for i in range(len(starts))}
        for i, before, after, n in rows.values_list("step", "before", "after").annotate(n=Count("pk")):
            changes[i][before, after] = n
        return changes

    @cached_property
    def _planned(self) -> dict[date, int]:
        """Readings of tasks with a due date, by it."""
        rows = self.project.tasks.exclude(due_on=None).order_by().values_list("due_on").annotate(n=Sum("readings"))
        return {day: n for day, n in rows if day}

    @cached_property
    def _due(self) -> dict[date, int]:
        """Those of them that are not handed in."""
        handed_in = self.readings.filter(state__in=DONE).exclude(task__due_on=None).order_by()
        done = dict(handed_in.values_list("task__due_on").annotate(n=Count("pk")))
        return {day: max(n - done.get(day, 0), 0) for day, n in self._planned.items()}

    @staticmethod
    def _weekly(by_day: dict[date, int]) -> Counter[date]:
        weeks: Counter[date] = Counter()
        for day, n in by_day.items():
            weeks[monday(day)] += n
        return weeks

    @cached_property
    def _unfinished(self) -> list[tuple[datetime, int, str]]:
        """(when it came into its state, id, state) of every reading that is neither accepted nor skipped."""
        since = Coalesce(Max("transitions__at"), "created_at")
        rows = self.readings.filter(state__in=WAITING).annotate(since=since).order_by()
        return list(rows.values_list("since", "pk", "state"))

    def _names(self) -> dict[int, str]:
        """Members, and whoever has a reading."""
        members = self.project.memberships.values_list("person", "person__username")
        return dict([*members, *self.readings.order_by().values_list("person", "person__username").distinct()])

    def _held(self) -> defaultdict[int, Counter[str]]:
        held: defaultdict[int, Counter[str]] = defaultdict(Counter)
        for person, state, n in self.readings.order_by().values_list("person", "state").annotate(n=Count("pk")):
            held[person][state] = n
        return held

    def _done(self) -> defaultdict[int, tuple[int, int, int]]:
        """Times submitted, accepted, returned by a reviewer: by whose case it was."""
        within = self.transitions.filter(at__gte=self.span.start, at__lt=self.span.end).order_by()
        rows = within.values_list("assignment__person").annotate(
            submitted=Count("pk", filter=Q(after=S.SUBMITTED)),
            accepted=Count("pk", filter=Q(after=S.ACCEPTED)),
            returned=Count("pk", filter=Q(before=S.SUBMITTED, after=S.RETURNED)),
        )
        return defaultdict(lambda: (0, 0, 0), {person: (s, a, r) for person, s, a, r in rows})

    def _efforts(self) -> QuerySet[Effort]:
        """Of labels with a mask, in readings that were accepted in the span."""
        accepted = self.transitions.filter(after=S.ACCEPTED, at__gte=self.span.start, at__lt=self.span.end)
        mine = Effort.objects.filter(assignment__in=accepted.values("assignment"), assignment__state=S.ACCEPTED)
        return mine.filter(slices__gt=0).order_by()

    def _costs(self, by: str) -> dict[Any, tuple[float, float]]:
        rows = self._efforts().values_list(by).annotate(c=Avg("clicks"), s=Avg("seconds"))
        return {key: (clicks, seconds) for key, clicks, seconds in rows}

    def _cost_table(self, name: str, title: str, of: str, by: str, says: str) -> Table:
        rows = self._efforts().values_list(by).annotate(
            n=Count("pk"), s=Avg("slices"), c=Avg("clicks"), t=Avg("strokes"), sec=Avg("seconds"),
            per=1.0 * Sum("clicks") / Sum("slices"),
        )  # fmt: skip
        columns = (
            Column(of, None), Column(_("accepted"), charted=False), Column(_("slices"), 1, False), Column(_("clicks"), 1),
            Column(_("strokes"), 1), Column(_("seconds"), 0, False), Column(_("clicks per slice"), 2, False),
        )  # fmt: skip
        values = sorted([[key or _("none"), *rest] for key, *rest in rows])
        return Table(name, title, says, columns, values, "bar")

    def _agreements(self) -> QuerySet[Agreement]:
        """Of whole volumes, between two readings, in the span."""
        return Agreement.objects.filter(
            z=None, comparison__first__task__project=self.project,
            comparison__first__kind=READING, comparison__second__kind=READING,
            comparison__done_at__gte=self.span.start, comparison__done_at__lt=self.span.end,
        )  # fmt: skip

    def _dice_of_people(self) -> dict[int, float]:
        """Each person's mean with whoever read the same case."""
        sums: defaultdict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for side in ("comparison__first__person", "comparison__second__person"):
            rows = self._agreements().order_by().values_list(side).annotate(total=Sum("dice"), n=Count("dice"))
            for person, total, n in rows:
                sums[person][0] += total or 0.0
                sums[person][1] += n
        return {person: total / n for person, (total, n) in sums.items() if n}


FIGURES: dict[str, Callable[[Figures], Table]] = {
    "progress": Figures.progress,
    "throughput": Figures.throughput,
    "due": Figures.due,
    "ageing": Figures.ageing,
    "oldest": Figures.oldest,
    "people": Figures.people,
    "labels": Figures.labels,
    "versions": Figures.versions,
    "agreement": Figures.agreement,
}


def _step() -> Column:
    return Column(_("day"), None)


def _names_of_ages() -> list[str]:
    between = [_("%(from)d to %(to)d days") % {"from": low, "to": high} for low, high in pairwise(AGES)]
    return [_("under a day"), *between, _("%(n)d days and more") % {"n": AGES[-1]}]


def _days(since: datetime) -> float:
    return (timezone.now() - since).total_seconds() / 86400


def _in_words(value: Any, column: Column) -> str:
    if value is None:
        return ""
    return str(value) if column.digits is None else f"{value:.{column.digits}f}"
