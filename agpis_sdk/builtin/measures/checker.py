"""The classical measures: one score in 0..1 per rule and image, 0.5 at the configured limit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from agpis_sdk.builtin.measures.config import MeasuresConfig
from agpis_sdk.builtin.measures.foreground import RING, estimate_foreground
from agpis_sdk.builtin.measures.frame import frame_score
from agpis_sdk.builtin.measures.sharpness import edge_sharpness
from agpis_sdk.components import AttributedFinding, Context, DecodedImage, Foreground, image_finding
from agpis_sdk.records import Box
from agpis_sdk.rules import BUILTIN_RULES

RULE = {rule.name: rule for rule in BUILTIN_RULES}
SPEAK_FROM = 0.05
PLAIN_RING = 0.35
CLUTTER_COLOURS = 14.0
Measure = tuple[str, float, str, Box | None]


class MeasuresChecker:
    """Measures resolution, shape, sharpness, light, borders, background and framing of single images."""

    def __init__(self, config: MeasuresConfig) -> None:
        self._config = config

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[AttributedFinding]:
        """Yield a finding for each rule that an image comes near to breaking."""
        for image in images:
            foreground = estimate_foreground(image.pixels)
            context.provide(image, "foreground", foreground)
            for name, score, message, box in self._measures(image, foreground):
                if score >= SPEAK_FROM:
                    yield image_finding(image, RULE[name], score, message, [box] if box else [])

    def _measures(self, image: DecodedImage, foreground: Foreground) -> Iterator[Measure]:
        yield from self._shape(image)
        if min(image.pixels.shape[:2]) < 16:
            return
        yield from self._sharpness(image)
        yield from self._light(image, foreground)
        yield from self._surroundings(image, foreground)
        yield from self._framing(image, foreground)

    def _shape(self, image: DecodedImage) -> Iterator[Measure]:
        width, height = image.original_width, image.original_height
        shorter, longer = min(width, height), max(width, height)
        limit = self._config.min_side
        yield (
            "low-resolution",
            # An image of exactly the limit complies: half a pixel below it the score is 0.5.
            falling(math.log(shorter), math.log(limit - 0.5), 0.08),
            f"{width} x {height} pixels; the shorter side should have {limit}",
            None,
        )
        ratio = longer / shorter
        yield (
            "extreme-aspect-ratio",
            rising(ratio, self._config.max_aspect_ratio + 0.01, 0.15),
            f"one side is {ratio:.1f} times the other; at most {self._config.max_aspect_ratio:g} fits a gallery",
            None,
        )

    def _sharpness(self, image: DecodedImage) -> Iterator[Measure]:
        sharpness = edge_sharpness(image.pixels)
        if sharpness is not None:
            score = falling(sharpness, self._config.min_sharpness, 0.012)
            yield "blurry-image", score, f"even the sharpest edges are soft (sharpness {sharpness:.2f})", None

    def _light(self, image: DecodedImage, foreground: Foreground) -> Iterator[Measure]:
        luma = cv2.cvtColor(image.pixels, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
        low, high = np.quantile(luma, [0.01, 0.99])
        if high - low < 0.02:
            yield "placeholder-image", 1.0, "the picture is one even colour: nothing can be seen", None
            return
        size = (foreground.mask.shape[1], foreground.mask.shape[0])
        product = cv2.resize(luma, size, interpolation=cv2.INTER_AREA)[foreground.mask]
        if product.size:
            clipped = float((product > 0.985).mean())
            score = rising(clipped, self._config.max_clipped, 0.05)
            yield "over-exposed", score, f"{clipped:.0%} of the product is pure white", None
        brightness = float(luma.mean())
        score = falling(brightness, self._config.min_brightness, 0.015)
        yield "under-exposed", score, f"the picture is dark (mean brightness {brightness:.0%})", None
        score = falling(float(high - low), self._config.min_contrast, 0.025)
        yield "low-contrast", score, f"light and dark lie close together ({high - low:.0%} of the range)", None

    def _surroundings(self, image: DecodedImage, foreground: Foreground) -> Iterator[Measure]:
        frame, inside = frame_score(image.pixels)
        if inside is not None:
            box = _original(image, inside)
            yield "border-or-frame", rising(frame, 0.93, 0.015), "an even border runs around the picture", box
        # A close-up of striped cloth is busy, too, but of few colours.
        colourful = min(1.0, foreground.ring_colours / CLUTTER_COLOURS)
        busy = foreground.busy_ring * ring_edges(image) * colourful
        score = rising(busy, self._config.max_background_noise * 0.25, 0.02)
        yield "cluttered-background", score, "the background is full of other things", None

    def _framing(self, image: DecodedImage, foreground: Foreground) -> Iterator[Measure]:
        """Judge how the product stands in the picture; silent where the background is too busy to tell."""
        if foreground.box is None or foreground.busy_ring > PLAIN_RING:
            return
        x, y, width, height = foreground.box
        box = _original(image, foreground.box)
        fill = width * height
        score = falling(fill, self._config.min_fill, 0.015)
        yield "product-too-small", score, f"the product takes {fill:.0%} of the picture", box
        score = rising(foreground.touching, self._config.max_cut, 0.04)
        yield "product-cropped", score, "the edge of the picture cuts the product", box
        if foreground.touching < 0.02:
            offset = max(abs(x + width / 2 - 0.5), abs(y + height / 2 - 0.5))
            score = rising(offset, self._config.max_offset, 0.02)
            yield "product-off-center", score, f"the product stands {offset:.0%} away from the middle", box


def rising(value: float, limit: float, width: float) -> float:
    """Return a score in 0..1 that is 0.5 at `limit` and rises with `value`, by a logistic of the given width.

    >>> rising(3.0, 3.0, 0.1)
    0.5
    """
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, (value - limit) / width))))


def falling(value: float, limit: float, width: float) -> float:
    """Return a score in 0..1 that is 0.5 at `limit` and falls as `value` rises."""
    return rising(-value, -limit, width)


def ring_edges(image: DecodedImage) -> float:
    """Return the share of the ring along the picture's edge that lies on an edge of brightness, in 0..1."""
    grey = cv2.cvtColor(image.pixels, cv2.COLOR_RGB2GRAY)
    edges = cv2.Canny(cv2.GaussianBlur(grey, (3, 3), 0), 40, 100) > 0
    edges = cv2.dilate(edges.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    thickness = max(2, round(4 * RING * max(grey.shape)))
    inner = np.zeros_like(edges)
    inner[thickness:-thickness, thickness:-thickness] = True
    return float(edges[~inner].mean())


def _original(image: DecodedImage, box: tuple[float, float, float, float]) -> Box:
    """Turn a box in 0..1 of the picture into original pixels."""
    height, width = image.pixels.shape[:2]
    return image.original_box(box[0] * width, box[1] * height, box[2] * width, box[3] * height)
