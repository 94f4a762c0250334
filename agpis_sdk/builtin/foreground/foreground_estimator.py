"""Where the product is in any picture, and what is read off that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.batches import batches
from agpis_sdk.builtin.backbone_maps import MAPS
from agpis_sdk.builtin.fixed_batches import fact_batch
from agpis_sdk.builtin.foreground import plain_background
from agpis_sdk.builtin.foreground.color_histogram import color_histogram_of
from agpis_sdk.builtin.foreground.composition import describe
from agpis_sdk.builtin.foreground.config import ForegroundConfig
from agpis_sdk.builtin.foreground.head_file import GRAPH, SHIPPED, SIDE, HeadSizes, read_head
from agpis_sdk.builtin.foreground.segmentation import foreground_of, normalized, without_letterbox
from agpis_sdk.builtin.graphs import GraphModel, own_graph
from agpis_sdk.builtin.logits import sigmoid
from agpis_sdk.builtin.weights import check_shapes
from agpis_sdk.components import AttributedFinding, Context, DecodedImage
from agpis_sdk.facts import Background, Foreground
from agpis_sdk.media.letterbox import letterbox
from agpis_sdk.media.reduced import reduced

BATCH = 8


class ForegroundEstimator:
    """Provides "foreground", "color_histogram", "product_embedding" and "composition".

    Before a plain background color draws the outline to the pixel; elsewhere the head's mask is taken. Colors are those within the
    head's mask in any case: the other one takes shadows along, and leaves out what is of the background's color.
    """

    def __init__(self, config: ForegroundConfig, device: str = "cpu") -> None:
        self._path = config.weights or SHIPPED
        tensors = read_head(self._path)
        self._sizes = HeadSizes.of_tensors(tensors)
        self._head = GraphModel(own_graph(GRAPH, self._path), tensors, device)

    def check_backbone(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Raise `WeightsError` where the head was trained on maps with other channels."""
        expected = {name: (getattr(self._sizes, name),) for name in MAPS}
        check_shapes(expected, shapes, item=str(self._path), setting="components.foreground.weights")

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[AttributedFinding]:
        """Provide the facts about each image; there are no findings."""
        for chunk in batches(images, BATCH):
            pictures = [letterbox(image.pixels, SIDE) for image in chunk]
            for image, square, picture in zip(
                chunk, self._probabilities(chunk, pictures, context), pictures, strict=True
            ):
                self._provide(image, square, picture, context)
        yield from ()

    def _probabilities(
        self, images: Sequence[DecodedImage], squares: Sequence[NDArray[np.uint8]], context: Context
    ) -> NDArray[np.float32]:
        """Return (n, SIDE, SIDE) probabilities of images and their letterboxed pictures.

        Every pass is of `BATCH` images, so that it is the same for any company.
        """
        maps = {name: fact_batch(images, name, context, BATCH) for name in MAPS}
        pictures = np.zeros((BATCH, 3, SIDE, SIDE), np.float32)
        pictures[: len(images)] = normalized(np.stack(squares))
        logits = self._head(**maps, picture=pictures)["logits"][: len(images)]
        return sigmoid(logits)

    def _provide(
        self, image: DecodedImage, square: NDArray[np.float32], picture: NDArray[np.uint8], context: Context
    ) -> None:
        height, width = image.pixels.shape[:2]
        probability = without_letterbox(square, width, height)
        plain: Foreground | None = context.fact(image, "plain_foreground")
        drawn = foreground_of(probability)
        foreground = plain if plain is not None else drawn
        colored = drawn or foreground
        small = without_letterbox(picture, width, height)
        colors = small if drawn else reduced(image, plain_background.SIDE)
        histogram = color_histogram_of(colors, colored) if colored else None
        context.provide(image, "foreground", foreground)
        context.provide(image, "color_histogram", histogram)
        context.provide(image, "product_embedding", masked_mean(context.fact(image, "stride32"), square))
        context.provide(image, "composition", composition(small, probability, context.fact(image, "background")))


def composition(
    pixels: NDArray[np.uint8], probability: NDArray[np.float32], background: Background
) -> NDArray[np.float32]:
    """Return the numbers that describe a picture (h, w, 3), given (h, w) probabilities of the product and its background."""
    return describe(pixels, probability, (background.plainness, background.whiteness, background.colors))


def masked_mean(features: NDArray[np.float32], square: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean (C,) of a map (C, h, w) over the product, whose probabilities are (SIDE, SIDE)."""
    height, width = features.shape[1:]
    weights = cv2.resize(square, (width, height), interpolation=cv2.INTER_AREA) + 1e-3  # (h, w)
    return np.asarray((features * weights).sum(axis=(1, 2)) / weights.sum(), dtype=np.float32)
