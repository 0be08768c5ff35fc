"""Overlap of two masks."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Dice coefficient of two masks of one shape; 1 where both are empty."""
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return 2 * np.count_nonzero(a & b) / total if total else 1.0


def iou_of_dice(value: float) -> float:
    """Intersection over union (Jaccard index) of two masks with this Dice coefficient: D / (2 − D)."""
    return value / (2 - value)


def soft_dice_loss(probability: Tensor, truth: Tensor) -> Tensor:
    """1 − 2ΣGP / (ΣG² + ΣP²) [B] of each image of [B, 1, H, W] (paper, section II-D)."""
    axes = (1, 2, 3)
    overlap = 2 * (probability * truth).sum(axes)
    return 1 - overlap / (probability.square().sum(axes) + truth.square().sum(axes)).clamp_min(1e-6)


def tensor_to_masks(logits: Tensor) -> list[NDArray[np.bool_]]:
    """The mask [y, x] of every image of [B, 1, H, W]."""
    return list((logits[:, 0] > 0).to(torch.bool).cpu().numpy())
