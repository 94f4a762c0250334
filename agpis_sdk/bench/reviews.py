"""Reviewed sequences from clean galleries: the first, small AGPIS-Bench.

Each gallery gives accepted sequences, and rejected ones whose violation was put in on purpose: drawn into an image
(single-image rules), by a copy, a variant or a stranger (image-pair rules), or by order and title (multi-image rules).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.bench.feedback import about_all, about_one, about_two
from agpis_sdk.bench.violations import KINDS, inject
from agpis_sdk.errors import TrainingDataError
from agpis_sdk.learn.photos import load_photo
from agpis_sdk.learn.splits import Split, split_of
from agpis_sdk.media.products import RejectedRecord, read_products
from agpis_sdk.records import CandidateImage, Product, Review

Pixels = NDArray[np.uint8]
LENGTH = 3
# Shares of qualified, single-image, image-pair and multi-image samples: more rejected ones than Table 1 (71/12/7/10),
# as these products are few.
SHARES = (0.46, 0.28, 0.12, 0.14)
ACCEPTED = "yes"
# Distance in CIELAB between the garments of two photos. By eye, all ten galleries of the sportswear photos beyond 32
# show two colours (or products), and none of those up to 29 does.
SAME_COLOUR = 30.0
PLAIN_EDGE = 6.0


@dataclass(frozen=True, eq=False)
class Gallery:
    """A clean product: photos in an order a reviewer accepts, and further photos of other colours."""

    product: Product
    split: Split
    photos: dict[str, Pixels]
    mains: tuple[str, ...]
    others: tuple[str, ...]
    variants: tuple[str, ...]


@dataclass(frozen=True)
class Draft:
    """A sequence under way: names and pixels of its images, and what a reviewer says of it."""

    names: tuple[str, ...]
    pixels: tuple[Pixels, ...] = field(compare=False)
    title: str
    rules: tuple[str, ...] = ()
    feedback: str = ACCEPTED


def build_reviews(folders: Sequence[Path], out: Path, *, seed: int = 0, per_product: int = 40) -> int:
    """Write reviewed sequences and their images to `out`; return how many.

    Deterministic: the same photos and seed give the same bytes. Raises `TrainingDataError` when no product has enough
    photos.
    """
    galleries = [gallery for folder in folders for gallery in read_galleries_with_views(folder, seed=seed)]
    if not galleries:
        raise TrainingDataError(f"no product has {LENGTH} photos of one colour", item="bench")
    (out / "images").mkdir(parents=True, exist_ok=True)
    count = 0
    with (out / "reviews.jsonl").open("w", encoding="utf-8") as lines:
        for number, gallery in enumerate(galleries):
            rng = np.random.default_rng([seed, number])
            strangers = [other for other in galleries if other.split == gallery.split and other is not gallery]
            for draft in drafts(gallery, strangers, per_product, rng):
                lines.write(_write(draft, gallery, out, count).model_dump_json() + "\n")
                count += 1
    return count


def read_galleries_with_views(folder: Path, *, seed: int) -> Iterator[Gallery]:
    """Yield the products of a folder that have a main view and at least two further photos of the same colour."""
    facts_path = folder / "facts.json"
    facts = json.loads(facts_path.read_text(encoding="utf-8")) if facts_path.is_file() else {}
    for product in read_products(folder / "products.jsonl"):
        if isinstance(product, RejectedRecord):
            raise product.error
        known: dict[str, dict[str, Any]] = facts.get(product.id, {})
        variants = tuple(image.id for image in product.images[1:] if known.get(image.id, {}).get("role") == "variant")
        main = product.images[0].id
        others = tuple(image.id for image in product.images[1:] if image.id not in variants)
        if len(others) + 1 >= LENGTH:
            photos = {image.id: np.array(load_photo(product, image).pixels) for image in product.images}
            backs = [name for name in others if known.get(name, {}).get("view") == "back"]
            if any(colour_distance(photos[main], photos[name]) > SAME_COLOUR for name in backs):
                # The file names say one colour, the photos show two: no reviewer would accept them together.
                continue
            yield Gallery(product, split_of(product, seed=seed), photos, (main,), others, variants)


def drafts(gallery: Gallery, strangers: Sequence[Gallery], count: int, rng: np.random.Generator) -> Iterator[Draft]:
    """Yield accepted and rejected sequences of one product."""
    makers: tuple[Callable[[Gallery, Sequence[Gallery], np.random.Generator], Draft | None], ...] = (
        _qualified, _single, _pair, _multi,
    )  # fmt: skip
    for _ in range(count):
        maker = makers[int(rng.choice(len(makers), p=SHARES))]
        draft = maker(gallery, strangers, rng)
        if draft is not None:
            yield draft


def _qualified(gallery: Gallery, strangers: Sequence[Gallery], rng: np.random.Generator) -> Draft:
    """Main view first, then two other photos, all slightly different in framing and light, as shops' photos are."""
    del strangers
    names = (gallery.mains[0], *(str(name) for name in rng.permutation(gallery.others)[: LENGTH - 1]))
    # Print on a carton must stay readable, so only clothes, which have colour variants here, are mirrored.
    mirrored = bool(rng.random() < 0.5) and bool(gallery.variants)
    pixels = tuple(_retaken(gallery.photos[name], rng, mirrored=mirrored) for name in names)
    return Draft(names, pixels, gallery.product.title)


