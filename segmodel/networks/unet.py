"""The paper's network: a U-Net that sees the image and both guidance maps from its first layer on (figure 1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .blocks import UShape


class UNet(nn.Module):
    """4 down blocks, a bottleneck and 4 up blocks; `width` 64 is the paper's (31.0 M parameters); `guidance` counts maps."""

    multiple = 16

    def __init__(self, width: int = 64, guidance: int = 2) -> None:
        super().__init__()
        self.guidance = guidance
        self.body = UShape(1 + guidance, [width * 2**level for level in range(5)])
        self.head = nn.Conv2d(width, 1, 1)

    def encode(self, image: Tensor) -> tuple[Tensor, ...]:
        """Nothing can be computed before the clicks are known: the features are the image."""
        return (image,)

    def decode(self, features: tuple[Tensor, ...], guidance: Tensor) -> Tensor:
        return self.head(self.body(torch.cat([features[0], guidance], dim=1)))

    def forward(self, image: Tensor, guidance: Tensor) -> Tensor:
        return self.decode(self.encode(image), guidance)
