"""Exchange with FiftyOne: outcomes out as a dataset that it imports, tags that people give there back as reviews.

The folder is what `fiftyone.types.FiftyOneDataset` reads: `metadata.json` and `samples.json`, in its layout without a version, whose
samples are written by field (https://docs.voxel51.com/user_guide/import_datasets.html#fiftyonedataset). A sample is an image of a
proposed sequence. Places are shares of the image there, and pixels of the original here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from agpis_sdk.errors import ImageReadError, TrainingDataError
from agpis_sdk.records import Mark, Product, Review
from agpis_sdk.report.phrases import spoken
from agpis_sdk.review.export import ACCEPTED_WORDS
from agpis_sdk.review.label_studio import SizeOf
from agpis_sdk.review.outcomes import RunProduct
from agpis_sdk.rules import RuleSet

METADATA, SAMPLES = "metadata.json", "samples.json"
ACCEPTED, REJECTED = "accepted", "rejected"
"""The tags that decide; the code of a rule as a tag rejects, and marks the image that bears it."""


def metadata(model_version: str) -> dict[str, Any]:
    """Return what FiftyOne shows about the dataset."""
    return {"media_type": "image", "info": {"made_by": "agpis", "model_version": model_version}}


def samples(run: Iterable[RunProduct], rules: RuleSet, size_of: SizeOf) -> Iterator[dict[str, Any]]:
    """Yield a sample for each image of each proposed sequence, with what the run measured and found."""
    for pair in run:
        images = {image.id: image for image in pair.product.images}
        measured = {image.id: image for image in pair.outcome.images}
        for place, image_id in enumerate(pair.outcome.sequence, start=1):
            known = measured.get(image_id)
            yield {
                "filepath": str(images[image_id].uri),
                "tags": [],
                "product_id": pair.product.id,
                "title": pair.product.title or pair.product.id,
                "category": pair.product.category,
                "image_id": image_id,
                "place": place,
                "status": _classification(pair.product.id, pair.outcome.status, pair.outcome.probability),
                "p_primary": known.p_primary if known is not None else None,
                "p_noncompliant": known.p_noncompliant if known is not None else None,
                "findings": {
                    "_cls": "Detections",
                    "detections": list(_detections(pair, image_id, images[image_id].uri, rules, size_of)),
                },
            }


def reviews_from(
    exported: Sequence[Mapping[str, Any]], products: Mapping[str, Product], rules: RuleSet
) -> Iterator[Review]:
    """Yield a review for each product of which an image bears a tag that decides, from the samples of FiftyOne's export.

    Raises `TrainingDataError` naming the product that is not known, is both accepted and rejected, or rejected without a rule.
    """
    by_product: dict[str, list[Mapping[str, Any]]] = {}
    for sample in exported:
        by_product.setdefault(str(sample.get("product_id")), []).append(sample)
    for product_id, own in by_product.items():
        tags = [(str(sample.get("image_id")), tag) for sample in own for tag in sample.get("tags") or ()]
        marks = tuple(Mark(image=image, rule=rules[tag].code) for image, tag in tags if tag in rules)
        decided = {tag for _, tag in tags} & {ACCEPTED, REJECTED}
        if not marks and not decided:
            continue
        if product_id not in products:
            raise TrainingDataError(
                "is not among the products", item=f'product "{product_id}"', remedy="--products FILE"
            )
        yield _review(products[product_id], own, marks, decided)


def _review(product: Product, own: Sequence[Mapping[str, Any]], marks: tuple[Mark, ...], decided: set[str]) -> Review:
    sequence = tuple(str(sample["image_id"]) for sample in sorted(own, key=lambda sample: int(sample["place"])))
    if ACCEPTED in decided and (marks or REJECTED in decided):
        raise TrainingDataError("is accepted and rejected", item=product.id, remedy="take one of the tags away")
    if ACCEPTED in decided:
        return Review(product=product, sequence=sequence, decision="accepted", feedback=ACCEPTED_WORDS)
    if not marks:
        raise TrainingDataError("is rejected without a rule", item=product.id, remedy="tag an image with a rule's code")
    codes = tuple(dict.fromkeys(mark.rule for mark in marks))
    return Review(
        product=product, sequence=sequence, decision="rejected", feedback=", ".join(codes), rules=codes, marks=marks
    )


def _detections(pair: RunProduct, image_id: str, uri: str, rules: RuleSet, size_of: SizeOf) -> Iterator[dict[str, Any]]:
    regions = [
        (finding, region.box)
        for finding in pair.outcome.findings
        for region in finding.regions
        if region.image == image_id
    ]
    if not regions:
        return
    try:
        width, height = size_of(uri)
    except ImageReadError:
        return
    for number, (finding, (x, y, wide, high)) in enumerate(regions):
        words = spoken(rules[finding.code].name) if finding.code in rules else ""
        yield {
            "_id": _id(pair.product.id, image_id, str(number)),
            "_cls": "Detection",
            "attributes": {},
            "tags": [],
            "label": f"{finding.code} {words}".strip(),
            "bounding_box": [x / width, y / height, wide / width, high / height],
            "confidence": finding.score,
        }


def _classification(product_id: str, label: str, confidence: float | None) -> dict[str, Any]:
    return {
        "_id": _id(product_id, label),
        "_cls": "Classification",
        "tags": [],
        "label": label,
        "confidence": confidence,
    }


def _id(*parts: str) -> dict[str, str]:
    """Return an identifier of 12 bytes, as its database has them."""
    return {"$oid": hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:24]}
