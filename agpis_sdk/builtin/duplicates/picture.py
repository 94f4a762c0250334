"""What the pair checker knows of one image. Each part is computed when it is first asked for, and once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.duplicates import alignment, features, proposals, superposition
from agpis_sdk.builtin.duplicates.config import DuplicatesConfig
from agpis_sdk.components import Backbone, DecodedImage
from agpis_sdk.media.reduced import reduced


@dataclass(frozen=True, eq=False)
class Regions:
    """Boxes (N, 4) x, y, width, height in working pixels, their unit features (N, D) and those of the mirrored picture."""

    boxes: NDArray[np.float32]
    rows: NDArray[np.float32]
    mirrored: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Picture:
    """An image as the pair checker sees it; `stride16` returns the backbone's map, (channels, h, w)."""

    image: DecodedImage
    stride16: Callable[[], NDArray[np.float32]]
    backbone: Backbone
    config: DuplicatesConfig

    @property
    def scale(self) -> float:
        """The factor that turns working pixels into those of the decoded image."""
        return float(max(self.image.pixels.shape[:2]) / self.config.working_side)

    @property
    def width(self) -> int:
        """The width in working pixels."""
        return int(self.pixels.shape[1])

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """The (h, w, 3) working pixels."""
        return proposals.working_copy(reduced(self.image, self.config.working_side), self.config.working_side)

    @cached_property
    def content(self) -> NDArray[np.uint8]:
        """The (h, w) mask of what is not plain background."""
        return proposals.content_mask(self.pixels)

    @cached_property
    def content_share(self) -> float:
        """The share of the picture, 0..1, that is not plain background."""
        return float(self.content.mean())

    @cached_property
    def view(self) -> superposition.View:
        """The picture at the size at which two are compared."""
        return superposition.make_view(self.pixels, self.content, self.config.verification_side)

    @cached_property
    def close_view(self) -> superposition.View:
        """The picture at the size at which details are compared: as decoded, `detail_side` at most."""
        side = min(self.config.detail_side, max(self.image.pixels.shape[:2]))
        return superposition.make_view(self.image.pixels, self.content, side)

    @cached_property
    def luma(self) -> NDArray[np.float32]:
        """The (h, w) luma of the working pixels."""
        return np.asarray(cv2.cvtColor(self.pixels, cv2.COLOR_RGB2GRAY), dtype=np.float32)

    @cached_property
    def thumbnail(self) -> NDArray[np.float32]:
        """The whole picture's luma, squeezed into a small square."""
        size = (alignment.ECC_SIDE, alignment.ECC_SIDE)
        return np.asarray(cv2.resize(self.luma, size, interpolation=cv2.INTER_AREA), dtype=np.float32)

    @cached_property
    def keypoints(self) -> alignment.Keypoints:
        """The SIFT keypoints in working pixels."""
        return alignment.find_keypoints(self.pixels, self.config.keypoints)

    @cached_property
    def regions(self) -> Regions:
        """The regions that EdgeBoxes proposes, described by the backbone."""
        boxes = proposals.propose(
            self.pixels, self.content, self.config.max_proposals, self.config.structured_edges_model
        )
        if self.config.features == "crop":
            pooled = features.crop_features(self.image, boxes, self.scale, self.backbone)
        else:
            height, width = self.pixels.shape[:2]
            pooled = features.roi_features(self.stride16(), boxes, width, height)
        return Regions(boxes, features.unit_rows(pooled), features.unit_rows(pooled, mirrored=True))
