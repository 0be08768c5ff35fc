"""Gold cases: finished cases whose ground truth measures people who are given them unawares.

A person gets such a case as a *check*, which looks like any other case to them. A check either comes at once, as if a manager
had given it, or waits for its turn: then it has no `Transition` yet, `created_at` is when its turn comes, and the queue hands
it out instead of a new case. `submission` and a comparison job do the rest; nobody reviews a check, and it is no data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Avg, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from annotator.annotation import access, agreement, progress, truth
from annotator.annotation.models import Agreement, Assignment, Comparison, Membership, Project, Task
from annotator.events import audit, notices
from annotator.events.models import Notice

S = Assignment.State
CHECK = Assignment.Kind.CHECK
MOST_EACH, MOST_DAYS = 20, 90


class GoldRefused(ValueError):
    """One sentence why a case is not gold, or not given as a check."""


# ------------------------------------------------------------------------------------------ gold cases


def mark(task: Task, by: User) -> None:
    """Make a task that has a ground truth a gold case. Raises GoldRefused."""
    if truth.ground_truth(task) is None:
        sentence = _("%(series)s has no accepted ground truth yet, so it can measure nobody.")
        raise GoldRefused(sentence % {"series": task.series})
    if Task.objects.filter(pk=task.pk, gold=False).update(gold=True):
        audit.note(by, "marked gold", task, task.project_id)


def unmark(task: Task, by: User) -> None:
    """Measure nobody with it any more: checks that nobody has begun are withdrawn, what was measured stays."""
    with transaction.atomic():
        if Task.objects.filter(pk=task.pk, gold=True).update(gold=False):
            _planned(task.assignments.all()).delete()
            audit.note(by, "unmarked gold", task, task.project_id)


def call_off(membership: Membership) -> None:
    """Whoever leaves the project has no checks to come in it."""
    _planned(Assignment.objects.filter(task__project=membership.project_id, person=membership.person_id)).delete()


def people_of(project: Project) -> QuerySet[User]:
    """Whom checks measure: the active members, but for the managers, who see which cases are gold."""
    roles = (Membership.Role.ANNOTATOR, Membership.Role.REVIEWER)
    members = project.memberships.filter(role__in=roles)
    return User.objects.filter(is_active=True, pk__in=members.values("person")).order_by("username")


def slip(
    project: Project, people: Sequence[User], each: int, days: int, by: User, random: Random
) -> tuple[int, list[str]]:
    """Give each person so many checks, at once (0 days) or at random times of the next days.

    Returns the number of checks, and a sentence for each person who has had too many of the gold cases. Raises GoldRefused.
    """
    _check_plan(project, people, each, days)
    made, sentences = 0, []
    with transaction.atomic():
        for person in people:
            free = _free_for(project, person)
            chosen = random.sample(free, min(each, len(free)))
            for task in chosen:
                _give(task, person, by, days, random)
            made += len(chosen)
            if len(chosen) < each:
                sentences.append(_("%(name)s knows all gold cases but %(count)d.") % _known(person, len(chosen)))
        audit.note(by, "gave checks", project, project.pk, checks=made, people=[one.get_username() for one in people])
    return made, sentences


def _known(person: User, count: int) -> dict[str, object]:
    return {"name": person.get_username(), "count": count}


def _check_plan(project: Project, people: Sequence[User], each: int, days: int) -> None:
    if not people:
        raise GoldRefused(_("Choose at least one person."))
    if not 1 <= each <= MOST_EACH or not 0 <= days <= MOST_DAYS:
        sentence = _("Give each person 1 to %(most)d checks, over 0 to %(days)d days.")
        raise GoldRefused(sentence % {"most": MOST_EACH, "days": MOST_DAYS})
    if not project.tasks.filter(gold=True).exists():
        raise GoldRefused(_("There is no gold case yet. Mark one first."))
    strangers = {one.pk for one in people} - set(people_of(project).values_list("pk", flat=True))
    if strangers:
        raise GoldRefused(_("Checks are for the project's annotators and reviewers only."))


def _free_for(project: Project, person: User) -> list[Task]:
    """Gold cases that the person has had no part in, neither as their own nor by moving somebody's."""
    known = Q(assignments__person=person) | Q(assignments__transitions__person=person)
    gold = project.tasks.filter(gold=True)
    free = gold.exclude(pk__in=gold.filter(known).values("pk")).order_by("pk")
    return list(free.filter(pk__in=truth.tasks_with_truth(project).values("pk")))


def _give(task: Task, person: User, by: User, days: int, random: Random) -> None:
    check = Assignment.objects.create(task=task, person=person, kind=CHECK)
    if days == 0:
        progress.begin(check, by)
    else:
        turn = timezone.now() + timedelta(days=days * random.random())
        Assignment.objects.filter(pk=check.pk).update(created_at=turn)


# ------------------------------------------------------------------------------------------ the queue


