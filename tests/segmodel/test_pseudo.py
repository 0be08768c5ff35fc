"""Structures that nobody drew: painted lesions, grown regions, and masks that somebody may start to correct."""

import numpy as np
import pytest
from scipy import ndimage

from segmodel.pseudo import grow_region, paint_lesions, spoil
from tests.segmodel.toys import disk

SIDE = 96
ORGAN = disk((SIDE, SIDE), (48, 50), 30)
NOTHING = np.zeros((SIDE, SIDE), bool)


def picture(seed=0):
    """Return an organ of 100 HU on fat, with a little noise."""
    noise = np.random.default_rng(seed).normal(0, 4, (SIDE, SIDE))
    return (np.where(ORGAN, 100, -100) + noise).astype(np.int16)


@pytest.mark.parametrize("seed", range(12))
def test_a_lesion_lies_in_its_organ_and_looks_other_than_it(seed):
    image = picture(seed)
    painted, lesion = paint_lesions(image, ORGAN, 1.6, np.random.default_rng(seed))
    assert (painted.dtype, lesion.dtype) == (np.int16, bool)
    assert lesion.any()
    assert not (lesion & ~ndimage.binary_dilation(ORGAN, iterations=1)).any()
    inside = ndimage.binary_erosion(lesion) if ndimage.binary_erosion(lesion).any() else lesion
    assert abs(painted[inside].mean() - image[inside].mean()) > 4
    far = ~ndimage.binary_dilation(lesion, iterations=8)
    np.testing.assert_allclose(painted[far], image[far], atol=2)


def test_lesions_are_small_and_large_darker_and_brighter():
    drawn = [paint_lesions(picture(), ORGAN, 1.6, np.random.default_rng(seed)) for seed in range(60)]
    areas = [np.count_nonzero(lesion) * 1.6**2 for _, lesion in drawn if lesion.any()]
    assert min(areas) < 60 < 400 < max(areas) < np.pi * 40**2
    brighter = np.mean([painted[lesion].mean() > 100 for painted, lesion in drawn if lesion.any()])
    assert 0.05 < brighter < 0.35


def test_in_one_case_of_three_several_lesions_look_alike():
    drawn = [paint_lesions(picture(), ORGAN, 1.6, np.random.default_rng(seed)) for seed in range(90)]
    several = [(painted, lesions) for painted, lesions in drawn if ndimage.label(lesions)[1] > 1]
    assert 0.1 < len(several) / len(drawn) < 0.45
    compared = 0
    for painted, lesions in several:
        pieces, count = ndimage.label(lesions)
        sizes = ndimage.sum_labels(lesions, pieces, range(1, count + 1))
        inner = [painted[pieces == k + 1].mean() - 100 for k in range(count) if sizes[k] > 20]
        assert len({np.sign(difference) for difference in inner}) <= 1
        compared += len(inner) > 1
    assert compared >= 5


def test_a_region_is_the_evenly_grey_part_about_its_seed():
    found = [grow_region(picture(seed), NOTHING, 1.6, np.random.default_rng(seed)) for seed in range(10)]
    regions = [region for region in found if region is not None]
    assert len(regions) >= 5
    for region in regions:
        overlap = 2 * np.count_nonzero(region & ORGAN) / (np.count_nonzero(region) + np.count_nonzero(ORGAN))
        assert overlap > 0.9
        assert ndimage.label(region)[1] == 1


def test_a_region_keeps_out_of_what_people_have_drawn():
    drawn = ORGAN & (np.arange(SIDE) < 50)
    found = [grow_region(picture(seed), drawn, 1.6, np.random.default_rng(seed)) for seed in range(20)]
    regions = [region for region in found if region is not None]
    assert regions
    assert not any((region & drawn).any() for region in regions)


def test_a_picture_of_air_has_no_region():
    assert grow_region(np.full((SIDE, SIDE), -1000, np.int16), NOTHING, 1.6, np.random.default_rng(0)) is None


def test_a_part_too_large_to_be_one_thing_is_no_region():
    assert grow_region(np.full((SIDE, SIDE), 60, np.int16), NOTHING, 1.6, np.random.default_rng(0)) is None


def test_a_spoilt_mask_is_another_one_of_about_the_same_place():
    spoilt = [spoil(ORGAN, np.random.default_rng(seed)) for seed in range(24)]
    assert all(mask.dtype == bool and mask.shape == ORGAN.shape and (mask != ORGAN).any() for mask in spoilt)
    assert all(np.count_nonzero(mask & ORGAN) > 0.2 * np.count_nonzero(ORGAN) for mask in spoilt)
    sizes = [np.count_nonzero(mask) / np.count_nonzero(ORGAN) for mask in spoilt]
    assert min(sizes) < 0.9 < 1.1 < max(sizes)


@pytest.mark.parametrize("what", [paint_lesions, spoil])
def test_the_same_seed_gives_the_same(what):
    arguments = (picture(), ORGAN, 1.6) if what is paint_lesions else (ORGAN,)
    one, again = (what(*arguments, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(np.asarray(one), np.asarray(again))
