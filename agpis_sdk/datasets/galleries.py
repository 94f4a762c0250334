"""Merchants' galleries as accepted reviews: the data that a shop has before its first reviewer sits down."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from agpis_sdk.datasets.splits import SPLITS, Split, split_of
from agpis_sdk.errors import TrainingDataError, first_problem
from agpis_sdk.media.products import RejectedRecord, read_products
from agpis_sdk.records import CandidateImage, Product, Review

NOT_FIRST = ("back", "outsole", "palm")
IMPROPER_ORDER = "AGP302"


def read_galleries(folders: Sequence[Path]) -> Iterator[Review]:
    """Yield an accepted review for each product of folders that hold a `products.jsonl`, or an `images.jsonl`.

    The latter has one photo a line, `{"uri": …}`, each a product of its own.

    Where a folder's `facts.json` (product id → image id → facts) marks color variants of the main view, they are left
    out: which color a merchant puts first cannot be learned from the picture (paper Eq. 1 would call them negative).
    A gallery that begins with a back or a sole is left out as a whole: no reviewer would accept that order.
    """
    for folder in folders:
        if (folder / "images.jsonl").is_file():
            yield from _single_photos(folder)
            continue
        facts = facts_of(folder)
        for product in products_of(folder):
            if facts.get(product.id, {}).get(product.images[0].id, {}).get("view") in NOT_FIRST:
                continue
            gallery = without_variants(product, facts.get(product.id, {}))
            yield Review(
                product=gallery,
                sequence=tuple(image.id for image in gallery.images),
                decision="accepted",
                feedback="yes",
            )


def products_of(folder: Path) -> Iterator[Product]:
    """Yield the products of a folder's `products.jsonl`; raises where there is none, or a line is no product."""
    path = folder / "products.jsonl"
    if not path.is_file():
        raise TrainingDataError("holds no products.jsonl", item=str(folder), remedy="name a folder of photos")
    for product in read_products(path):
        if isinstance(product, RejectedRecord):
            raise product.error
        yield product


def facts_of(folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the content of a folder's `facts.json`: product id → image id → facts; nothing where there is none."""
    path = folder / "facts.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _single_photos(folder: Path) -> Iterator[Review]:
    with (folder / "images.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            uri = json.loads(line)["uri"]
            image = CandidateImage(id=Path(uri).stem, uri=str(folder / uri))
            product = Product(id=image.id, images=(image,))
            yield Review(product=product, sequence=(image.id,), decision="accepted", feedback="yes")


def without_variants(product: Product, facts: dict[str, dict[str, Any]]) -> Product:
    """Return a product without the main views and variants that follow its first image."""

    def is_variant(image_id: str) -> bool:
        known = facts.get(image_id, {})
        return known.get("role") == "variant" or known.get("view") == "main"

    first, *others = product.images
    return product.model_copy(update={"images": (first, *(image for image in others if not is_variant(image.id)))})


def read_reviews(path: Path) -> Iterator[Review]:
    """Yield the reviews of a JSON-lines file; image uris are resolved against it.

    Raises `TrainingDataError` naming the line that is no review.
    """
    from pydantic import ValidationError

    from agpis_sdk.media.sources import resolve

    if not path.is_file():
        raise TrainingDataError(
            "no such file", item=str(path), remedy="reviews are JSON lines, see the record reference"
        )
    base = path.resolve().parent
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                review = Review.model_validate_json(line)
            except ValidationError as error:
                raise TrainingDataError(str(first_problem(error)), item=f"{path.name}, line {number}") from None
            images = tuple(
                image.model_copy(update={"uri": resolve(image.uri, base)}) for image in review.product.images
            )
            yield review.model_copy(update={"product": review.product.model_copy(update={"images": images})})


def with_replaced(reviews: Iterable[Review]) -> Iterator[Review]:
    """Yield reviews, and after each correction what it replaced: the reviewer did not accept the proposed sequence.

    Where the correction holds the same images, their order was refused; else the reviewer has named no rule.
    """
    for review in reviews:
        yield review
        if review.proposed and review.proposed != review.sequence:
            reordered = sorted(review.proposed) == sorted(review.sequence)
            yield Review(
                product=review.product,
                sequence=review.proposed,
                decision="rejected",
                rules=(IMPROPER_ORDER,) if reordered else (),
                feedback="improper order" if reordered else "",
            )


def subsample_accepted(reviews: Sequence[Review], *, accepted_share: float, seed: int = 0) -> list[Review]:
    """Drop accepted reviews of the train split at random until they are at most `accepted_share` of it, 0..1.

    Accepted sequences are many and alike; a model that sees fewer of them learns more per minute. The validation and
    test splits keep theirs, so that calibration and figures are for the shop's own share.
    """
    train = [review for review in reviews if split_of_review(review, seed=seed) == "train"]
    accepted = [row for row, review in enumerate(train) if review.decision == "accepted"]
    rejected = len(train) - len(accepted)
    keep = min(len(accepted), round(rejected * accepted_share / max(1 - accepted_share, 1e-9)))
    # The same ones whatever the seed: models of several seeds then differ in training alone, and share cached features.
    draw = random.Random(0)
    dropped = {id(train[row]) for row in draw.sample(accepted, len(accepted) - keep)}
    return [review for review in reviews if id(review) not in dropped]


def split_of_review(review: Review, *, seed: int = 0) -> Split:
    """Return the split that the bench recorded, else that of the review's product."""
    written = review.product.attributes.get("split")
    return cast("Split", written) if written in SPLITS else split_of(review.product, seed=seed)
