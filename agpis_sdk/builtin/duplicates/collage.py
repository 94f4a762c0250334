"""Pictures put together from parts, of which another picture repeats one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

AGREES, DIFFERS = 0.85, 0.4  # structure inside and outside of the part that is repeated
LEAST_SHARE = 0.3  # of what both pictures show, inside and outside
LEAST_TEXTURE = 0.2  # of the texture that lies inside: a bare backdrop is not a part that is repeated


def repeated_part(
    correlation: NDArray[np.float32], texture: NDArray[np.float32], shared: NDArray[np.bool_]
) -> NDArray[np.bool_] | None:
    """Return the rows or columns (h, w) along one side in which two pictures agree, while the rest has nothing in common.

    That is a picture put together from parts, of which one is repeated. A variant keeps its outline everywhere, so it has no
    such rest. None where there is no such band.
    """
    weights = texture * shared
    sums = correlation * weights
    bands = [
        (contrast, np.broadcast_to(line if axis == 0 else line[:, None], shared.shape))
        for axis in (0, 1)
        for contrast, line in _ends(weights.sum(axis=axis), sums.sum(axis=axis), np.count_nonzero(shared, axis=axis))
    ]
    return max(bands, key=lambda band: band[0])[1] if bands else None


def _ends(
    weights: NDArray[np.floating], sums: NDArray[np.floating], areas: NDArray[np.integer]
) -> Iterator[tuple[float, NDArray[np.bool_]]]:
    """Yield the ends (n,) of a row of n lines in which two pictures agree, with how much less they do in the rest.

    `weights` and `sums` (n,) are each line's texture, alone and times its correlation; `areas` (n,) are how much is shared there.
    """
    for step in (1, -1):
        weight, total, area = (np.cumsum(part[::step]) for part in (weights, sums, areas))
        inner = total / np.maximum(weight, 1e-6)
        outer = (total[-1] - total) / np.maximum(weight[-1] - weight, 1e-6)
        share = area / max(float(area[-1]), 1.0)
        fits = (inner > AGREES) & (outer < DIFFERS) & (share > LEAST_SHARE) & (share < 1 - LEAST_SHARE)
        fits &= weight > LEAST_TEXTURE * weight[-1]
        if fits.any():
            split = int(np.flatnonzero(fits)[np.argmax((inner - outer)[fits])])
            yield float(inner[split] - outer[split]), (np.arange(len(areas)) <= split)[::step]
