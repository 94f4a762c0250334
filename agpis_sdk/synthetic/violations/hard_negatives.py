"""Hard negatives: changes that look like violations, but that a reviewer accepts."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from agpis_sdk.synthetic.violations.canvas import (
    WHITE,
    circle,
    color,
    fit_size,
    ground_under,
    luminance,
    mask_of,
    shrink_to,
    text_patch,
)
from agpis_sdk.synthetic.violations.fonts import choose_font
from agpis_sdk.synthetic.violations.framing import product_box, product_mask, resize
from agpis_sdk.synthetic.violations.logos_and_barcodes import logo_patch
from agpis_sdk.synthetic.violations.photometric import jpeg
from agpis_sdk.synthetic.violations.phrases import BRAND, PROMOTION, words
from agpis_sdk.synthetic.violations.types import Color, Patch, Pixels, Sampler


def _middle_color(pixels: Pixels, mask: npt.NDArray[np.uint8]) -> Color:
    """Take the middle color of the central part of the product."""
    x, y, wide, high = product_box(mask)
    return ground_under(pixels, x + wide // 3, y + high // 3, wide // 3 + 1, high // 3 + 1)


def _printed(pixels: Pixels, sampler: Sampler) -> tuple[Pixels, str]:
    """Print words or a mark on the product: bent with it, under its folds and light, never beyond it."""
    mask = product_mask(pixels)
    x, y, wide, high = product_box(mask)
    ground = _middle_color(pixels, mask)
    light = luminance(ground)
    ink: Color = WHITE if light < 110 else color(sampler)
    ink = (20, 20, 24) if light >= 110 and luminance(ink) > light - 40 else ink
    size = max(10, int(min(wide, high) * sampler.uniform(0.1, 0.3)))
    if sampler.chance(0.5):
        patch = logo_patch(sampler, size, ink, ink)
    else:
        text, font = words(sampler, sampler.choice((BRAND, PROMOTION))), choose_font(sampler)
        patch = text_patch(text, font, fit_size(text, font, wide * 0.6, size), ink)
    middle = y + int(high * sampler.uniform(0.35, 0.65))
    row = np.flatnonzero(mask[min(middle, mask.shape[0] - 1)] > 127)
    run = max(np.split(row, np.flatnonzero(np.diff(row) > 1) + 1), key=len) if len(row) else np.arange(x, x + wide)
    patch = shrink_to(patch, max(8, int(len(run) * 0.72)), max(8, int(high * 0.5)))
    left, top = int(run.mean()) - patch.shape[1] // 2, middle - patch.shape[0] // 2
    layer = _bent(sampler, patch, pixels.shape[1], pixels.shape[0], left, top)
    alpha = (
        layer[..., 3:].astype(np.float32)
        / 255
        * (cv2.erode(mask, np.ones((5, 5), np.uint8))[..., None] / 255)
        * sampler.uniform(0.75, 0.95)
    )
    shade = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    folds = np.clip(shade / max(light, 12.0), 0.45, 1.4)[..., None]
    printed = np.clip(np.asarray(ink, np.float32) * folds, 0, 255)
    return (pixels + (printed - pixels) * alpha + 0.5).astype(np.uint8), "lettering printed on the product"


def _bent(sampler: Sampler, patch: Patch, width: int, height: int, x: int, y: int) -> Patch:
    """Warp a patch in perspective into a layer of width by height pixels, its corner near x, y."""
    high, wide = patch.shape[:2]
    corners = np.array(((0, 0), (wide, 0), (wide, high), (0, high)), np.float32)
    jitter = sampler.rng.uniform(-0.12, 0.12, (4, 2)) * min(wide, high)
    matrix = cv2.getPerspectiveTransform(corners, (corners + np.array((x, y)) + jitter).astype(np.float32))
    return np.asarray(cv2.warpPerspective(patch, matrix, (width, height), flags=cv2.INTER_LINEAR), np.uint8)


def _patterned(pixels: Pixels, sampler: Sampler) -> tuple[Pixels, str]:
    """Weave stripes, checks or dots into the product."""
    mask = product_mask(pixels)
    height, width = mask.shape
    step = max(6, int(min(product_box(mask)[2:]) * sampler.uniform(0.06, 0.2)))
    kind = sampler.choice(("stripes", "checks", "dots"))
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = sampler.uniform(0, np.pi)
    along = across * np.cos(angle) + down * np.sin(angle)
    aside = down * np.cos(angle) - across * np.sin(angle)
    if kind == "dots":
        tile = mask_of(circle(radius=0.3), step, step)
        pattern = np.tile(tile, (height // step + 1, width // step + 1))[:height, :width] / 255
    else:
        pattern = (along % step < step * 0.4).astype(np.float32)
        pattern = pattern if kind == "stripes" else (pattern + (aside % step < step * 0.4)) / 2
    cloth = _middle_color(pixels, mask)
    red, green, blue = cloth
    if red > 95 and red > green + 10 > blue and 20 < red - blue < 150:
        return _relit(pixels, sampler)  # skin or wood: no one weaves there
    apart = (np.abs(pixels - np.asarray(cloth, np.float32)).max(axis=2) / 55) ** 2
    weight = (pattern * np.exp(-apart) * (mask / 255.0) * sampler.uniform(0.3, 0.8))[..., None]
    dyed = pixels * (np.asarray(color(sampler), np.float32) / 255)
    return (pixels + (dyed - pixels) * weight + 0.5).astype(np.uint8), f"{kind} on the fabric"


def _recompressed(pixels: Pixels, sampler: Sampler) -> tuple[Pixels, str]:
    """Encode once more at a fair JPEG quality."""
    return jpeg(pixels, sampler.integer(62, 92)), "mild recompression"


def _relit(pixels: Pixels, sampler: Sampler) -> tuple[Pixels, str]:
    """Change light and contrast a little."""
    gain, lift = sampler.uniform(0.9, 1.1), sampler.uniform(-10, 10)
    table = np.clip((np.arange(256) - 128) * gain + 128 + lift, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(pixels, table), np.uint8), "small change of light"


def _soft_ground(pixels: Pixels, sampler: Sampler) -> tuple[Pixels, str]:
    """Put the product before a plain soft ground, pale, from one tone to another."""
    mask = cv2.GaussianBlur(product_mask(pixels), (0, 0), 1.5)[..., None].astype(np.float32) / 255
    height = pixels.shape[0]
    first, second = (np.asarray([sampler.uniform(205, 255)] * 3) + sampler.rng.uniform(-8, 8, 3) for _ in range(2))
    steps = np.linspace(0, 1, height)[:, None, None]
    ground = np.clip(first * (1 - steps) + second * steps, 0, 255)
    return (ground + (pixels - ground) * mask + 0.5).astype(np.uint8), "soft plain background"


def _resized(pixels: Pixels, sampler: Sampler) -> tuple[Pixels, str]:
    """Make the picture a little smaller or larger."""
    scale = sampler.uniform(0.75, 1.2)
    return resize(pixels, int(pixels.shape[1] * scale), int(pixels.shape[0] * scale)), "resized picture"


HARD_NEGATIVES: tuple[Callable[[Pixels, Sampler], tuple[Pixels, str]], ...] = (
    _printed, _printed, _printed, _patterned, _patterned, _recompressed, _relit, _soft_ground, _resized,
)  # fmt: skip
"""Printed lettering uses the fonts, marks and phrases of its split; the other changes are shared."""


def draw_hard_negative(pixels: Pixels, sampler: Sampler) -> tuple[Pixels, str]:
    """Return a picture with a random hard-negative change, and its description."""
    return sampler.choice(HARD_NEGATIVES)(pixels, sampler)