def _single(gallery: Gallery, strangers: Sequence[Gallery], rng: np.random.Generator) -> Draft:
    draft = _qualified(gallery, strangers, rng)
    kinds = list(KINDS)
    kind = kinds[int(rng.integers(len(kinds)))]
    position = int(rng.integers(LENGTH))
    others = [next(iter(stranger.photos.values())) for stranger in strangers[:3]] or list(draft.pixels)
    pool: Literal["train", "test"] = "test" if gallery.split == "test" else "train"
    violation = inject(kind, draft.pixels[position], rng, split=pool, others=others)
    feedback = about_one(violation.code, position, violation.thing, violation.place, rng)
    return _changed(draft, position, kind, violation.pixels, violation.code, feedback)


def _pair(gallery: Gallery, strangers: Sequence[Gallery], rng: np.random.Generator) -> Draft | None:
    draft = _qualified(gallery, strangers, rng)
    source, position = 0, int(rng.integers(1, LENGTH))
    choice = rng.random()
    if choice < 0.35 and gallery.variants:
        name = str(rng.choice(gallery.variants))
        pixels, code = _retaken(gallery.photos[name], rng, mirrored=False), "AGP204"
    elif choice < 0.6 and strangers:
        stranger = strangers[int(rng.integers(len(strangers)))]
        name = stranger.mains[0]
        pixels, code = _retaken(stranger.photos[name], rng, mirrored=False), "AGP205"
    else:
        source = int(rng.choice([index for index in range(LENGTH) if index != position]))
        name, pixels, code = "copy", _copied(draft.pixels[source], rng), "AGP201"
    first, second = sorted((source, position))
    return _changed(draft, position, name, pixels, code, about_two(code, first, second, rng))


def _multi(gallery: Gallery, strangers: Sequence[Gallery], rng: np.random.Generator) -> Draft | None:
    draft = _qualified(gallery, strangers, rng)
    choice = rng.random()
    foreign = [stranger for stranger in strangers if stranger.product.category != gallery.product.category]
    if choice < 0.3 and foreign:
        title = foreign[int(rng.integers(len(foreign)))].product.title
        return replace(
            draft, title=title, rules=("AGP304",), feedback=about_all("AGP304", "the title names another product", rng)
        )
    if choice < 0.75:
        order = (1, 0, 2)
        code = "AGP308" if "back" in draft.names[1] else "AGP301"
        thing = "it shows the back" if code == "AGP308" else "it does not show the whole product"
        return replace(
            draft,
            names=tuple(draft.names[index] for index in order),
            pixels=tuple(draft.pixels[index] for index in order),
            rules=(code,),
            feedback=about_all(code, f"look at the first image, {thing}", rng),
        )
    pixels = tuple(_close_up(image, rng) for image in draft.pixels)
    return replace(
        draft, pixels=pixels, rules=("AGP306",), feedback=about_all("AGP306", "all three are close-ups", rng)
    )


