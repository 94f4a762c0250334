"""Matching of two images' regions: mutual nearest neighbors, best first (paper section 3.3.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RegionMatch:
    """Region `first` of one image is like region `second` of the other, perhaps mirrored; `similarity` is a cosine."""

    first: int
    second: int
    similarity: float
    mirrored: bool


def match_regions(
    first: NDArray[np.float32], second: NDArray[np.float32], k: int, floor: float, *, mirrored: bool = False
) -> list[RegionMatch]:
    """Match unit rows (N, D) and (M, D): both among the other's `k` nearest, similarity at least `floor`, best first."""
    forward, similarity = _nearest(first, second, k)
    backward, _ = _nearest(second, first, k)
    matches = [
        RegionMatch(row, int(column), float(value), mirrored)
        for row, (columns, values) in enumerate(zip(forward, similarity, strict=True))
        for column, value in zip(columns, values, strict=True)
        if value >= floor and row in backward[column]
    ]
    return sorted(matches, key=lambda match: (-match.similarity, match.first, match.second))


def box_iou(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the intersection over union (…,) of boxes (…, 4) with boxes (…, 4)."""
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., :2] + first[..., 2:], second[..., :2] + second[..., 2:])
    overlap = np.clip(high - low, 0, None).prod(axis=-1).astype(np.float64)
    union = first[..., 2:].prod(axis=-1) + second[..., 2:].prod(axis=-1) - overlap
    return np.asarray(overlap / np.maximum(union, 1e-9), dtype=np.float64)


def supported_matches(
    matches: list[RegionMatch], first: NDArray[np.float32], second: NDArray[np.float32], limit: int
) -> list[RegionMatch]:
    """Return the `limit` matches on whose alignment the other matches agree most, skipping those they explain.

    All are mirrored, or none is.
    """
    if not matches:
        return []
    left = first[[match.first for match in matches]]
    right = second[[match.second for match in matches]]
    weight = np.array([match.similarity for match in matches])
    agree = box_iou(_laid_over(left, right, mirrored=matches[0].mirrored), right[None])  # (matches, matches)
    support = (agree * weight).sum(axis=1)
    chosen: list[int] = []
    for index in np.lexsort((np.arange(len(matches)), -support)):
        if len(chosen) == limit:
            break
        if all(agree[earlier, index] < 0.8 for earlier in chosen):
            chosen.append(int(index))
    return [matches[index] for index in chosen]


def _laid_over(first: NDArray[np.float32], second: NDArray[np.float32], *, mirrored: bool) -> NDArray[np.float64]:
    """Return all boxes `first` (N, 4), laid as each of them is over its box of `second` (N, 4): (N alignments, N boxes, 4)."""
    one, two = first.astype(np.float64), second.astype(np.float64)
    scale = (two[:, 2:] / np.maximum(one[:, 2:], 1e-6))[:, None]  # (N, 1, 2)
    away = one[None, :, :2] - one[:, None, :2]  # from the corner of the aligned box
    if mirrored:
        away[..., 0] = one[:, None, 2] - one[None, :, 2] - away[..., 0]
    return np.concatenate([two[:, None, :2] + scale * away, scale * one[None, :, 2:]], axis=2)


def _nearest(
    queries: NDArray[np.float32], rows: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    similarity = queries @ rows.T  # (n, m)
    # One matrix product is faster than an index for the few dozen regions of two images.
    columns = np.argsort(-similarity, axis=1, kind="stable")[:, :k]
    return columns, np.take_along_axis(similarity, columns, axis=1)
