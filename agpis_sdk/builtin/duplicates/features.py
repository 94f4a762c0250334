"""Region features: cut from the dense feature map (RoIAlign), or each crop through the backbone, as in the paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.components import Backbone, DecodedImage
from agpis_sdk.media.letterbox import letterbox_geometry

GRID = 3  # a region is pooled to GRID x GRID cells, so that its layout counts and can be mirrored
SAMPLES = 2  # bilinear samples along a side of a cell


def map_boxes(boxes: NDArray[np.float32], width: int, height: int, side: int) -> NDArray[np.float32]:
    """Turn (N, 4) x, y, width, height in a picture into (N, 4) corners x1, y1, x2, y2 in its letterboxed square."""
    scale, offset_x, offset_y = letterbox_geometry(width, height, side)
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1) * scale
    return np.asarray(corners + np.array([offset_x, offset_y, offset_x, offset_y]), dtype=np.float32)


def roi_features(
    stride16: NDArray[np.float32], boxes: NDArray[np.float32], width: int, height: int
) -> NDArray[np.float32]:
    """Pool regions of a (C, h, w) map of the letterboxed picture into (N, C, GRID, GRID) (He et al., Mask R-CNN).

    `boxes` are (N, 4) x, y, width, height in a picture of `width` x `height`.
    """
    side = stride16.shape[-1]  # the square is measured in cells of the map
    corners = map_boxes(boxes, width, height, side)
    columns = _sampling_weights(corners[:, 0], corners[:, 2], side)
    rows = _sampling_weights(corners[:, 1], corners[:, 3], side)
    strips = np.tensordot(rows, stride16, axes=(2, 1))  # (N, GRID, C, w)
    pooled = np.matmul(strips, columns.transpose(0, 2, 1)[:, None])  # (N, GRID, C, GRID)
    return np.asarray(pooled.transpose(0, 2, 1, 3), dtype=np.float32)


def crop_features(
    image: DecodedImage, boxes: NDArray[np.float32], scale: float, backbone: Backbone
) -> NDArray[np.float32]:
    """Send each region through the backbone, (N, C, 1, 1); `scale` turns the boxes' pixels into the image's."""
    crops: Sequence[DecodedImage] = [
        replace(image, id=f"{image.id}#{index}", pixels=_cut(image.pixels, box * scale))
        for index, box in enumerate(boxes)
    ]
    rows = [facts["embedding"] for facts in backbone.features(crops)]
    return np.stack(rows)[:, :, None, None].astype(np.float32)


def unit_rows(pooled: NDArray[np.float32], *, mirrored: bool = False) -> NDArray[np.float32]:
    """Flatten (N, C, g, g) into rows (N, C*g*g) of length 1; `mirrored` reads each region from right to left."""
    rows = np.ascontiguousarray(pooled[..., ::-1] if mirrored else pooled).reshape(len(pooled), -1)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), dtype=np.float32)


def _sampling_weights(starts: NDArray[np.float32], ends: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Return the weights (N, GRID, side) by which a map's `side` rows or columns add up to the cells of N regions."""
    places = (np.arange(GRID * SAMPLES) + 0.5) / (GRID * SAMPLES)  # of the samples, as shares of the region
    samples = (starts[:, None] + (ends - starts)[:, None] * places - 0.5).clip(
        0, side - 1
    )  # 0 is the first one's center
    bilinear = np.maximum(1 - np.abs(samples[:, :, None] - np.arange(side)), 0)  # (N, GRID * SAMPLES, side)
    return np.asarray(bilinear.reshape(len(starts), GRID, SAMPLES, side).mean(axis=2), dtype=np.float32)


def _cut(pixels: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    left, top = min(int(box[0]), width - 1), min(int(box[1]), height - 1)
    right, bottom = max(left + 1, round(float(box[0] + box[2]))), max(top + 1, round(float(box[1] + box[3])))
    return np.ascontiguousarray(pixels[top:bottom, left:right])
