"""The checker: it measures and gives a score in 0..1; the engine decides what that means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from agpis_sdk import Context, DecodedImage, Finding, image_finding
from numpy.typing import NDArray

from agpis_shiny.config import ShinyConfig
from agpis_shiny.rules import HIGHLIGHT


class ShinyChecker:
    """Finds pictures whose middle is hidden by a highlight (SHY101)."""

    def __init__(self, config: ShinyConfig) -> None:
        self._config = config

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        """Yield a finding for each picture that has any pure white in its middle."""
        for image in images:
            share = white_share(image.pixels)
            if share > 0:
                score = min(1.0, 0.5 * share / self._config.max_share)
                yield image_finding(image, HIGHLIGHT, score, f"{share:.0%} of the middle is pure white")


def white_share(pixels: NDArray[np.uint8]) -> float:
    """Return the share in 0..1 of pure white in the middle ninth of an (H, W, 3) RGB picture."""
    height, width = pixels.shape[:2]
    middle = pixels[height // 3 : height - height // 3, width // 3 : width - width // 3]
    return float((middle >= 254).all(axis=2).mean())
