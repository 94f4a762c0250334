"""Labels made by eye: what each photo of a shop shows, and which photos a careful merchandiser would put first.

A folder holds `products.jsonl`, `labels.jsonl` (an image a line: product, image, overlay, view, background, whole) and
`labels.products.jsonl` (a product a line: product, best_first).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agpis_sdk.datasets.galleries import products_of
from agpis_sdk.errors import TrainingDataError
from agpis_sdk.records import CandidateImage, Product

LABELS, PRODUCT_LABELS = "labels.jsonl", "labels.products.jsonl"
Background = Literal["white", "plain", "scene"]


@dataclass(frozen=True)
class LabeledImage:
    """A photo of a shop, and what is on it: overlays (none where it is clean), view, background, and whether it shows the whole product."""

    shop: str
    product: Product
    image: CandidateImage
    overlays: tuple[str, ...]
    view: str
    background: Background
    whole: bool


@dataclass(frozen=True)
class LabeledGallery:
    """A product with at least two candidate images, and the ids of those that are right as the first one."""

    shop: str
    product: Product
    best_first: frozenset[str]


@dataclass(frozen=True)
class Look:
    """How an image of a gallery looks: its view, which of the product's colors it shows (None: not told), whether it shows the product."""

    view: str
    color: int | None
    foreign: bool


def labeled_looks(folder: Path) -> dict[tuple[str, str], Look]:
    """Return the look of each labeled image of a shop's folder by product and image id."""
    colors: dict[tuple[str, str], int] = {}
    foreign: set[tuple[str, str]] = set()
    for _, label in _lines(folder / PRODUCT_LABELS):
        for color, images in enumerate(label.get("one_colour_sets", ())):
            colors |= {(label["product"], image): color for image in images}
        foreign |= {(label["product"], image) for image in label.get("foreign", ())}
    keys = {(label["product"], label["image"]): label["view"] for _, label in _lines(folder / LABELS)}
    return {key: Look(view, colors.get(key), key in foreign) for key, view in keys.items()}


def labeled_images(folder: Path) -> Iterator[LabeledImage]:
    """Yield the labeled photos of a shop's folder; raises `TrainingDataError` naming the line that cannot be understood."""
    products = {product.id: product for product in products_of(folder)}
    for place, label in _lines(folder / LABELS):
        try:
            product = products[label["product"]]
            (image,) = (image for image in product.images if image.id == label["image"])
            yield LabeledImage(
                shop=folder.name,
                product=product,
                image=image,
                overlays=tuple(label["overlay"]),
                view=label["view"],
                background=label["background"],
                whole=bool(label["whole"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise TrainingDataError(f"is no label of a listed image: {error}", item=place) from None


def labeled_galleries(folder: Path) -> Iterator[LabeledGallery]:
    """Yield the labeled products of a shop's folder that have a choice: several images, of which some are right first."""
    labels = {label["product"]: frozenset(label["best_first"]) for _, label in _lines(folder / PRODUCT_LABELS)}
    for product in products_of(folder):
        best = labels.get(product.id, frozenset()) & {image.id for image in product.images}
        if best and len(product.images) > 1:
            yield LabeledGallery(folder.name, product, best)


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    if not path.is_file():
        raise TrainingDataError("no such file", item=str(path), remedy="name a folder of labeled photos")
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            place = f"{path}, line {number}"
            try:
                yield place, json.loads(line)
            except ValueError:
                raise TrainingDataError("is not JSON", item=place, remedy="one JSON object a line") from None
