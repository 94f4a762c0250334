"""The checkers: they measure and give a score in 0..1; the engine decides what that means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from agpis_example.config import GrayPictureConfig, ShapeMismatchConfig
from agpis_example.rules import GRAY_PICTURE, SHAPE_MISMATCH
from agpis_sdk import Context, DecodedImage, ImagePair, image_finding, pair_finding
from agpis_sdk.records import Finding

ENOUGH = 128  # rows and columns to look at: more cost time in every run, and tell the same


class GrayPictureChecker:
    """Finds pictures without any color (EXA101)."""

    def __init__(self, config: GrayPictureConfig) -> None:
        self._config = config

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        """Yield a finding for each picture that is nearly or wholly gray."""
        del context
        for image in images:
            saturation = largest_saturation(image.pixels)
            score = max(0.0, 1 - saturation / (2 * self._config.max_saturation))
            if score > 0:
                yield image_finding(image, GRAY_PICTURE, score, f"no pixel is more colorful than {saturation:.0%}")


class ShapeMismatchChecker:
    """Finds pairs of very different aspect ratios (EXA201)."""

    def __init__(self, config: ShapeMismatchConfig) -> None:
        self._config = config

    def check_pairs(self, pairs: Sequence[ImagePair], context: Context) -> Iterator[Finding]:
        """Yield a finding for each pair whose shapes differ."""
        del context
        for pair in pairs:
            ratios = sorted(image.original_width / image.original_height for image in (pair.first, pair.second))
            difference = ratios[1] / ratios[0]
            score = min(1.0, 0.5 * (difference - 1) / (self._config.max_difference - 1))
            if score > 0:
                yield pair_finding(pair, SHAPE_MISMATCH, score, f"one is {difference:.1f} times as wide as the other")


def largest_saturation(pixels: NDArray[np.uint8]) -> float:
    """Return the saturation in 0..1 that 99 % of the pixels of an (H, W, 3) RGB picture stay below.

    >>> largest_saturation(np.full((4, 4, 3), 90, np.uint8))
    0.0
    """
    step = max(1, min(pixels.shape[:2]) // ENOUGH)
    red, green, blue = np.moveaxis(pixels[::step, ::step], 2, 0)
    spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    return float(np.quantile(spread, 0.99) / 255)
