"""Networks behind two calls, so that a slice is encoded once and each click is decoded cheaply.

    encode(image [B, 1, H, W]) → features (a tuple of tensors, batch first)
    decode(features, guidance [B, G, H, W]) → logits [B, 1, H, W]

H and W are multiples of the network's `multiple`, and G is its `guidance`: the maps of `segmodel.inputs`.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from .encode_once import EncodeOnceUNet
from .unet import UNet

Features = tuple[Tensor, ...]

NETWORKS: dict[str, type[nn.Module]] = {"unet": UNet, "encode_once": EncodeOnceUNet}


class UnknownArchitecture(ValueError):
    """A network that this version of the program does not have."""


def build(architecture: str, **options: Any) -> nn.Module:
    """The named network with its options. Raises ValueError with one sentence."""
    if architecture not in NETWORKS:
        raise UnknownArchitecture(f"Unknown architecture {architecture!r}; known are {', '.join(NETWORKS)}.")
    try:
        return NETWORKS[architecture](**options)
    except (TypeError, RuntimeError) as error:
        raise ValueError(f"The architecture {architecture!r} does not take these options: {error}.") from None
