"""Who has a voxel that several masks claim."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from annotator import masks
from annotator.annotation import overlap, slicemasks
from annotator.annotation.models import Project, SliceMask
from tests.annotator.factories import SHAPE, Cast

RULES = Project.Overlap
slices = arrays(bool, SHAPE[1:])
any_order = st.permutations([1, 2])


def put(cast: Cast, liver: np.ndarray, spleen: np.ndarray, order: list[int]) -> None:
    """Masks of both labels on slice 0, as old as `order` says."""
    SliceMask.objects.all().delete()
    for label, mask, since in zip((cast.liver, cast.spleen), (liver, spleen), order, strict=True):
        slicemasks.save(cast.alices.pk, label.pk, 0, since, since, masks.encode(mask), None, [], cast.alice.pk)


def with_rule(cast: Cast, rule: str) -> None:
    cast.project.overlap = cast.alices.task.project.overlap = rule
    cast.project.save()


def visible(cast: Cast, rule: str) -> tuple[np.ndarray, np.ndarray]:
    shown = overlap.visible(cast.alices.masks.filter(z=0), rule)
    nothing = np.zeros(SHAPE[1:], bool)
    return shown.get(cast.liver.pk, nothing), shown.get(cast.spleen.pk, nothing)


@given(liver=slices, spleen=slices, order=any_order)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_newest_has_the_voxel_and_nothing_is_lost(cast: Cast, liver, spleen, order) -> None:
    put(cast, liver, spleen, order)
    shown = visible(cast, RULES.NEWEST)
    newer, older = (0, 1) if order[0] > order[1] else (1, 0)
    np.testing.assert_array_equal(shown[newer], (liver, spleen)[newer])
    np.testing.assert_array_equal(shown[older], (liver, spleen)[older] & ~shown[newer])
    both = visible(cast, RULES.ALLOWED)
    np.testing.assert_array_equal(both, (liver, spleen))


@given(new=slices, spleen=slices, liver=slices, order=any_order, rule=st.sampled_from(list(RULES)))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_new_mask_never_takes_a_voxel_of_a_locked_label(cast: Cast, new, spleen, liver, order, rule) -> None:
    with_rule(cast, rule)
    put(cast, liver, spleen, order)
    _, locked = visible(cast, rule)
    barred = overlap.barred(cast.alices, {cast.spleen.pk}, cast.liver.pk, 0)
    cut = masks.decode(overlap.cut(masks.encode(new), barred))
    np.testing.assert_array_equal(cut, new & ~locked)
    slicemasks.save(cast.alices.pk, cast.liver.pk, 0, 3, 3, masks.encode(cut), None, [], cast.alice.pk)
    after = visible(cast, rule)[1]  # may be more: what the liver covered before the lock and leaves now
    assert not (locked & ~after).any()


def test_where_only_the_background_may_be_taken_others_bar_the_way(cast: Cast) -> None:
    mask = np.eye(*SHAPE[1:], dtype=bool)
    put(cast, np.zeros_like(mask), mask, [1, 2])
    with_rule(cast, RULES.BACKGROUND)
    np.testing.assert_array_equal(overlap.barred(cast.alices, (), cast.liver.pk, 0), mask)
    assert overlap.barred(cast.alices, (), cast.spleen.pk, 0) is None


@pytest.mark.parametrize("rule", [RULES.NEWEST, RULES.ALLOWED])
def test_without_locks_nothing_is_cut_and_nothing_is_read(cast: Cast, rule: str, django_assert_num_queries) -> None:
    with_rule(cast, rule)
    assert cast.alices.task.project.overlap == rule
    with django_assert_num_queries(0):
        assert overlap.barred(cast.alices, (), cast.liver.pk, 0) is None
    assert overlap.cut(b"mask", None) == b"mask"