def _changed(draft: Draft, position: int, name: str, pixels: Pixels, code: str, feedback: str) -> Draft:
    names = tuple(name if index == position else old for index, old in enumerate(draft.names))
    images = tuple(pixels if index == position else old for index, old in enumerate(draft.pixels))
    return replace(draft, names=names, pixels=images, rules=(code,), feedback=feedback)


def colour_distance(first: Pixels, second: Pixels) -> float:
    """Return how far apart two photos' middles are in colour: the distance of their medians in CIELAB, white left out."""
    medians = []
    for pixels in (first, second):
        height, width = pixels.shape[:2]
        middle = pixels[round(0.3 * height) : round(0.6 * height), round(0.35 * width) : round(0.65 * width)]
        lab = cv2.cvtColor(middle.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).reshape(-1, 3)
        coloured = lab[lab[:, 0] < 94]
        if not len(coloured):
            return 0.0
        medians.append(np.median(coloured, axis=0))
    return float(np.linalg.norm(medians[0] - medians[1]))


def _retaken(pixels: Pixels, rng: np.random.Generator, *, mirrored: bool) -> Pixels:
    """Return a photo as another shop might show it: other margins, a little more or less light, or mirrored.

    A margin is added only where all four edges are one plain background: around anything else it would be a frame,
    which is a violation itself (AGP111). Other photos are cut a little closer.
    """
    if mirrored:
        pixels = np.ascontiguousarray(pixels[:, ::-1])
    share = float(rng.uniform(0, 0.08))
    edges = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]).astype(np.float32)
    background = np.median(edges, axis=0)
    if float(np.abs(edges - background).mean()) <= PLAIN_EDGE:
        margin = round(share * max(pixels.shape[:2]))
        framed = cv2.copyMakeBorder(
            pixels, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=background.tolist()
        )
    else:
        framed = _crop(pixels, 1 - share / 2, rng)
    return _brighter(framed, float(rng.uniform(0.95, 1.05)))


def _copied(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return the same photo again: cut, mirrored or brighter."""
    copy = _crop(pixels, float(rng.uniform(0.7, 0.95)), rng) if rng.random() < 0.6 else pixels
    if rng.random() < 0.4:
        copy = np.ascontiguousarray(copy[:, ::-1])
    return _brighter(copy, float(rng.uniform(0.9, 1.1)))


def _brighter(pixels: NDArray[Any], gain: float) -> Pixels:
    brighter: Pixels = np.clip(pixels.astype(np.float32) * gain, 0, 255).astype(np.uint8)
    return brighter


def _close_up(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    return _crop(pixels, float(rng.uniform(0.25, 0.4)), rng)


def _crop(pixels: Pixels, share: float, rng: np.random.Generator) -> Pixels:
    """Cut a part of `share` of each side, near the middle."""
    height, width = pixels.shape[:2]
    inner_height, inner_width = round(height * share), round(width * share)
    top = round((height - inner_height) * float(rng.uniform(0.25, 0.75)))
    left = round((width - inner_width) * float(rng.uniform(0.25, 0.75)))
    return np.ascontiguousarray(pixels[top : top + inner_height, left : left + inner_width])


def _write(draft: Draft, gallery: Gallery, out: Path, number: int) -> Review:
    """Write a draft's images and return its record; the product's id says where it came from."""
    images = []
    for position, (name, pixels) in enumerate(zip(draft.names, draft.pixels, strict=True)):
        uri = f"images/{number:06d}-{position}.jpg"
        cv2.imwrite(str(out / uri), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])
        images.append(CandidateImage(id=f"{position}-{name}", uri=uri))
    product = Product(
        id=f"{gallery.product.id}-{number:06d}",
        title=draft.title,
        category=gallery.product.category,
        images=tuple(images),
        attributes={"source": gallery.product.id, "split": gallery.split},
    )
    return Review(
        product=product,
        sequence=tuple(image.id for image in images),
        decision="rejected" if draft.rules else "accepted",
        feedback=draft.feedback,
        rules=draft.rules,
    )
