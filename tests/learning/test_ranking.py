"""What to label next: the queue in the order that a project asks for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from annotator.annotation import assign, versions
from annotator.annotation.models import Project, Task
from annotator.events.models import Event
from annotator.learning import ranking
from annotator.learning.models import Benefit
from annotator.studies import store
from tests.annotator import factories
from tests.annotator.factories import Cast
from tests.segmodel import toys

Order = Project.Order
SHAPE = (3, 64, 96)


@pytest.fixture
def waiting(cast: Cast, storage: Path, tmp_path: Path) -> list[Task]:
    """Three cases of one project, answered by a small network."""
    toys.checkpoint().save(tmp_path / "toy.safetensors")
    versions.activate(versions.register(tmp_path / "toy.safetensors", "toy"))
    rng = np.random.default_rng(1)
    tasks = []
    for noise in (0, 8, 16):
        series = factories.make_series(SHAPE)
        hu = np.full(SHAPE, -1000, np.int16)
        hu[:, 12:52, 12:80] = 60 + rng.normal(0, noise, (3, 40, 68)).astype(np.int16)
        store.write(series.prefix, iter(hu), SHAPE)
        tasks.append(Task.objects.create(project=cast.project, series=series))
    return tasks


def order(cast: Cast, choice: str) -> list[int]:
    cast.project.order = choice
    cast.project.save()
    ranking.rank(cast.project)
    return list(assign.waiting(cast.project).values_list("pk", flat=True))


def test_the_case_whose_first_guesses_the_model_trusts_least_comes_first(cast: Cast, waiting: list[Task]) -> None:
    found = order(cast, Order.QUALITY)
    quality = dict(Benefit.objects.values_list("task", "quality"))
    assert found == sorted(quality, key=lambda task: quality[task]) and len(found) == 3


def test_disagreement_is_another_order_of_the_same_figures(cast: Cast, waiting: list[Task]) -> None:
    found = order(cast, Order.DISAGREEMENT)
    disagreement = dict(Benefit.objects.values_list("task", "disagreement"))
    assert found == sorted(disagreement, key=lambda task: -disagreement[task])


def test_at_random_is_the_same_every_time_and_measures_nothing(cast: Cast, waiting: list[Task]) -> None:
    assert order(cast, Order.RANDOM) == order(cast, Order.RANDOM)
    assert not Benefit.objects.exists()


def test_as_they_came_takes_the_order_away(cast: Cast, waiting: list[Task]) -> None:
    order(cast, Order.QUALITY)
    assert order(cast, Order.GIVEN) == [task.pk for task in waiting]


def test_priority_goes_first(cast: Cast, waiting: list[Task]) -> None:
    last = order(cast, Order.QUALITY)[-1]
    Task.objects.filter(pk=last).update(priority=1)
    assert assign.waiting(cast.project).first().pk == last


def test_what_was_measured_is_measured_anew_by_another_version_only(cast: Cast, waiting, tmp_path: Path) -> None:
    cast.project.order = Order.QUALITY
    assert (ranking.rank(cast.project), ranking.rank(cast.project)) == (3, 0)
    toys.checkpoint(seed=1).save(tmp_path / "other.safetensors")
    versions.activate(versions.register(tmp_path / "other.safetensors", "other"))
    assert ranking.rank(cast.project) == 3


def test_the_record_says_why_a_case_was_next(cast: Cast, waiting: list[Task]) -> None:
    cast.alices.task.delete()
    order(cast, Order.QUALITY)
    case = assign.next_case(cast.project, cast.alice)
    said = Event.objects.filter(verb="assigned", thing_id=str(case.pk)).get().details
    assert said["order"] == "quality" and 0 <= said["benefit"] <= 1


def test_a_case_that_shows_nothing_soft_comes_last(cast: Cast, waiting: list[Task]) -> None:
    series = factories.make_series(SHAPE)
    store.write(series.prefix, iter(np.full(SHAPE, -1000, np.int16)), SHAPE)
    empty = Task.objects.create(project=cast.project, series=series)
    assert order(cast, Order.QUALITY)[-1] == empty.pk
