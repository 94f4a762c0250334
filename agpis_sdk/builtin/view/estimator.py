"""Says what each image shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from agpis_sdk.builtin.view.config import ViewConfig
from agpis_sdk.builtin.view.model import SHIPPED, ViewHead
from agpis_sdk.builtin.view.names import as_named, named_view
from agpis_sdk.builtin.weights import check_shapes
from agpis_sdk.components import AttributedFinding, Context, DecodedImage
from agpis_sdk.facts import View


class ViewEstimator:
    """Provides "view" from an image's composition and embedding, and from its name where that says one."""

    def __init__(self, config: ViewConfig) -> None:
        self._path = config.weights or SHIPPED
        self._head = ViewHead.load(self._path)

    def check_backbone(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Raise `WeightsError` where the head was trained on embeddings of another size."""
        expected = {"embedding": self._head.embedding_weight.shape[:1]}
        check_shapes(expected, shapes, item=str(self._path), setting="components.view.weights")

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[AttributedFinding]:
        """Provide the view of each image; there are no findings."""
        for image in images:
            numbers, embedding = context.fact(image, "composition"), context.fact(image, "embedding")
            seen = self._head.view(numbers, embedding)
            name = named_view(context.product(image.product_id), image.id)
            context.provide(image, "view", View(as_named(seen.probabilities, name), seen.whole))
        yield from ()
