"""One place builds what a network sees: training and serving cannot differ, element for element."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from segmodel import training
from segmodel.clicks import Click
from segmodel.dataset import labelled_slices
from segmodel.grid import Grid
from segmodel.guidance import guidance_maps
from segmodel.inputs import InputSpec
from segmodel.intensity import Intensity
from segmodel.interaction import interact
from segmodel.layouts import read_decathlon
from segmodel.networks import NETWORKS
from segmodel.predictor import Predictor
from segmodel.preparation import on_grid
from segmodel.training import Recipe, Trainer
from tests.segmodel.toys import ct_slices, decathlon

SPACING, SIZE = 1.6, 64
RECIPE = Recipe(
    architecture={"name": "recorder"}, spacing=SPACING, size=SIZE, window=(-125.0, 275.0), images=1, passes=12
)


@pytest.fixture
def seen(monkeypatch):
    """Register the architecture "recorder", which keeps every (image, guidance) that it is given."""
    tensors = []

    class Recorder(nn.Module):
        multiple = 32

        def __init__(self, guidance=2):
            super().__init__()
            self.guidance = guidance
            self.scale = nn.Parameter(torch.ones(()))

        def encode(self, image):
            return (image,)

        def decode(self, features, guidance):
            tensors.append((features[0], guidance))
            return self.scale * features[0]

    monkeypatch.setitem(NETWORKS, "recorder", Recorder)
    return tensors


@pytest.fixture
def placed(monkeypatch):
    """Collect the click lists that training's simulation ends with."""
    lists = []
    monkeypatch.setattr(training, "interact", lambda *of: lists.append(interact(*of)) or lists[-1])
    return lists


def one_slice(folder, shape, pixels):
    """Write a patient with one slice of noise and one rectangle; `pixels` of it make a grid pixel, down and across."""
    image = np.random.default_rng(0).integers(-300, 500, (1, *shape), np.int16)
    label = np.zeros((1, *shape), np.uint8)
    label[0, shape[0] // 3 : shape[0] // 2, shape[1] // 3 : 2 * shape[1] // 3] = 1
    spacing = (3.0, SPACING / pixels[0], SPACING / pixels[1])
    return read_decathlon(decathlon(folder, {"ct_1": (image, label)}, spacing, labels={"0": "air", "1": "disk"}))


def overlap(content):
    """Return the (serving, training) slices that show the same tissue along one side; training crops or pads."""
    kept = min(content, SIZE)
    starts = (content - kept) // 2, (SIZE - kept) // 2
    return tuple(slice(start, start + kept) for start in starts)


# slice pixels per grid pixel: with an odd number the middle of every grid pixel is a slice pixel that one can click
@pytest.mark.parametrize(
    ("shape", "pixels"),
    [
        ((64, 64), (1, 1)),
        ((90, 126), (1, 1)),
        ((50, 40), (1, 1)),
        ((192, 192), (3, 3)),
        ((70, 300), (1, 3)),
        ((210, 192), (5, 3)),
    ],
)
def test_training_and_serving_see_the_same_tensors(tmp_path, seen, placed, shape, pixels):
    dataset = one_slice(tmp_path / "data", shape, pixels)
    slices = on_grid([(dataset, dataset.cases)], Grid(SPACING), SIZE, {}, tmp_path / "cache")
    trainer = Trainer(RECIPE, slices)
    trainer.step(0.0)
    trained, [clicks] = seen[-1], placed[0]

    item = next(labelled_slices(dataset.cases[0]))
    predictor = Predictor(trainer.checkpoint({}), precision="float32")
    encoded = predictor.encode(item.image, item.spacing)
    down, across = (overlap(side) for side in encoded.placement.content)
    shift_y, shift_x = down[0].start - down[1].start, across[0].start - across[1].start
    there = [
        Click((c.y + shift_y) * pixels[0] + pixels[0] // 2, (c.x + shift_x) * pixels[1] + pixels[1] // 2, c.positive)
        for c in clicks
    ]
    predictor.predict(encoded, there)
    assert len(clicks) > 2
    for ours, theirs in zip(seen[-1], trained, strict=True):
        assert torch.equal(ours[..., down[0], across[0]], theirs[..., down[1], across[1]])


def test_padding_is_the_same_air_in_training_and_serving(tmp_path, seen):
    dataset = one_slice(tmp_path / "data", (50, 40), (1, 1))
    slices = on_grid([(dataset, dataset.cases)], Grid(SPACING), SIZE, {}, tmp_path / "cache")
    trainer = Trainer(RECIPE, slices)
    trainer.step(0.0)
    item = next(labelled_slices(dataset.cases[0]))
    served = Predictor(trainer.checkpoint({}), precision="float32").encode(item.image, item.spacing).features[0]
    assert torch.equal(seen[-1][0][0, 0, 0, :1], served[0, 0, -1, -1:])


def test_a_click_between_grid_pixels_is_served_where_it_lies():
    spec = InputSpec(Grid(1.6, 32))
    placement = spec.grid.place((100, 80), (0.8, 0.8))
    served = spec.guidance([Click(21, 40, True), Click(60, 11, False)], placement)
    wanted = guidance_maps([(10.25, 19.75, True), (29.75, 5.25, False)], placement.padded, spec.sigma)
    np.testing.assert_array_equal(served[0], wanted)


def test_an_image_is_clipped_and_standardised():
    spec = InputSpec(intensity=Intensity(-100, 200, 50, 25))
    image = spec.image_on_grid(np.array([[-1000, -100, 50], [75, 200, 3000]], np.int16))
    assert image.dtype == torch.float32
    assert image.tolist() == [[[[-6, -6, 0], [1, 6, 6]]]]


def test_measured_statistics_give_zero_mean_and_unit_deviation():
    images, _ = ct_slices()
    measured = Intensity.measured(images, -125, 275)
    standardised = measured.standardise(images).astype(np.float64)
    assert standardised.mean() == pytest.approx(0, abs=1e-5)
    assert standardised.std() == pytest.approx(1, abs=1e-5)


def test_pixels_that_are_all_alike_cannot_be_standardised():
    with pytest.raises(ValueError, match=r"^Between 0 and 100 HU all training pixels are alike\.$"):
        Intensity.measured(np.full((2, 4, 4), 500, np.int16), 0, 100)


def test_a_spec_survives_json_exactly():
    spec = InputSpec(Grid(1.3, 16, 300), Intensity(-125.0, 275.0, -49.22377959666985, 85.54471651329172), 2.5)
    assert InputSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
