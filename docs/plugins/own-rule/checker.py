"""The checker: it measures and gives a score in 0..1; the engine decides what that means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from agpis_sdk import Context, DecodedImage, Finding, image_finding

from agpis_shiny.config import ShinyConfig
from agpis_shiny.rules import GRAY_PICTURE


class ShinyChecker:
    """Finds pictures without any color (SHY101)."""

    def __init__(self, config: ShinyConfig) -> None:
        self._config = config

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        """Yield a finding for each picture of which hardly a pixel has a color."""
        for image in images:
            pixels = image.pixels[::2, ::2]  # every other one tells as much, in a quarter of the time
            spread = pixels.max(axis=2) - pixels.min(axis=2)
            saturation = float(np.quantile(spread, 0.99)) / 255
            score = max(0.0, 1 - 0.5 * saturation / self._config.max_saturation)
            if score > 0:
                yield image_finding(image, GRAY_PICTURE, score, f"no pixel is more colorful than {saturation:.0%}")
