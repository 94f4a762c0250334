"""Finds images with non-compliant content: p_nc, the most probable kind, and roughly where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.batches import batches
from agpis_sdk.builtin.backbone_maps import MAPS
from agpis_sdk.builtin.fixed_batches import fact_batch
from agpis_sdk.builtin.graphs import GraphModel, own_graph
from agpis_sdk.builtin.logits import sigmoid
from agpis_sdk.builtin.noncompliance.config import NoncomplianceConfig
from agpis_sdk.builtin.noncompliance.head_file import GRAPH, SHIPPED, HeadSizes, read_head
from agpis_sdk.builtin.noncompliance.kinds import KINDS, UNSURE
from agpis_sdk.builtin.noncompliance.location import on_product_hint, place, position
from agpis_sdk.builtin.weights import check_shapes
from agpis_sdk.components import MIN_REPORTED_SCORE, AttributedFinding, Context, DecodedImage, image_finding
from agpis_sdk.rules import RuleSet

PRINTABLE = ("AGP120", "AGP122", "AGP125")  # words and marks may as well be printed on the product
BATCH = 8


class NoncomplianceChecker:
    """Judges each image with a head on the backbone's facts (paper section 3.3.1)."""

    def __init__(self, config: NoncomplianceConfig, device: str = "cpu") -> None:
        self._config = config
        self._path = config.weights or SHIPPED
        tensors = read_head(self._path)
        self._sizes = HeadSizes.of_tensors(tensors)
        self._head = GraphModel(own_graph(GRAPH, self._path), tensors, device)

    def check_backbone(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Raise `WeightsError` where the head was trained on maps with other channels."""
        expected = {name: (getattr(self._sizes, name),) for name in MAPS}
        check_shapes(expected, shapes, item=str(self._path), setting="components.noncompliance.weights")

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[AttributedFinding]:
        """Provide p_nc of every image; yield its most probable forbidden kind, and each kind that is only a warning.

        p_nc is the probability of at least one forbidden kind: a kind whose rule only warns makes no image non-compliant.
        """
        forbidden = np.array([_is_forbidden(code, context.rules) for code, _, _ in KINDS.values()])
        for chunk in batches(images, BATCH):
            p_noncompliant, logits, maps = self._judge(chunk, forbidden, context)
            p_kinds = sigmoid(logits)
            for row, image in enumerate(chunk):
                context.provide(image, "p_noncompliant", float(p_noncompliant[row]))
                context.provide(image, "noncompliance.kinds", logits[row])
                best = int(np.where(forbidden, p_kinds[row], -1.0).argmax())
                scores = {best: float(p_noncompliant[row])}
                scores |= {int(kind): float(p_kinds[row, kind]) for kind in np.flatnonzero(~forbidden)}
                for kind, score in scores.items():
                    if score >= MIN_REPORTED_SCORE:
                        unsure = kind == best and p_kinds[row, kind] < self._config.kind_share
                        yield self._finding(image, kind, score, maps[row, kind], context, unsure=unsure)

    def _judge(
        self, images: Sequence[DecodedImage], forbidden: NDArray[np.bool_], context: Context
    ) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.float32]]:
        """Return p_nc (n,), logits of the kinds (n, kinds) and maps (n, kinds, h, w); every pass has one shape."""
        judged = self._head(**{name: fact_batch(images, name, context, BATCH) for name in MAPS})
        logits, maps = (judged[name][: len(images)] for name in ("logits", "maps"))
        p_kinds = sigmoid(logits[:, forbidden].astype(np.float64))
        return 1 - (1 - p_kinds).prod(axis=1), logits, maps

    def _finding(
        self,
        image: DecodedImage,
        kind: int,
        score: float,
        kind_map: NDArray[np.float32],
        context: Context,
        *,
        unsure: bool,
    ) -> AttributedFinding:
        code, words, has_place = list(KINDS.values())[kind]
        if unsure or code not in context.rules:
            code, words, has_place = UNSURE
        boxes = [place(image, kind_map, context.backbone.input_size)] if has_place else []
        hint = on_product_hint(image, boxes[0], context.fact(image, "foreground")) if code in PRINTABLE else ""
        message = f"{words}{position(image, boxes)}{hint} (p_nc {score:.2f})"
        return image_finding(image, context.rules[code], score, message, boxes)


def _is_forbidden(code: str, rules: RuleSet) -> bool:
    """Return whether a kind's rule removes images; one that this run does not know is not taken lightly."""
    return code not in rules or rules[code].severity == "error"
