"""Reviews as features of the frozen backbone, and as what stage 1 measured; computed once per bench and kept beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.batches import batches
from agpis_sdk.builtin.muisc import evidence
from agpis_sdk.builtin.muisc.features import image_tokens
from agpis_sdk.builtin.muisc.text import OTHER, QUALIFIED
from agpis_sdk.components import DecodedImage, FeatureSource
from agpis_sdk.datasets.feedback_parser import FeedbackParser
from agpis_sdk.datasets.galleries import split_of_review
from agpis_sdk.datasets.photos import load_photo, with_pixels
from agpis_sdk.datasets.splits import Split
from agpis_sdk.errors import ImageReadError, TrainingDataError
from agpis_sdk.media.decode import as_image
from agpis_sdk.media.letterbox import letterbox
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.records import Review
from agpis_sdk.rules import RuleSet

Fusion = Literal["late", "early"]
REVIEWS_AT_ONCE = 64
LAYOUT = 3
"""Counts up when what is kept of a review changes, so that no older cache is read."""


@dataclass(frozen=True)
class LearnableReview:
    """A review as the model learns it: "yes", the first rule it names or "other"; and where its images stand in the table."""

    product: str
    split: Split
    title: str
    category: str
    code: str
    feedback: str
    images: tuple[int, ...]


@dataclass(frozen=True)
class Skipped:
    """A review that cannot be learned from, and why."""

    product: str
    reason: str


@dataclass(frozen=True, eq=False)
class LearnableReviews:
    """All reviews that can be learned from, and those that cannot."""

    reviews: tuple[LearnableReview, ...]
    skipped: tuple[Skipped, ...]

    @property
    def every_row(self) -> NDArray[np.int64]:
        """All reviews, of whatever split."""
        return np.arange(len(self.reviews), dtype=np.int64)

    def rows(self, split: Split) -> NDArray[np.int64]:
        """Return which reviews are of a split."""
        return np.array([row for row, review in enumerate(self.reviews) if review.split == split], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class ReviewFeatures(LearnableReviews):
    """Reviews with the shared backbone's features of their images: tokens (M, h*w, C) and globals (M, G), float16.

    `evidence` (M, E) is what stage 1 measured of them, each image compared with the others of its review; E is 0 without.
    """

    tokens: NDArray[np.float16]
    global_tokens: NDArray[np.float16]
    evidence: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ReviewPixels(LearnableReviews):
    """Reviews with their images as letterboxed squares (M, S, S, 3) uint8, for a tower that is trained with the model."""

    squares: NDArray[np.uint8]


def review_features(
    reviews: Iterable[Review],
    source: FeatureSource,
    *,
    fusion: Fusion = "late",
    with_evidence: bool = False,
    seed: int = 0,
    max_images: int = 8,
    cache: Path | None = None,
    rules: RuleSet | None = None,
) -> ReviewFeatures:
    """Take the features of the images of reviewed sequences from a backbone, or with evidence from a run's facts.

    With early fusion the images of a sequence are put side by side first, so that each sequence has one (section 4.3).
    With `cache`, a folder, features computed before for the same reviews and source are read instead. A review that
    names an image it does not have, repeats one, is too long, or whose image is gone is skipped and listed. Feedback
    without `rules` is read by those of the run: the shipped ones where none are given.

    Raises `TrainingDataError` when nothing is left.
    """
    listed = list(reviews)
    parser = FeedbackParser(rules or shipped_rules())
    folder = cache / _fingerprint(listed, fusion, source, parser) if cache else None
    if folder and (folder / "reviews.json").is_file():
        return _read(folder)
    kept: list[LearnableReview] = []
    skipped: list[Skipped] = []
    token_rows: list[NDArray[np.float16]] = []
    global_rows: list[NDArray[np.float16]] = []
    measured: list[evidence.ImageEvidence] = []
    for chunk in batches(listed, REVIEWS_AT_ONCE):
        images = _read_images(chunk, kept, skipped, len(token_rows), fusion, seed, max_images, parser)
        # Many sequences at once, so that the backbone sees full batches.
        for facts in source.features(images):
            tokens, global_token = image_tokens(facts)
            token_rows.append(tokens.astype(np.float16))
            global_rows.append(global_token.astype(np.float16))
            if with_evidence:
                measured.append(evidence.ImageEvidence.of(facts))
    _refuse_nothing(kept, skipped)
    features = ReviewFeatures(
        tuple(kept), tuple(skipped), np.stack(token_rows), np.stack(global_rows), _evidence(kept, measured)
    )
    if folder:
        _write(features, folder)
    return features


def _evidence(reviews: Sequence[LearnableReview], measured: Sequence[evidence.ImageEvidence]) -> NDArray[np.float32]:
    """Return the evidence (M, E) of all images, whose rows are those of the reviews in order; (M, 0) where there is none."""
    if not measured:
        return np.zeros((sum(len(review.images) for review in reviews), 0), np.float32)
    return np.concatenate([evidence.sequence_evidence([measured[row] for row in review.images]) for review in reviews])


def review_pixels(
    reviews: Iterable[Review], *, size: int, seed: int = 0, max_images: int = 8, rules: RuleSet | None = None
) -> ReviewPixels:
    """Read the images of reviewed sequences as squares of `size` pixels, for a tower of the model's own.

    Skips and raises as `review_features` does.
    """
    listed = list(reviews)
    parser = FeedbackParser(rules or shipped_rules())
    kept: list[LearnableReview] = []
    skipped: list[Skipped] = []
    squares: list[NDArray[np.uint8]] = []
    for chunk in batches(listed, REVIEWS_AT_ONCE):
        images = _read_images(chunk, kept, skipped, len(squares), "late", seed, max_images, parser)
        squares.extend(letterbox(image.pixels, size) for image in images)
    _refuse_nothing(kept, skipped)
    return ReviewPixels(tuple(kept), tuple(skipped), np.stack(squares))


def _read_images(
    reviews: Sequence[Review],
    kept: list[LearnableReview],
    skipped: list[Skipped],
    first: int,
    fusion: Fusion,
    seed: int,
    max_images: int,
    parser: FeedbackParser,
) -> list[DecodedImage]:
    """Return the images of reviews, which get the numbers from `first` on; append the reviews to `kept` or `skipped`."""
    images: list[DecodedImage] = []
    for review in reviews:
        own = _images(review, max_images, fusion)
        if isinstance(own, Skipped):
            skipped.append(own)
            continue
        start = first + len(images)
        kept.append(_learnable(review, tuple(range(start, start + len(own))), seed, parser))
        images.extend(own)
    return images


def _refuse_nothing(kept: Sequence[LearnableReview], skipped: Sequence[Skipped]) -> None:
    if not kept:
        raise TrainingDataError(
            f"none of the {len(skipped)} reviews can be learned from" if skipped else "there is no review",
            item="reviews",
            remedy=f"{skipped[0].product}: {skipped[0].reason}" if skipped else "one review a line, as JSON",
        )


def code_of(review: Review, parser: FeedbackParser) -> str:
    """Return what a review says: "yes" where it accepts, else the code of the first rule it names, else "other"."""
    if review.decision == "accepted":
        return QUALIFIED
    rules = review.rules or parser.rules_in(review.feedback)
    return rules[0] if rules else OTHER


def side_by_side(images: Sequence[DecodedImage]) -> DecodedImage:
    """Return the images of a sequence as one: all of the first one's height, from left to right."""
    height = images[0].pixels.shape[0]
    scaled = [
        cv2.resize(image.pixels, (max(1, round(image.pixels.shape[1] * height / image.pixels.shape[0])), height))
        for image in images
    ]
    return with_pixels(images[0], np.concatenate(scaled, axis=1).astype(np.uint8))


