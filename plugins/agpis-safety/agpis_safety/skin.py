"""The check for bare skin, by the color of pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_safety.config import SkinConfig, against
from agpis_safety.rules import MUCH_SKIN
from agpis_sdk import MIN_REPORTED_SCORE, Context, DecodedImage, Finding, Foreground, image_finding

SIDE = 256


class SkinChecker:
    """Finds pictures that show more bare skin than their category may (ASF102)."""

    def __init__(self, config: SkinConfig) -> None:
        self._config = config

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        """Provide the share of skin in 0..1 of each image, and yield a finding for each that comes near its limit."""
        for image in images:
            share = skin_share(image.pixels, context.fact(image, "foreground"))
            context.provide(image, "safety.skin", share)
            limit = self._config.limit_for(context.product(image.product_id).category)
            score = against(share, limit) if limit is not None else 0.0
            if score >= MIN_REPORTED_SCORE:
                yield image_finding(
                    image, MUCH_SKIN, score, f"{share:.0%} of what it shows is skin; {limit:.0%} may be"
                )


def skin_share(pixels: NDArray[np.uint8], foreground: Foreground | None) -> float:
    """Return which share of an (H, W, 3) RGB picture's foreground is of the color of skin, in 0..1.

    Where the foreground is unknown, of the whole picture.
    """
    height, width = pixels.shape[:2]
    factor = min(1.0, SIDE / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    skin = skin_pixels(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8))
    if foreground is None:
        return float(skin.mean())
    mask = cv2.resize(foreground.mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(bool)
    return float(skin[mask].mean()) if mask.any() else 0.0


def skin_pixels(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which pixels (H, W) of an (H, W, 3) RGB picture are of the color of skin.

    The two rules of Kovač, Peer and Solina, "Human skin color clustering for face detection", EUROCON 2003: one for
    daylight, one for flash.

    >>> skin_pixels(np.array([[[210, 150, 120], [60, 90, 200]]], np.uint8))
    array([[ True, False]])
    """
    red, green, blue = (pixels[..., channel].astype(np.int16) for channel in range(3))
    largest, smallest = pixels.max(axis=2).astype(np.int16), pixels.min(axis=2).astype(np.int16)
    daylight = (
        (red > 95) & (green > 40) & (blue > 20) & (largest - smallest > 15)
        & (abs(red - green) > 15) & (red > green) & (red > blue)
    )  # fmt: skip
    flash = (red > 220) & (green > 210) & (blue > 170) & (abs(red - green) <= 15) & (red > blue) & (green > blue)
    return np.asarray(daylight | flash)
