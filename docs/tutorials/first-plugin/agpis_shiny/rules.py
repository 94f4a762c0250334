"""The plugin's rules. `SHY` is its own prefix: 2-4 letters, never `AGP`."""

from __future__ import annotations

from agpis_sdk import Rule

HIGHLIGHT = Rule(
    code="SHY101",
    name="shiny-highlight",
    summary="A highlight hides part of the product.",
    category="single-image",
    # An "error" would remove the image from the candidates; a "warning" is reported only.
    severity="warning",
    explanation="""# SHY101 shiny-highlight

## What it checks

Whether a large part of the picture's middle is pure white.

## Why it matters

A buyer cannot see the surface under a reflection.

## How it is measured

The share of pure white in the middle ninth of the picture. The score is 0.5 at `max_share`, 1 at twice as much.

## Known problems

A white product has a white middle, too.

## Example

Violates: a lacquered box under a lamp. Complies: the same box in soft light.
""",
)
