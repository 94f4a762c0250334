"""Messages about a pair for the seller."""

from __future__ import annotations

import numpy as np

from agpis_sdk.builtin.duplicates.affine import Transform
from agpis_sdk.components import ImagePair
from agpis_sdk.records import Box
from agpis_sdk.rules import Rule

MIN_REPORTED_TURN = 4.0  # degrees
MIN_REPORTED_OVERLAY = 0.03  # share of what both images show
VERB_PHRASES = {
    "duplicate-content": "show the same content",
    "color-variant": "show the same shot in different colors",
    "similar-viewing-angle": "show the product from nearly the same angle",
    "enlarged-detail-repeated": "show the same content, one enlarged",
}


def describe(pair: ImagePair, rule: Rule, boxes: tuple[Box, Box], transform: Transform, covered: float) -> str:
    """Return how the images of a pair repeat each other; `transform` maps one onto the other, either way.

    `covered` is the share, in 0..1, of what both show that an overlay hides in one of them.
    """
    notes = _changes(pair, boxes, transform)
    if covered > MIN_REPORTED_OVERLAY and rule.name == "duplicate-content":
        notes.append("something is laid over one of them")
    detail = f" ({', '.join(notes)})" if notes else ""
    return f'"{pair.first.id}" and "{pair.second.id}" {VERB_PHRASES[rule.name]}{detail}'


def _changes(pair: ImagePair, boxes: tuple[Box, Box], transform: Transform) -> list[str]:
    """Return a transform in words: crop, mirror, turn."""
    linear = transform[:, :2]
    notes = ["mirrored"] if np.linalg.det(linear) < 0 else []
    turn = float(np.degrees(np.arctan2(linear[1, 0], abs(linear[0, 0]))))
    if abs(turn) > MIN_REPORTED_TURN:
        notes.append(f"turned by {abs(turn):.0f}°")
    shares = [
        box[2] * box[3] / (image.original_width * image.original_height)
        for image, box in zip((pair.first, pair.second), boxes, strict=True)
    ]
    if min(shares) < 0.85 and abs(shares[0] - shares[1]) > 0.1:
        part, whole = (pair.second, pair.first) if shares[1] > shares[0] else (pair.first, pair.second)
        notes.insert(0, f'"{part.id}" is a crop of "{whole.id}"')
    return notes
