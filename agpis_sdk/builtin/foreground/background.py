"""The background as a smooth surface of color, fitted to the ring along the picture's edge.

A studio's white runs into gray towards the floor, a wall is lit from one side: one color for all of it takes the
gradient for a product. A quadratic surface follows it, and a robust fit leaves out where the product crosses the ring.
Where a sweep bends too sharply for that, the background of each row is interpolated between its two ends.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.arrays import medians, squared_length
from agpis_sdk.facts import Background

RING = 0.03
# A distance in Lab of 8 bits per channel, at which a pixel is of another color, texture and compression allowed for.
DIFFERENT = 14.0
# On an even background less will do: this many times the ring's own scatter, but no less than compression leaves.
SCATTERS = 4.0
LEAST_DIFFERENT = 7.0
WHITE = 250
# The scale beyond which a ring pixel loses its say, from coarse to fine.
TOLERANCES = (40.0, 24.0, 14.0, 8.0, 6.0)
STIFFNESS = 0.02
# The distance from row to row up to which a background changes its color, and does not end.
GRADUAL = 4.0
RING_SAMPLES = 600


def background_distance(lab: NDArray[np.float32], ring: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the (h, w) distance of each pixel of an (h, w, 3) Lab picture from the background fitted to its ring."""
    terms = _quadratic_terms(*ring.shape)  # (h, w, 6)
    samples = np.flatnonzero(ring)
    samples = samples[:: max(1, len(samples) // RING_SAMPLES)]
    basis, colors = (
        pixels.reshape(ring.size, -1)[samples].astype(np.float64) for pixels in (terms, lab)
    )  # (n, 6), (n, 3)
    middle = np.median(colors, axis=0)
    surface = np.zeros((basis.shape[1], 3))
    # The bends are held back: where the product hides a side of the ring, nothing else would.
    stiffness = np.diag([0.0, *[STIFFNESS * len(basis)] * (basis.shape[1] - 1)])
    for tolerance in TOLERANCES:
        residual = np.linalg.norm(colors - middle - basis @ surface, axis=1)
        weights = 1 / (1 + (residual / tolerance) ** 2) ** 2  # Geman-McClure
        weighted = basis * weights[:, None]
        surface = np.linalg.solve(weighted.T @ basis + stiffness, weighted.T @ (colors - middle))
    fitted = terms @ surface.astype(np.float32) + middle.astype(np.float32)
    distance = np.sqrt(squared_length(lab - fitted))
    rows, known = _sweep(lab, distance)
    if known.all():
        return np.minimum(distance, np.sqrt(squared_length(lab - rows[:, None])))
    distance[known] = np.minimum(distance[known], np.sqrt(squared_length(lab[known] - rows[known, None])))
    return distance


def _sweep(lab: NDArray[np.float32], distance: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the background's color (h, 3) in each row of an (h, w, 3) picture, and in which rows (h,) it is known.

    The color of a row is what its two ends show, where they agree and it is reached without a jump from a row whose ends
    lie near the background, by their `distance` (h, w) from it.
    """
    thickness = max(1, round(RING * max(lab.shape[:2])))
    left, right = medians(lab[:, :thickness]), medians(lab[:, -thickness:])
    rows = ((left + right) / 2).astype(np.float32)
    agree = np.linalg.norm(left - right, axis=1) <= DIFFERENT
    gradual = np.linalg.norm(np.diff(rows, axis=0), axis=1) <= GRADUAL
    ends = np.hstack([distance[:, :thickness], distance[:, -thickness:]])
    known = agree & (medians(ends) <= DIFFERENT)
    reached = known.tolist()
    linked = (agree[1:] & gradual).tolist()  # from the row above
    for row in range(1, len(reached)):
        reached[row] |= linked[row - 1] and reached[row - 1]
    linked = (agree[:-1] & gradual).tolist()  # from the row below
    for row in range(len(reached) - 2, -1, -1):
        reached[row] |= linked[row] and reached[row + 1]
    return rows, np.array(reached, bool)


def least_difference(distance: NDArray[np.float32], ring: NDArray[np.bool_]) -> float:
    """Return the distance at which a pixel is no background, given all distances (h, w) from it."""
    plain = distance[ring & (distance <= DIFFERENT)]
    return float(np.clip(SCATTERS * np.median(plain), LEAST_DIFFERENT, DIFFERENT)) if len(plain) else DIFFERENT


def describe_ring(
    rgb: NDArray[np.uint8], lab: NDArray[np.float32], distance: NDArray[np.float32], ring: NDArray[np.bool_]
) -> Background:
    """Sum up the ring of an (h, w, 3) picture, given in RGB and Lab, and the distance (h, w) from its background."""
    places = np.flatnonzero(ring)
    darkest = rgb.reshape(-1, 3)[places].T.min(axis=0)
    return Background(
        plainness=float((distance.ravel()[places] <= DIFFERENT).mean()),
        whiteness=float((darkest >= WHITE).mean()),
        colors=float(lab.reshape(-1, 3)[places][:, 1:].std(axis=0).max()),
    )


@lru_cache(maxsize=64)
def _quadratic_terms(height: int, width: int) -> NDArray[np.float32]:
    """Return 1, x, y, x², xy, y² at each pixel as (height, width, 6), x and y in -1..1."""
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=2).astype(np.float32)
