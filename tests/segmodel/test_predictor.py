"""A slice and its clicks in, a mask out: a pure function, whatever the slice's shape and spacing."""

import itertools

import numpy as np
import pytest
import torch

from segmodel.clicks import Click
from segmodel.predictor import Predictor
from tests.segmodel import toys

CLICKS = [Click(20, 30, True), Click(50, 8, False)]
either = pytest.mark.parametrize("architecture", [toys.ENCODE_ONCE, toys.UNET], ids=lambda options: options["name"])


def picture(shape=(64, 64), seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(30, 40, shape) + 100 * toys.disk(shape, (20, 30), 12)).astype(np.int16)


def served(architecture=toys.ENCODE_ONCE, precision="float32"):
    return Predictor(toys.checkpoint(architecture), precision=precision)


def logits(predictor, image, clicks=CLICKS, spacing=(1.6, 1.6)):
    """Return what the predictor's network says before it is cut at 0."""
    encoded = predictor.encode(image, spacing)
    with torch.inference_mode():
        guidance = predictor.inputs.guidance(clicks, encoded.placement).to(predictor.dtype)
        return predictor.network.decode(encoded.features, guidance).float()


@either
def test_the_mask_has_the_slices_shape_and_is_made_of_yes_and_no(architecture):
    predictor = served(architecture)
    mask = predictor.predict(predictor.encode(picture(), (1.6, 1.6)), CLICKS).mask
    assert mask.shape == (64, 64)
    assert mask.dtype == bool
    assert 0 < mask.mean() < 1


def test_the_same_question_gets_the_same_answer_whatever_was_asked_between():
    predictor = served()
    one, other = (predictor.encode(picture(seed=seed), (1.6, 1.6)) for seed in (0, 1))
    first = predictor.predict(one, CLICKS).mask
    predictor.predict(other, CLICKS[:1])
    predictor.predict(one, [])
    np.testing.assert_array_equal(predictor.predict(one, CLICKS).mask, first)
    np.testing.assert_array_equal(served().predict(served().encode(picture(), (1.6, 1.6)), CLICKS).mask, first)


def test_asking_changes_neither_slice_nor_clicks_nor_features():
    predictor, image, clicks = served(), picture(), list(CLICKS)
    encoded = predictor.encode(image, (1.6, 1.6))
    before = [feature.clone() for feature in encoded.features]
    predictor.predict(encoded, clicks)
    np.testing.assert_array_equal(image, picture())
    assert clicks == CLICKS
    assert all(torch.equal(a, b) for a, b in zip(encoded.features, before, strict=True))


def test_a_predictor_leaves_the_checkpoint_as_it_was():
    checkpoint = toys.checkpoint()
    names = list(checkpoint.network.state_dict())
    Predictor(checkpoint, precision="bfloat16")
    assert list(checkpoint.network.state_dict()) == names
    assert checkpoint.network.head.weight.dtype == torch.float32


def test_every_click_counts():
    predictor, (first, second) = served(), CLICKS
    lists = [first], [first, second], [first, second._replace(positive=True)], [first, second._replace(y=40)]
    answers = [logits(predictor, picture(), clicks) for clicks in lists]
    assert all(not torch.allclose(a, b) for a, b in itertools.combinations(answers, 2))


@either
def test_folding_batch_normalisation_into_convolutions_changes_nothing(architecture):
    checkpoint = toys.checkpoint(architecture)
    predictor = Predictor(checkpoint, precision="float32")
    placement = predictor.encode(picture(), (1.6, 1.6)).placement
    with torch.inference_mode():
        image, guidance = checkpoint.inputs.image(picture(), placement), checkpoint.inputs.guidance(CLICKS, placement)
        wanted = checkpoint.network(image, guidance)
    torch.testing.assert_close(logits(predictor, picture()), wanted, rtol=1e-4, atol=1e-4)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in predictor.network.modules())


@either
def test_bfloat16_says_nearly_the_same(architecture):
    exact, coarse = (logits(served(architecture, precision), picture()) for precision in ("float32", "bfloat16"))
    assert (coarse - exact).std() < 0.05 * exact.std()
    assert not torch.equal(coarse, exact)


def test_without_clicks_nothing_is_segmented():
    predictor = served()
    assert not predictor.predict(predictor.encode(picture(), (1.6, 1.6)), []).mask.any()


@pytest.mark.parametrize("shape", [(64, 64), (61, 47), (1, 1), (33, 200), (129, 65)])
@pytest.mark.parametrize("spacing", [(1.6, 1.6), (0.7, 0.7), (0.8, 2.4), (5.0, 0.5)])
def test_any_shape_and_spacing_is_answered_on_its_own_pixels(shape, spacing):
    predictor = served()
    mask = predictor.predict(predictor.encode(picture(shape), spacing), [Click(shape[0] - 1, shape[1] // 2, True)]).mask
    assert mask.shape == shape


def scene(pixels):
    """Return the same smooth picture with so many pixels to each of 64 grid pixels, down and across."""
    y, x = ((np.arange(64 * n) + 0.5) / n for n in pixels)
    return (100 * np.cos(y / 9)[:, None] * np.sin(x / 7)).astype(np.int16)


@either
@pytest.mark.parametrize("pixels", [(3, 3), (1, 3), (5, 1)])
def test_the_spacing_of_the_slice_makes_little_difference(architecture, pixels):
    predictor = served(architecture)
    click = Click(20 * pixels[0] + pixels[0] // 2, 30 * pixels[1] + pixels[1] // 2, True)
    wanted = logits(predictor, scene((1, 1)), [Click(20, 30, True)])
    answer = logits(predictor, scene(pixels), [click], (1.6 / pixels[0], 1.6 / pixels[1]))
    assert (answer - wanted).std() < 0.1 * wanted.std()


def test_what_lies_beyond_an_odd_slice_is_air():
    predictor = served()
    odd = predictor.encode(picture()[:45, :51], (1.6, 1.6))
    padded = np.full((64, 64), -1024, np.int16)
    padded[:45, :51] = picture()[:45, :51]
    whole = predictor.encode(padded, (1.6, 1.6))
    clicks = [Click(20, 30, True)]
    np.testing.assert_array_equal(predictor.predict(odd, clicks).mask, predictor.predict(whole, clicks).mask[:45, :51])


@pytest.mark.parametrize(("y", "x"), [(-1, 5), (5, -1), (40, 5), (5, 50)])
def test_a_click_outside_the_slice_is_refused(y, x):
    predictor = served()
    encoded = predictor.encode(picture((40, 50)), (1.6, 1.6))
    with pytest.raises(ValueError, match=rf"^The click at row {y}, column {x} is outside the slice of 40×50\.$"):
        predictor.predict(encoded, [Click(3, 3, True), Click(y, x, False)])


def test_a_slice_without_a_length_is_refused():
    with pytest.raises(ValueError, match=r"cannot be placed on a grid\.$"):
        served().encode(picture(), (0.0, 1.0))


def test_an_encoded_slice_knows_its_size_in_memory():
    encoded = served().encode(picture(), (1.6, 1.6))
    assert encoded.nbytes == sum(f.numel() * f.element_size() for f in encoded.features) > 0
