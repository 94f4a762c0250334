"""The rules that only the sequence model recognizes; it may also raise every other rule it was trained on."""

from __future__ import annotations

from functools import partial

from agpis_sdk.rules import Rule, RuleSet

_rule = partial(Rule, pages="agpis_sdk.builtin.muisc")

RULES = RuleSet(
    (
        _rule(
            code="AGP108",
            name="image-noise",
            category="single-image",
            severity="warning",
            summary="Grain or color noise covers the product.",
            remedy="Photograph it again with more light and a lower ISO.",
            aliases=("noise", "grain"),
        ),
        _rule(
            code="AGP126",
            name="color-cast",
            category="single-image",
            severity="warning",
            summary="A color cast changes the product's color.",
            remedy="Correct the white balance, or photograph it again in neutral light.",
            aliases=("color cast", "white balance"),
        ),
        _rule(
            code="AGP127",
            name="rotated-image",
            category="single-image",
            severity="warning",
            summary="The product lies on its side, tilted or upside down.",
            remedy="Turn the picture upright.",
            aliases=("rotated", "upside down", "tilted"),
        ),
        _rule(
            code="AGP204",
            name="color-mismatch",
            category="image-pair",
            severity="warning",
            summary="Two images show the product in different colors.",
            remedy="Check that both show the variant that is sold.",
            aliases=("different color", "wrong color"),
        ),
        _rule(
            code="AGP205",
            name="different-product",
            category="image-pair",
            severity="warning",
            summary="Two images show different products.",
            remedy="Take the image of the other product off the list.",
            aliases=("wrong product", "another product"),
        ),
        _rule(
            code="AGP207",
            name="style-mismatch",
            category="image-pair",
            severity="warning",
            summary="Two images differ so much in style that they do not belong together.",
            remedy="Replace one of the two by a photo in the style of the others.",
            aliases=("different style",),
        ),
        _rule(
            code="AGP301",
            name="primary-not-whole-product",
            category="multi-image",
            severity="warning",
            summary="The primary image does not show the whole product.",
            remedy="Choose an image of the whole product as the first.",
            aliases=("whole product", "whole picture"),
        ),
        _rule(
            code="AGP302",
            name="improper-order",
            category="multi-image",
            severity="warning",
            summary="The images stand in an order that does not introduce the product.",
            remedy="Put the whole product first, then its other sides, then details.",
            aliases=("wrong order", "display order"),
        ),
        _rule(
            code="AGP303",
            name="missing-view",
            category="multi-image",
            severity="warning",
            summary="The sequence leaves out a side of the product that a buyer needs.",
            remedy="Add the view that is missing.",
            aliases=("incomplete", "not enough views"),
        ),
        _rule(
            code="AGP304",
            name="title-mismatch",
            category="multi-image",
            severity="warning",
            summary="The sequence does not show what the title names.",
            remedy="Check the title, and that the images show what it names.",
            aliases=("does not match the title",),
        ),
        _rule(
            code="AGP305",
            name="redundant-sequence",
            category="multi-image",
            severity="warning",
            summary="All images say the same.",
            remedy="Replace a repeated image by another side or a detail.",
            aliases=("redundant", "repetitive"),
        ),
        _rule(
            code="AGP306",
            name="details-only",
            category="multi-image",
            severity="warning",
            summary="The sequence holds only details.",
            remedy="Add an image of the whole product.",
            aliases=("only details", "only close-ups"),
        ),
        _rule(
            code="AGP307",
            name="inconsistent-background",
            category="multi-image",
            severity="warning",
            summary="Backgrounds change through the sequence.",
            remedy="Photograph all images before one background.",
            aliases=("backgrounds differ",),
        ),
        _rule(
            code="AGP308",
            name="primary-shows-back",
            category="multi-image",
            severity="warning",
            summary="The primary image shows the back of the product.",
            remedy="Choose an image of the front as the first.",
            aliases=("back view first",),
        ),
    )
)
