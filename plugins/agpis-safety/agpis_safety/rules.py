"""The plugin's rules; `ASF` is its own prefix."""

from __future__ import annotations

from agpis_sdk import Rule

NUDITY = Rule(
    code="ASF101",
    name="nudity",
    summary="The picture looks pornographic.",
    category="single-image",
    severity="error",
    aliases=("pornographic", "nsfw"),
    explanation="""# ASF101 nudity

## What it checks

Whether a picture looks like pornography to Yahoo's open_nsfw network.

## Why it matters

Marketplaces take down the offer, and often the seller with it.

## How it is measured

The network's score in 0..1 on the picture at 256 x 256, its middle 224 x 224. The finding's score is 0.5 at `limit`, or at
what `limits` says for the product's category. The network's authors call less than 0.2 safe and more than 0.8 not safe.

## Known problems

The network was trained on pornography and on everyday photos, not on product photos. Lingerie, swimwear and bare mannequins
score higher than other goods. Drawings, violence and drugs are not looked for. The picture's edge is not seen.

## Example

Violates: an explicit photo. Complies: a model in a bikini.
""",
)

MUCH_SKIN = Rule(
    code="ASF102",
    name="much-skin",
    summary="More of the picture is bare skin than this category may show.",
    category="single-image",
    severity="warning",
    aliases=("bare skin",),
    explanation="""# ASF102 much-skin

## What it checks

How much of what stands out from the background has the color of skin. Without a limit it says nothing: most shops that sell
clothes show them on people, and a limit that suits shoes does not suit swimwear.

## Why it matters

Some marketplaces and countries want no bare skin in some categories.

## How it is measured

The share of the foreground's pixels that the color rules of Kovač, Peer and Solina (EUROCON 2003) call skin; of the whole
picture where the background is too busy to tell the foreground. The score is 0.5 at the limit of the product's category.

## Known problems

The rules look at color alone: unpainted wood, leather, sand and beige cloth are skin to them, and very dark skin, or skin
under colored light, is not. Set limits only for categories in which people are shown.

## Example

Violates, with a limit of 0.3: a T-shirt on a model who wears nothing else. Complies: the same shirt on a model in jeans.
""",
)
