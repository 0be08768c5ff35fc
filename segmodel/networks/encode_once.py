"""Late fusion: a U-Net reads the slice once, a lighter one reads its features and the clicks, at half resolution.

The click network sees every scale down to 1/32, so that one click can name a whole organ, yet costs a fraction of the
paper's network, because the slice's own structure is in the features already. Where slice and clicks meet, in a convolution,
the slice's share of the answer is the same for every click, so that it is among what is encoded once.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_unshuffle

from .blocks import UShape, after_first, double_conv, share


class EncodeOnceUNet(nn.Module):
    """Slice U-Net of `width` and click U-Net of `click_width`, both at half resolution; `guidance` counts its maps."""

    multiple = 32

    def __init__(self, width: int = 32, click_width: int = 16, fine_width: int = 16, guidance: int = 2) -> None:
        super().__init__()
        self.guidance = guidance
        self.fine = nn.Sequential(
            nn.Conv2d(1, fine_width, 3, padding=1), nn.BatchNorm2d(fine_width), nn.ReLU(inplace=True)
        )
        self.down = nn.Conv2d(fine_width, width, 2, stride=2)
        self.slice_body = UShape(width, [width * m for m in (1, 2, 4, 6, 6)])
        # guidance enters as its four sub-pixel phases, so that halving the resolution does not blur where a click is
        self.click_body = UShape(width + 4 * guidance, [click_width * m for m in (1, 2, 4, 6, 6)])
        self.rise = nn.ConvTranspose2d(click_width, fine_width, 2, stride=2)
        self.merge = double_conv(2 * fine_width + guidance, fine_width)
        self.head = nn.Conv2d(fine_width, 1, 1)

    def encode(self, image: Tensor) -> tuple[Tensor, ...]:
        fine = self.fine(image)
        coarse = self.slice_body(self.down(fine))
        width, fine_width = coarse.shape[1], fine.shape[1]
        return (
            share(self.merge, fine, slice(fine_width, 2 * fine_width)),
            share(self.click_body.entrance, coarse, slice(width)),
        )

    def decode(self, features: tuple[Tensor, ...], guidance: Tensor) -> Tensor:
        fine, coarse = features
        phases, entrance = pixel_unshuffle(guidance, 2), self.click_body.entrance
        seen = share(entrance, phases, slice(-phases.shape[1], None), bias=True).add_(coarse)
        clicked = self.rise(self.click_body.after_entrance(after_first(entrance, seen)))
        width = clicked.shape[1]
        met = torch.cat([clicked, guidance], dim=1)
        seen = share(self.merge, met, slice(width), slice(2 * width, None), bias=True).add_(fine)
        return self.head(after_first(self.merge, seen))

    def forward(self, image: Tensor, guidance: Tensor) -> Tensor:
        return self.decode(self.encode(image), guidance)
