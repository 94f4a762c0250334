"""The plugin's settings, as they stand in agpis.toml under [components.nudity] and [components.skin]."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from agpis_sdk import ComponentConfig

Share = Annotated[float, Field(gt=0, lt=1)]


class NudityConfig(ComponentConfig):
    """From which score on a picture is taken for pornographic."""

    limit: Share = Field(default=0.8, description="Score from which on; 0.8 is the guidance of the model's authors.")
    limits: Mapping[str, Share] = Field(
        default={}, description='Another limit by category: {"Women/Lingerie" = 0.95}; the longest that fits counts.'
    )

    def limit_for(self, category: str) -> float:
        """Return the limit for a product's category."""
        return limit_of(category, self.limits, self.limit) or self.limit


class SkinConfig(ComponentConfig):
    """How much of the product's place in the picture may be skin; without a limit nothing is said."""

    limit: Share | None = Field(
        default=None, description="Share of skin from which on; without it no category has one."
    )
    limits: Mapping[str, Share] = Field(
        default={}, description='Another limit by category: {"Men/Swimwear" = 0.8}; the longest that fits counts.'
    )

    def limit_for(self, category: str) -> float | None:
        """Return the limit for a product's category, None where nothing is said."""
        return limit_of(category, self.limits, self.limit)


def limit_of(category: str, limits: Mapping[str, float], default: float | None) -> float | None:
    """Return the limit of the longest category path that a category lies in, else the default.

    >>> limit_of("Men / Swimwear > Shorts", {"men": 0.4, "men/swimwear": 0.8}, 0.2)
    0.8
    >>> limit_of("Menswear", {"Men": 0.4}, 0.2)
    0.2
    """
    parts = _parts(category)
    fitting = {path: limit for path, limit in limits.items() if parts[: len(_parts(path))] == _parts(path)}
    return fitting[max(fitting, key=lambda path: len(_parts(path)))] if fitting else default


def _parts(category: str) -> list[str]:
    return [part.strip().casefold() for part in category.replace(">", "/").split("/") if part.strip()]


def against(measured: float, limit: float) -> float:
    """Return a score in 0..1 that is 0.5 where the measured share is at its limit, 0 and 1 at its ends.

    >>> against(0.8, 0.8), against(0.4, 0.8), against(0.9, 0.8)
    (0.5, 0.25, 0.75)
    """
    if measured <= limit:
        return 0.5 * measured / limit
    return min(1.0, round(0.5 + 0.5 * (measured - limit) / (1 - limit), 9))
