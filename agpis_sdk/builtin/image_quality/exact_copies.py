"""Exact copies: the same bytes, or the same pixels under other bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from agpis_sdk.builtin.image_quality.config import ExactCopiesConfig
from agpis_sdk.builtin.image_quality.rules import RULES
from agpis_sdk.components import AttributedFinding, Context, DecodedImage, ImagePair, pair_finding

EXACT_COPY = RULES["exact-copy"]


class ExactCopiesChecker:
    """Finds pairs that are the same, pixel for pixel (AGP202)."""

    def __init__(self, config: ExactCopiesConfig) -> None:
        del config

    def check_pairs(self, pairs: Sequence[ImagePair], context: Context) -> Iterator[AttributedFinding]:
        """Yield a finding of score 1 for each pair of the same bytes or the same decoded pixels."""
        del context
        for pair in pairs:
            if pair.first.sha256 == pair.second.sha256:
                relation = "is the same file as"
            elif np.array_equal(pair.first.pixels, pair.second.pixels):
                relation = "is pixel for pixel the same as"
            else:
                continue
            message = f'"{pair.second.id}" {relation} "{pair.first.id}"'
            yield pair_finding(pair, EXACT_COPY, 1.0, message, (_whole(pair.first), _whole(pair.second)))


def _whole(image: DecodedImage) -> tuple[int, int, int, int]:
    return (0, 0, image.original_width, image.original_height)
