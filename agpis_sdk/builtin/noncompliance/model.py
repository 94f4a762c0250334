"""The non-compliance head: a small convolutional network on the backbone's maps of three strides.

p_nc is that of at least one kind (a noisy-or over the kinds), so an image-level label is enough to train it
(paper section 3.3.1); the map of the winning kind says where.
"""

from __future__ import annotations

from math import log
from pathlib import Path

import torch
from torch import Tensor, nn

from agpis_sdk.builtin.noncompliance.head_file import SHIPPED, HeadSizes, read_head
from agpis_sdk.builtin.noncompliance.kinds import KINDS
from agpis_sdk.builtin.weights import Tensors, trained_tensors, write_tensors


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
        return head_of(read_head(path)).eval().requires_grad_(False)


def head_of(tensors: Tensors) -> NoncomplianceHead:
    """Return a head with the given tensors."""
    head = NoncomplianceHead(HeadSizes.of_tensors(tensors))
    head.load_state_dict({name: torch.from_numpy(array) for name, array in tensors.items()}, strict=False)
    return head


def any_kind_logit(kind_logits: Tensor) -> Tensor:
    """Return the log-odds (B,) that at least one kind is there, from logits (B, kinds) taken as independent."""
    none = -nn.functional.softplus(kind_logits).sum(1)  # log of the probability that there is none
    return torch.log(-torch.expm1(none.clamp(max=-1e-6))) - none
