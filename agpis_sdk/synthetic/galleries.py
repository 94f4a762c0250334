"""Clean galleries: photos of one color in an order that a reviewer accepts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.components import DecodedImage
from agpis_sdk.datasets.galleries import facts_of, products_of
from agpis_sdk.datasets.labels import EXCLUDED, LABELS, gallery_facts
from agpis_sdk.datasets.photos import load_photo
from agpis_sdk.datasets.splits import Split, split_key, split_of
from agpis_sdk.records import Product
from agpis_sdk.synthetic.corner_marks import without_corner_mark

Pixels = NDArray[np.uint8]
FIRST_VIEWS = ("main", "front")
BACK_VIEWS = ("back", "palm")
# Distance in CIELAB between the garments of two photos. By eye, all ten galleries of the sportswear photos beyond 32
# show two colors (or products), and none of those up to 29 does.
SAME_COLOR = 30.0
SHARES = {"validation": 0.1, "test": 0.1}


@dataclass(frozen=True, eq=False)
class Gallery:
    """A clean product: photos in an order that a reviewer accepts, and the same product in other colors.

    `photos` holds (height, width, 3) RGB by image id, `views` what each shows. `others` follow `main`; `settings` are
    photos of the product in use or in a store, which may follow but never lead.
    """

    product: Product
    split: Split
    color: str
    photos: Mapping[str, Pixels]
    views: Mapping[str, str]
    main: str
    others: tuple[str, ...]
    variants: tuple[str, ...]

    @property
    def length(self) -> int:
        """The largest number of photos in one sequence."""
        return 1 + len(self.others)


def read_clean_galleries(folders: Sequence[Path], *, marked: Sequence[Path] = (), seed: int = 0) -> list[Gallery]:
    """Return the clean galleries of folders with a `products.jsonl`, split 80/10/10 by product.

    Photos of `marked` folders carry their shop's mark in the bottom right corner: it is removed there
    alone, else the photo is left out. A product in several colors gives a gallery for each. Products that share a
    title or a file stand in one split. Raises `TrainingDataError` for a folder without products.
    """
    galleries: list[Gallery] = []
    hashes: dict[str, str] = {}
    for folder in (*folders, *marked):
        facts = gallery_knowledge(folder, marked=folder in marked)
        for product in products_of(folder):
            images = [load_photo(product, image) for image in product.images]
            key = _group(product, images, hashes)
            split = split_of(product.model_copy(update={"title": key}), seed=seed, **SHARES)
            photos = _photos(images, marked=folder in marked)
            galleries.extend(
                replace(gallery, split=split) for gallery in galleries_of(product, photos, facts.get(product.id, {}))
            )
    return galleries


def gallery_knowledge(folder: Path, *, marked: bool = False) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """Return what is known of a folder's photos: by labels where it has them, else by the shop's own `facts.json`."""
    return gallery_facts(folder, marked=marked) if (folder / LABELS).is_file() else facts_of(folder)


def _group(product: Product, images: Sequence[DecodedImage], hashes: dict[str, str]) -> str:
    """Return the split key of a product: that of the first product with which it shares a file, else its own."""
    own = [image.sha256 for image in images]
    key = next((hashes[digest] for digest in own if digest in hashes), split_key(product))
    hashes.update(dict.fromkeys(own, key))
    return key


def galleries_of(
    product: Product, photos: Mapping[str, Pixels], known: Mapping[str, Mapping[str, Any]]
) -> Iterator[Gallery]:
    """Yield a gallery of the train split for each color of a product that has a main view.

    `known` has the role, the view and the file_color of each image, as a shop's `facts.json` has them.
    """
    views = {image.id: _view(known.get(image.id), position) for position, image in enumerate(product.images)}
    by_color: dict[str, list[str]] = {}
    for image in product.images:
        if known.get(image.id, {}).get("role") != EXCLUDED:
            by_color.setdefault(str(known.get(image.id, {}).get("file_color", "")), []).append(image.id)
    for color, names in by_color.items():
        own = [name for name in names if name in photos]
        mains = [name for name in own if views[name] in FIRST_VIEWS]
        if not mains:
            continue
        others = _other_views(mains[0], own, views, photos)
        variants = tuple(name for name in photos if name not in names and views[name] in FIRST_VIEWS)
        yield Gallery(product, "train", _color_word(color), photos, views, mains[0], others, variants)


def _view(known: Mapping[str, Any] | None, position: int) -> str:
    """Return the view of a photo; where none is known the first is the main view and each other one a view of its own."""
    if known is None or (known.get("role") == "gallery" and "view" not in known):
        return f"view {position}" if position else "main"
    return {"iconic": "main", "in-store photo": "setting"}.get(str(known.get("role")), str(known.get("view", "main")))


def _other_views(
    main: str, names: Sequence[str], views: Mapping[str, str], photos: Mapping[str, Pixels]
) -> tuple[str, ...]:
    """Return the photos that may follow the main one: other views of it, in the same color."""
    taken, others = {views[main]}, []
    for name in names:
        view = views[name]
        if name == main or (view in taken and view != "setting"):
            continue
        if view == "back" and color_distance(photos[main], photos[name]) > SAME_COLOR:
            # The file names say one color, the photos show two: no reviewer would accept them together.
            continue
        taken.add(view)
        others.append(name)
    return tuple(others)


def _photos(images: Sequence[DecodedImage], *, marked: bool) -> dict[str, Pixels]:
    """Return the photos by image id; what cannot be cleaned is left out."""
    photos: dict[str, Pixels] = {}
    for image in images:
        pixels = np.array(image.pixels)
        clean = without_corner_mark(pixels) if marked else pixels
        if clean is not None:
            photos[image.id] = clean
    return photos


def _color_word(file_color: str) -> str:
    """Return a color of one word; "black-white-silver" names no one color that a title would.

    >>> _color_word("Black"), _color_word("black-white")
    ('black', '')
    """
    return file_color.lower() if file_color.isalpha() and file_color.lower() != "multicolor" else ""


def color_distance(first: Pixels, second: Pixels) -> float:
    """Return how far apart two photos' middles are in color: the distance of their medians in CIELAB, white left out."""
    medians = []
    for pixels in (first, second):
        height, width = pixels.shape[:2]
        middle = pixels[round(0.3 * height) : round(0.6 * height), round(0.35 * width) : round(0.65 * width)]
        lab = cv2.cvtColor(middle.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).reshape(-1, 3)
        colored = lab[lab[:, 0] < 94]
        if not len(colored):
            return 0.0
        medians.append(np.median(colored, axis=0))
    return float(np.linalg.norm(medians[0] - medians[1]))
