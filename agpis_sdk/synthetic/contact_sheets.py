"""Contact sheets of a bench: what each rule's violations look like, for a person to look at."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from agpis_sdk.datasets.galleries import read_reviews
from agpis_sdk.records import Review
from agpis_sdk.synthetic.reviews import REVIEWS, by_rule

TILE, GAP, CAPTION = 150, 8, 62
COLUMNS, SEQUENCES = 3, 12
INK, PAPER = (30, 30, 34), (240, 240, 242)


def write_contact_sheets(bench: Path, out: Path, *, split: str | None = None) -> list[Path]:
    """Draw one sheet per rule, and one of accepted sequences, into `out`; return their paths.

    The first sequences of each rule are shown, of one split where it is named, at most three of a product.
    """
    out.mkdir(parents=True, exist_ok=True)
    reviews = (
        review for review in read_reviews(bench / REVIEWS) if split in (None, review.product.attributes.get("split"))
    )
    paths = []
    for rule, group in sorted(by_rule(reviews).items()):
        path = out / f"{rule}.png"
        contact_sheet(_spread(group)).save(path)
        paths.append(path)
    return paths


def _spread(reviews: Sequence[Review]) -> list[Review]:
    """Return reviews from all over a list, so that a sheet does not show one product alone."""
    step = max(1, len(reviews) // SEQUENCES)
    return list(reviews[::step])[:SEQUENCES]


def contact_sheet(reviews: Sequence[Review]) -> Image.Image:
    """Draw sequences in columns, each with its title and the reviewer's words under it."""
    longest = max(len(review.sequence) for review in reviews)
    width, height = longest * TILE + 3 * GAP, TILE + CAPTION + 2 * GAP
    rows = -(-len(reviews) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * width, rows * height), PAPER)
    for number, review in enumerate(reviews):
        _draw(sheet, review, (number % COLUMNS) * width + GAP, (number // COLUMNS) * height + GAP, width)
    return sheet


def _draw(sheet: Image.Image, review: Review, left: int, top: int, width: int) -> None:
    by_id = {image.id: image for image in review.product.images}
    for position, image_id in enumerate(review.sequence):
        with Image.open(by_id[image_id].uri) as image:
            tile = ImageOps.pad(image.convert("RGB"), (TILE - 4, TILE - 4), color=(205, 205, 210))
        sheet.paste(tile, (left + position * TILE, top))
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=12)
    letters = max(20, width // 7)
    words = [textwrap.shorten(review.product.title, letters), *textwrap.wrap(review.feedback, letters)[:3]]
    draw.multiline_text((left, top + TILE), "\n".join(words), fill=INK, font=font, spacing=2)
