"""Labels made by eye: what each photo of a shop shows, and which photos a careful merchandiser would put first.

A folder holds `products.jsonl`, `labels.jsonl` (an image a line: product, image, overlay, view, background, whole, colour)
and `labels.products.jsonl` (a product a line: product, best_first, one_colour_sets, foreign).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agpis_sdk.datasets.galleries import products_of
from agpis_sdk.errors import TrainingDataError
from agpis_sdk.records import CandidateImage, Product

# Views of which a gallery may have two that do not repeat each other.
SEVERAL = ("angle", "detail", "other")
LABELS, PRODUCT_LABELS = "labels.jsonl", "labels.products.jsonl"
EXCLUDED = "excluded"
"""The role of a photo that belongs in no clean sequence: another product's, a chart, or one with something laid over it."""
Background = Literal["white", "plain", "scene"]


@dataclass(frozen=True)
class LabeledImage:
    """A photo of a shop, and what is on it: overlays (none where it is clean), view, background, color, and whether it shows the whole product."""

    shop: str
    product: Product
    image: CandidateImage
    overlays: tuple[str, ...]
    view: str
    background: Background
    whole: bool
    color: str = ""


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


@dataclass(frozen=True)
class Shown:
    """What an image of a gallery shows: view and color, whether it is right as the first one, and whether it belongs in no clean sequence."""

    view: str
    color: str
    is_main: bool
    is_unfit: bool


def labeled_looks(folder: Path) -> dict[tuple[str, str], Look]:
    """Return the look of each labeled image of a shop's folder by product and image id."""
    colors: dict[tuple[str, str], int] = {}
    foreign: set[tuple[str, str]] = set()
    for _, label in _lines(folder / PRODUCT_LABELS):
        for color, images in enumerate(_color_sets(label)):
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
                color=label.get("colour", "").replace("grey", "gray"),
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


def gallery_facts(folder: Path, *, marked: bool = False) -> dict[str, dict[str, dict[str, str]]]:
    """Return the labels of a folder as a shop's `facts.json` has them: product id → image id → role, view and file_color.

    The photos that are right as the first one have the view "main", those in use the role "in-store photo". Two details, or
    two angles, are two views; another photo that repeats the main one's view is `EXCLUDED`. With `marked`, a watermark does not exclude a photo.
    """
    by_product: dict[str, list[LabeledImage]] = {}
    for label in labeled_images(folder):
        by_product.setdefault(label.product.id, []).append(label)
    products = {line["product"]: line for _, line in _lines(folder / PRODUCT_LABELS)}
    return {
        product_id: _gallery_facts(labels, products[product_id], marked=marked)
        for product_id, labels in by_product.items()
        if product_id in products
    }


def _gallery_facts(labels: list[LabeledImage], line: dict[str, Any], *, marked: bool) -> dict[str, dict[str, str]]:
    colors = _colors(labels, _color_sets(line))
    best, foreign = set(line["best_first"]), set(line.get("foreign", ()))
    return facts_of_gallery(
        {
            label.image.id: Shown(
                view=label.view,
                color=colors[label.image.id],
                is_main=label.image.id in best,
                is_unfit=bool(set(label.overlays) - ({"watermark"} if marked else set()))
                or label.image.id in foreign
                or label.view == "text",
            )
            for label in labels
        }
    )


def facts_of_gallery(images: Mapping[str, Shown]) -> dict[str, dict[str, str]]:
    """Return role, view and file_color of each image of a product, as a shop's `facts.json` has them."""
    main_views = {(image.color, image.view) for image in images.values() if image.is_main}
    facts: dict[str, dict[str, str]] = {}
    for number, (name, image) in enumerate(images.items()):
        role, view = "gallery", image.view
        if image.is_main:
            view = "main"
        elif view in SEVERAL:
            view = f"{view} {number}"
        elif view == "lifestyle":
            role = "in-store photo"
        elif (image.color, view) in main_views:
            role = EXCLUDED
        facts[name] = {"role": EXCLUDED if image.is_unfit else role, "view": view, "file_color": image.color}
    return facts


def _color_sets(line: Mapping[str, Any]) -> list[list[str]]:
    """Return the images of each color of a product, by id."""
    return [images for images in line.get("one_colour_sets", ()) if images]


def _colors(labels: list[LabeledImage], sets: Sequence[Sequence[str]]) -> dict[str, str]:
    """Return the color of each image: a word where one set of images alone has it, else the number of its set."""
    words = {label.image.id: label.color for label in labels}
    named = [Counter(words.get(image, "") for image in images).most_common(1)[0][0] for images in sets]
    colors = {name: f"image {number}" for number, name in enumerate(words)}
    for number, images in enumerate(sets):
        own = named[number]
        colors |= dict.fromkeys(images, own if own and named.count(own) == 1 else f"set {number}")
    return colors


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
