"""The plugin's rules. `EXA` is its own prefix: 2-4 letters, never `AGP`."""

from __future__ import annotations

from agpis_sdk import Rule

GRAY_PICTURE = Rule(
    code="EXA101",
    name="gray-picture",
    summary="The picture has no color at all.",
    category="single-image",
    # An "error" would remove the image from the candidates; a "warning" is reported only.
    severity="warning",
    explanation="""# EXA101 gray-picture

## What it checks

Whether the picture is black and white: none of its pixels has a color worth the name.

## Why it matters

A buyer cannot tell the product's color from it.

## How it is measured

The saturation that 99 % of the pixels stay below. The score is 1 without any color, 0.5 at `max_saturation`.

## Known problems

A white cup on a white table is a colorless picture of a colorless product.

## Example

Violates: a scan of an old black-and-white catalog. Complies: the same lamp, photographed in color.
""",
)

SHAPE_MISMATCH = Rule(
    code="EXA201",
    name="shape-mismatch",
    summary="Two pictures of one gallery have very different shapes.",
    category="image-pair",
    severity="warning",
    explanation="""# EXA201 shape-mismatch

## What it checks

Whether two pictures of a product differ much in their ratio of width to height.

## Why it matters

A gallery whose tiles jump between tall and wide looks unplanned, and shops fill the gaps with bars.

## How it is measured

The larger ratio by the smaller one. The score is 0 for equal shapes, 0.5 at `max_difference`.

## Known problems

A lamp is tall and its shade is wide; a shop of such things raises `max_difference`.

## Example

Violates: a banner of 1600 x 400 beside a portrait of 800 x 1200. Complies: two squares.
""",
)

GRAY_LEADS = Rule(
    code="EXA301",
    name="gray-leads",
    summary="A colorless picture stands first, though a colored one follows.",
    category="multi-image",
    severity="warning",
    explanation="""# EXA301 gray-leads

## What it checks

Whether a sequence begins with a colorless picture while a later one has color.

## Why it matters

The first picture is the one that buyers see in a list.

## How it is measured

As EXA101 measures color, with the settings of `gray-leads`. The score is 1 or 0.

## Known problems

A white cup may well lead before the same cup on a blue cloth.

## Example

Violates: a technical drawing, then the lamp. Complies: the lamp, then the drawing.
""",
)
