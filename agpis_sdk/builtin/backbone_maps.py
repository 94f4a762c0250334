"""The three maps of a backbone that heads read, and their shapes in the one that ships."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

MAPS = ("stride32", "stride16", "stride8")
SHIPPED_INPUTS: Mapping[str, tuple[int | str, ...]] = {
    "stride32": ("batch", 320, 7, 7),
    "stride16": ("batch", 112, 14, 14),
    "stride8": ("batch", 40, 28, 28),
}
"""What the graph of a head on the default backbone takes of it: batches of maps (channels, h, w)."""


@dataclass(frozen=True)
class MapChannels:
    """Channels of the three maps that a head reads, which are the backbone's."""

    stride32: int
    stride16: int
    stride8: int

    @classmethod
    def of(cls, shapes: Mapping[str, tuple[int, ...]]) -> Self:
        """Return the sizes for a backbone's facts, given their shapes (channels, h, w) by name."""
        return cls(*(shapes[name][0] for name in MAPS))
