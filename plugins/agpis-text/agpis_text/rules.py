"""The plugin's rules; `ATX` is its own prefix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from agpis_sdk import Rule
from agpis_text.wording import Kind

MEASURED = """The text is read with PP-OCR where p_nc says that the picture may carry an overlay (`read_from`). The score is how likely the
line was laid over the picture (even ink and ground, contrast, level, sharp, wide, p_nc), raised because of what it says."""


def _rule(
    code: str, name: str, summary: str, severity: Literal["error", "warning"], aliases: tuple[str, ...], what: str, why: str,
    measured: str, problems: str, example: str,
) -> Rule:  # fmt: skip
    return Rule(
        code=code, name=name, summary=summary, category="single-image", severity=severity, aliases=aliases,
        explanation=f"# {code} {name}\n\n## What it checks\n\n{what}\n\n## Why it matters\n\n{why}\n\n## How it is measured\n\n{measured}\n\n"
        f"## Known problems\n\n{problems}\n\n## Example\n\n{example}\n",
    )  # fmt: skip


PROMOTIONAL_WORDS = _rule(
    "ATX101",
    "promotional-words",
    "Words laid over the picture advertise: a sale, free shipping, a bestseller.",
    "error",
    ("advertising words", "sale text"),
    "Whether a line of text over the picture praises the offer, in any of the configured languages.",
    "Most marketplaces refuse images with promotional text, and in a shared catalogue it is another seller's promise.",
    MEASURED,
    "Script fonts and lines at a steep angle are not read. Praise that is in no list is found as ATX106. A shirt that says SALE in "
    "even letters on an even ground may pass for an overlay.",
    'Violates: "FREE SHIPPING" in a corner. Complies: a carton that says "new recipe".',
)
PRICE_SHOWN = _rule(
    "ATX102",
    "price-shown",
    "A price stands in the picture.",
    "error",
    ("price in image",),
    "Whether a line over the picture is a price: a number with a currency.",
    "Prices change; pictures stay. Marketplaces forbid them.",
    MEASURED,
    "A price tag that was photographed on a shelf may be found where it is sharp and level. Small badges are not always read.",
    'Violates: "ONLY 19.99 €" in a badge. Complies: the same price in the offer\'s data.',
)
CONTACT_DATA = _rule(
    "ATX103",
    "contact-data",
    "An address, phone number or account stands in the picture.",
    "error",
    ("contact details", "website address"),
    "Whether a line over the picture is a web or mail address, a phone number, or an account of a messenger.",
    "It leads buyers away; marketplaces suspend sellers for it.",
    MEASURED,
    "Batch numbers on packaging look like phone numbers; the overlay's likelihood holds them back.",
    'Violates: "www.shop.example" along the bottom. Complies: an address in the small print of a carton.',
)
PLATFORM_NAME = _rule(
    "ATX104",
    "platform-name",
    "The name of a marketplace or social network stands in the picture.",
    "error",
    ("marketplace name",),
    "Whether a line over the picture names another marketplace or a social network.",
    "A picture that was made for one marketplace is refused by the others.",
    MEASURED,
    "Products of such companies bear the name: add it to `allowed`.",
    'Violates: "sold on Amazon". Complies: an Amazon Fire TV stick, with `allowed = ["amazon"]`.',
)
MACHINE_CODE = _rule(
    "ATX105",
    "machine-readable-code",
    "A QR code or barcode can be read in the picture.",
    "warning",
    ("readable code",),
    "Whether OpenCV's detectors find a QR code or a barcode, and can read it.",
    "A code leads somewhere that nobody has checked.",
    "OpenCV's QRCodeDetector and BarcodeDetector at the working size, in pictures that are read at all. The score is 1.",
    "Packaging bears barcodes, which is why this is a warning. What cannot be read is not reported; AGP123 sees overlaid codes too.",
    "Violates: a QR code in a corner. Complies: none in sight.",
)
OVERLAID_TEXT = _rule(
    "ATX106",
    "overlaid-text",
    "Other words are laid over the picture.",
    "warning",
    ("text over the picture",),
    "Whether a line over the picture says something that none of the other rules names.",
    "Main images want no text at all on most marketplaces; elsewhere it may be welcome, so this is a warning.",
    MEASURED + " Lines that share a word with the product's title or brand count for less.",
    "Letters printed in even colour on an even product, close up.",
    'Violates: "machine washable" beside a towel. Complies: the same words on its label.',
)
RULE_OF_KIND: Mapping[Kind, Rule] = {
    "promotional": PROMOTIONAL_WORDS, "price": PRICE_SHOWN, "contact": CONTACT_DATA, "platform": PLATFORM_NAME,
}  # fmt: skip
RULES = (*RULE_OF_KIND.values(), MACHINE_CODE, OVERLAID_TEXT)
