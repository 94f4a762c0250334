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
from PIL import Image, ImageDraw

from agpis_sdk.components import DecodedImage
from agpis_sdk.datasets.galleries import facts_of, products_of
from agpis_sdk.datasets.labels import LABELS, Look, labeled_looks
from agpis_sdk.datasets.photos import load_photo, with_pixels
from agpis_sdk.datasets.splits import Split, split_of
from agpis_sdk.synthetic import augmentations
from agpis_sdk.synthetic.violations import framing, inject
from agpis_sdk.synthetic.violations.fonts import choose_font, load_font
from agpis_sdk.synthetic.violations.photometric import jpeg
from agpis_sdk.synthetic.violations.types import Sampler

Pixels = NDArray[np.uint8]
PairKind = Literal["duplicate", "variant", "similar-angle", "view", "product"]
Change = Callable[[Pixels, Sampler], Pixels]

COLORFUL = 0.35
PHOTOS_PER_PRODUCT = 3
CHANGES_PER_PHOTO = 6
VISIBLE = 40  # gray levels
OWN_PAIRS_PER_PRODUCT = 12


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


def _squeezed(pixels: Pixels, sampler: Sampler) -> Pixels:
    """Make it lower or narrower by 5 to 30 percent, as a careless resize does."""
    share = sampler.uniform(0.7, 0.95)
    across, down = (share, 1.0) if sampler.chance(0.5) else (1.0, share)
    return np.asarray(cv2.resize(pixels, None, fx=across, fy=down, interpolation=cv2.INTER_AREA), np.uint8)


def _darker(pixels: Pixels, sampler: Sampler) -> Pixels:
    """Take away a quarter to half of the light, background included."""
    return augmentations.brighter(pixels, sampler.uniform(0.5, 0.75))


def _flatter(pixels: Pixels, sampler: Sampler) -> Pixels:
    """Pull all tones toward their mean."""
    share, mean = sampler.uniform(0.6, 0.85), float(pixels.mean())
    return np.asarray(np.clip(mean + share * (pixels.astype(np.float32) - mean) + 0.5, 0, 255), np.uint8)


def _gray(pixels: Pixels, _: Sampler) -> Pixels:
    return np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2).astype(np.uint8)


