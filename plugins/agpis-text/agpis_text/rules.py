"""The plugin's rules, with their pages; `TXT` is its own prefix."""

from __future__ import annotations

from agpis_sdk import Rule

MEASURED = (
    "PP-OCRv6 reads the picture at 512 px. Each line gets a score for being laid over the picture rather than printed on the "
    "product: contrast, steepness and one color of the lettering, tilt, place beside the product or near the picture's edge, "
    "and how clearly it reads. What the line says is then added to the log odds of that score: `strengths` in "
    "`[components.text]`. The finding's score is that of the surest passage; its boxes are the lines."
)
PACKAGING = (
    "A sharp catalog picture of a carton looks as drawn as an overlay. Pale text in the middle of the product is taken for "
    "print. The recognizer knows Latin, Greek, Chinese and Japanese signs; Cyrillic or Arabic text is not read."
)


def _rule(
    number: int,
    name: str,
    summary: str,
    *,
    blocks: bool,
    checks: str,
    matters: str,
    measured: str,
    problems: str,
    example: str,
) -> Rule:
    code = f"TXT{number}"
    return Rule(
        code=code,
        name=name,
        summary=summary,
        category="single-image",
        severity="error" if blocks else "warning",
        explanation=f"# {code} {name}\n\n## What it checks\n\n{checks}\n\n## Why it matters\n\n{matters}\n\n"
        f"## How it is measured\n\n{measured}\n\n## Known problems\n\n{problems}\n\n## Example\n\n{example}\n",
    )


PROMOTION = _rule(
    101,
    "promotional-wording",
    "The picture says that something is on sale, free, new or best.",
    blocks=True,
    checks="Whether text in the picture promotes: discounts, shipping, offers, best sellers, calls to buy. In English, "
    "German, French, Spanish, Italian and Chinese; `languages` and the word lists are settings.",
    matters="Marketplaces refuse promotion in pictures: it ages, cannot be translated, and misleads where the offer is over.",
    measured=f'{MEASURED} Words that packaging has as well ("new", "high quality") count for less than those that only '
    'sellers use ("free shipping").',
    problems=f'{PACKAGING} Words of one language are another\'s: "sale" is salt in Italian. Only listed wording is known.',
    example='Violates: "FREE SHIPPING" above a pair of shoes. Complies: a bottle whose label says "new recipe".',
)
PRICE = _rule(
    102,
    "written-price",
    "A price is written in the picture.",
    blocks=True,
    checks='Whether text in the picture is a price: a number with a currency, one that ends in 95 or 99, "only 20".',
    matters="The shop shows the price. One in the picture is soon another.",
    measured=MEASURED,
    problems=f"{PACKAGING} A currency sign that is misread leaves a number, which is no price here.",
    example='Violates: "$ 19.99" in a yellow star. Complies: the price engraved on a collector\'s coin, left alone by its look.',
)
CONTACT = _rule(
    103,
    "contact-data",
    "An address, a number or a handle leads buyers elsewhere.",
    blocks=True,
    checks="Whether text in the picture is a web or e-mail address, a telephone number, a handle, or names a messenger.",
    matters="It leads buyers away from the shop, which nearly every marketplace forbids.",
    measured=MEASURED,
    problems=f"{PACKAGING} The maker's address on a carton counts for less than one over the background, yet may be reported.",
    example='Violates: "WhatsApp +49 170 1234567" at the bottom. Complies: "www." in small print on the back of a carton.',
)
MARKETPLACE = _rule(
    104,
    "marketplace-name",
    "The name of a marketplace stands in the picture.",
    blocks=True,
    checks="Whether text in the picture names a marketplace, such as Amazon, eBay or 淘宝; the names are a setting.",
    matters="Pictures taken over from another marketplace are refused, and often are someone else's.",
    measured=MEASURED,
    problems=f'{PACKAGING} A name that is also a word ("temu", "allegro") is found in its other sense, too.',
    example="Violates: \"Amazon's Choice\" in a corner. Complies: a parcel tape printed with a shop's own name.",
)
CODE = _rule(
    105,
    "scannable-code",
    "A QR code or bar code stands in the picture.",
    blocks=False,
    checks="Whether OpenCV finds a QR code or a bar code in the picture.",
    matters="A QR code leads buyers elsewhere, and a bar code tells them nothing.",
    measured="`cv2.QRCodeDetector` and `cv2.barcode` on the picture at 512 px, enlarged twice. A QR code counts by its shape, "
    "a bar code (EAN, UPC) when it can be read; what was read stands in the message. On the product the score is 0.6 for a "
    "QR code and 0.3 for a bar code, wholly beside it 0.9 and 0.6. `codes = false` turns the search off.",
    problems="Small, tilted or colored codes are not found. A QR code on packaging is reported.",
    example="Violates: a QR code beside a lamp. Complies: the bar code on the back of a carton.",
)
OTHER = _rule(
    106,
    "laid-over-text",
    "Text that no other rule names is laid over the picture.",
    blocks=False,
    checks="Whether lettering that is not promotion, price, contact data or a marketplace's name is laid over the picture: "
    "feature lists, sizes, slogans, captions.",
    matters="Main images must show the product alone; in others, such text belongs into the description.",
    measured=f"{MEASURED} Here nothing is said for it by the words, so `strengths.other` is taken off, and "
    "`strengths.product_name` besides where the line has the words of the product's title, as its own label does, and "
    "`strengths.on_product` where it stands wholly on a product before a plain background.",
    problems=PACKAGING,
    example='Violates: "Waterproof" over a jacket. Complies: a T-shirt with a saying.',
)
RULES = (PROMOTION, PRICE, CONTACT, MARKETPLACE, CODE, OTHER)
