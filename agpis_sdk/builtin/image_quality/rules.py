"""The rules about image quality and exact copies, measured without a model."""

from __future__ import annotations

from functools import partial

from agpis_sdk.rules import Rule, RuleSet

_rule = partial(Rule, pages="agpis_sdk.builtin.image_quality")

RULES = RuleSet(
    (
        _rule(
            code="AGP101",
            name="low-resolution",
            category="single-image",
            severity="error",
            summary="The image has too few pixels to show the product.",
            aliases=("low resolution", "too small image", "resolution"),
        ),
        _rule(
            code="AGP102",
            name="extreme-aspect-ratio",
            category="single-image",
            severity="error",
            summary="The image is far wider or taller than a gallery can show.",
            aliases=("aspect ratio",),
        ),
        _rule(
            code="AGP103",
            name="blurry-image",
            category="single-image",
            severity="error",
            summary="The image is blurred: focus, motion or enlargement.",
            aliases=("blur", "blurry", "out of focus"),
        ),
        _rule(
            code="AGP104",
            name="over-exposed",
            category="single-image",
            severity="warning",
            summary="The product is washed out by light.",
            aliases=("overexposed", "washed out"),
        ),
        _rule(
            code="AGP105",
            name="under-exposed",
            category="single-image",
            severity="warning",
            summary="The image is too dark to see the product.",
            aliases=("underexposed", "too dark"),
        ),
        _rule(
            code="AGP106",
            name="low-contrast",
            category="single-image",
            severity="warning",
            summary="The image is flat and gray.",
            aliases=("contrast",),
        ),
        _rule(
            code="AGP107",
            name="compression-artifacts",
            category="single-image",
            severity="warning",
            summary="Blocks or ringing from heavy compression.",
            aliases=("jpeg artifacts", "compression"),
        ),
        _rule(
            code="AGP110",
            name="upscaled-image",
            category="single-image",
            severity="warning",
            summary="A small image that was enlarged.",
            aliases=("upscaled", "pixelated"),
        ),
        _rule(
            code="AGP111",
            name="border-or-frame",
            category="single-image",
            severity="error",
            summary="A border or frame runs around the picture.",
            aliases=("border", "frame"),
        ),
        _rule(
            code="AGP114",
            name="placeholder-image",
            category="single-image",
            severity="error",
            summary="A placeholder stands where the product should be.",
            aliases=("placeholder", "no image"),
        ),
        _rule(
            code="AGP115",
            name="cluttered-background",
            category="single-image",
            severity="warning",
            summary="The background distracts from the product.",
            aliases=("clutter", "messy background"),
        ),
        _rule(
            code="AGP116",
            name="product-too-small",
            category="single-image",
            severity="warning",
            summary="The product fills too little of the picture.",
            aliases=("too small", "product fill"),
        ),
        _rule(
            code="AGP117",
            name="product-cropped",
            category="single-image",
            severity="warning",
            summary="The picture's edge cuts the product.",
            aliases=("cropped", "cut off"),
        ),
        _rule(
            code="AGP118",
            name="product-off-center",
            category="single-image",
            severity="warning",
            summary="The product stands far from the middle.",
            aliases=("off center", "not centered"),
        ),
        _rule(
            code="AGP129",
            name="format-mismatch",
            category="single-image",
            severity="warning",
            summary="The file's extension does not tell its real format.",
            aliases=("wrong extension", "wrong file type"),
        ),
        _rule(
            code="AGP130",
            name="ai-generated-mark",
            category="single-image",
            severity="warning",
            summary="The metadata says that generative AI made or edited the picture.",
            aliases=("ai generated", "generative ai"),
        ),
        _rule(
            code="AGP202",
            name="exact-copy",
            category="image-pair",
            severity="error",
            summary="Two images are the same, pixel for pixel.",
            aliases=("same file", "identical"),
        ),
    )
)
