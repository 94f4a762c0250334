"""What the pair checker knows of one image: regions with features, keypoints, and views to compare in pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.duplicates import alignment, features, proposals, verification
from agpis_sdk.builtin.duplicates.config import DuplicatesConfig
from agpis_sdk.components import Backbone, DecodedImage


@dataclass(frozen=True, eq=False)
class Regions:
    """What the checker knows of one image, computed once.

    `boxes` (N, 4) and `keypoints` are in working pixels; `rows` and `mirrored` are (N, D) unit region features;
    `scale` turns working pixels into those of the decoded image.
    """

    boxes: NDArray[np.float32]
    rows: NDArray[np.float32]
    mirrored: NDArray[np.float32]
    keypoints: alignment.Keypoints
    view: verification.View
    luma: NDArray[np.float32]
    width: int
    scale: float
    content_share: float


def find_regions(
    image: DecodedImage, stride16: NDArray[np.float32], backbone: Backbone, config: DuplicatesConfig
) -> Regions:
    """Propose regions of an image and describe them; `stride16` is the backbone's, (channels, h, w)."""
    pixels = proposals.working_copy(image.pixels, config.working_side)
    height, width = pixels.shape[:2]
    scale = max(image.pixels.shape[:2]) / config.working_side
    content = proposals.content_mask(pixels)
    boxes = proposals.propose(pixels, content, config.max_proposals, config.structured_edges_model)
    if config.features == "crop":
        pooled = features.crop_features(image, boxes, scale, backbone)
    else:
        pooled = features.roi_features(stride16, boxes, width, height)
    return Regions(
        boxes=boxes,
        rows=features.unit_rows(pooled),
        mirrored=features.unit_rows(pooled, mirrored=True),
        keypoints=alignment.find_keypoints(pixels, config.keypoints),
        view=verification.make_view(pixels, content, config.verification_side),
        luma=ecc_luma(pixels),
        width=width,
        scale=scale,
        content_share=float(content.mean()),
    )


def ecc_luma(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the (h, w) float32 luma of (H, W, 3) pixels at the size at which alignments are refined."""
    small = proposals.working_copy(pixels, alignment.ECC_SIDE)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), dtype=np.float32)
