"""MONAI's DeepGrow in 2-D: its transforms, its click loop and its engine, with the settings of its own tutorial.

Where this departs from the tutorial, it does so in DeepGrow's favour: slices come from memory, nothing is logged or validated
while it trains, intensities are windowed as ours are, and the learning rate suits a training of minutes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from ignite.engine import Events
from monai.apps.deepgrow.interaction import Interaction
from monai.apps.deepgrow.transforms import (
    AddGuidanceSignald,
    AddInitialSeedPointd,
    AddRandomGuidanced,
    FindDiscrepancyRegionsd,
    ResizeGuidanced,
    SpatialCropForegroundd,
    SpatialCropGuidanced,
)
from monai.data import DataLoader, Dataset
from monai.engines import SupervisedTrainer
from monai.losses import DiceLoss
from monai.networks.nets import BasicUNet
from monai.transforms import Activationsd, Compose, EnsureTyped, Lambdad, Resize, Resized, ToNumpyd
from monai.utils import set_determinism
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from segmodel.checkpoint import Checkpoint
from segmodel.clicks import Click
from segmodel.dataset import GridSlices
from segmodel.grid import Grid, Placement
from segmodel.inputs import InputSpec
from segmodel.intensity import Intensity
from segmodel.networks import NETWORKS
from segmodel.predictor import Prediction

SPACING = 1.0  # mm, as DeepGrow's data are prepared
SIDE = 256  # pixels of the region that the network sees
SMALLEST = 12  # pixels of a structure to train on, as in segmodel.training.Sampler


class DeepGrowUNet(nn.Module):
    """The tutorial's network, BasicUNet of 32 to 512 features (7.8 M parameters), behind both interfaces.

    MONAI's engine calls it with [B, 3, H, W], image and guidance; ours with `encode` and `decode`.
    """

    multiple = 16

    def __init__(self, guidance: int = 2) -> None:
        super().__init__()
        self.guidance = guidance
        features = (32, 64, 128, 256, 512, 32)
        self.body = BasicUNet(spatial_dims=2, in_channels=1 + guidance, out_channels=1, features=features)

    def encode(self, image: Tensor) -> tuple[Tensor, ...]:
        return (image,)

    def decode(self, features: tuple[Tensor, ...], guidance: Tensor) -> Tensor:
        return self.body(torch.cat([features[0], guidance], dim=1))

    def forward(self, inputs: Tensor) -> Tensor:
        return self.body(inputs)


NETWORKS["deepgrow"] = DeepGrowUNet


def records(slices: GridSlices) -> list[dict[str, Any]]:
    """One record for every structure that a slice shows, as DeepGrow's own preparation makes them."""
    found: list[dict[str, Any]] = []
    for image, label in zip(slices.images, slices.labels, strict=True):
        for value, area in zip(*np.unique(label[label > 0], return_counts=True), strict=True):
            if area >= SMALLEST:
                record = {"image": image[None], "label": label[None], "value": int(value)}
                found.append({**record, "image_meta_dict": {}, "label_meta_dict": {}})
    return found


class OnlyItsStructured:
    """`label` becomes the float32 mask of the record's structure."""

    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "label": (data["label"] == data["value"]).astype(np.float32)}


def before_training(intensity: Intensity) -> Compose:
    both = ("image", "label")
    return Compose(
        [
            OnlyItsStructured(),
            SpatialCropForegroundd(keys=both, source_key="label", spatial_size=(SIDE, SIDE)),
            Lambdad(keys="image", func=intensity.standardise),
            Resized(keys=both, spatial_size=(SIDE, SIDE), mode=("area", "nearest")),
            AddInitialSeedPointd(label="label", guidance="guidance", sids="sids"),
            AddGuidanceSignald(image="image", guidance="guidance"),
            EnsureTyped(keys=both),
        ]
    )


def after_each_pass() -> Compose:
    return Compose(
        [
            Activationsd(keys="pred", sigmoid=True),
            ToNumpyd(keys=("image", "label", "pred")),
            FindDiscrepancyRegionsd(label="label", pred="pred", discrepancy="discrepancy"),
            AddRandomGuidanced(guidance="guidance", discrepancy="discrepancy", probability="probability"),
            AddGuidanceSignald(image="image", guidance="guidance"),
            EnsureTyped(keys=("image", "label")),
        ]
    )


def engine(
    network: nn.Module, slices: GridSlices, intensity: Intensity, batch: int, passes: int, seed: int, rate: float = 1e-3
) -> SupervisedTrainer:
    """MONAI's trainer with its simulated clicks: `passes` of them, then a gradient step; a handler has to end it."""
    set_determinism(seed)
    data = Dataset(records(slices), before_training(intensity))
    return SupervisedTrainer(
        device="cpu",
        max_epochs=10**6,
        train_data_loader=DataLoader(data, batch_size=batch, shuffle=True, drop_last=True),
        network=network,
        iteration_update=Interaction(after_each_pass(), passes, train=True, key_probability="probability"),
        optimizer=torch.optim.Adam(network.parameters(), rate),
        loss_function=DiceLoss(sigmoid=True, squared_pred=True),
    )