def _images(review: Review, max_images: int, fusion: Fusion) -> list[DecodedImage] | Skipped:
    """Return the decoded sequence of a review, or why it cannot be learned from."""
    product = review.product
    by_id = {image.id: image for image in product.images}
    missing = [image_id for image_id in review.sequence if image_id not in by_id]
    if missing:
        return Skipped(product.id, f"its sequence names {missing[0]}, which is none of its images")
    if not 1 <= len(review.sequence) <= max_images:
        return Skipped(product.id, f"its sequence has {len(review.sequence)} images, not 1 to {max_images}")
    if len(set(review.sequence)) < len(review.sequence):
        return Skipped(product.id, "its sequence names an image twice")
    try:
        images = [load_photo(product, by_id[image_id]) for image_id in review.sequence]
    except ImageReadError as error:
        return Skipped(product.id, str(error))
    return [side_by_side(images)] if fusion == "early" else images


def _learnable(review: Review, images: tuple[int, ...], seed: int, parser: FeedbackParser) -> LearnableReview:
    rejected = review.decision == "rejected"
    return LearnableReview(
        product=str(review.product.attributes.get("source", review.product.id)),
        split=split_of_review(review, seed=seed),
        title=review.product.title,
        category=review.product.category,
        code=code_of(review, parser),
        # For accepted sequences the feedback is one constant word (section 3.4.3).
        feedback=review.feedback if rejected else QUALIFIED,
        images=images,
    )


def _fingerprint(reviews: Sequence[Review], fusion: Fusion, source: FeatureSource, parser: FeedbackParser) -> str:
    """Return a name for the features of these reviews, this way of fusing them, and this source's own output."""
    digest = hashlib.sha256(f"{LAYOUT}:{fusion}".encode())
    for review in reviews:
        digest.update(review.model_dump_json().encode())
        digest.update(code_of(review, parser).encode())
        # A file of another size is another photo; hashing all bytes again would cost more than it is worth.
        sizes = [Path(image.uri).stat().st_size for image in review.product.images if Path(image.uri).is_file()]
        digest.update(repr(sizes).encode())
    probe = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    facts = source.features([as_image(probe)])[0]
    digest.update(np.round(facts["embedding"], 2).tobytes())
    if facts.keys() >= evidence.REQUIRED_FACTS:
        digest.update(np.round(evidence.ImageEvidence.of(facts).numbers, 2).tobytes())
    return digest.hexdigest()[:16]


def _write(features: ReviewFeatures, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "tokens.npy", features.tokens)
    np.save(folder / "global_tokens.npy", features.global_tokens)
    np.save(folder / "evidence.npy", features.evidence)
    written = {
        "reviews": [asdict(review) for review in features.reviews],
        "skipped": [asdict(skipped) for skipped in features.skipped],
    }
    # Written last: a folder with it is complete.
    (folder / "reviews.json").write_text(json.dumps(written), encoding="utf-8")


def _read(folder: Path) -> ReviewFeatures:
    written: dict[str, list[dict[str, Any]]] = json.loads((folder / "reviews.json").read_text(encoding="utf-8"))
    reviews = tuple(LearnableReview(**{**row, "images": tuple(row["images"])}) for row in written["reviews"])
    skipped = tuple(Skipped(**row) for row in written["skipped"])
    # In memory: rows are read at random, many times over.
    arrays = (np.load(folder / f"{name}.npy") for name in ("tokens", "global_tokens", "evidence"))
    return ReviewFeatures(reviews, skipped, *arrays)
