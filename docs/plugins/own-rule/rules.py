"""The plugin's rules. `SHY` is its own prefix: 2-4 letters, never `AGP`."""

from __future__ import annotations

from agpis_sdk import Rule

GRAY_PICTURE = Rule(
    code="SHY101",
    name="colorless-picture",
    summary="The picture has no color.",
    category="single-image",
    explanation="# SHY101 colorless-picture\n\nFires where no pixel has a color worth the name.",
)
