"""What mends a picture: a crop, or white around it. None of them invents a pixel of the product."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.fixers.config import CropToProductConfig
from agpis_sdk.components import ComponentConfig, FixablePicture
from agpis_sdk.records import Finding

# A "border" that takes more than this of a side is more likely a part of the picture.
LARGEST_BORDER = 0.3
SOFTNESS = 0.02
# A row belongs to the picture once it differs from the border nearly as much as the rows further in.
PICTURE_FROM = 0.9


class CropBorder:
    """Crops to what a border surrounds."""

    def __init__(self, config: ComponentConfig) -> None:
        del config

    def fix(self, picture: FixablePicture, finding: Finding) -> FixablePicture | None:
        """Return the picture inside the border, None where the finding does not say where that is."""
        if not finding.regions:
            return None
        left, top, width, height = finding.regions[0].box
        if width < (1 - LARGEST_BORDER) * picture.width or height < (1 - LARGEST_BORDER) * picture.height:
            return None
        left, top = left - picture.left, top - picture.top
        rows, columns = picture.pixels, picture.pixels.transpose(1, 0, 2)
        top, bottom = _rim(rows, top), _rim(rows[::-1], picture.height - top - height)
        left, right = _rim(columns, left), _rim(columns[::-1], picture.width - left - width)
        size = (picture.width - left - right, picture.height - top - bottom)
        return picture.cropped((picture.left + left, picture.top + top, *size))


def _rim(rows: NDArray[np.uint8], depth: int) -> int:
    """Return how many of the first rows of (h, w, 3) are border, where it was measured to be `depth` rows thick.

    The measure works on a small copy: up to `SOFTNESS` of the side more may be border, or the blur between the two.
    """
    reach = math.ceil(SOFTNESS * len(rows))
    if depth <= 0 or depth + reach >= len(rows):
        return max(0, depth)
    color = np.median(rows[: (depth + 1) // 2], axis=(0, 1))
    distances = np.abs(rows[depth : depth + reach + 1] - color).mean(axis=(1, 2))  # (reach + 1,)
    inside = distances >= PICTURE_FROM * distances[-1]
    return depth + int(inside.argmax())


class CropToProduct:
    """Crops a picture of the same shape around the product: closer, and with the product in the middle."""

    def __init__(self, config: CropToProductConfig) -> None:
        self._config = config

    def fix(self, picture: FixablePicture, finding: Finding) -> FixablePicture | None:
        """Return the crop, None where it would cut nothing away or be too small."""
        if not finding.regions:
            return None
        left, top, width, height = finding.regions[0].box
        # How far the picture reaches from the product's center to its nearest edges limits a centered crop.
        middle_x, middle_y = left + width / 2 - picture.left, top + height / 2 - picture.top
        reach_x = min(middle_x, picture.width - middle_x)
        reach_y = min(middle_y, picture.height - middle_y)
        wanted = max(width / picture.width, height / picture.height) / self._config.fill
        share = min(wanted, 2 * reach_x / picture.width, 2 * reach_y / picture.height)
        new_width, new_height = round(share * picture.width), round(share * picture.height)
        if share >= 1 or min(new_width, new_height) < self._config.min_side or new_width < width or new_height < height:
            return None
        x, y = round(middle_x - new_width / 2), round(middle_y - new_height / 2)
        return picture.cropped((x + picture.left, y + picture.top, new_width, new_height))


class PadToSquare:
    """Lays white around a picture until it is square."""

    def __init__(self, config: ComponentConfig) -> None:
        del config

    def fix(self, picture: FixablePicture, finding: Finding) -> FixablePicture | None:
        """Return the square picture, None where it is one already."""
        del finding
        side = max(picture.width, picture.height)
        return picture.padded(side, side) if picture.width != picture.height else None
