"""The non-compliance head: a small convolutional network on the backbone's maps of three strides.

p_nc is that of at least one kind (a noisy-or over the kinds), so an image-level label is enough to train it
(paper section 3.3.1); the map of the winning kind says where.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agpis_sdk.builtin.noncompliance.kinds import KINDS
from agpis_sdk.builtin.weights import read_tensors, trained_tensors, write_tensors

SHIPPED = Path(__file__).parent / "weights" / "noncompliance.safetensors"


@dataclass(frozen=True)
class HeadSizes:
    """Channels of the three maps that the head reads, which are the backbone's, and of its own hidden layer."""

    stride32: int
    stride16: int
    stride8: int
    width: int = 128

    @classmethod
    def of(cls, shapes: Mapping[str, tuple[int, ...]]) -> HeadSizes:
        """Return the sizes for a backbone's facts, given their shapes (channels, h, w) by name."""
        return cls(shapes["stride32"][0], shapes["stride16"][0], shapes["stride8"][0])


class NoncomplianceHead(nn.Module):
    """Turns the facts of a batch into a logit and a map per kind."""

    def __init__(self, sizes: HeadSizes) -> None:
        super().__init__()
        self.sizes = sizes
        kinds, width = len(KINDS), sizes.width
        self.from_detail = nn.Conv2d(sizes.stride8, width, 3, stride=2, padding=1)
        self.from_feature = nn.Conv2d(sizes.stride16, width, 1)
        self.from_tokens = nn.Conv2d(sizes.stride32, width, 1)
        self.mixed_norm = nn.BatchNorm2d(width)
        # Whole channels: the head must not learn the fonts and marks of its training by heart.
        self.dropout = nn.Dropout2d(0.3)
        self.neighbors = nn.Conv2d(width, width, 3, padding=1)
        self.neighbors_norm = nn.BatchNorm2d(width)
        self.to_kinds = nn.Conv2d(width, kinds, 1)

    def forward(self, stride32: Tensor, stride16: Tensor, stride8: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (B, kinds) and maps (B, kinds, h, w) at stride 16."""
        mixed = self.from_feature(stride16) + self.from_detail(stride8)  # (B, W, h, w)
        mixed = mixed + nn.functional.interpolate(self.from_tokens(stride32), size=stride16.shape[-2:])
        mixed = torch.relu(self.mixed_norm(mixed))
        mixed = torch.relu(self.neighbors_norm(self.neighbors(self.dropout(mixed))))
        maps = self.to_kinds(mixed)  # (B, kinds, h, w)
        flat = maps.flatten(2)  # (B, kinds, h*w)
        # Halfway between the mean and the maximum: a mark is small, a collage is everywhere.
        return 0.5 * (torch.logsumexp(flat, 2) - log(flat.shape[2])) + 0.5 * flat.amax(2), maps

    def save(self, path: Path) -> None:
        """Write the weights as safetensors."""
        write_tensors(path, trained_tensors(self))

    @classmethod
    def load(cls, path: Path = SHIPPED) -> NoncomplianceHead:
        """Read a head, ready to judge; its sizes are those of the file.

        Raises `WeightsError` where it is of another layout.
        """
        tensors = read_tensors(path, _LAYOUT)
        sizes = HeadSizes(
            stride32=tensors["from_tokens.weight"].shape[1],
            stride16=tensors["from_feature.weight"].shape[1],
            stride8=tensors["from_detail.weight"].shape[1],
            width=tensors["mixed_norm.weight"].shape[0],
        )
        head = cls(sizes)
        head.load_state_dict({name: torch.from_numpy(array) for name, array in tensors.items()}, strict=False)
        return head.eval().requires_grad_(False)


_NORM = dict.fromkeys(("weight", "bias", "running_mean", "running_var"), ("width",))
_LAYOUT: dict[str, tuple[int | str, ...]] = {
    "from_detail.weight": ("width", "stride8", 3, 3),
    "from_feature.weight": ("width", "stride16", 1, 1),
    "from_tokens.weight": ("width", "stride32", 1, 1),
    "neighbors.weight": ("width", "width", 3, 3),
    "to_kinds.weight": (len(KINDS), "width", 1, 1),
    "to_kinds.bias": (len(KINDS),),
    **{f"{layer}.bias": ("width",) for layer in ("from_detail", "from_feature", "from_tokens", "neighbors")},
    **{f"{layer}.{name}": shape for layer in ("mixed_norm", "neighbors_norm") for name, shape in _NORM.items()},
}


def any_kind_logit(kind_logits: Tensor) -> Tensor:
    """Return the log-odds (B,) that at least one kind is there, from logits (B, kinds) taken as independent."""
    none = -nn.functional.softplus(kind_logits).sum(1)  # log of the probability that there is none
    return torch.log(-torch.expm1(none.clamp(max=-1e-6))) - none


def peak_box(kind_map: NDArray[np.float32], drop: float = 2.0) -> tuple[float, float, float, float]:
    """Return the box (x, y, width, height) in 0..1 of an (h, w) map around its peak.

    It spans the connected cells whose logit is at most `drop` below the peak's.
    """
    import cv2

    near = (kind_map >= kind_map.max() - drop).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    row, column = np.unravel_index(int(kind_map.argmax()), kind_map.shape)
    x, y, width, height, _ = stats[labels[row, column]]
    rows, columns = kind_map.shape
    return (x / columns, y / rows, width / columns, height / rows)
