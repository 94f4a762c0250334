"""Announces the SDK's own profiles."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_sdk.components import Profile
from agpis_sdk.hookspecs import hookimpl


@hookimpl
def agpis_profiles() -> Iterable[Profile]:
    """Announce the paper's choices, and stage 1 alone."""
    yield Profile(
        name="paper",
        summary="The paper's choices: sequences of exactly K^t images, drawn at random, the largest p_primary first.",
        settings={"primary": {"margin": 0.0}, "sequence": {"min_length": 0, "builder": "random"}},
    )
    yield Profile(
        name="strict",
        summary="Stage 1 alone, as the paper began: every sequence of compliant images is submitted.",
        settings={"sequence": {"scorer": "none", "builder": "listed"}},
    )
