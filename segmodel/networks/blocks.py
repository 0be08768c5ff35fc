"""What the networks are made of (paper, section II-A and figure 1)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def double_conv(inputs: int, outputs: int) -> nn.Sequential:
    """Two padded 3×3 convolutions, each followed by batch normalisation and ReLU."""
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def share(block: nn.Sequential, x: Tensor, *channels: slice, bias: bool = False) -> Tensor:
    """What `x`, as these input channels of a `double_conv`, adds to its first convolution, which is linear in them."""
    convolution = cast(nn.Conv2d, block[0])
    weight = torch.cat([convolution.weight[:, some] for some in channels], dim=1)
    return F.conv2d(x, weight, convolution.bias if bias else None, padding=1)


def after_first(block: nn.Sequential, x: Tensor) -> Tensor:
    """The rest of a `double_conv` whose first convolution has given `x`."""
    for layer in list(block)[1:]:
        x = layer(x)
    return x


class UShape(nn.Module):
    """Down blocks, a bottleneck and up blocks with skip concatenation: [B, inputs, H, W] → [B, widths[0], H, W].

    2×2 max-pooling of stride 2 on the way down, 2×2 transposed convolution of stride 2 on the way up; the last of
    `widths` is the bottleneck's. H and W must be multiples of 2 ** (len(widths) - 1).
    """

    def __init__(self, inputs: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.down = nn.ModuleList(double_conv(a, b) for a, b in pairwise([inputs, *widths]))
        rising = list(reversed(widths))
        self.rise = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in pairwise(rising))
        self.up = nn.ModuleList(double_conv(2 * width, width) for width in rising[1:])

    @property
    def entrance(self) -> nn.Sequential:
        """The block that sees the input."""
        return cast(nn.Sequential, self.down[0])

    def forward(self, x: Tensor) -> Tensor:
        return self.after_entrance(self.entrance(x))

    def after_entrance(self, x: Tensor) -> Tensor:
        """The rest, where `entrance` has given `x`."""
        skips = [x]
        for block in self.down[1:]:
            skips.append(block(F.max_pool2d(skips[-1], 2)))
        x = skips.pop()
        for rise, block in zip(self.rise, self.up, strict=True):
            x = block(torch.cat([skips.pop(), rise(x)], dim=1))
        return x
