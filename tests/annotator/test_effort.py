"""What a label cost: counted from the log when its case is submitted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from annotator import masks
from annotator.annotation import assign, effort, progress, slicemasks
from annotator.annotation.models import Assignment, Effort, Interaction, Label
from tests.annotator.factories import Cast, make_version

START = datetime(2026, 5, 4, 9, tzinfo=UTC)


def log(case: Assignment, *rows: tuple[Label, str, float]) -> None:
    """(label, kind or a paint's tool, seconds after the start) in the order of the log."""
    first = case.interactions.count() + 1
    for sequence, (label, kind, second) in enumerate(rows, first):
        is_paint = kind not in ("add_click", "move_click", "delete_click", "undo", "propagate")
        Interaction.objects.create(
            assignment=case, sequence=sequence, kind="paint" if is_paint else kind, label=label, z=0, person=case.person,
            payload={"tool": kind} if is_paint else {}, created_at=START + timedelta(seconds=second),
        )  # fmt: skip


def keep(case: Assignment, label: Label, z: int, filled: bool = True, version=None) -> None:
    mask = masks.encode(np.full((1, 1), filled))
    slicemasks.save(case.pk, label.pk, z, 1, 1, mask, version and version.pk, [], case.person_id)


def costs(case: Assignment) -> dict[str, tuple[int, int, int, float]]:
    return {row.label.name: (row.slices, row.clicks, row.strokes, row.seconds) for row in case.efforts.all()}


def test_a_submitted_case_is_counted(cast: Cast) -> None:
    case, liver, spleen = cast.alices, cast.liver, cast.spleen
    log(case, (liver, "add_click", 0), (liver, "move_click", 4), (liver, "brush", 10), (spleen, "add_click", 15))
    log(case, (spleen, "undo", 16), (liver, "propagate", 20), (liver, "accept", 21), (spleen, "lasso", 30))
    for z in range(3):
        keep(case, liver, z)
    keep(case, spleen, 0)
    keep(case, spleen, 1, filled=False)
    progress.make("submit", cast.alice, case)
    assert costs(case) == {"liver": (3, 2, 1, 15.0), "spleen": (1, 1, 1, 15.0)}


def test_a_pause_counts_a_minute_for_what_came_after_it(cast: Cast) -> None:
    log(cast.alices, (cast.liver, "add_click", 0), (cast.spleen, "add_click", 3600), (cast.spleen, "add_click", 3660))
    effort.count(cast.alices)
    assert costs(cast.alices) == {"liver": (0, 1, 0, 0.0), "spleen": (0, 2, 0, 120.0)}


def test_a_clock_that_was_set_back_takes_nothing_off(cast: Cast) -> None:
    log(cast.alices, (cast.liver, "add_click", 100), (cast.liver, "add_click", 0))
    effort.count(cast.alices)
    assert costs(cast.alices) == {"liver": (0, 2, 0, 0.0)}


def test_counted_again_it_is_the_same(cast: Cast) -> None:
    log(cast.alices, (cast.liver, "add_click", 0), (cast.liver, "add_click", 5))
    progress.make("submit", cast.alice, cast.alices)
    progress.make("return", cast.rob, cast.alices, "The dome is missing.")
    progress.make("submit", cast.alice, cast.alices)
    assert costs(cast.alices) == {"liver": (0, 2, 0, 5.0)}
    assert Effort.objects.count() == 1


def test_what_was_copied_cost_the_next_person_nothing(cast: Cast) -> None:
    log(cast.alices, (cast.liver, "add_click", 0), (cast.liver, "add_click", 5))
    theirs = assign.reassign(cast.alices, cast.bob, cast.maria, keep_work=True)
    log(theirs, (cast.liver, "add_click", 60))
    progress.make("submit", cast.bob, theirs)
    assert costs(theirs) == {"liver": (0, 1, 0, 0.0)}


@pytest.mark.parametrize(("olds", "news", "expected"), [(2, 1, "old"), (1, 2, "new"), (1, 1, "new"), (0, 0, None)])
def test_the_version_is_the_one_behind_most_masks(cast: Cast, olds: int, news: int, expected: str | None) -> None:
    versions = {"old": make_version("old"), "new": make_version("new")}
    for z, name in enumerate(["old"] * olds + ["new"] * news):
        keep(cast.alices, cast.liver, z, version=versions[name])
    keep(cast.alices, cast.liver, 9)
    [row] = effort.count(cast.alices)
    assert row.model_version == (versions[expected] if expected else None)


def test_an_empty_case_cost_nothing(cast: Cast) -> None:
    assert effort.count(cast.alices) == []
