"""Products in: their images are read, and those that the index does not hold yet are embedded and committed."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.components import DecodedImage
from agpis_sdk.config import MediaSection
from agpis_sdk.errors import ImageReadError
from agpis_sdk.index.engine import IndexEngine
from agpis_sdk.index.records import IndexedImage
from agpis_sdk.index.store import Chunk, IndexStore
from agpis_sdk.media.decode import decode_image
from agpis_sdk.media.products import RejectedRecord
from agpis_sdk.media.sources import read_image_bytes
from agpis_sdk.records import CandidateImage, Product

Row = NDArray[np.float32]


@dataclass
class IngestSummary:
    """What became of the images of the products that were added; `problems` names each that could not be taken in."""

    products: int = 0
    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    forgotten: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class ReadImage:
    """A listed image with its bytes, or the reason why there are none (its `sha256` is empty then)."""

    image: IndexedImage
    data: bytes = b""
    reason: str | None = None


def add_products(
    store: IndexStore,
    engine: IndexEngine,
    records: Iterable[Product | RejectedRecord],
    progress: Callable[[IngestSummary], None] | None = None,
) -> IngestSummary:
    """Add the images of products, some products at a time; each such chunk is in the index, or is not, as a whole.

    An image with the bytes that the index knows is skipped, one with other bytes replaces the old one, and images that
    a product no longer lists are forgotten. One that cannot be read is named, and what the index held of it stays.
    """
    summary = IngestSummary()
    with ThreadPoolExecutor(engine.config.run.threads, thread_name_prefix="agpis-decode") as executor:
        for batch in _batches(iter(records), engine.config.run.batch_size):
            summary.problems += [str(record.error) for record in batch if isinstance(record, RejectedRecord)]
            products = [record for record in batch if isinstance(record, Product)]
            _add(store, engine, products, executor, summary)
            if progress is not None:
                progress(summary)
    store.vacuum()
    return summary


def read_images(products: Iterable[Product], limits: MediaSection, executor: Executor) -> list[ReadImage]:
    """Read the bytes of all images of products, in order."""

    def read(listed: tuple[str, CandidateImage]) -> ReadImage:
        product_id, image = listed
        unread = IndexedImage(product_id=product_id, id=image.id, uri=image.uri, sha256="")
        try:
            data = read_image_bytes(image.uri, limits)
        except ImageReadError as error:
            return ReadImage(unread, reason=str(error))
        return ReadImage(unread.model_copy(update={"sha256": hashlib.sha256(data).hexdigest()}), data)

    return list(executor.map(read, [(product.id, image) for product in products for image in product.images]))


def embed_images(images: Sequence[ReadImage], engine: IndexEngine, executor: Executor) -> list[Row | str]:
    """Decode and embed images; return for each its unit row (channels,), or the reason why there is none."""

    def decode(image: ReadImage) -> DecodedImage | str:
        if image.reason is not None:
            return image.reason
        named = {"product_id": image.image.product_id, "image_id": image.image.id}
        try:
            return decode_image(image.data, **named, position=0, limits=engine.config.media)
        except ImageReadError as error:
            return str(error)

    decoded = list(executor.map(decode, images))
    rows = iter(engine.embed([image for image in decoded if isinstance(image, DecodedImage)]))
    return [next(rows) if isinstance(image, DecodedImage) else image for image in decoded]


def _add(
    store: IndexStore,
    engine: IndexEngine,
    products: Sequence[Product],
    executor: Executor,
    summary: IngestSummary,
) -> None:
    """Commit one chunk of products."""
    read = read_images(products, engine.config.media, executor)
    present = store.rows_of(image.image.sha256 for image in read)
    new = {image.image.sha256: image for image in read if image.reason is None and image.image.sha256 not in present}
    rows = dict(zip(new, embed_images(list(new.values()), engine, executor), strict=True))
    chunk = Chunk(rows={sha256: row for sha256, row in rows.items() if not isinstance(row, str)})
    known = {product.id: store.images_of_product(product.id) for product in products}
    for image in read:
        row = rows.get(image.image.sha256)
        reason = row if isinstance(row, str) else image.reason
        if reason is not None:
            summary.problems.append(f"{image.image.name}: {reason}")
        else:
            _put(image.image, known[image.image.product_id], chunk, summary)
    chunk.forgotten = list(_no_longer_listed(products, known))
    if chunk.images or chunk.forgotten:
        store.commit(chunk)
    summary.products += len(products)
    summary.forgotten += len(chunk.forgotten)


def _put(image: IndexedImage, known: Mapping[str, IndexedImage], chunk: Chunk, summary: IngestSummary) -> None:
    """Put an image into a chunk unless the index knows it as it is, and count what it is."""
    before = known.get(image.id)
    if before is None:
        summary.added += 1
    elif before.sha256 == image.sha256:
        summary.unchanged += 1
    else:
        summary.replaced += 1
    if before != image:  # the same bytes may have moved
        chunk.images.append(image)


def _no_longer_listed(
    products: Iterable[Product], known: Mapping[str, Mapping[str, IndexedImage]]
) -> Iterator[tuple[str, str]]:
    for product in products:
        listed = {image.id for image in product.images}
        yield from ((product.id, image_id) for image_id in known[product.id] if image_id not in listed)


def _batches(records: Iterator[Product | RejectedRecord], size: int) -> Iterator[list[Product | RejectedRecord]]:
    while batch := list(itertools.islice(records, size)):
        yield batch
