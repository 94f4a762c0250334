"""A primary selector: which image comes first? Chosen with `primary.selector = "most-colorful"`, else it does not run."""

from __future__ import annotations

import json
from collections.abc import Sequence

from agpis_example.checker import largest_saturation
from agpis_example.config import MostColorfulConfig
from agpis_sdk import Context, DecodedImage


class MostColorfulSelector:
    """Prefers the picture with the strongest color; training sets how much the listed position counts."""

    def __init__(self, config: MostColorfulConfig) -> None:
        trained = json.loads(config.weights.read_text(encoding="utf-8")) if config.weights else {}
        self._position_exponent = float(trained.get("position_exponent", 0.0))

    def score_primary(self, images: Sequence[DecodedImage], context: Context) -> list[float]:
        """Return one score in 0..1 per image, in the order given; the engine takes the highest of a product."""
        del context
        return [score(largest_saturation(image.pixels), image.position, self._position_exponent) for image in images]


def score(saturation: float, position: int, position_exponent: float) -> float:
    """Return a score in 0..1 from the saturation, 0..1, and the listed position, from 0.

    >>> score(0.5, position=1, position_exponent=1.0)
    0.25
    """
    return float(saturation / (1 + position) ** position_exponent)
