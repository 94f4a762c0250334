"""AGPIS-Bench: clean product photos in, reviewed sequences out."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from agpis_sdk.errors import TrainingDataError
from agpis_sdk.records import CandidateImage, Product, Review
from agpis_sdk.synthetic.galleries import Gallery, read_clean_galleries
from agpis_sdk.synthetic.sequences import TABLE_1, SequenceSampler, SyntheticReview, synthetic_reviews

REVIEWS, MANIFEST, SUBSETS = "reviews.jsonl", "manifest.json", "subsets.json"
CATEGORIES = {"1": "single", "2": "pair", "3": "multi"}
# A gallery of one photo can break no pair rule, and there are many of them: they are drawn from less often.
ONE_PHOTO_DRAWS = 0.12
ONE_PHOTO_SHARES = (0.78, 0.19, 0.0, 0.03)
JPEG_QUALITY = 92


def build_reviews(
    folders: Sequence[Path],
    out: Path,
    *,
    marked: Sequence[Path] = (),
    seed: int = 0,
    per_product: int = 100,
    shares: Sequence[float] = TABLE_1,
) -> dict[str, Any]:
    """Write reviewed sequences of the clean galleries of some folders; see `write_reviews`."""
    galleries = read_clean_galleries(folders, marked=marked, seed=seed)
    return write_reviews(galleries, out, seed=seed, per_product=per_product, shares=shares)


def write_reviews(
    galleries: Sequence[Gallery],
    out: Path,
    *,
    seed: int = 0,
    per_product: int = 100,
    shares: Sequence[float] = TABLE_1,
) -> dict[str, Any]:
    """Write reviewed sequences of clean galleries, their images and a manifest to `out`; return the manifest.

    Deterministic: the same photos, arguments and versions give the same bytes, and the manifest has their hashes. Images
    are written as they are made. `shares` are those of accepted, single, pair and multi-image samples.

    Raises `TrainingDataError` when no product has photos of more than one view.
    """
    if not any(gallery.length > 1 for gallery in galleries):
        raise TrainingDataError(
            "no product has two clean photos of one color", item="bench", remedy="name further folders with --photos"
        )
    (out / "images").mkdir(parents=True, exist_ok=True)
    plan = draw_plan([gallery.length for gallery in galleries], per_product, shares)
    reviews: list[Review] = []
    digest = hashlib.sha256()
    with (out / REVIEWS).open("w", encoding="utf-8") as lines:
        for number, gallery in enumerate(galleries):
            sampler = SequenceSampler(gallery, _strangers(gallery, galleries), np.random.default_rng([seed, number]))
            count, own_shares = plan[gallery.length > 1]
            for index, synthetic in enumerate(synthetic_reviews(sampler, count, own_shares)):
                review = _write(synthetic, gallery, out, f"{number:04d}-{index:03d}", digest)
                lines.write(review.model_dump_json() + "\n")
                reviews.append(review)
    (out / SUBSETS).write_text(json.dumps(_subsets(reviews, seed), indent=1) + "\n", encoding="utf-8")
    manifest = {
        "seed": seed,
        "per_product": per_product,
        "shares": list(shares),
        "galleries": dict(sorted(Counter(gallery.split for gallery in galleries).items())),
        "reviews_sha256": hashlib.sha256((out / REVIEWS).read_bytes()).hexdigest(),
        "images_sha256": digest.hexdigest(),
        **_counts(reviews),
    }
    (out / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def draw_plan(
    lengths: Sequence[int], per_product: int, shares: Sequence[float]
) -> dict[bool, tuple[int, Sequence[float]]]:
    """Return how many sequences to draw, and in what shares, from galleries of more than one photo and of one.

    Those of one photo take shares of their own; the others make up for it, so that the whole has `shares`.
    """
    one_photo = max(1, round(per_product * ONE_PHOTO_DRAWS))
    few = one_photo * sum(length == 1 for length in lengths)
    many = per_product * sum(length > 1 for length in lengths)
    rest = [
        max(0.0, (share * (few + many) - own * few) / many) for share, own in zip(shares, ONE_PHOTO_SHARES, strict=True)
    ]
    return {False: (one_photo, ONE_PHOTO_SHARES), True: (per_product, [share / sum(rest) for share in rest])}


def _strangers(gallery: Gallery, galleries: Sequence[Gallery]) -> list[Gallery]:
    """Return the galleries of other products of the same split, so that no photo is in two splits."""
    return [
        other for other in galleries if other.split == gallery.split and other.product.title != gallery.product.title
    ]


def _write(synthetic: SyntheticReview, gallery: Gallery, out: Path, name: str, digest: hashlib._Hash) -> Review:
    """Write a synthetic review's images and return its record; the product's attributes say where it came from."""
    images = []
    for position, pixels in enumerate(synthetic.pixels):
        uri = f"images/{name}-{position}.jpg"
        bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
        data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
        digest.update(data)
        (out / uri).write_bytes(data)
        images.append(CandidateImage(id=f"{position}-{synthetic.names[position]}", uri=uri))
    attributes = {"source": gallery.product.id, "split": gallery.split}
    if synthetic.box is not None and synthetic.position is not None:
        attributes["box"] = json.dumps([synthetic.position, *synthetic.box])
    product = Product(
        id=f"{gallery.product.id}-{name}",
        title=synthetic.title,
        category=synthetic.category,
        images=tuple(images),
        attributes=attributes,
    )
    return Review(
        product=product,
        sequence=tuple(image.id for image in images),
        decision="rejected" if synthetic.rules else "accepted",
        feedback=synthetic.feedback,
        rules=synthetic.rules,
    )


def _counts(reviews: Sequence[Review]) -> dict[str, Any]:
    """Return how many reviews there are by split, category, number of images and rule."""
    rejected = [review for review in reviews if review.rules]
    return {
        "reviews": dict(sorted(Counter(_split(review) for review in reviews).items())),
        "accepted": len(reviews) - len(rejected),
        "rejected": dict(sorted(Counter(_category(review) for review in rejected).items())),
        "two_rules": sum(len(review.rules) > 1 for review in rejected),
        "images": dict(sorted(Counter(str(len(review.sequence)) for review in reviews).items())),
        "rules": dict(sorted(Counter(review.rules[0] for review in rejected).items())),
    }


def _subsets(reviews: Sequence[Review], seed: int) -> dict[str, dict[str, list[str]]]:
    """Return, for each split and category of rules, as many accepted samples as rejected ones (paper section 4.1)."""
    rng = np.random.default_rng([seed, len(reviews)])
    chosen: dict[str, dict[str, list[str]]] = {}
    for split in ("train", "validation", "test"):
        own = [review for review in reviews if _split(review) == split]
        accepted = [review.product.id for review in own if not review.rules]
        for category in CATEGORIES.values():
            rejected = [review.product.id for review in own if review.rules and _category(review) == category]
            drawn = rng.permutation(np.array(accepted, dtype=object))[: len(rejected)]
            chosen.setdefault(split, {})[category] = sorted([*rejected, *map(str, drawn)])
    return chosen


def _split(review: Review) -> str:
    return str(review.product.attributes["split"])


def _category(review: Review) -> str:
    return CATEGORIES[review.rules[0][3]]


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a bench; raises `TrainingDataError` where there is none."""
    path = folder / MANIFEST
    if not path.is_file():
        raise TrainingDataError("is no bench: manifest.json is missing", item=str(folder), remedy="agpis bench build")
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest


def by_rule(reviews: Iterator[Review]) -> dict[str, list[Review]]:
    """Group reviews by their first rule; "yes" holds the accepted ones."""
    groups: dict[str, list[Review]] = {}
    for review in reviews:
        groups.setdefault(review.rules[0] if review.rules else "yes", []).append(review)
    return groups
