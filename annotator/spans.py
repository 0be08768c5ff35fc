"""A range of days by the site's clock, and the days or weeks that it falls into."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

DAYS_SHOWN = 31
"""A span of more days than these is shown by weeks."""


@dataclass(frozen=True)
class Span:
    """From the first day to the last, both included."""

    first: date
    last: date

    @classmethod
    def latest(cls, days: int) -> Span:
        """So many days, today being the last."""
        today = timezone.localdate()
        return cls(today - timedelta(days=days - 1), today)

    @property
    def start(self) -> datetime:
        return midnight(self.first)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return midnight(self.last + timedelta(days=1))

    @property
    def in_weeks(self) -> bool:
        return (self.last - self.first).days >= DAYS_SHOWN

    def step_of(self, day: date) -> date:
        """The step that the day belongs to, named by its first day: the day itself, or the Monday of its week."""
        return monday(day) if self.in_weeks else day

    def steps(self) -> list[date]:
        """Every step of the span, in order."""
        length = timedelta(days=7 if self.in_weeks else 1)
        steps = [self.step_of(self.first)]
        while steps[-1] + length <= self.last:
            steps.append(steps[-1] + length)
        return steps


def midnight(day: date) -> datetime:
    """When the day begins."""
    return timezone.make_aware(datetime.combine(day, time.min))


def monday(day: date) -> date:
    """Of the day's week."""
    return day - timedelta(days=day.weekday())
