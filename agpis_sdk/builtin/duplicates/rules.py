"""The rules about pairs of images that repeat each other (paper section 3.3.2)."""

from __future__ import annotations

from functools import partial

from agpis_sdk.rules import Rule, RuleSet

_rule = partial(Rule, pages="agpis_sdk.builtin.duplicates")

RULES = RuleSet(
    (
        _rule(
            code="AGP201",
            name="duplicate-content",
            category="image-pair",
            severity="error",
            summary="Two images show the same content: a crop, flip or copy of one another.",
            remedy="Keep one of the two, and upload another view instead of the other.",
            aliases=("duplicated content", "duplicate"),
        ),
        _rule(
            code="AGP203",
            name="similar-viewing-angle",
            category="image-pair",
            severity="warning",
            summary="Two images show the product from nearly the same angle.",
            remedy="Show another side of the product in one of the two.",
            mended_by="view",
            aliases=("similar angle", "same view"),
        ),
        _rule(
            code="AGP206",
            name="enlarged-detail-repeated",
            category="image-pair",
            severity="warning",
            summary="One image only repeats a part of the other, enlarged.",
            remedy="Upload a real close-up, taken from nearer.",
            mended_by="view",
            aliases=("repeated detail", "zoomed copy"),
        ),
        _rule(
            code="AGP208",
            name="color-variant",
            category="image-pair",
            severity="warning",
            summary="Two images are the same shot of the product in different colors.",
            remedy="List each color under its own variant.",
            aliases=("recolored", "color variant"),
        ),
    )
)
