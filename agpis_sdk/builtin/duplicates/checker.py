"""The pair checker: propose, match, align, verify, classify."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from agpis_sdk.builtin.duplicates.affine import Box, Transform
from agpis_sdk.builtin.duplicates.config import DuplicatesConfig
from agpis_sdk.builtin.duplicates.messages import describe
from agpis_sdk.builtin.duplicates.picture import Picture
from agpis_sdk.builtin.duplicates.registration import AlignedPair, align, with_details
from agpis_sdk.builtin.duplicates.rules import RULES
from agpis_sdk.builtin.duplicates.verdict import PairKind, VerdictHead
from agpis_sdk.components import MIN_REPORTED_SCORE, AttributedFinding, Context, DecodedImage, ImagePair, pair_finding
from agpis_sdk.rules import Rule

RULE_OF_KIND: dict[PairKind, Rule] = {
    "duplicate": RULES["duplicate-content"],
    "variant": RULES["color-variant"],
    "similar-angle": RULES["similar-viewing-angle"],
}
REPEATED_DETAIL = RULES["enlarged-detail-repeated"]
FACT = "duplicates.picture"
MOST_TURNED, MOST_ZOOMED = 15.0, 1.4  # degrees and factor of a second shot from a step aside


class DuplicateChecker:
    """Finds pairs that repeat the same content, color variants and similar viewing angles."""

    def __init__(self, config: DuplicatesConfig) -> None:
        self._config = config
        self._head = VerdictHead.load(config.weights) if config.weights else VerdictHead.load()

    def check_pairs(self, pairs: Sequence[ImagePair], context: Context) -> Iterator[AttributedFinding]:
        """Yield a finding for each verdict from `MIN_REPORTED_SCORE` on; its boxes hold the content that both images share."""
        for pair in pairs:
            swapped = _identity(pair.second) < _identity(pair.first)  # so that the order of a pair changes nothing
            one, two = (pair.second, pair.first) if swapped else (pair.first, pair.second)
            first, second = self._picture(one, context), self._picture(two, context)
            aligned = self._aligned(first, second)
            if aligned is None:
                continue
            box_one = self._original(first, aligned.comparison.first_box)
            box_two = self._original(second, aligned.comparison.second_box)
            boxes = (box_two, box_one) if swapped else (box_one, box_two)
            for rule, score in self._verdicts(aligned):
                if score >= MIN_REPORTED_SCORE:
                    message = describe(pair, rule, boxes, aligned.transform, aligned.comparison)
                    yield pair_finding(pair, rule, score, message, boxes)

    def _aligned(self, first: Picture, second: Picture) -> AlignedPair | None:
        """Align a pair, and look at the details of one that could be a duplicate."""
        aligned = align(first, second, self._config)
        if aligned is None or self._head.probabilities(aligned.comparison)["duplicate"] < MIN_REPORTED_SCORE:
            return aligned
        return with_details(aligned, first, second)

    def _verdicts(self, aligned: AlignedPair) -> Iterator[tuple[Rule, float]]:
        """Yield each rule with its probability; a duplicate that shares little of the wider image is an enlarged detail."""
        for kind, probability in self._head.probabilities(aligned.comparison).items():
            if kind == "duplicate" and aligned.comparison.least_coverage < self._config.min_shared:
                yield REPEATED_DETAIL, probability
            elif kind in RULE_OF_KIND and (kind != "similar-angle" or is_small_viewpoint_change(aligned.transform)):
                yield RULE_OF_KIND[kind], probability

    def _picture(self, image: DecodedImage, context: Context) -> Picture:
        """Return what is known of an image; it is shared by all pairs of the image."""
        try:
            known: Picture = context.fact(image, FACT)
        except KeyError:
            stride16 = partial(context.fact, image, "stride16")
            known = Picture(image, stride16, context.backbone, self._config)
            context.provide(image, FACT, known)
        return known

    def _original(self, picture: Picture, box: Box) -> tuple[int, int, int, int]:
        """Map a box at verification size to the pixels of the original file."""
        factor = picture.scale * self._config.working_side / self._config.verification_side
        return picture.image.original_box(*(value * factor for value in box))


def is_small_viewpoint_change(transform: Transform) -> bool:
    """Return whether a transform fits a small change of viewpoint, a step aside: not mirrored, hardly turned or zoomed."""
    linear = transform[:, :2]
    scale = float(np.sqrt(abs(np.linalg.det(linear))))
    turn = float(np.degrees(np.arctan2(linear[1, 0], linear[0, 0])))
    return bool(np.linalg.det(linear) > 0 and abs(turn) <= MOST_TURNED and 1 / MOST_ZOOMED <= scale <= MOST_ZOOMED)


def _identity(image: DecodedImage) -> tuple[str, str]:
    return (image.sha256, image.id)
