"""A picture in the frame in which two are compared, and what a comparison needs of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.duplicates.overlay import edge_strength

COLOR_BLUR = 2.0  # pixels; sigma of the further blur before colors are compared, as JPEG keeps them coarsely
GRAY = 6.0  # gray levels between the channels of a picture without color,
MOST_COLORFUL = 0.01  # but for this share of it


@dataclass(frozen=True, eq=False)
class Rendering:
    """(h, w, 3) float32 RGB 0..255; each further part is computed when it is first asked for, and once."""

    pixels: NDArray[np.float32]

    @cached_property
    def luma(self) -> NDArray[np.float32]:
        """The luma (h, w)."""
        return np.asarray(cv2.cvtColor(self.pixels, cv2.COLOR_RGB2GRAY), dtype=np.float32)

    @cached_property
    def edges(self) -> NDArray[np.float32]:
        """How fast the colors change (h, w)."""
        return edge_strength(_lab(self.pixels))

    @cached_property
    def coarse_lab(self) -> NDArray[np.float32]:
        """The CIE Lab colors (h, w, 3) as coarsely as JPEG keeps them."""
        return _lab(smooth(self.pixels, COLOR_BLUR))

    @cached_property
    def colorful(self) -> NDArray[np.bool_]:
        """Where there is color (h, w)."""
        red, green, blue = cv2.split(self.pixels)
        return np.asarray(cv2.max(cv2.max(red, green), blue) - cv2.min(cv2.min(red, green), blue) >= GRAY)

    def is_gray(self, mask: NDArray[np.bool_]) -> bool:
        """Tell whether the picture has no color inside a mask (h, w), but for specks."""
        return bool(np.count_nonzero(self.colorful & mask) <= MOST_COLORFUL * np.count_nonzero(mask))

    def in_gray(self) -> Rendering:
        """Return the picture without its colors."""
        return Rendering(np.repeat(self.luma[:, :, None], 3, axis=2))


def smooth(pixels: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Blur (h, w) or (h, w, channels) by a sigma in pixels."""
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), dtype=np.float32)


def _lab(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    shares = pixels / np.float32(255)
    return np.asarray(cv2.cvtColor(np.clip(shares, 0, 1, out=shares), cv2.COLOR_RGB2LAB), dtype=np.float32)
