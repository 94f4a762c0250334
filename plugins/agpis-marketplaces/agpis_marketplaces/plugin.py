"""What the plugin announces. Light: this file is imported by every `agpis` command, the checkers only by a run."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_marketplaces.config import MarketplacesConfig
from agpis_marketplaces.data import MarketplaceProfile, profiles
from agpis_marketplaces.rules import IMAGE_RULES, RULES
from agpis_sdk import ImageCheckerSpec, Profile, SequenceCheckerSpec, hookimpl


@hookimpl
def agpis_image_checkers() -> Iterable[ImageCheckerSpec]:
    """Announce the check of what holds for every image."""
    yield ImageCheckerSpec(
        name="marketplaces",
        factory="agpis_marketplaces.checker:ImageRequirementsChecker",
        rules=IMAGE_RULES,
        config=MarketplacesConfig,
        requires=frozenset({"foreground"}),
        cacheable=True,
        reads_product=True,
    )


@hookimpl
def agpis_sequence_checkers() -> Iterable[SequenceCheckerSpec]:
    """Announce the check of what holds for the main image, the others, and the gallery."""
    yield SequenceCheckerSpec(
        name="marketplaces-gallery",
        factory="agpis_marketplaces.checker:GalleryRequirementsChecker",
        rules=RULES,
        config=MarketplacesConfig,
        requires=frozenset({"foreground"}),
        cacheable=True,
    )


@hookimpl
def agpis_profiles() -> Iterable[Profile]:
    """Announce a profile per marketplace."""
    for profile in profiles().values():
        yield Profile(name=profile.name, summary=profile.summary, settings=settings_of(profile))


def settings_of(profile: MarketplaceProfile) -> dict[str, object]:
    """Return the settings of a marketplace's profile: its own rules, and those of the SDK for what it forbids."""
    forbidden = {rule: claim for claim in profile.content for rule in claim.rules}
    return {
        "rules": {
            "select": ["AMP", *forbidden],
            "severities": {rule: "error" if claim.blocks else "warning" for rule, claim in forbidden.items()},
        },
        "components": {
            "marketplaces": {"profile": profile.name},
            "marketplaces-gallery": {"profile": profile.name},
        },
    }
