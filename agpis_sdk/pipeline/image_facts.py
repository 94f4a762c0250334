"""Facts about the images of products, as a run computes them: what training and `agpis adapt` learn from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agpis_sdk.components import DecodedImage
from agpis_sdk.config import Config
from agpis_sdk.media.products import CheckedProducts
from agpis_sdk.pipeline.batch import Batch, PendingBatch, ProductState, finish_decoding
from agpis_sdk.pipeline.plan import make_facts_plan
from agpis_sdk.pipeline.run import Run, assemble
from agpis_sdk.pipeline.single_image import check_images, check_images_at_cost
from agpis_sdk.pipeline.stream import prefetch_batches
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import Product


@dataclass(frozen=True)
class ProductFacts:
    """A product, and what is known about each of its images: image id → fact → value.

    An image that cannot be read, or on which a component failed, is left out; `images` keep the listed order.
    """

    product: Product
    images: Mapping[str, Mapping[str, Any]]


def image_facts(
    products: CheckedProducts | Iterable[Product], names: frozenset[str], *, host: PluginHost, config: Config
) -> Iterator[ProductFacts]:
    """Yield the named facts about the images of each product, in the order of the products.

    Raises `ConfigError` for a fact that nothing provides, and what `assemble` raises.
    """
    run = assemble(host, config, make_facts_plan(host, config, names))
    records = products if isinstance(products, CheckedProducts) else CheckedProducts(iter(products))
    for pending in prefetch_batches(records, config, run.cache):
        yield from _batch_facts(run, pending, names)


def _batch_facts(run: Run, pending: PendingBatch, names: frozenset[str]) -> Iterator[ProductFacts]:
    batch = {state.product.id: state for state in finish_decoding(pending, run.rules)}
    _measure(run, batch)
    for state in batch.values():
        yield ProductFacts(state.product, _known(run, state, names))


def _measure(run: Run, batch: Batch) -> None:
    """Compute all facts about the images of a micro-batch."""
    run.context.open_batch(state.product for state in batch.values())
    check_images(run, batch)
    check_images_at_cost(run, batch)


def _known(run: Run, state: ProductState, names: frozenset[str]) -> dict[str, dict[str, Any]]:
    return {
        image_id: {name: run.context.fact(image, name) for name in names}
        for image_id, image in state.images.items()
        if run.context.has_facts(image, names)
    }


class RunFacts:
    """A `FeatureSource` that gives the named facts of images in memory, as a run with the same settings computes them.

    Raises `ConfigError` for a fact that nothing provides, and what `assemble` raises.
    """

    def __init__(self, names: frozenset[str], *, host: PluginHost, config: Config) -> None:
        self._names = names
        self._run = assemble(host, config, make_facts_plan(host, config, names))

    def features(self, images: Sequence[DecodedImage]) -> list[dict[str, Any]]:
        """Return the facts of each image; raises `KeyError` where a component failed on one."""
        # Each image is a product of its own: two may be of one product and have one id.
        alone = [replace(image, product_id=str(number)) for number, image in enumerate(images)]
        batch = {
            image.product_id: ProductState(Product(id=image.product_id, images=()), images={image.id: image})
            for image in alone
        }
        _measure(self._run, batch)
        return [{name: self._run.context.fact(image, name) for name in self._names} for image in alone]
