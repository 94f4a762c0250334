"""Labeled pairs of photos to train and test the duplicate checker: duplicates, variants, and pairs that are neither.

Duplicates, recolored variants and shots from nearly the same angle are made of one photo; other views and the shops'
own color variants are the galleries' own, as their `facts.json` lists them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.components import DecodedImage
from agpis_sdk.datasets.galleries import facts_of, products_of
from agpis_sdk.datasets.photos import load_photo, with_pixels
from agpis_sdk.datasets.splits import Split, split_of
from agpis_sdk.synthetic import augmentations
from agpis_sdk.synthetic.violations import inject
from agpis_sdk.synthetic.violations.photometric import jpeg
from agpis_sdk.synthetic.violations.types import Sampler

Pixels = NDArray[np.uint8]
PairKind = Literal["duplicate", "variant", "similar-angle", "view", "product"]
Change = Callable[[Pixels, Sampler], Pixels]

COLORFUL = 0.35
PHOTOS_PER_PRODUCT = 3
CHANGES_PER_PHOTO = 4
VIEW_PAIRS_PER_PRODUCT = 12


@dataclass(frozen=True, eq=False)
class LabeledPair:
    """Two photos and the kind of their pair; `change` names the augmentation of the first, "" where there is none.

    "view" is another view of one product, "product" another product.
    """

    kind: PairKind
    change: str
    split: Split
    folder: str
    first: DecodedImage
    second: DecodedImage


def _crop(pixels: Pixels, sampler: Sampler) -> Pixels:
    """Keep a part of half to nine tenths of the area, anywhere."""
    height, width = pixels.shape[:2]
    share = float(np.sqrt(sampler.rng.uniform(0.5, 0.9)))
    inner_height, inner_width = round(height * share), round(width * share)
    top, left = int(sampler.rng.integers(height - inner_height + 1)), int(sampler.rng.integers(width - inner_width + 1))
    return np.ascontiguousarray(pixels[top : top + inner_height, left : left + inner_width])


def _mirrored(pixels: Pixels, _: Sampler) -> Pixels:
    return augmentations.mirrored(pixels)


def _turned(pixels: Pixels, sampler: Sampler) -> Pixels:
    """Turn by 4 to 25 degrees either way."""
    return augmentations.turned(pixels, float(sampler.rng.uniform(4, 25)) * (1 if sampler.rng.random() < 0.5 else -1))


def _small(pixels: Pixels, _: Sampler) -> Pixels:
    """Shrink to a third of each side."""
    return np.asarray(cv2.resize(pixels, None, fx=1 / 3, fy=1 / 3, interpolation=cv2.INTER_AREA), np.uint8)


def _recompressed(pixels: Pixels, _: Sampler) -> Pixels:
    """Save as JPEG of quality 30."""
    return jpeg(pixels, 30)


def _bannered(pixels: Pixels, sampler: Sampler) -> Pixels:
    """Lay a banner over it; fonts, wordings and layouts of the test split are never drawn in training."""
    return inject("banner", pixels, sampler.rng, split=sampler.split, others=sampler.others).pixels


def _brightened(pixels: Pixels, sampler: Sampler) -> Pixels:
    return augmentations.brighter(
        pixels, float(sampler.rng.choice([sampler.rng.uniform(0.75, 0.9), sampler.rng.uniform(1.1, 1.25)]))
    )


def _collage(pixels: Pixels, sampler: Sampler) -> Pixels:
    """Put it beside another photo of the same height, in one picture."""
    stranger, height = sampler.others[0], pixels.shape[0]
    width = max(1, round(stranger.shape[1] * height / stranger.shape[0]))
    beside = np.asarray(cv2.resize(stranger, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    parts = [pixels, beside] if sampler.rng.random() < 0.5 else [beside, pixels]
    return np.ascontiguousarray(np.concatenate(parts, axis=1))


def _cut_and_saved(pixels: Pixels, sampler: Sampler) -> Pixels:
    """Crop, shrink and recompress, as an image does on its way through three shops."""
    cut = augmentations.cropped(pixels, float(sampler.rng.uniform(0.75, 0.95)), sampler.rng)
    shrunk = cv2.resize(cut, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    return _recompressed(np.asarray(shrunk, np.uint8), sampler)


CHANGES: Mapping[str, Change] = {
    "crop": _crop,
    "mirrored": _mirrored,
    "turned": _turned,
    "resized to a third": _small,
    "JPEG quality 30": _recompressed,
    "banner added": _bannered,
    "brightness": _brightened,
    "collage": _collage,
    "cropped, shrunk, recompressed": _cut_and_saved,
}
"""Ways to show the same content again."""


def labeled_pairs(folders: Sequence[Path], *, seed: int = 0) -> Iterator[LabeledPair]:
    """Yield the pairs of every product of folders with a `products.jsonl`, in their order.

    Each of at most `PHOTOS_PER_PRODUCT` photos is paired with `CHANGES_PER_PHOTO` changes of it, with a recolored copy
    where it is colorful, and with a shot from nearly the same angle; further pairs are the gallery's own. Deterministic
    in `seed`.
    """
    strangers: dict[Split, Pixels] = {}
    for folder in folders:
        facts = facts_of(folder)
        for number, product in enumerate(products_of(folder)):
            split = split_of(product, seed=seed)
            photos = [load_photo(product, image) for image in product.images]
            rng = np.random.default_rng([seed, number, len(photos)])
            stranger = strangers.get(split, photos[0].pixels[::-1].copy())
            # Banners of the test split share no font, wording or layout with those of training.
            sampler = Sampler(rng, "test" if split == "test" else "train", 0.5, [stranger])
            for photo in photos[:PHOTOS_PER_PRODUCT]:
                for kind, change, pixels in _made(photo, sampler):
                    yield LabeledPair(kind, change, split, folder.name, photo, _copy(photo, change, pixels))
            known = facts.get(product.id, {})
            for kind, first, second in _own_pairs(photos, known, rng):
                yield LabeledPair(kind, "", split, folder.name, first, second)
            if split in strangers:
                other = with_pixels(photos[0], strangers[split])
                yield LabeledPair("product", "", split, folder.name, photos[0], _copy(other, "stranger", other.pixels))
            strangers[split] = photos[0].pixels


def _made(photo: DecodedImage, sampler: Sampler) -> Iterator[tuple[PairKind, str, Pixels]]:
    """Yield augmentations of a photo with the kind of the pair that they make."""
    pixels = np.array(photo.pixels)
    for name in sampler.rng.choice(list(CHANGES), CHANGES_PER_PHOTO, replace=False).tolist():
        yield "duplicate", name, CHANGES[name](pixels, sampler)
    if augmentations.colorfulness(pixels) > COLORFUL:
        yield "variant", "recolored", augmentations.recolored(pixels, float(sampler.rng.uniform(50, 310)))
    yield "similar-angle", "a step aside", augmentations.from_nearly_the_same_angle(pixels, sampler.rng)


def _own_pairs(
    photos: Sequence[DecodedImage], known: Mapping[str, Mapping[str, Any]], rng: np.random.Generator
) -> Iterator[tuple[PairKind, DecodedImage, DecodedImage]]:
    """Yield a gallery's own pairs: same view in other colors, and other views; what the names leave open is skipped."""
    pairs = [(first, second) for first, second in itertools.combinations(photos, 2) if first.sha256 != second.sha256]
    if len(pairs) > VIEW_PAIRS_PER_PRODUCT:
        pairs = [pairs[row] for row in sorted(rng.choice(len(pairs), VIEW_PAIRS_PER_PRODUCT, replace=False))]
    for first, second in pairs:
        one, two = known.get(first.id, {}), known.get(second.id, {})
        if one.get("role") == "in-store photo" or two.get("role") == "in-store photo":
            yield "view", first, second  # taken by hand, each from another place
        elif one.get("view") != two.get("view"):
            yield "view", first, second
        elif one.get("file_color") != two.get("file_color"):
            yield "variant", first, second


def _copy(photo: DecodedImage, change: str, pixels: Pixels) -> DecodedImage:
    """Return changed pixels as another image of the same product."""
    return replace(with_pixels(photo, pixels), id=f"{photo.id}#{change}", sha256=f"{photo.sha256}#{change}")
