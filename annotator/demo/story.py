"""What the team of the demo did in the last four weeks, case by case."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

import numpy as np
from django.contrib.auth.models import User
from django.utils import timezone
from numpy.typing import NDArray

from annotator import masks
from annotator.annotation import (
    adjudication,
    agreement,
    assign,
    cases,
    comments,
    gold,
    history,
    jobs,
    progress,
    slicemasks,
)
from annotator.annotation.models import Assignment, Task
from annotator.demo import past, project
from annotator.demo.hand import Hand, innermost
from annotator.demo.people import Cast
from annotator.protocol import Paint
from annotator.studies.models import Series


@dataclass(frozen=True)
class Scan:
    """A small CT, and which label each voxel [z, y, x] truly has."""

    series: Series
    truth: NDArray[np.uint8]


def tell(cast: Cast, first: Series, scans: list[Scan]) -> None:
    """All of it: the case that waits for the annotator, and twelve on which people have worked."""
    story = Story(cast, iter(scans))
    story.wait_untouched(first)
    story.finish_four()
    story.read_twice_and_adjudicate()
    story.check_on_gold()
    story.read_twice()
    story.skip()
    story.submit()
    story.return_with_comment()
    story.begin()
    story.queue()


class Story:
    """Takes one scan after the other."""

    def __init__(self, cast: Cast, scans: Iterator[Scan]) -> None:
        self.cast, self.scans = cast, scans
        self.now = timezone.now()
        self.project = project.make(cast)
        self.labels = list(self.project.labels.all())
        self.truths: dict[int, NDArray[np.uint8]] = {}  # by the tasks' ids

    # ------------------------------------------------------------------------------------------ scenes

    def wait_untouched(self, series: Series) -> None:
        """The large case, the annotator's own; nobody has touched it."""
        task, _ = assign.add(self.project, series)
        self._give(task, self.cast.annotator, self.now)

    def finish_four(self) -> None:
        """Accepted cases, which become gold; one of them came back once."""
        annotator, bob, reviewer = self.cast.annotator, self.cast.bob, self.cast.reviewer
        for days, person in ((27, annotator), (25, bob), (22, annotator), (19, bob)):
            case, done = self._read(person, days, slip=0.3, due=7)
            if days == 25:
                self._move("return", reviewer, case, done + timedelta(hours=3), "The spleen's lower pole is missing.")
                done += timedelta(hours=20)
                self._move("submit", person, case, done)
            self._move("accept", reviewer, case, done + timedelta(hours=5))
            gold.mark(case.task, self.cast.manager)

    def read_twice_and_adjudicate(self) -> None:
        """Two readings, and a reviewer who decided between them."""
        task, when = self._read_by_both(17)
        with past.at(when):
            case = adjudication.begin(task, self.cast.reviewer)
            progress.start(self.cast.reviewer, case)
            _decide(case)
        self._move("submit", self.cast.reviewer, case, when + timedelta(minutes=40))

    def check_on_gold(self) -> None:
        """Each annotator is measured on the other's cases, twice: one gets better, one worse."""
        slips = {self.cast.annotator: (0.8, 0.3), self.cast.bob: (0.4, 1.0)}
        for person, each in slips.items():
            with past.at(self._ago(13)):
                gold.slip(self.project, [person], len(each), 0, self.cast.manager, Random(0))
            checks = person.assignments.filter(kind=Assignment.Kind.CHECK).select_related(
                "task__series", "task__project"
            )
            for case, slip, days in zip(checks, each, (12, 6), strict=True):
                self._submit(case, self._ago(days), slip)

    def read_twice(self) -> None:
        """Two readings that have been compared; nobody has decided between them yet."""
        self._read_by_both(9)

    def skip(self) -> None:
        case = self._given(self.cast.bob, 5)
        self._move("skip", self.cast.bob, case, self._ago(4), "Half of the liver lies outside the field of view.")

    def submit(self) -> None:
        """It waits for a reviewer."""
        self._read(self.cast.annotator, 3, slip=0.4, due=5)

    def return_with_comment(self) -> None:
        """A comment is pinned to where a piece of the liver was left out."""
        case, done = self._read(self.cast.bob, 2, slip=0.7, due=4)
        liver = next(label for label in self.labels if label.name == "liver")
        volume = self.truths[case.task_id] == liver.value
        z = int(volume.sum(axis=(1, 2)).argmax())
        missed = volume[z] & ~masks.decode(bytes(case.masks.get(label=liver, z=z).mask))
        text = "The outline cuts into the liver here; follow the capsule, and look at the slices beside it."
        with past.at(done + timedelta(hours=2)):
            comments.add(self.cast.reviewer, case, text, z, innermost(missed), liver.pk)
            progress.make("return", self.cast.reviewer, case)

    def begin(self) -> None:
        """Some labels of it are done."""
        case = self._given(self.cast.bob, 1, due=3)
        Hand(case, self._ago(0.2), 0.4).outline(self.truths[case.task_id], self.labels[2:5])

    def queue(self) -> None:
        """What nobody has yet."""
        for scan, priority, days in zip(self.scans, (10, 0, 0), (2, 9, 16), strict=False):
            task, _ = assign.add(self.project, scan.series)
            self._plan(task, self.now, priority=priority, due=days)

    # ------------------------------------------------------------------------------------------ steps

    def _ago(self, days: float) -> datetime:
        return self.now - timedelta(days=days)

    def _task(self, days: float, readings: int = 1, due: int | None = None) -> Task:
        """The next scan as a task, made so many days ago and due so many days later."""
        scan = next(self.scans)
        with past.at(self._ago(days)):
            task, _ = assign.add(self.project, scan.series)
        self._plan(task, self._ago(days), readings=readings, due=due)
        self.truths[task.pk] = scan.truth
        return task

    def _plan(self, task: Task, when: datetime, due: int | None = None, **changes: int) -> None:
        day = timezone.localdate(when)
        due_on = {"due_on": day + timedelta(days=due)} if due is not None else {}
        cases.plan([task], self.cast.manager, day, **changes, **due_on)

    def _give(self, task: Task, person: User, when: datetime) -> Assignment:
        with past.at(when):
            return assign.give(task, person, self.cast.manager)

    def _given(self, person: User, days: float, due: int | None = None) -> Assignment:
        return self._give(self._task(days, due=due), person, self._ago(days))

    def _read(self, person: User, days: float, slip: float, due: int | None = None) -> tuple[Assignment, datetime]:
        """A submitted case, and when that was."""
        case = self._given(person, days, due)
        return case, self._submit(case, self._ago(days - 0.4), slip)

    def _read_by_both(self, days: float) -> tuple[Task, datetime]:
        """The task, and when the later of the two had been submitted and both were compared."""
        task, done = self._task(days, readings=2, due=7), self.now
        for person, slip, later in ((self.cast.annotator, 0.3, 0.3), (self.cast.bob, 0.7, 1.1)):
            done = self._submit(self._give(task, person, self._ago(days)), self._ago(days - later), slip)
        return task, done

    def _submit(self, case: Assignment, begun: datetime, slip: float) -> datetime:
        done = Hand(case, begun, slip).outline(self.truths[case.task_id], self.labels) + timedelta(minutes=1)
        self._move("submit", case.person, case, done)
        return done

    def _move(self, name: str, person: User, case: Assignment, when: datetime, reason: str = "") -> None:
        """Move it, and do at once what a job would do next."""
        with past.at(when):
            progress.make(name, person, case, reason)
            for comparison in agreement.resume():
                jobs.compare(comparison)
        case.refresh_from_db(fields=["state"])


def _decide(case: Assignment) -> None:
    """Where the readings differ, the adjudication takes the first one's mask, or the other's where that has none."""
    first, second = ({(label, z): mask for label, z, mask in one["masks"]} for one in adjudication.readings_json(case))
    state, log = history.state(case.pk), history.Log()
    open_places = (first.keys() | second.keys()) - {(one.label, one.z) for one in state.clicks}
    for sequence, (label, z) in enumerate(sorted(open_places), state.last_sequence + 1):
        tool, mask = ("first", first[label, z]) if (label, z) in first else ("second", second[label, z])
        history.record(case.pk, case.person_id, Paint(sequence, label, z, tool, mask), log=log)
        slicemasks.save(case.pk, label, z, sequence, sequence, base64.b64decode(mask), None, (), case.person_id)
