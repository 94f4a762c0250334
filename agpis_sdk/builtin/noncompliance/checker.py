"""Finds images with non-compliant content: p_nc, the most probable kind, and roughly where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from agpis_sdk.batches import batches
from agpis_sdk.builtin.fixed_batches import fact_batch
from agpis_sdk.builtin.noncompliance.config import NoncomplianceConfig
from agpis_sdk.builtin.noncompliance.kinds import KINDS, UNSURE
from agpis_sdk.builtin.noncompliance.model import SHIPPED, NoncomplianceHead, any_kind_logit, peak_box
from agpis_sdk.builtin.weights import check_shapes
from agpis_sdk.components import MIN_REPORTED_SCORE, AttributedFinding, Context, DecodedImage, image_finding
from agpis_sdk.facts import Foreground
from agpis_sdk.media.letterbox import letterbox_geometry
from agpis_sdk.records import Box
from agpis_sdk.rules import RuleSet

FACTS = ("stride32", "stride16", "stride8")
PRINTABLE = ("AGP120", "AGP122", "AGP125")  # words and marks may as well be printed on the product
BATCH = 8
ON_PRODUCT, BESIDE = 0.9, 0.3  # shares of a box that the product takes


class NoncomplianceChecker:
    """Judges each image with a head on the backbone's facts (paper section 3.3.1)."""

    def __init__(self, config: NoncomplianceConfig, device: str = "cpu") -> None:
        self._config = config
        self._path = config.weights or SHIPPED
        self._head = NoncomplianceHead.load(self._path).to(device)
        self._device = device

    def check_backbone(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Raise `WeightsError` where the head was trained on maps with other channels."""
        sizes = self._head.sizes
        expected = {name: (getattr(sizes, name),) for name in FACTS}
        check_shapes(expected, shapes, item=str(self._path), setting="components.noncompliance.weights")

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[AttributedFinding]:
        """Provide p_nc of every image; yield its most probable forbidden kind, and each kind that is only a warning.

        p_nc is the probability of at least one forbidden kind: a kind whose rule only warns makes no image non-compliant.
        """
        forbidden = np.array([_is_forbidden(code, context.rules) for code, _, _ in KINDS.values()])
        for chunk in batches(images, BATCH):
            p_noncompliant, logits, maps = self._judge(chunk, forbidden, context)
            p_kinds = 1 / (1 + np.exp(-logits))
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

    @torch.inference_mode()
    def _judge(
        self, images: Sequence[DecodedImage], forbidden: NDArray[np.bool_], context: Context
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Return p_nc (n,), logits of the kinds (n, kinds) and maps (n, kinds, h, w); every pass has one shape."""
        inputs = (torch.from_numpy(fact_batch(images, name, context, BATCH)).to(self._device) for name in FACTS)
        logits, maps = self._head(*inputs)
        count = len(images)
        any_forbidden = any_kind_logit(logits[:, torch.from_numpy(forbidden)])
        p_noncompliant = torch.sigmoid(any_forbidden).cpu().numpy()[:count]
        return p_noncompliant, logits.cpu().numpy()[:count], maps.cpu().numpy()[:count]

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
        message = f"{words}{_where(image, boxes)}{hint} (p_nc {score:.2f})"
        return image_finding(image, context.rules[code], score, message, boxes)


def _is_forbidden(code: str, rules: RuleSet) -> bool:
    """Return whether a kind's rule removes images; one that this run does not know is not taken lightly."""
    return code not in rules or rules[code].severity == "error"


def place(image: DecodedImage, kind_map: NDArray[np.float32], side: int) -> Box:
    """Turn the peak of an (h, w) map over the letterboxed square of `side` pixels into a box of the original image."""
    height, width = image.pixels.shape[:2]
    scale, offset_x, offset_y = letterbox_geometry(width, height, side)
    x, y, box_width, box_height = (value * side for value in peak_box(kind_map))
    left, top = max(0.0, (x - offset_x) / scale), max(0.0, (y - offset_y) / scale)
    right = min(float(width), (x + box_width - offset_x) / scale)
    bottom = min(float(height), (y + box_height - offset_y) / scale)
    return image.original_box(left, top, max(right - left, 1.0), max(bottom - top, 1.0))


def on_product_hint(image: DecodedImage, box: Box, foreground: Foreground | None) -> str:
    """Say whether words or a mark lie on the product or beside it; nothing where the background hides the product."""
    if foreground is None:
        return ""
    height, width = foreground.mask.shape
    across, down = width / image.original_width, height / image.original_height
    x, y, box_width, box_height = box
    rows = slice(int(y * down), max(int(y * down) + 1, round((y + box_height) * down)))
    columns = slice(int(x * across), max(int(x * across) + 1, round((x + box_width) * across)))
    share = float(foreground.mask[rows, columns].mean())
    if share >= ON_PRODUCT:
        return ", on the product: it may be printed there"
    return ", beside the product" if share <= BESIDE else ""


def _where(image: DecodedImage, boxes: Sequence[Box]) -> str:
    """Return the position of a box in words that a seller understands."""
    if not boxes:
        return ""
    x, y, width, height = boxes[0]
    across = (x + width / 2) / image.original_width
    down = (y + height / 2) / image.original_height
    vertical = "top" if down < 1 / 3 else "bottom" if down > 2 / 3 else ""
    horizontal = "left" if across < 1 / 3 else "right" if across > 2 / 3 else ""
    return f", {' '.join(word for word in (vertical, horizontal) if word) or 'center'}"
