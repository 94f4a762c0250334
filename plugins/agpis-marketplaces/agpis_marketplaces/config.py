"""Settings of the plugin, in agpis.toml under [components.marketplaces] and [components.marketplaces-gallery]."""

from __future__ import annotations

import datetime

from pydantic import Field, field_validator

from agpis_marketplaces.data import MarketplaceProfile, Requirement
from agpis_marketplaces.data import profile as profile_named
from agpis_sdk import ComponentConfig
from agpis_sdk.errors import UnknownNameError


class MarketplacesConfig(ComponentConfig):
    """Which marketplace's requirements are checked, and those of which day."""

    profile: str = Field(default="", description="A marketplace profile; without one nothing is checked.")
    date: datetime.date | None = Field(default=None, description="The requirements of this day; without it, of today.")
    white_from: int = Field(
        default=250, ge=0, le=255, description="Red, green and blue from which on a pixel is white; 255 is pure white."
    )

    @field_validator("profile")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            return profile_named(name).name if name else ""
        except UnknownNameError as error:
            raise ValueError(f"no such marketplace profile; {error.remedy}") from None

    def requirements(self) -> tuple[MarketplaceProfile | None, tuple[Requirement, ...]]:
        """Return the profile, and what of it is in force on the day."""
        if not self.profile:
            return None, ()
        chosen = profile_named(self.profile)
        return chosen, chosen.in_force(self.date or datetime.datetime.now(tz=datetime.UTC).date())
