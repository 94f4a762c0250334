"""Draw what the SDK does in one picture: a product's candidates, what became of each, and the chosen sequence.

The decisions are those of a real run on a product of the example catalog: docs/assets/overview.webp.
Run `python docs/draw_overview.py`.
"""

from __future__ import annotations

import textwrap

from PIL import Image, ImageDraw
from pictures import BAD, GOOD, INK, LINE, PAPER, PHOTOS, SOFT, fitted, font, mark, photo, save

from agpis_sdk import Config, Outcome, Pipeline
from agpis_sdk.media.products import read_products
from agpis_sdk.plugins import PluginHost, shipped_rules
from agpis_sdk.report.phrases import image_facts, spoken
from agpis_sdk.wording import percent

PRODUCT = "mug-01"
WIDTH, SMALL, LARGE, GAP = 1120, 176, 236, 24
MARGIN = 36


def decided() -> Outcome:
    """Return the outcome of a run on the product, with the built-in plugins alone."""
    pipeline = Pipeline(Config(), host=PluginHost.load(discover=False))
    products = [product for product in read_products(str(PHOTOS.parent / "products.jsonl")) if product.id == PRODUCT]
    return next(iter(pipeline.run(products)))


def fate(outcome: Outcome, image_id: str) -> tuple[bool, str]:
    """Return whether an image was chosen, and why or as what."""
    if image_id in outcome.sequence:
        place = outcome.sequence.index(image_id) + 1
        return True, "chosen as the first image" if place == 1 else f"chosen, place {place}"
    state = next(image.state for image in outcome.images if image.id == image_id)
    if state == "kept":
        return True, "usable, not needed"
    rules = shipped_rules()
    about = [one for one in outcome.findings if image_id in one.images and rules[one.code].severity == "error"]
    strongest = max(about, key=lambda finding: (len(finding.images) == 1, finding.score))
    return False, f"taken out: {spoken(strongest.name).lower()}"


def caption(draw: ImageDraw.ImageDraw, x: int, y: int, text: str, width: int, color: str, size: int = 15) -> None:
    """Write a few short lines."""
    for number, line in enumerate(textwrap.wrap(text, max(10, int(width / (size * 0.5))))):
        draw.text((x, y + number * (size + 5)), line, fill=color, font=font(size))


def candidates(image: Image.Image, outcome: Outcome, top: int) -> None:
    """Draw the row of candidates in listed order."""
    draw = ImageDraw.Draw(image)
    draw.text((MARGIN, top), f"{len(outcome.images)} candidate photos, as the shop lists them", fill=INK, font=font(22))
    for place, candidate in enumerate(outcome.images):
        x, y = MARGIN + place * (SMALL + GAP + 17), top + 42
        good, words = fate(outcome, candidate.id)
        image.paste(fitted(photo(candidate.id), SMALL), (x, y))
        draw.rectangle((x, y, x + SMALL - 1, y + SMALL - 1), outline=LINE if good else BAD, width=1 if good else 2)
        mark(draw, x + 10, y + SMALL + 20, 9, good=good)
        caption(draw, x + 27, y + SMALL + 12, words, SMALL - 27, GOOD if good else BAD)


def chosen(image: Image.Image, outcome: Outcome, top: int) -> None:
    """Draw the chosen sequence, and what is known of each image."""
    draw = ImageDraw.Draw(image)
    probability = percent(outcome.probability or 0.0)
    draw.text(
        (MARGIN, top), f"The sequence, {probability} likely to be accepted by a reviewer", fill=INK, font=font(22)
    )
    states = {one.id: one for one in outcome.images}
    for place, image_id in enumerate(outcome.sequence):
        x, y = MARGIN + place * (LARGE + GAP + 92), top + 42
        image.paste(fitted(photo(image_id), LARGE), (x, y))
        draw.rectangle(
            (x, y, x + LARGE - 1, y + LARGE - 1), outline=GOOD if place == 0 else LINE, width=3 if place == 0 else 1
        )
        draw.text(
            (x, y + LARGE + 10),
            f"{place + 1}{'  first image' if place == 0 else ''}",
            fill=GOOD if place == 0 else INK,
            font=font(17),
        )
        for number, fact in enumerate(list(image_facts(states[image_id]))[:2]):
            draw.text((x, y + LARGE + 36 + number * 20), fact, fill=SOFT, font=font(14))


def main() -> None:
    """Run the product, and draw what came out."""
    outcome = decided()
    image = Image.new("RGB", (WIDTH, 742), PAPER)
    candidates(image, outcome, 28)
    draw = ImageDraw.Draw(image)
    draw.line((MARGIN, 352, WIDTH - MARGIN, 352), fill=LINE, width=2)
    middle = WIDTH // 2
    draw.polygon([(middle - 16, 344), (middle + 16, 344), (middle, 364)], fill=SOFT)
    chosen(image, outcome, 384)
    path = save(image, "overview.webp", quality=82)
    print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
