"""The image tower of the small model: the shared backbone's maps, stacked on one grid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

FINER_MAPS = ("stride16", "stride8")
REQUIRED_FACTS = frozenset({"embedding", "stride32", *FINER_MAPS})


def image_tokens(facts: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return an image's patch tokens (h*w, C) and its global token (G,).

    Each patch holds the backbone's deepest map "stride32" (C0, h, w) and, of every finer map, the mean and the maximum
    within the patch: a watermark's strokes are gone from the deepest map, but not from the finer ones.
    """
    deepest = facts["stride32"]
    _, height, width = deepest.shape
    parts = [deepest]
    for name in FINER_MAPS:
        channels, fine_height, fine_width = facts[name].shape
        rows, columns = fine_height // height, fine_width // width
        if rows * columns > 1:
            cells = facts[name].reshape(channels, height, rows, width, columns)
            parts += [cells.mean(axis=(2, 4)), cells.max(axis=(2, 4))]
    stacked = np.concatenate(parts)  # (C, h, w)
    return stacked.reshape(len(stacked), -1).T.astype(np.float32), facts["embedding"].astype(np.float32)
