"""The plugin's rules. `SHY` is its own prefix: 2-4 letters, never `AGP`."""

from __future__ import annotations

from agpis_sdk import Rule

GRAY_PICTURE = Rule(
    code="SHY101",
    name="colourless-picture",
    summary="The picture has no colour.",
    category="single-image",
    explanation="# SHY101 colourless-picture\n\nFires where no pixel has a colour worth the name.",
)
