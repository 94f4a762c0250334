"""A backbone and facts that see colors only: quick, and enough to learn an easy rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agpis_sdk.builtin.foreground import composition
from agpis_sdk.builtin.noncompliance.kinds import KINDS
from agpis_sdk.components import DecodedImage
from agpis_sdk.datasets.photos import load_photo
from agpis_sdk.facts import VIEWS, ColorHistogram, View
from agpis_sdk.pipeline.image_facts import ProductFacts
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import Product
from agpis_sdk.training.request import TrainingRequest


class ColorBackbone:
    """A backbone of the default's sizes that sees mean colors only: quick, and enough to learn an easy rule.

    It also gives what stage 1 would measure, as `RunFacts` does.
    """

    input_size = 224

    def features(self, images: Sequence[DecodedImage]) -> list[Mapping[str, Any]]:
        return [self._of(image) for image in images]

    def _of(self, image: DecodedImage) -> Mapping[str, Any]:
        color = image.pixels.reshape(-1, 3).mean(0) / 255

        def spread(*shape: int) -> np.ndarray:
            values = np.zeros(shape, np.float32)
            values[:3] = color.reshape(3, *([1] * (len(shape) - 1)))
            return values

        return {
            "embedding": spread(1280),
            "stride32": spread(320, 7, 7),
            "stride16": spread(112, 14, 14),
            "stride8": spread(40, 28, 28),
            **measured(color),
        }


def measured(color: np.ndarray) -> dict[str, Any]:
    """Return facts that hold a mean color (3,) in 0..1, and are the same for all images apart from it."""
    numbers, embedding = np.zeros(len(composition.NAMES), np.float32), np.zeros(8, np.float32)
    numbers[:3] = embedding[:3] = color
    return {
        "composition": numbers,
        "product_embedding": embedding,
        "view": View(np.full(len(VIEWS), 1 / len(VIEWS), np.float32), 0.5),
        "color_histogram": ColorHistogram((255 * color[None]).astype(np.float32), np.ones(1, np.float32)),
        "p_noncompliant": 0.1,
        "noncompliance.kinds": np.zeros(len(KINDS), np.float32),
    }


def color_facts(products: Iterable[Product], names: frozenset[str]) -> Iterator[ProductFacts]:
    """Yield facts that hold each image's mean color, and are the same for all images apart from it."""
    for product in products:
        yield ProductFacts(product, {image.id: _facts(product, image.id, names) for image in product.images})


def _facts(product: Product, image_id: str, names: frozenset[str]) -> dict[str, Any]:
    (image,) = (image for image in product.images if image.id == image_id)
    color = load_photo(product, image).pixels.reshape(-1, 3).mean(0) / 255
    known = measured(color)
    known["embedding"] = known["product_embedding"]
    return {name: known[name] for name in names}


def training_request(out: Path, **given: Any) -> TrainingRequest:
    """Return a request to train on colors, with the built-in rules."""
    rules = PluginHost.load(discover=False).rules
    return TrainingRequest(
        out=out,
        backbone=ColorBackbone,
        image_facts=color_facts,
        run_facts=lambda _: ColorBackbone(),
        rules=rules,
        note=lambda _: None,
        **given,
    )
