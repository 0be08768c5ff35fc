"""Overlap by hand: Dice of masks, and the soft Dice loss that training minimises."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.extra.numpy import arrays

from segmodel.metrics import dice, iou_of_dice, soft_dice_loss, tensor_to_masks
from tests.segmodel.toys import rectangle

SHAPE = (8, 8)
EMPTY = np.zeros(SHAPE, bool)
masks = arrays(bool, SHAPE)


def batch(*pictures):
    return torch.tensor(pictures)[:, None]


def test_dice_of_half_a_square_is_two_thirds():
    whole, half = rectangle(SHAPE, (0, 4), (0, 4)), rectangle(SHAPE, (0, 2), (0, 4))
    assert dice(whole, half) == dice(half, whole) == pytest.approx(2 * 8 / (16 + 8))


def test_two_empty_masks_agree_and_an_empty_one_never_agrees_with_another():
    assert dice(EMPTY, EMPTY) == 1
    assert dice(EMPTY, ~EMPTY) == 0


@given(masks)
def test_a_mask_agrees_with_itself_and_not_at_all_with_its_complement(mask):
    assert dice(mask, mask) == 1
    assert dice(mask, ~mask) == 0


@given(masks, masks)
def test_intersection_over_union_follows_from_dice(a, b):
    union = np.count_nonzero(a | b)
    assert iou_of_dice(dice(a, b)) == pytest.approx(np.count_nonzero(a & b) / union if union else 1)


def test_soft_dice_has_squared_denominators():
    probability = batch([[0.5, 1.0], [0.0, 0.25]])
    truth = batch([[1.0, 1.0], [0.0, 0.0]])
    wanted = 1 - 2 * (0.5 + 1.0) / (1 + 1 + 0.25 + 1 + 0.0625)
    assert soft_dice_loss(probability, truth).item() == pytest.approx(wanted)


def test_soft_dice_is_of_each_image():
    truth = batch([[1.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [0.0, 0.0]])
    probability = batch([[1.0, 1.0], [1.0, 1.0]], [[0.0, 0.0], [0.0, 1.0]])
    assert soft_dice_loss(probability, truth).tolist() == pytest.approx([0, 1])


@given(masks.filter(np.any), masks.filter(np.any))
def test_on_masks_the_loss_is_one_minus_dice(a, b):
    loss = soft_dice_loss(batch(a.astype(np.float32).tolist()), batch(b.astype(np.float32).tolist()))
    assert loss.item() == pytest.approx(1 - dice(a, b), abs=1e-6)


@pytest.mark.parametrize("logit", [0.0, -200.0])
def test_the_gradient_is_finite_where_there_is_nothing_to_find(logit):
    logits = torch.full((2, 1, 4, 4), logit, requires_grad=True)
    soft_dice_loss(logits.sigmoid(), torch.zeros(2, 1, 4, 4)).sum().backward()
    assert logits.grad.isfinite().all()


def test_the_gradient_pulls_towards_the_truth():
    logits = torch.zeros(1, 1, 1, 2, requires_grad=True)
    soft_dice_loss(logits.sigmoid(), batch([[1.0, 0.0]])).backward()
    inside, outside = logits.grad.flatten().tolist()
    assert inside < 0 < outside


def test_a_mask_is_where_the_logit_is_above_zero():
    logits = batch([[-1.0, 0.0], [0.1, 3.0]], [[9.0, -9.0], [-9.0, 9.0]])
    first, second = tensor_to_masks(logits)
    assert first.tolist() == [[False, False], [True, True]]
    assert second.tolist() == [[True, False], [False, True]]
    assert first.dtype == bool
