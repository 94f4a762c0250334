"""The rules about content that does not belong in a product photo (paper section 3.3.1)."""

from __future__ import annotations

from functools import partial

from agpis_sdk.rules import Rule, RuleSet

_rule = partial(Rule, pages="agpis_sdk.builtin.noncompliance")

RULES = RuleSet(
    (
        _rule(
            code="AGP109",
            name="unnatural-artifact",
            category="single-image",
            severity="warning",
            summary="Traces of a bad cut-out, a smear or a failed retouch.",
            remedy="Cut the product out anew, or choose another image.",
            threshold=0.8,
            aliases=("artifact", "bad cut-out"),
        ),
        _rule(
            code="AGP112",
            name="collage",
            category="single-image",
            severity="error",
            summary="Several pictures are put together in one.",
            remedy="Upload the pictures of the collage one by one.",
            aliases=("grid of pictures", "inset"),
        ),
        _rule(
            code="AGP113",
            name="screenshot",
            category="single-image",
            severity="error",
            summary="The picture is a screenshot with parts of an app or browser.",
            remedy="Upload the photo itself instead of a screenshot of it.",
            aliases=("screen capture",),
        ),
        _rule(
            code="AGP119",
            name="banner",
            category="single-image",
            severity="error",
            summary="A banner or colored block lies over the picture.",
            remedy="Upload the photo without the banner.",
            aliases=("banner overlay", "color block"),
        ),
        _rule(
            code="AGP120",
            name="promotional-text",
            category="single-image",
            severity="error",
            summary="Text is laid over the picture.",
            remedy="Upload the photo without the text; the words belong in the description.",
            aliases=("text overlay", "overlaid text", "slogan"),
        ),
        _rule(
            code="AGP121",
            name="watermark",
            category="single-image",
            severity="error",
            summary="A watermark lies over the picture.",
            remedy="Upload the photo without the watermark.",
            aliases=("water-print", "water print"),
        ),
        _rule(
            code="AGP122",
            name="logo-overlay",
            category="single-image",
            severity="error",
            summary="A logo that is not on the product is laid over the picture.",
            remedy="Upload the photo without the logo.",
            aliases=("logo",),
        ),
        _rule(
            code="AGP123",
            name="qr-or-barcode",
            category="single-image",
            severity="error",
            summary="A QR code or barcode is laid over the picture.",
            remedy="Upload the photo without the code.",
            aliases=("qr code", "barcode"),
        ),
        _rule(
            code="AGP124",
            name="price-badge",
            category="single-image",
            severity="error",
            summary="A price or discount badge lies over the picture.",
            remedy="Upload the photo without the badge; the price belongs in the offer.",
            aliases=("price tag", "discount badge"),
        ),
        _rule(
            code="AGP125",
            name="contact-information",
            category="single-image",
            severity="error",
            summary="A phone number, address or handle leads buyers elsewhere.",
            remedy="Upload the photo without the contact details.",
            aliases=("phone number", "contact"),
        ),
        _rule(
            code="AGP128",
            name="non-compliant-content",
            category="single-image",
            severity="error",
            summary="Something does not belong in the picture, and no one kind stands out.",
            remedy="Look at what was laid over the picture, and upload the photo without it.",
            aliases=("non-compliant", "noncompliant content"),
        ),
    )
)
