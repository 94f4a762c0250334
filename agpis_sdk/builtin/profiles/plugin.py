"""Announces the SDK's own profiles."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_sdk.components import Profile
from agpis_sdk.hookspecs import hookimpl


@hookimpl
def agpis_profiles() -> Iterable[Profile]:
    """Announce the paper's choices, stage 1 alone, and the choices of a shop that would rather show too much."""
    yield Profile(
        name="paper",
        summary="The paper's choices: sequences of exactly K^t images, drawn at random, the largest p_primary first.",
        settings={
            "noncompliance": {"doubt": 1.0},
            "primary": {"margin": 0.0},
            "sequence": {"min_length": 0, "builder": "random"},
            "components": {"duplicates": {"regions": "always"}},
        },
    )
    yield Profile(
        name="strict",
        summary="Stage 1 alone, as the paper began: every sequence of compliant images is submitted.",
        settings={"sequence": {"scorer": "none", "builder": "listed"}},
    )
    yield Profile(
        name="relaxed",
        summary="For shops that would rather show too much: an image goes only where p_nc is nearly sure, p^t from 0.15 on submits.",
        settings={"noncompliance": {"threshold": 0.8, "doubt": 1.0}, "sequence": {"threshold": 0.15}},
    )
