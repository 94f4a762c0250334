"""Classical image-quality measures: one score in 0..1 per rule and image, 0.5 at the configured limit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from cv2.typing import MatLike

from agpis_sdk.builtin.arrays import byte_counts, counted_quantile
from agpis_sdk.builtin.foreground.plain_background import PLAIN_ENOUGH
from agpis_sdk.builtin.image_quality.config import ImageQualityConfig
from agpis_sdk.builtin.image_quality.detail import detail_decay, grid_strengths
from agpis_sdk.builtin.image_quality.files import GENERATED, generated_term, names_another_format
from agpis_sdk.builtin.image_quality.frame import SIDE, THINNEST, frame_score
from agpis_sdk.builtin.image_quality.rules import RULES
from agpis_sdk.builtin.image_quality.sharpness import edge_sharpness
from agpis_sdk.components import MIN_REPORTED_SCORE, AttributedFinding, Context, DecodedImage, image_finding
from agpis_sdk.facts import Background, Foreground
from agpis_sdk.media.edge_ring import edge_ring
from agpis_sdk.media.reduced import reduced
from agpis_sdk.records import Box

CLUTTER_COLORS = 14.0
EDGE_RING = 0.1
# Share of a side that the product covers, above which it runs out of the picture there.
RUNS_OUT_SHARE = 0.05
# Steps that gather on a grid of repeated pixels; photographs stay below 0.2.
MAX_REPEATED = 0.5
Measurement = tuple[str, float, str, Box | None]


class ImageQualityChecker:
    """Measures resolution, shape, sharpness, compression, light, borders, background and framing of single images."""

    def __init__(self, config: ImageQualityConfig) -> None:
        self._config = config

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[AttributedFinding]:
        """Yield the findings of each image from `MIN_REPORTED_SCORE` on."""
        for image in images:
            background = context.fact(image, "background")
            foreground = context.fact(image, "plain_foreground")
            for name, score, message, box in self._measurements(image, background, foreground):
                if score >= MIN_REPORTED_SCORE:
                    yield image_finding(
                        image, RULES[name], score, message, [box] if box else [], _exact_remedy(name, box)
                    )

    def _measurements(
        self, image: DecodedImage, background: Background, foreground: Foreground | None
    ) -> Iterator[Measurement]:
        yield from self._file(image)
        yield from self._shape(image)
        if min(image.pixels.shape[:2]) < 16:
            return
        yield from self._sharpness(image)
        yield from self._compression(image)
        yield from self._light(image, background, foreground)
        yield from self._surroundings(image, background)
        if foreground is not None:
            yield from self._framing(image, foreground)

    def _file(self, image: DecodedImage) -> Iterator[Measurement]:
        if names_another_format(image.suffix, image.format):
            yield "format-mismatch", 1.0, f'the name ends in "{image.suffix}", but the file is {image.format}', None
        term = generated_term(image.digital_source_types)
        if term is not None:
            yield "ai-generated-mark", 1.0, f"its metadata says {term}: {GENERATED[term]}", None

    def _shape(self, image: DecodedImage) -> Iterator[Measurement]:
        width, height = image.original_width, image.original_height
        shorter, longer = min(width, height), max(width, height)
        limit = self._config.min_side
        yield (
            "low-resolution",
            # An image of exactly the limit complies: half a pixel below it the score is 0.5.
            logistic_below(math.log(shorter), math.log(limit - 0.5), 0.08),
            f"{width} x {height} pixels; the shorter side should have {limit}",
            None,
        )
        ratio = longer / shorter
        yield (
            "extreme-aspect-ratio",
            logistic_above(ratio, self._config.max_aspect_ratio + 0.01, 0.15),
            f"one side is {ratio:.1f} times the other; at most {self._config.max_aspect_ratio:g} fits a gallery",
            None,
        )

    def _sharpness(self, image: DecodedImage) -> Iterator[Measurement]:
        sharpness = edge_sharpness(image.pixels)
        if sharpness is not None:
            score = logistic_below(sharpness, self._config.min_sharpness, 0.012)
            yield "blurry-image", score, f"even the sharpest edges are soft (sharpness {sharpness:.2f})", None

    def _compression(self, image: DecodedImage) -> Iterator[Measurement]:
        """Measure what compression and scaling did to the picture's finest detail."""
        blocks, repeated = grid_strengths(image.detail) if image.detail is not None else (0.0, 0.0)
        score = logistic_above(blocks, self._config.max_blocks, 0.04)
        message = "the blocks of heavy compression stand out"
        if image.jpeg_quality is not None:
            # A quality of exactly the limit complies.
            by_quality = logistic_below(image.jpeg_quality, self._config.min_jpeg_quality - 0.5, 2.0)
            if by_quality > score:
                score, message = by_quality, f"saved at JPEG quality {image.jpeg_quality}"
        yield "compression-artifacts", score, message, None
        decay = detail_decay(image.detail) if image.detail is not None else None
        score = logistic_above(decay, self._config.max_detail_decay, 0.15) if decay is not None else 0.0
        message = "no finer detail than in a picture of half the size"
        if logistic_above(repeated, MAX_REPEATED, 0.05) > score:
            score, message = (
                logistic_above(repeated, MAX_REPEATED, 0.05),
                "its pixels are repeated, as in an enlarged icon",
            )
        yield "upscaled-image", score, message, None

    def _light(
        self, image: DecodedImage, background: Background, foreground: Foreground | None
    ) -> Iterator[Measurement]:
        gray = np.asarray(cv2.cvtColor(image.pixels, cv2.COLOR_RGB2GRAY), np.uint8)
        luma = gray.astype(np.float32) / 255
        # In the precision of `luma`: many pictures lie on a limit to the level of gray, and so keep their side of it.
        counts = byte_counts(gray)
        low, high = (np.float32(counted_quantile(counts, share)) / np.float32(255) for share in (0.01, 0.99))
        if high - low < 0.02:
            yield "placeholder-image", 1.0, "the picture is one even color: nothing can be seen", None
            return
        product = _product(luma, background, foreground)
        if product.size:
            clipped = float((product > 0.985).mean())
            score = logistic_above(clipped, self._config.max_clipped, 0.05)
            yield "over-exposed", score, f"{clipped:.0%} of the product is pure white", None
        brightness = float(luma.mean())
        score = logistic_below(brightness, self._config.min_brightness, 0.015)
        yield "under-exposed", score, f"the picture is dark (mean brightness {brightness:.0%})", None
        score = logistic_below(float(high - low), self._config.min_contrast, 0.025)
        yield "low-contrast", score, f"light and dark lie close together ({high - low:.0%} of the range)", None

    def _surroundings(self, image: DecodedImage, background: Background) -> Iterator[Measurement]:
        small = reduced(image, SIDE)
        # What would be too thin then is shrunk less.
        frame, inside = frame_score(small if min(small.shape[:2]) >= THINNEST else image.pixels)
        if inside is not None:
            box = _original(image, inside)
            yield "border-or-frame", logistic_above(frame, 0.93, 0.015), "an even border runs around the picture", box
        if background.plainness >= PLAIN_ENOUGH:
            # What breaks so plain a ring is the product.
            return
        # A close-up of striped cloth is busy, too, but of few colors.
        busy = (1 - background.plainness) * min(1.0, background.colors / CLUTTER_COLORS)
        limit = self._config.max_background_noise * 0.25
        score = logistic_above(busy * ring_edges(image), limit, 0.02)
        yield "cluttered-background", score, "the background is full of other things", None

    def _framing(self, image: DecodedImage, foreground: Foreground) -> Iterator[Measurement]:
        """Measure size, cropping and centering of the product."""
        box = _original(image, foreground.box)
        score = logistic_below(foreground.fill, self._config.min_fill, 0.015)
        yield "product-too-small", score, f"the product takes {foreground.fill:.0%} of the picture", box
        score = logistic_above(cut(foreground), self._config.max_cut, 0.03)
        yield "product-cropped", score, "the edge of the picture cuts the product", box
        if foreground.touching < 0.02:
            score = logistic_above(foreground.offset, self._config.max_offset, 0.02)
            message = f"the product stands {foreground.offset:.0%} away from the middle"
            yield "product-off-center", score, message, box


