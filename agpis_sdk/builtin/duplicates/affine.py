"""Affine maths on pixels and boxes.

A transform is a (2, 3) affine map from the first picture's pixels to the second's; a mirrored one has a negative
determinant. Boxes are x, y, width, height.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Transform = NDArray[np.float64]
Box = tuple[float, float, float, float]


def compose(outer: Transform, inner: Transform) -> Transform:
    """Return the transform that applies `inner`, then `outer`."""
    return np.concatenate([outer[:, :2] @ inner[:, :2], (outer[:, :2] @ inner[:, 2] + outer[:, 2])[:, None]], axis=1)


def invert(transform: Transform) -> Transform:
    """Return the inverse (2, 3) transform."""
    return np.asarray(cv2.invertAffineTransform(transform), dtype=np.float64)


def rescaled(transform: Transform, scale: float) -> Transform:
    """Return the transform between the two pictures after both were scaled by `scale`; pixel centers are whole."""
    center = np.array([0.5, 0.5])
    shift = transform[:, 2] * scale + (1 - scale) * (transform[:, :2] @ center - center)
    return np.concatenate([transform[:, :2], shift[:, None]], axis=1)


def scaled(factor: float) -> Transform:
    """Return the transform of a picture that is resized by a factor; pixel centers are whole."""
    return from_corners(np.array([[factor, 0.0, 0.0], [0.0, factor, 0.0]]))


def from_corners(transform: Transform) -> Transform:
    """Turn a transform of continuous coordinates, 0 at the picture's corner, into one of pixel centers."""
    center = np.array([0.5, 0.5])
    return np.concatenate([transform[:, :2], (transform[:, :2] @ center - center + transform[:, 2])[:, None]], axis=1)


def box_transform(first: NDArray[np.float32], second: NDArray[np.float32], *, mirrored: bool) -> Transform:
    """Return the (2, 3) affine map that lays box `first` (x, y, width, height) over box `second`."""
    scale_x, scale_y = (second[2:] / np.maximum(first[2:], 1e-6)).astype(np.float64)
    if mirrored:
        scale_x = -scale_x
    start = second[0] + second[2] if mirrored else second[0]
    return np.array(
        [[scale_x, 0.0, start - scale_x * first[0]], [0.0, scale_y, second[1] - scale_y * first[1]]], dtype=np.float64
    )


def transform_boxes(transform: Transform, boxes: NDArray[np.floating]) -> NDArray[np.float64]:
    """Map (N, 4) boxes x, y, width, height by a (2, 3) affine map; returns the upright boxes around the results."""
    x, y, width, height = boxes.T.astype(np.float64)
    corners = np.stack(
        [np.stack([x, y]), np.stack([x + width, y]), np.stack([x, y + height]), np.stack([x + width, y + height])]
    )  # (4 corners, 2, N)
    mapped = np.einsum("ij,cjn->cin", transform[:, :2], corners) + transform[:, 2][None, :, None]
    low, high = mapped.min(axis=0), mapped.max(axis=0)  # (2, N)
    return np.concatenate([low, high - low]).T
