"""A primary selector: which image comes first? Chosen with `primary.selector = "most-colorful"`, else it does not run."""

from __future__ import annotations

from collections.abc import Sequence

from agpis_example.checker import largest_saturation
from agpis_sdk import ComponentConfig, Context, DecodedImage


class MostColorfulSelector:
    """Prefers the picture with the strongest color."""

    def __init__(self, config: ComponentConfig) -> None:
        del config

    def score_primary(self, images: Sequence[DecodedImage], context: Context) -> list[float]:
        """Return one score in 0..1 per image, in the order given; the engine takes the highest of a product."""
        del context
        return [largest_saturation(image.pixels) for image in images]
