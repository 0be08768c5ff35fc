"""A mask obeys its clicks, whatever the network says."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from segmodel.checkpoint import load
from segmodel.clicks import REACH, Click, obey
from segmodel.predictor import Predictor
from tests.segmodel.toys import disk

SHAPE = (23, 31)
masks = arrays(np.bool_, SHAPE)
clicks = st.builds(Click, st.integers(0, SHAPE[0] - 1), st.integers(0, SHAPE[1] - 1), st.booleans())
spacings = st.tuples(st.floats(0.2, 3), st.floats(0.2, 3))


def by_the_rule(mask, given, spacing):
    """Return what the rule says, pixel by pixel."""
    result = mask.copy()
    for y, x in np.ndindex(mask.shape):
        reaching = [
            (np.hypot((click.y - y) * spacing[0], (click.x - x) * spacing[1]), -when, click.positive)
            for when, click in enumerate(given)
        ]
        reaching = [reached for reached in reaching if reached[0] <= REACH]
        if reaching:
            result[y, x] = min(reaching)[2]
    return result


@given(masks, st.lists(clicks, max_size=12), spacings)
def test_the_nearest_click_decides_within_its_reach_and_the_mask_elsewhere(mask, given, spacing):
    before = mask.copy()
    np.testing.assert_array_equal(obey(mask, given, spacing), by_the_rule(mask, given, spacing))
    np.testing.assert_array_equal(mask, before)


@given(masks, st.lists(clicks, max_size=12, unique_by=lambda click: (click.y, click.x)), spacings)
def test_every_click_on_a_pixel_of_its_own_is_obeyed(mask, given, spacing):
    obedient = obey(mask, given, spacing)
    assert all(obedient[click.y, click.x] == click.positive for click in given)


def test_of_two_clicks_on_one_pixel_the_later_counts():
    nothing = np.zeros(SHAPE, bool)
    assert obey(nothing, [Click(5, 5, False), Click(5, 5, True)], (1.0, 1.0))[5, 5]
    assert not obey(~nothing, [Click(5, 5, True), Click(5, 5, False)], (1.0, 1.0))[5, 5]


def test_the_shipped_network_is_held_to_it_where_clicks_contradict_what_it_sees():
    hu = np.where(disk((64, 64), (32, 32), 12), 100, -100).astype(np.int16)
    predictor = Predictor(load("default"), precision="float32")
    encoded = predictor.encode(hu, (0.7, 1.3))
    rng = np.random.default_rng(0)
    for _ in range(10):
        pixels = rng.choice(64 * 64, 8, replace=False)
        given = [Click(*map(int, divmod(pixel, 64)), bool(rng.integers(2))) for pixel in pixels]
        mask = predictor.predict(encoded, given).mask
        assert all(mask[click.y, click.x] == click.positive for click in given)
