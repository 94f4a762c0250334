"""The foreground head: a small decoder on the backbone's maps of three strides, and the picture itself for its edges.

It is distilled from the masks of U²-Net (Qin et al., Pattern Recognition 2020, https://github.com/xuebinqin/U-2-Net,
Apache-2.0), so that it finds the product before scenes, on people, and white on white.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from agpis_sdk.builtin.foreground.head_file import SHIPPED, HeadSizes, read_head
from agpis_sdk.builtin.weights import Tensors, trained_tensors, write_tensors


class _Mix(nn.Module):
    """A depthwise 3 x 3 and a pointwise convolution with a residual connection."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, features: Tensor) -> Tensor:
        mixed: Tensor = features + self.norm(self.pointwise(self.depthwise(torch.relu(features))))
        return mixed


class ForegroundHead(nn.Module):
    """Turns the facts and the picture of a batch into a mask."""

    def __init__(self, sizes: HeadSizes) -> None:
        super().__init__()
        self.sizes = sizes
        width, detail = sizes.width, sizes.detail
        self.from_stride32 = nn.Conv2d(sizes.stride32, width, 1)
        self.from_stride16 = nn.Conv2d(sizes.stride16, width, 1)
        self.from_stride8 = nn.Conv2d(sizes.stride8, width, 1)
        self.mix32, self.mix16, self.mix8 = _Mix(width), _Mix(width), _Mix(width)
        self.dropout = nn.Dropout2d(0.1)
        self.from_picture = nn.Conv2d(3, detail, 3, stride=2, padding=1)
        self.mix_picture = _Mix(detail)
        self.join = nn.Conv2d(width + detail, 2 * detail, 3, padding=1)
        self.mix_join = _Mix(2 * detail)
        self.squeeze = nn.Conv2d(2 * detail, 4, 1)
        self.refine = nn.Conv2d(4 + 3, detail, 3, padding=1)
        self.to_mask = nn.Conv2d(detail, 1, 3, padding=1)

    def forward(self, stride32: Tensor, stride16: Tensor, stride8: Tensor, picture: Tensor) -> Tensor:
        """Return logits (B, SIDE, SIDE) that a pixel is the product's; `picture` is (B, 3, SIDE, SIDE) in -1..1."""
        coarse = self.mix32(self.dropout(self.from_stride32(stride32)))  # (B, width, 7, 7)
        middle = self.mix16(self.from_stride16(stride16) + _resized(coarse, stride16))  # (B, width, 14, 14)
        fine = self.mix8(self.from_stride8(stride8) + _resized(middle, stride8))  # (B, width, 28, 28)
        edges = self.mix_picture(self.from_picture(picture))  # (B, detail, 56, 56)
        joined = self.mix_join(self.join(torch.relu(torch.cat([_resized(fine, edges), edges], dim=1))))
        squeezed = _resized(self.squeeze(torch.relu(joined)), picture)  # (B, 4, 112, 112)
        refined = self.refine(torch.cat([squeezed, picture], dim=1))  # (B, detail, 112, 112)
        logits: Tensor = self.to_mask(torch.relu(refined))
        return logits[:, 0]

    def save(self, path: Path) -> None:
        """Write the weights as safetensors."""
        write_tensors(path, trained_tensors(self))

    @classmethod
    def load(cls, path: Path = SHIPPED) -> ForegroundHead:
        """Read a head, ready to segment; its sizes are those of the file.

        Raises `WeightsError` where it is of another layout.
        """
        return head_of(read_head(path)).eval().requires_grad_(False)


def head_of(tensors: Tensors) -> ForegroundHead:
    """Return a head with the given tensors."""
    head = ForegroundHead(HeadSizes.of_tensors(tensors))
    head.load_state_dict({name: torch.from_numpy(array) for name, array in tensors.items()}, strict=False)
    return head


def _resized(features: Tensor, like: Tensor) -> Tensor:
    return nn.functional.interpolate(features, size=like.shape[-2:], mode="bilinear", align_corners=False)
