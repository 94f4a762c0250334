"""What color alone says of a plain background: no model, so that measures need no torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agpis_sdk.builtin.foreground.plain_background import SIDE, estimate_foreground
from agpis_sdk.components import AttributedFinding, ComponentConfig, Context, DecodedImage
from agpis_sdk.media.reduced import reduced


class BackgroundEstimator:
    """Provides "background" and "plain_foreground" from color alone, without a model."""

    def __init__(self, config: ComponentConfig) -> None:
        del config

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[AttributedFinding]:
        """Provide the facts about each image; there are no findings."""
        for image in images:
            background, foreground = estimate_foreground(reduced(image, SIDE))
            context.provide(image, "background", background)
            context.provide(image, "plain_foreground", foreground)
        yield from ()
