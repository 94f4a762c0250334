"""Measures how much of a picture's middle is pure white."""

from collections.abc import Iterator, Sequence

from agpis_shiny.plugin import SHINY_SPOT, ShinyConfig

from agpis_sdk import Context, DecodedImage, Finding, image_finding


class ShinyChecker:
    """Scores each image by the share of pure white in the middle ninth of the picture."""

    def __init__(self, config: ShinyConfig) -> None:
        self._config = config

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        """Yield one finding per image that has any pure white in its middle."""
        for image in images:
            height, width = image.pixels.shape[:2]
            middle = image.pixels[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3]
            share = float((middle >= 254).all(axis=2).mean())
            if share > 0:
                score = min(1.0, share / self._config.max_share)
                yield image_finding(image, SHINY_SPOT, score, f"{share:.0%} of the middle is pure white")
