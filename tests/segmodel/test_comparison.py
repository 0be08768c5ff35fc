"""Two segmentations compared slice by slice give the figures of the whole volume, in mm and ml, at any spacing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from segmodel.comparison import TOLERANCE, Comparison, Figures
from segmodel.distances import surface, surface_dice, surface_distances
from segmodel.metrics import dice

spacings = st.tuples(*[st.sampled_from([0.5, 0.8, 1.0, 2.5])] * 3)


def box(shape, *sides):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(*side) for side in sides)] = True
    return mask


def compared(a, b, spacing):
    comparison = Comparison(spacing)
    slices = [comparison.add(z, a[z], b[z]) for z in range(len(a)) if a[z].any() or b[z].any()]
    return [*slices, comparison.volume()]


def test_a_box_moved_by_one_slice_counted_by_hand():
    """4×4×4 voxels of 3×1×1 mm, the second one slice higher: they share three of their slices."""
    a, b = box((8, 6, 6), (1, 5), (1, 5), (1, 5)), box((8, 6, 6), (2, 6), (1, 5), (1, 5))
    *slices, volume = compared(a, b, (3.0, 1.0, 1.0))
    assert [one.z for one in slices] == [1, 2, 3, 4, 5]
    assert slices[0] == Figures(1, 0.0, 0.0, None, 0.048, 0.0)
    assert slices[1] == Figures(2, 1.0, 1.0, 0.0, 0.048, 0.048)
    # Each has 2·16 mm² of lids and 4 sides of 4×12 mm². A voxel of the first's lowest slice is 3 mm from the second, so its
    # lid (16) and its share of the sides (4·4·3) are too far away; of its top slice every voxel is shared or 3 mm below
    # the second's top. Border voxels inside a lid of one are inside the other: their nearest border is 1 or 2 mm away.
    whole, far = 2 * (32 + 4 * 48), 2 * (16 + 48)
    assert volume.surface_dice == pytest.approx((whole - far) / whole)
    assert (volume.dice, volume.hd95) == (pytest.approx(0.75), 3.0)
    assert (volume.first_ml, volume.second_ml) == (pytest.approx(0.192), pytest.approx(0.192))


@pytest.mark.parametrize(("spacing", "wanted"), [((1.0, 3.0), 38 / 52), ((3.0, 1.0), 1.0)])
def test_surface_dice_counts_millimetres_not_pixels(spacing, wanted):
    """Lines of 1×4 pixels, the second one pixel further to the right.

    Where a pixel is 1×3 mm, a line's edges are 26 mm long, of which 7 belong to its pixel that the other has not.
    """
    a, b = box((3, 7), (1, 2), (1, 5)), box((3, 7), (1, 2), (2, 6))
    first, second = surface(a, spacing), surface(b, spacing)
    assert first.sizes.sum() == 2 * (spacing[0] + 4 * spacing[1])
    assert surface_dice(first, second, 2.0) == pytest.approx(wanted)


def test_a_structure_that_one_of_them_lacks_is_no_agreement():
    a, nothing = box((3, 4, 4), (1, 2), (1, 3), (1, 3)), np.zeros((3, 4, 4), bool)
    assert compared(a, nothing, (1, 1, 1))[-1] == Figures(None, 0.0, 0.0, None, 0.004, 0.0)
    assert compared(nothing, nothing, (1, 1, 1)) == [Figures(None, None, None, None, 0.0, 0.0)]


@settings(deadline=None)
@given(arrays(bool, (4, 5, 6)), arrays(bool, (4, 5, 6)), spacings)
def test_slice_by_slice_is_the_same_as_at_once(a, b, spacing):
    volume = compared(a, b, spacing)[-1]
    if not (a.any() or b.any()):
        assert volume.dice is None
        return
    assert volume.dice == pytest.approx(dice(a, b))
    whole = surface_dice(surface(a, spacing), surface(b, spacing), TOLERANCE)
    assert volume.surface_dice == pytest.approx(whole)
    if a.any() and b.any():
        assert volume.hd95 == pytest.approx(surface_distances(a, b, spacing).hd95)
