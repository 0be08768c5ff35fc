"""The click model as a pure function: a slice and its clicks in, a mask out.

A predictor keeps no state between calls. What a caller caches (an `EncodedSlice`) is for speed only.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .checkpoint import Checkpoint
from .clicks import Click, obey
from .grid import Placement
from .quality import expected_dice

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class EncodedSlice:
    """What the network has read of one slice of `spacing` (y, x) mm, good for any number of clicks on it."""

    placement: Placement
    spacing: tuple[float, float]
    features: tuple[Tensor, ...]

    @property
    def nbytes(self) -> int:
        return sum(feature.nbytes for feature in self.features)


class Prediction(NamedTuple):
    """The network's answer for one slice and one click list: `mask` [y, x] and `quality`, its own estimate of Dice."""

    mask: NDArray[np.bool_]
    quality: float


class Predictor:
    """Answers clicks with the network of a checkpoint. Safe to call from one thread at a time.

    `precision` is "float32", "bfloat16", or "auto": bfloat16 where the processor multiplies it natively (on the CPU about
    twice as fast there, and slower elsewhere).
    """

    def __init__(self, checkpoint: Checkpoint, device: str = "cpu", precision: str = "auto") -> None:
        self.device = torch.device(device)
        self.dtype = native_precision(self.device) if precision == "auto" else PRECISIONS[precision]
        self.inputs, self.calibration = checkpoint.inputs, checkpoint.calibration
        network = _fused(copy.deepcopy(checkpoint.network).float())
        self.network = network.to(self.device, self.dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def encode(self, hu: NDArray[np.int16], spacing: tuple[float, float]) -> EncodedSlice:
        """Reads a slice [y, x] in Hounsfield units with `spacing` (y, x) in mm. Raises ValueError."""
        placement = self.inputs.grid.place((hu.shape[0], hu.shape[1]), spacing)
        return EncodedSlice(
            placement, spacing, tuple(self.network.encode(self._tensor(self.inputs.image(hu, placement))))
        )

    @torch.inference_mode()
    def predict(
        self, encoded: EncodedSlice, clicks: Sequence[Click], previous: NDArray[np.bool_] | None = None
    ) -> Prediction:
        """The mask that these clicks ask for; empty where there is no click. Raises ValueError.

        `previous` is the mask [y, x] that the clicks correct; a network without a map for it ignores it. The logits are
        interpolated to the slice's own pixels before they are cut at 0, so that an outline is smooth; clicks have the last
        word (`segmodel.clicks.obey`).
        """
        rows, columns = encoded.placement.slice_shape
        for click in clicks:
            if not (0 <= click.y < rows and 0 <= click.x < columns):
                raise ValueError(
                    f"The click at row {click.y}, column {click.x} is outside the slice of {rows}×{columns}."
                )
        if not clicks:
            return Prediction(np.zeros((rows, columns), bool), 1.0)
        guidance = self._tensor(self.inputs.guidance(clicks, encoded.placement, previous))
        logits = self.network.decode(encoded.features, guidance).float()
        quality = self.calibration.estimate(expected_dice(logits[0, 0]), len(clicks))
        mask = (encoded.placement.logits_to_slice(logits)[0, 0] > 0).cpu().numpy()
        return Prediction(obey(mask, clicks, encoded.spacing), quality)

    def _tensor(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.device, self.dtype, memory_format=torch.channels_last)


def native_precision(device: torch.device) -> torch.dtype:
    """The faster of float32 and bfloat16 on this device."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    return torch.bfloat16 if torch.cpu._is_avx512_bf16_supported() else torch.float32


def _fused(network: nn.Module) -> nn.Module:
    """The same function with every batch normalisation folded into the convolution before it."""
    for child in network.children():
        _fused(child)
    if isinstance(network, nn.Sequential):
        for index in range(len(network) - 1):
            convolution, norm = network[index], network[index + 1]
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                network[index] = fuse_conv_bn_eval(convolution.eval(), norm.eval())
                network[index + 1] = nn.Identity()
    return network
