"""Augmentation turns image and label together, within stated ranges, and the same seed turns them the same way."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from segmodel.augmentation import Augmentation
from tests.segmodel.toys import disk

SIDE = 96


def rng(seed=0):
    return np.random.default_rng(seed)


def material(count=4):
    """Return images that are 2 inside a disk off the middle and −1 outside it, and that disk as label."""
    label = torch.from_numpy(disk((SIDE, SIDE), (40, 55), 14)).to(torch.uint8).expand(count, 1, SIDE, SIDE)
    return label * 3.0 - 1.0, label


def geometry_only(images, labels, seed, crop=(SIDE, SIDE)):
    augmentation = Augmentation(crop)
    augmentation._intensities = lambda moved, rng: moved
    return augmentation(images, labels, rng(seed))


def unbent(images, labels, seed, crop=(SIDE, SIDE)):
    augmentation = Augmentation(crop)
    augmentation._bend = lambda count, rng: 0
    return augmentation(images, labels, rng(seed))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("crop", [(96, 96), (64, 96), (64, 64)])
def test_image_and_label_move_together(seed, crop):
    images, labels = geometry_only(*material(), seed, crop)
    assert images.shape == labels.shape == (4, 1, *crop)
    assert ((images > 0.5) == (labels == 1)).float().mean() > 0.99


def test_a_disk_stays_a_disk_of_a_size_within_the_range():
    _, labels = unbent(*material(40), 1)
    for label in labels[:, 0].numpy():
        y, x = np.nonzero(label)
        assert y.std() == pytest.approx(x.std(), rel=0.05)
    radii = labels.sum((1, 2, 3)).div(np.pi).sqrt() / 14
    assert 0.73 < radii.min() < 0.85
    assert 1.2 < radii.max() < 1.37


def test_a_disk_stays_a_disk_where_crop_and_picture_are_not_square():
    label = torch.from_numpy(disk((96, 160), (50, 80), 14)).to(torch.uint8).expand(20, 1, 96, 160)
    _, labels = unbent(label * 3.0 - 1.0, label, 1, (64, 128))
    for label in labels[:, 0].numpy():
        y, x = np.nonzero(label)
        assert y.std() == pytest.approx(x.std(), rel=0.06)


def test_some_disks_are_bent_and_none_is_torn():
    _, labels = geometry_only(*material(40), 1)
    uneven = [abs(np.log(y.std() / x.std())) for y, x in (np.nonzero(label) for label in labels[:, 0].numpy())]
    assert 0.03 < max(uneven) < 0.5
    assert all(ndimage.label(label)[1] == 1 for label in labels[:, 0].numpy())


def test_every_picture_of_a_batch_moves_in_its_own_way():
    images, _ = geometry_only(*material(), 3)
    assert all((images[0] != other).any() for other in images[1:])


def test_labels_stay_whole_numbers_that_were_there_before():
    images, labels = material()
    _, moved = Augmentation((64, 64))(images, 5 * labels, rng())
    assert moved.dtype == torch.uint8
    assert set(moved.unique().tolist()) == {0, 5}


def test_what_comes_in_from_outside_is_the_darkest_value():
    images, labels = torch.full((8, 1, SIDE, SIDE), 1.0), torch.zeros(8, 1, SIDE, SIDE, dtype=torch.uint8)
    images[:, :, 48, 48] = -3
    moved, _ = geometry_only(images, labels, 0, (SIDE, SIDE))
    assert moved.min() >= -3
    assert (moved == -3).any()


@pytest.mark.parametrize("seed", range(10))
def test_intensities_stay_finite_and_near_standardised(seed):
    images = torch.randn(6, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(seed)).clamp(-2.5, 2.5)
    moved, _ = Augmentation((64, 64))(images, torch.zeros_like(images, dtype=torch.uint8), rng(seed))
    assert moved.isfinite().all()
    assert moved.dtype == torch.float32
    assert moved.abs().max() < 2.5 * 1.15 + 0.2 + 6 * 0.12


def test_a_flat_picture_stays_finite():
    images = torch.zeros(2, 1, SIDE, SIDE)
    moved, _ = Augmentation((64, 64))(images, images.to(torch.uint8), rng())
    assert moved.isfinite().all()


def test_the_same_seed_gives_the_same_pictures():
    first, again, other = (Augmentation((64, 64))(*material(), rng(seed)) for seed in (4, 4, 5))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


def test_the_pictures_given_are_left_alone():
    images, labels = material()
    before = images.clone()
    Augmentation((64, 64))(images, labels, rng())
    assert torch.equal(images, before)