def projects_with_turn(person: access.Person) -> set[int]:
    """The projects in whose queue a check waits for the person."""
    return set(_turns(person).values_list("task__project", flat=True))


def turn(project: Project, person: User) -> Assignment | None:
    """The check whose turn it is for the person, theirs from now on. It gets a number as new as that of any other case."""
    for planned in _turns(person).filter(task__project=project):
        with transaction.atomic():
            if not _planned(Assignment.objects.filter(pk=planned.pk)).delete()[0]:
                continue  # another window was faster
            check = Assignment.objects.create(task_id=planned.task_id, person=person, kind=CHECK)
            progress.begin(check, person)
            return check
    return None


def _turns(person: access.Person) -> QuerySet[Assignment]:
    mine = Assignment.objects.filter(task__gold=True, person=person.pk)
    mine = mine.filter(task__project__archived_at=None)
    return _planned(mine).filter(created_at__lte=timezone.now()).order_by("created_at")


def _planned(assignments: QuerySet[Assignment]) -> QuerySet[Assignment]:
    return assignments.filter(~access.IN_HAND)


# ------------------------------------------------------------------------------------------ measuring


def measure(check: Assignment) -> None:
    """A submitted check is compared with the ground truth; where there is none any more, it is simply over."""
    wanted = truth.ground_truth(check.task)
    if wanted:
        agreement.want(check, wanted)
    else:
        progress.accept_by_rule(check)


def settle(comparison: Comparison) -> None:
    """A check that has been compared is over, and its person is told how they did where the project wants that."""
    check = comparison.first
    if check.kind == CHECK and progress.accept_by_rule(check) and check.task.project.gold_feedback:
        scores = ", ".join(f"{score.label} {score.dice:.2f}" for score in _scores([check]).get(check.pk, []))
        about = {"series": str(check.task.series), "scores": scores}
        notices.tell(check.person, Notice.Kind.SCORED, reverse("case", args=[check.pk]), **about)


def stuck(project: Project) -> QuerySet[Comparison]:
    """Comparisons of submitted checks that have failed."""
    checks = {"first__kind": CHECK, "first__state": S.SUBMITTED, "first__task__project": project}
    return Comparison.objects.filter(state=Comparison.State.FAILED, **checks).select_related("first__task")


def measure_again(project: Project) -> None:
    """The button: have the checks compared whose comparison failed, with what is the ground truth now."""
    for comparison in stuck(project):
        with transaction.atomic():
            measure(comparison.first)


@dataclass(frozen=True)
class Score:
    """Dice of a label of a check against the ground truth."""

    label: str
    dice: float


def with_scores(cases: list[Assignment]) -> list[Assignment]:
    """The cases, each with the `scores` that its person may see: those of finished checks, where the project says so."""
    told = [case for case in cases if case.kind == CHECK and case.state == S.ACCEPTED]
    found = _scores([case for case in told if case.task.project.gold_feedback])
    for case in cases:
        case.scores = found.get(case.pk, [])  # type: ignore[attr-defined]
    return cases


def _scores(checks: Sequence[Assignment]) -> dict[int, list[Score]]:
    if not checks:
        return {}
    rows = _measured().filter(comparison__first__in=checks).select_related("label", "comparison")
    found: dict[int, list[Score]] = {}
    for row in rows.order_by("label__position", "label__value"):
        found.setdefault(row.comparison.first_id, []).append(Score(row.label.name, row.dice or 0.0))
    return found


def _measured() -> QuerySet[Agreement]:
    """Volume figures of checks that were compared."""
    done = {"comparison__state": Comparison.State.DONE, "comparison__first__kind": CHECK}
    return Agreement.objects.filter(z=None, dice__isnull=False, **done)


# ------------------------------------------------------------------------------------------ how people do


@dataclass
class Person:
    """How somebody did on their checks: mean Dice by label and of all, and by how much the later ones are better."""

    name: str
    checks: list[tuple[datetime, float]] = field(default_factory=list)  # oldest first
    by_label: dict[int, float] = field(default_factory=dict)

    @property
    def dice(self) -> float:
        return _mean([dice for _, dice in self.checks])

    @property
    def trend(self) -> float | None:
        """Mean Dice of the later half of the checks minus that of the earlier one; None for fewer than two."""
        half = len(self.checks) // 2
        values = [dice for _, dice in self.checks]
        return _mean(values[-half:]) - _mean(values[:half]) if half else None


def people(project: Project) -> list[Person]:
    """Everybody who was measured on a gold case of the project, by name."""
    rows = _measured().filter(comparison__first__task__project=project)
    who, when = "comparison__first__person__username", "comparison__done_at"
    found: dict[str, Person] = {}
    for name, at, dice in rows.values_list(who, when).annotate(mean=Avg("dice")).order_by(when):
        found.setdefault(name, Person(name)).checks.append((at, dice))
    for name, label, dice in rows.values_list(who, "label").annotate(mean=Avg("dice")).order_by():
        found[name].by_label[label] = dice
    return [found[name] for name in sorted(found)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
