"""What to label next: waiting cases in the order in which the model is expected to gain from them.

The figures of a case are the model's own (`segmodel.first_guess`) and are kept with the version that gave them; what the queue
sorts by, `Task.benefit`, follows from them by the project's choice. Priority and date of a case go before it.
"""

from __future__ import annotations

from django.conf import settings
from django.db.models import QuerySet

from annotator import engine
from annotator.annotation import assign, sample, versions
from annotator.annotation.models import ModelVersion, Project, Task
from annotator.learning.models import Benefit
from annotator.studies import store

Order = Project.Order
SALT = "annotator.benefit"
BY_MODEL = (Order.QUALITY, Order.DISAGREEMENT)


def rank(project: Project, most: int = 200) -> int:
    """Measure waiting cases that the project's model has not seen yet, and put all in order; the number measured.

    At most so many are measured at a time; those without figures come last.
    """
    waiting = assign.waiting(project).select_related("series", "benefit_row")
    measured = 0
    if project.order in BY_MODEL:
        version = project.model_version or versions.active()
        unseen = [task for task in waiting if _version_of(task) != version.pk][:most]
        guesses = engine.FirstGuesses(version.path, settings.LEARNING_DEVICE) if unseen else None
        for task in unseen:
            assert guesses is not None
            measured += _measure(task, version, guesses)
    _sort(project, waiting.all())
    return measured


def rank_all() -> None:
    """Whatever waits in projects whose managers want an order."""
    for project in Project.objects.filter(archived_at=None).exclude(order=Order.GIVEN):
        rank(project)


def _sort(project: Project, waiting: QuerySet[Task]) -> None:
    """Write what the queue sorts by, where it has changed."""
    changed = []
    for task in waiting:
        if (benefit := _benefit(project, task)) != task.benefit:
            task.benefit = benefit
            changed.append(task)
    Task.objects.bulk_update(changed, ["benefit"], batch_size=500)


def _measure(task: Task, version: ModelVersion, guesses: engine.FirstGuesses) -> bool:
    spacing = (float(task.series.spacing[1]), float(task.series.spacing[2]))
    found = guesses(lambda z: store.read_slice(task.series, z), task.series.depth, spacing)
    if found is None:
        return False
    values = {"version": version, "quality": found[0], "disagreement": found[1]}
    Benefit.objects.update_or_create(task=task, defaults=values)
    return True


def _version_of(task: Task) -> int | None:
    """The version that has measured the task."""
    row = getattr(task, "benefit_row", None)
    return row.version_id if row else None


def _benefit(project: Project, task: Task) -> float | None:
    row = getattr(task, "benefit_row", None)
    if project.order == Order.RANDOM:
        return sample.drawn(task.pk, SALT)
    if row is None or project.order == Order.GIVEN:
        return None
    return 1 - row.quality if project.order == Order.QUALITY else float(row.disagreement)
