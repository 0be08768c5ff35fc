"""Batches: a structure first, then a slice that shows it; the same for one process and for many."""

import dataclasses

import numpy as np
import pytest
import torch

from segmodel.grid import Grid
from segmodel.inputs import InputSpec
from segmodel.recipe import Recipe, RecipeError
from segmodel.sampling import Sampler
from tests.segmodel.toys import ENCODE_ONCE, grid_slices

TINY = Recipe(name="tiny", architecture=ENCODE_ONCE, size=64, crop=(64, 64), window=(-125.0, 275.0))
SPEC = InputSpec(Grid(1.0))


def sampler(slices, **settings):
    return Sampler(slices, SPEC, dataclasses.replace(TINY, **settings))


def test_a_batch_shows_slices_with_one_of_their_structures():
    slices = grid_slices()
    batch = sampler(slices).batch(0, range(10))
    assert batch.images.shape == batch.truths.shape == (10, 1, 64, 64)
    assert batch.owner.tolist() == list(range(10))
    known = [(slices.labels[i] == value) for i in range(6) for value in (1, 2)]
    assert all(any((truth[0].numpy() == mask).all() for mask in known) for truth in batch.truths)


def test_a_slice_brings_several_of_its_structures_where_the_recipe_says_so():
    batch = sampler(grid_slices(), structures=2).batch(0, range(5))
    assert batch.owner.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert not (batch.truths[0::2] & batch.truths[1::2]).any()


def test_every_slice_counts_alike_however_many_structures_it_brings():
    slices = grid_slices()
    slices.labels[::2][slices.labels[::2] == 2] = 0
    batch = sampler(slices, structures=2).batch(0, range(12))
    assert len({*batch.owner.bincount().tolist()}) == 2
    sums = torch.zeros(12).index_add(0, batch.owner, batch.weights)
    torch.testing.assert_close(sums, torch.ones(12))


@pytest.mark.parametrize("settings", [{}, {"augment": True, "lesions": 0.5, "regions": 0.5, "structures": 2}], ids=str)
def test_parts_of_a_batch_make_the_whole(settings):
    drawn = sampler(grid_slices(), **settings)
    whole, even, odd = (drawn.batch(7, members) for members in (range(6), range(0, 6, 2), range(1, 6, 2)))
    order = [0, 3, 1, 4, 2, 5]
    torch.testing.assert_close(torch.cat([even.images, odd.images])[order], whole.images)
    assert whole.truths.sum() == even.truths.sum() + odd.truths.sum()
    assert {r.integers(1 << 40) for r in whole.rngs} == {r.integers(1 << 40) for r in (*even.rngs, *odd.rngs)}


def test_another_step_draws_another_batch():
    drawn = sampler(grid_slices())
    assert not torch.equal(drawn.batch(0, range(6)).truths, drawn.batch(1, range(6)).truths)


def test_a_rare_structure_is_drawn_as_often_as_a_frequent_one():
    slices = grid_slices(12)
    slices.labels[1:][slices.labels[1:] == 2] = 0
    batch = sampler(slices).batch(0, range(400))
    rare = (batch.truths[:, 0].numpy() == (slices.labels[0] == 2)).all(axis=(1, 2))
    assert rare.mean() == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize("augment", [False, True])
def test_empty_slices_come_as_often_as_they_are_there_and_ask_for_nothing(augment):
    slices = grid_slices(8)
    slices.labels[:2] = 0
    batch = sampler(slices, augment=augment).batch(0, range(200))
    asked = batch.truths.flatten(1).any(1)
    assert (~asked).float().mean() == pytest.approx(0.25, abs=0.1)
    if not augment:
        empty = {slices.images[i].astype(np.float32).tobytes() for i in range(2)}
        assert all((image.numpy().tobytes() in empty) != bool(a) for image, a in zip(batch.images, asked, strict=True))


def test_a_painted_lesion_is_asked_for_and_is_no_part_of_its_organ():
    slices = grid_slices()
    batch = sampler(slices, lesions=1.0, structures=2).batch(0, range(12))
    original = {slices.images[i].astype(np.float32).tobytes() for i in range(6)}
    for k in range(12):
        truths = batch.truths[batch.owner == k][:, 0]
        assert len(truths) < 2 or not (truths[0] & truths[1]).any()  # a speck of a lesion is painted, but not asked for
        assert batch.images[k].numpy().tobytes() not in original
    assert batch.owner.bincount().tolist().count(2) > 6


def replayed(**settings):
    """Return a sampler of eight slices of which the last two are old."""
    slices = dataclasses.replace(grid_slices(8), old=np.arange(8) >= 6)
    return slices, sampler(slices, **settings)


def is_old(slices, batch):
    old = {slices.images[i].astype(np.float32).tobytes() for i in (6, 7)}
    return np.array([image.numpy().tobytes() in old for image in batch.images])


def test_the_recipes_share_of_a_batch_comes_from_old_slices():
    slices, drawn = replayed(replay=0.4)
    assert is_old(slices, drawn.batch(0, range(400))).mean() == pytest.approx(0.4, abs=0.08)


def test_parts_of_a_batch_with_old_slices_make_the_whole():
    slices, drawn = replayed(replay=0.5)
    whole, first, second = (drawn.batch(3, members) for members in (range(12), range(5), range(5, 12)))
    assert torch.equal(torch.cat([first.images, second.images]), whole.images)
    assert 0 < is_old(slices, whole).sum() < 12


def test_a_share_without_old_slices_and_old_slices_without_a_share_are_refused():
    with pytest.raises(RecipeError, match=r"^The recipe's replay is 0\.4, but there are no data to replay\.$"):
        sampler(grid_slices(), replay=0.4)
    with pytest.raises(RecipeError, match=r"^There are data to replay, but the recipe's replay is 0\.$"):
        replayed()


def test_old_slices_without_structures_are_refused():
    slices = dataclasses.replace(grid_slices(4), old=np.arange(4) >= 2)
    slices.labels[2:] = 0
    with pytest.raises(RecipeError, match=r"^The replayed data show no structure\.$"):
        sampler(slices, replay=0.4)


def test_specks_are_not_trained():
    slices = grid_slices(2)
    slices.labels[:] = 0
    slices.labels[:, 5:8, 5:8] = 1
    with pytest.raises(RecipeError, match=r"^The training data show no structure\.$"):
        sampler(slices)
