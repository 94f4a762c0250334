"""Photos for training: read, decoded and turned into the backbone's features."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.components import Backbone, DecodedImage
from agpis_sdk.config import MediaSection
from agpis_sdk.media.decode import decode_image
from agpis_sdk.media.sources import read_image_bytes
from agpis_sdk.records import CandidateImage, Product

CHUNK = 32
Item = TypeVar("Item")


def load_photo(product: Product, image: CandidateImage, limits: MediaSection | None = None) -> DecodedImage:
    """Read and decode one candidate image; raises `ImageReadError` as the pipeline would.

    Without limits of the caller, photos may be anywhere on this machine: what is learned from is the user's own.
    """
    limits = limits or MediaSection(allow_outside=True)
    data = read_image_bytes(image.uri, limits)
    position = [candidate.id for candidate in product.images].index(image.id)
    return decode_image(data, product_id=product.id, image_id=image.id, position=position, limits=limits, uri=image.uri)


def with_pixels(image: DecodedImage, pixels: NDArray[np.uint8]) -> DecodedImage:
    """Return a decoded image with other pixels (height, width, 3), as if its file had held them."""
    height, width = pixels.shape[:2]
    return replace(image, pixels=pixels, original_width=width, original_height=height, scale=1.0, detail=None)


def mirrored(image: DecodedImage) -> DecodedImage:
    """Return an image mirrored left to right: what a reviewer would judge the same."""
    return with_pixels(image, np.ascontiguousarray(image.pixels[:, ::-1]))


def embeddings(images: Iterable[DecodedImage], backbone: Backbone) -> NDArray[np.float32]:
    """Return the (images, channels) embeddings of images, in order."""
    rows = [facts["embedding"] for chunk in chunks(images) for facts in backbone.features(chunk)]
    return np.stack(rows) if rows else np.zeros((0, 0), np.float32)


def chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield lists of `CHUNK` items of a stream, in order; the last may be shorter."""
    chunk: list[Item] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
