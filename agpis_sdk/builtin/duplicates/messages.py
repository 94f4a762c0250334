"""Messages about a pair for the seller."""

from __future__ import annotations

import numpy as np

from agpis_sdk.builtin.duplicates.affine import Transform
from agpis_sdk.builtin.duplicates.verification import Comparison
from agpis_sdk.components import ImagePair
from agpis_sdk.records import Box
from agpis_sdk.rules import Rule

MIN_REPORTED_TURN = 4.0  # degrees
MIN_REPORTED_SQUEEZE = 0.03  # logarithm of the ratio of the two scales
MIN_REPORTED_GAIN = 0.1  # logarithm of the ratio of light
MIN_REPORTED_OFFSET = 15  # gray levels
MIN_REPORTED_OVERLAY = 0.03  # share of what both images show
VERB_PHRASES = {
    "duplicate-content": "show the same content",
    "color-variant": "show the same shot in different colors",
    "similar-viewing-angle": "show the product from nearly the same angle",
    "enlarged-detail-repeated": "show the same content, one enlarged",
}


def describe(pair: ImagePair, rule: Rule, boxes: tuple[Box, Box], transform: Transform, comparison: Comparison) -> str:
    """Return how the images of a pair repeat each other; `transform` maps one onto the other, either way."""
    notes = _changes(pair, boxes, transform)
    if rule.name in ("duplicate-content", "enlarged-detail-repeated"):
        notes += _edits(comparison)
    detail = f" ({', '.join(notes)})" if notes else ""
    return f'"{pair.first.id}" and "{pair.second.id}" {VERB_PHRASES[rule.name]}{detail}'


def _edits(comparison: Comparison) -> list[str]:
    """Return in words what was done to one of the pictures: squeezed, gray, in other light, something laid over it or beside it."""
    tone = comparison.tone
    noted = {
        "one of them is squeezed": comparison.squeeze > MIN_REPORTED_SQUEEZE,
        "one of them is gray": comparison.grayed,
        "in other light": abs(np.log(tone.gain)) > MIN_REPORTED_GAIN or abs(tone.offset) > MIN_REPORTED_OFFSET,
        "something is laid over one of them": comparison.covered > MIN_REPORTED_OVERLAY,
        "in one part alone": comparison.parted,
    }
    return [words for words, applies in noted.items() if applies]


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