def _exact_remedy(name: str, box: Box | None) -> str:
    """Return what to do where the measure knows it more exactly than the rule; "" where it does not."""
    if name != "border-or-frame" or box is None:
        return ""
    return f"Crop it to {box[2]} x {box[3]} pixels from {box[0]}, {box[1]} on."


def cut(foreground: Foreground) -> float:
    """Return how broadly the picture's edge cuts the product, in 0..1.

    At the left and right it is the share of the product's height that is cut. People are cut at the top and bottom by
    custom: there it is half the share of the picture's side. What runs out at two opposite sides is a close-up, and
    meant so: 0.
    """
    left, top, right, bottom = foreground.sides
    if min(left, right) > RUNS_OUT_SHARE or min(top, bottom) > RUNS_OUT_SHARE:
        return 0.0
    return max(max(left, right) / foreground.box[3], top / 2, bottom / 2)


def logistic_above(value: float, limit: float, width: float) -> float:
    """Return a score in 0..1 that is 0.5 at `limit` and rises with `value`, by a logistic of the given width.

    >>> logistic_above(3.0, 3.0, 0.1)
    0.5
    """
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, (value - limit) / width))))


def logistic_below(value: float, limit: float, width: float) -> float:
    """Return a score in 0..1 that is 0.5 at `limit` and falls as `value` rises."""
    return logistic_above(-value, -limit, width)


def ring_edges(image: DecodedImage) -> float:
    """Return the share of edge pixels (Canny) in the ring along the picture's border, in 0..1."""
    gray = cv2.cvtColor(image.pixels, cv2.COLOR_RGB2GRAY)
    edges = cv2.Canny(cv2.GaussianBlur(gray, (3, 3), 0), 40, 100) > 0
    edges = cv2.dilate(edges.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return float(edges[edge_ring(edges.shape[0], edges.shape[1], EDGE_RING)].mean())


def _product(luma: MatLike, background: Background, foreground: Foreground | None) -> MatLike:
    """Return the luma of the product's pixels, or of all pixels where the background is too busy to segment."""
    if foreground is not None:
        height, width = foreground.mask.shape
        return cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA)[foreground.mask]
    return luma if background.plainness < PLAIN_ENOUGH else luma[:0]


def _original(image: DecodedImage, box: tuple[float, float, float, float]) -> Box:
    """Map a box in 0..1 of the picture to original pixels."""
    height, width = image.pixels.shape[:2]
    return image.original_box(box[0] * width, box[1] * height, box[2] * width, box[3] * height)