def _detail(pixels: Pixels, sampler: Sampler) -> Pixels:
    """Keep 30 percent of the area, enlarged to the old size."""
    height, width = pixels.shape[:2]
    cut = augmentations.cropped(pixels, float(np.sqrt(0.3)), sampler.rng)
    return np.asarray(cv2.resize(cut, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _half(pixels: Pixels, sampler: Sampler) -> Pixels:
    """Keep one half and put half of another photo in the place of the other."""
    height, width = pixels.shape[:2]
    mixed = np.asarray(cv2.resize(sampler.others[0], (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    every, middle, center = slice(None), height // 2, width // 2
    halves = (
        (slice(middle), every),
        (slice(middle, None), every),
        (every, slice(center)),
        (every, slice(center, None)),
    )
    down, across = sampler.choice(halves)
    mixed[down, across] = pixels[down, across]
    return mixed


def _small_beside(pixels: Pixels, sampler: Sampler) -> Pixels:
    """Show it at 35 to 60 percent of its size in a corner beside another photo of full height."""
    stranger, height = sampler.others[0], pixels.shape[0]
    share = sampler.uniform(0.35, 0.6)
    small = cv2.resize(pixels, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    beside = cv2.resize(
        stranger, (max(1, round(stranger.shape[1] * height / stranger.shape[0])), height), interpolation=cv2.INTER_AREA
    )
    canvas = np.full((height, small.shape[1] + beside.shape[1], 3), 255, np.uint8)
    canvas[:, small.shape[1] :] = beside
    top = sampler.integer(0, height - small.shape[0])
    canvas[top : top + small.shape[0], : small.shape[1]] = small
    return canvas if sampler.chance(0.5) else np.ascontiguousarray(np.roll(canvas, beside.shape[1], axis=1))


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
    "squeezed": _squeezed,
    "darker": _darker,
    "flatter": _flatter,
    "gray": _gray,
    "detail of 30 percent": _detail,
    "one half the same": _half,
    "small beside another photo": _small_beside,
}
"""Ways to show the same content again."""


def labeled_pairs(
    folders: Sequence[Path],
    *,
    seed: int = 0,
    products: int | None = None,
    photos: int = PHOTOS_PER_PRODUCT,
    own: int = OWN_PAIRS_PER_PRODUCT,
) -> Iterator[LabeledPair]:
    """Yield the pairs of every product of folders with a `products.jsonl`, in their order.

    Each of at most `photos` photos is paired with `CHANGES_PER_PHOTO` changes of it, with recolored copies
    where they show, and with a shot from nearly the same angle, in at most `products` products of a folder, evenly spread;
    further pairs are the gallery's own, `own` a product at most. Deterministic in `seed`.
    """
    strangers: dict[Split, Pixels] = {}
    for folder in folders:
        kind_of = _kinds(folder)
        listed = list(products_of(folder))
        changed = set(range(0, len(listed), max(1, len(listed) // products) if products else 1))
        for number, product in enumerate(listed):
            split = split_of(product, seed=seed)
            shown = [load_photo(product, image) for image in product.images]
            rng = np.random.default_rng([seed, number, len(shown)])
            stranger = strangers.get(split, shown[0].pixels[::-1].copy())
            # Banners of the test split share no font, wording or layout with those of training.
            sampler = Sampler(rng, "test" if split == "test" else "train", 0.5, [stranger])
            if number in changed:
                for photo in shown[:photos]:
                    for kind, change, pixels in _made(photo, sampler):
                        yield LabeledPair(kind, change, split, folder.name, photo, _copy(photo, change, pixels))
                table, other = (_copy(shown[0], f"table {row}", drawn) for row, drawn in enumerate(_tables(sampler)))
                yield LabeledPair("product", "table", split, folder.name, table, other)
            for first, second in _own_pairs(shown, own, rng):
                own_kind = kind_of(product.id, first.id, second.id)
                if own_kind is not None:
                    yield LabeledPair(own_kind, "", split, folder.name, first, second)
            if split in strangers and number in changed:
                other = with_pixels(shown[0], strangers[split])
                yield LabeledPair("product", "", split, folder.name, shown[0], _copy(other, "stranger", other.pixels))
            strangers[split] = shown[0].pixels


def _made(photo: DecodedImage, sampler: Sampler) -> Iterator[tuple[PairKind, str, Pixels]]:
    """Yield augmentations of a photo with the kind of the pair that they make."""
    pixels = np.array(photo.pixels)
    for name in sampler.rng.choice(list(CHANGES), CHANGES_PER_PHOTO, replace=False).tolist():
        yield "duplicate", name, CHANGES[name](pixels, sampler)
    if augmentations.colorfulness(pixels) > COLORFUL:
        yield "variant", "recolored", augmentations.recolored(pixels, float(sampler.rng.uniform(50, 310)))
    trimmed = _trim_recolored(pixels, sampler)
    if trimmed is not None:
        yield "variant", "trim recolored", trimmed
    yield "similar-angle", "a step aside", augmentations.from_nearly_the_same_angle(pixels, sampler.rng)


def _trim_recolored(pixels: Pixels, sampler: Sampler) -> Pixels | None:
    """Recolor a stripe of a half to one percent of the product; None where it lies on too few colored pixels to show."""
    inside = framing.product_mask(pixels) > 127
    rows = np.flatnonzero(inside.any(axis=1))
    if not len(rows):
        return None
    per_row = inside.sum(axis=1)
    top = int(sampler.rng.choice(rows))
    wanted = sampler.uniform(0.005, 0.01) * float(inside.sum())
    bottom = top + 1 + int(np.searchsorted(np.cumsum(per_row[top:]), wanted))
    stripe = np.zeros_like(inside)
    stripe[top:bottom] = inside[top:bottom]
    dyed = augmentations.dyed(pixels, stripe, sampler.uniform(0, 360))
    changed = np.abs(dyed.astype(np.int32) - pixels).max(axis=2) > VISIBLE
    return dyed if changed.sum() > wanted / 2 else None


def _tables(sampler: Sampler) -> tuple[Pixels, Pixels]:
    """Return two tables of one layout with other numbers, such as size charts for men and for women."""
    headings, sizes = ("Size", "Chest", "Waist", "Hip"), ("XS", "S", "M", "L", "XL", "2XL")
    height, width = 400, 500
    font = load_font(choose_font(sampler), sampler.integer(15, 22))
    left, step_x, top, step_y = 20, sampler.integer(90, 115), sampler.integer(50, 80), sampler.integer(32, 45)
    drawn = []
    for title in ("Men", "Women"):
        canvas = Image.new("RGB", (width, height), "white")
        pen = ImageDraw.Draw(canvas)
        pen.text((width // 3, 15), f"Size chart {title}", fill="black", font=font)
        for row, size in enumerate(("", *sizes)):
            for column, heading in enumerate(headings):
                x, y = left + column * step_x, top + row * step_y
                pen.rectangle((x, y, x + step_x, y + step_y), outline="black")
                number = str(sampler.integer(10, 199))
                pen.text(
                    (x + 8, y + 6), heading if row == 0 else size if column == 0 else number, fill="black", font=font
                )
        drawn.append(np.asarray(canvas, dtype=np.uint8))
    return drawn[0], drawn[1]


def _own_pairs(
    photos: Sequence[DecodedImage], most: int, rng: np.random.Generator
) -> Iterator[tuple[DecodedImage, DecodedImage]]:
    """Yield pairs of a gallery's own photos, `most` of them."""
    pairs = [(first, second) for first, second in itertools.combinations(photos, 2) if first.sha256 != second.sha256]
    if len(pairs) > most:
        pairs = [pairs[row] for row in sorted(rng.choice(len(pairs), most, replace=False))]
    yield from pairs


def _kinds(folder: Path) -> Callable[[str, str, str], PairKind | None]:
    """Return what tells the kind of a pair by the ids of its product and images: labels by eye, else the source's facts.

    It gives None where they leave it open: photos of one view in one color may repeat each other, a detail may be cut
    from the other photo, and a group may hold it.
    """
    if not (folder / LABELS).is_file():
        facts = facts_of(folder)
        return lambda product, first, second: _kind_by_facts(facts.get(product, {}), first, second)
    looks = labeled_looks(folder)
    return lambda product, first, second: _kind_by_looks(looks.get((product, first)), looks.get((product, second)))


def _kind_by_looks(one: Look | None, two: Look | None) -> PairKind | None:
    if one is None or two is None:
        return None
    if one.foreign != two.foreign:
        return "product"
    if one.view != two.view:
        return None if {"detail", "group"} & {one.view, two.view} else "view"
    return "variant" if None not in (one.color, two.color) and one.color != two.color else None


def _kind_by_facts(known: Mapping[str, Mapping[str, Any]], first: str, second: str) -> PairKind | None:
    one, two = known.get(first, {}), known.get(second, {})
    if "in-store photo" in (one.get("role"), two.get("role")):
        return "view"  # taken by hand, each from another place
    if one.get("view") != two.get("view"):
        return "view"
    return "variant" if one.get("file_color") != two.get("file_color") else None


def _copy(photo: DecodedImage, change: str, pixels: Pixels) -> DecodedImage:
    """Return changed pixels as another image of the same product."""
    return replace(with_pixels(photo, pixels), id=f"{photo.id}#{change}", sha256=f"{photo.sha256}#{change}")