def train(
    slices: GridSlices,
    window: tuple[float, float],
    batch: int,
    passes: int,
    minutes: float,
    seed: int = 4242,
    rate: float = 1e-3,
) -> Checkpoint:
    """DeepGrow's network after `minutes`; the learning rate falls along a cosine, as ours does."""
    torch.manual_seed(seed)
    network = DeepGrowUNet()
    intensity = Intensity.measured(slices.images, *window)
    trainer = engine(network, slices, intensity, batch, passes, seed, rate)
    began = time.monotonic()
    bar = tqdm(desc="train deepgrow", unit="step")

    @trainer.on(Events.ITERATION_STARTED)
    def slow_down() -> None:
        progress = min(1.0, (time.monotonic() - began) / 60 / minutes)
        for group in trainer.optimizer.param_groups:
            group["lr"] = rate * max(0.01, 0.5 * (1 + math.cos(math.pi * progress)))

    @trainer.on(Events.ITERATION_COMPLETED)
    def look_at_the_clock() -> None:
        bar.update()
        bar.set_postfix(loss=f"{float(trainer.state.output[0]['loss']):.3f}", refresh=False)
        if time.monotonic() - began >= 60 * minutes:
            trainer.terminate()

    with bar:
        trainer.run()
    inputs = InputSpec(Grid(SPACING, DeepGrowUNet.multiple), intensity)
    provenance = {"steps": trainer.state.iteration, "minutes": minutes, "batch": batch, "passes": passes, "rate": rate}
    return Checkpoint(network.eval(), {"name": "deepgrow"}, inputs, provenance)


class OnGrid(NamedTuple):
    """A slice on DeepGrow's grid of 1 mm: float32 [1, rows, columns], standardised."""

    image: NDArray[np.float32]
    placement: Placement


class DeepGrow:
    """Answers clicks as DeepGrow's inference does: a region of 256 pixels around the clicks, resized if they are further apart.

    One thing is kinder than there: the answer is interpolated back as probabilities, not as a mask.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.network, self.intensity = checkpoint.network, checkpoint.inputs.intensity
        self.grid = Grid(SPACING, 1)  # the region is cut out, so the whole needs no padding
        self.transforms = Compose(
            [
                SpatialCropGuidanced(keys="image", guidance="guidance", spatial_size=(SIDE, SIDE)),
                Resized(keys="image", spatial_size=(SIDE, SIDE), mode="area"),
                ResizeGuidanced(guidance="guidance", ref_image="image"),
                AddGuidanceSignald(image="image", guidance="guidance"),
            ]
        )

    def encode(self, hu: NDArray[np.int16], spacing: tuple[float, float]) -> OnGrid:
        """A slice [y, x] in Hounsfield units with `spacing` (y, x) in mm."""
        placement = self.grid.place((hu.shape[0], hu.shape[1]), spacing)
        return OnGrid(self.intensity.standardise(self.grid.image(hu, placement))[None], placement)

    @torch.inference_mode()
    def predict(
        self, encoded: OnGrid, clicks: Sequence[Click], previous: NDArray[np.bool_] | None = None
    ) -> Prediction:
        """The mask that these clicks ask for. DeepGrow estimates no quality: it is not a number."""
        points = [(*self._on_grid(click, encoded), click.positive) for click in clicks]
        guidance = [[[y, x] for y, x, positive in points if positive is wanted] for wanted in (True, False)]
        data = self.transforms({"image": encoded.image, "guidance": guidance, "image_meta_dict": {}})
        meta = data["image_meta_dict"]
        probability = self.network(torch.as_tensor(np.asarray(data["image"]))[None]).sigmoid()[0]
        rows, columns = (
            slice(a, b) for a, b in zip(*(meta[f"foreground_{e}_coord"] for e in ("start", "end")), strict=True)
        )
        whole = torch.zeros((1, *encoded.placement.padded))
        whole[:, rows, columns] = Resize(meta["foreground_cropped_shape"][1:], mode="bilinear")(probability)
        return Prediction((encoded.placement.logits_to_slice(whole[None])[0, 0] > 0.5).numpy(), math.nan)

    @staticmethod
    def _on_grid(click: Click, encoded: OnGrid) -> tuple[int, int]:
        at = zip(encoded.placement.to_grid(click.y, click.x), encoded.placement.content, strict=True)
        y, x = (min(max(round(value), 0), side - 1) for value, side in at)
        return y, x
