"""Goods that are printed all over: covers of books and games, boxes, and labels on what the photo shows. All of them are fine."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from agpis_sdk.synthetic.violations.canvas import (
    WHITE,
    centered,
    circle,
    color,
    cut,
    fit_size,
    gradient,
    ground_under,
    ink_on,
    ink_over,
    over,
    rounded,
    shrink_to,
    solid,
    stack,
    text_patch,
)
from agpis_sdk.synthetic.violations.fonts import choose_font
from agpis_sdk.synthetic.violations.framing import backdrop, product_box, product_mask
from agpis_sdk.synthetic.violations.layout import fitted
from agpis_sdk.synthetic.violations.logos_and_barcodes import logo_patch, mark_patch
from agpis_sdk.synthetic.violations.phrases import BRAND, PRICE, PROMOTION, words
from agpis_sdk.synthetic.violations.types import Color, Patch, Pixels, Sampler

COVER_SIDE = 360
"""Longer side of the print of a cover in pixels, before it is warped onto its box."""
PALE = 225
"""Darkest channel above which a ground is as good as white."""


def printed_cover(pixels: Pixels, sampler: Sampler) -> tuple[Pixels, str]:
    """Put a book or a box before a quiet ground; the photo, or a color, is the picture on its front."""
    aspect = sampler.choice((sampler.uniform(0.6, 0.85), sampler.uniform(0.6, 0.85), sampler.uniform(0.85, 1.5)))
    width, height = (round(COVER_SIDE * aspect), COVER_SIDE) if aspect < 1 else (COVER_SIDE, round(COVER_SIDE / aspect))
    front = _front(pixels, sampler, width, height)
    side = max(pixels.shape[:2])
    ground = _ground(sampler, side)
    scale = side * sampler.uniform(0.55, 0.97) / max(width, height)
    wide, high = width * scale, height * scale
    left, top = (side - wide) * sampler.uniform(0.35, 0.65), (side - high) * sampler.uniform(0.35, 0.65)
    corners = np.array(((left, top), (left + wide, top), (left + wide, top + high), (left, top + high)))
    tilt = sampler.uniform(0, 0.09) if sampler.chance(0.6) else 0.0
    corners = corners + sampler.rng.uniform(-tilt, tilt, (4, 2)) * min(wide, high)
    if sampler.chance(0.4):
        ground = _with_spine(ground, corners, sampler, ground_under(front, 0, 0, max(1, width // 12), height))
    ground = _with_shadow(ground, corners, sampler)
    matrix = cv2.getPerspectiveTransform(_around(width, height), corners.astype(np.float32))
    layer = cv2.warpPerspective(front, matrix, (side, side), flags=cv2.INTER_AREA)
    inside = cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, (side, side))[..., None] / 255.0
    return (ground + (layer - ground) * inside + 0.5).clip(0, 255).astype(np.uint8), "printed cover"


def labeled_goods(pixels: Pixels, sampler: Sampler) -> tuple[Pixels, str]:
    """Stick a printed label on the middle of the product: it ends where the product ends, and is lit like it."""
    mask = product_mask(pixels)
    x, y, wide, high = product_box(mask)
    label = _label(
        sampler, max(24, int(wide * sampler.uniform(0.35, 0.9))), max(24, int(high * sampler.uniform(0.2, 0.55)))
    )
    left = x + (wide - label.shape[1]) // 2
    top = y + int((high - label.shape[0]) * sampler.uniform(0.35, 0.75))
    layer = over(np.zeros((*mask.shape, 4), np.uint8), label, left, top)
    alpha = layer[..., 3:] / 255.0 * (cv2.erode(mask, np.ones((3, 3), np.uint8))[..., None] / 255.0)
    across = np.linspace(-1, 1, mask.shape[1])[None, :, None]
    light = 1 - sampler.uniform(0, 0.3) * across**2 if sampler.chance(0.5) else 1.0
    mixed = pixels + (layer[..., :3] * light - pixels) * alpha * sampler.uniform(0.9, 1.0)
    return (mixed + 0.5).clip(0, 255).astype(np.uint8), "printed label on the product"


def _front(pixels: Pixels, sampler: Sampler, width: int, height: int) -> Pixels:
    """Print the front of a cover: a ground or a picture, a title, lines, marks, and sometimes a strip along an edge."""
    first, second = color(sampler), color(sampler)
    front = np.ascontiguousarray(gradient(width, height, first, second, upright=sampler.chance(0.7))[..., :3])
    # On white, words all over the front would be words beside a product.
    share = sampler.choice((0.0, 0.45, 0.6) if min(backdrop(pixels)) > PALE else (0.0, 0.6, 1.0, 1.0))
    if share:
        picture = fitted(pixels, width, max(8, int(height * share)), fill=True)
        top = sampler.choice((0, height - picture.shape[0], (height - picture.shape[0]) // 2))
        front[top : top + picture.shape[0]] = picture
    if sampler.chance(0.4):
        strip = max(8, int(height * sampler.uniform(0.06, 0.14)))
        at = sampler.choice((0, height - strip))
        front[at : at + strip] = color(sampler)
    for number in range(sampler.integer(1, 4)):
        room = (
            width * sampler.uniform(0.35, 0.9),
            height * (sampler.uniform(0.1, 0.26) if number == 0 else sampler.uniform(0.03, 0.09)),
        )
        front = _with_line(front, sampler, room)
    for _ in range(sampler.integer(0, 3)):
        front = _with_mark(front, sampler)
    return front


def _with_line(front: Pixels, sampler: Sampler, room: tuple[float, float]) -> Pixels:
    text, font = words(sampler, sampler.choice((BRAND, PROMOTION))), choose_font(sampler)
    text = text.replace(" ", "\n", 1) if sampler.chance(0.4) else text
    patch = text_patch(text, font, fit_size(text, font, *room), WHITE, align=sampler.choice(("left", "center")))
    patch = shrink_to(patch, front.shape[1] - 4, front.shape[0] - 4)
    x, y = _spot(front, patch, sampler)
    ink, _ = ink_over(sampler, front, patch, x, y)
    patch[..., :3] = ink
    return _pasted(front, patch, x, y)


def _with_mark(front: Pixels, sampler: Sampler) -> Pixels:
    size = max(14, int(min(front.shape[:2]) * sampler.uniform(0.08, 0.2)))
    ground = color(sampler)
    if sampler.chance(0.5):
        patch = logo_patch(sampler, size, ink_on(sampler, ground), ink_on(sampler, ground))
    else:
        plate = solid(size, size, ground)
        patch = cut(plate, circle()) if sampler.chance(0.5) else plate
        text, font = words(sampler, PRICE), choose_font(sampler, heavy=True)
        patch = centered(
            patch, text_patch(text, font, fit_size(text, font, size * 0.7, size * 0.6), ink_on(sampler, ground))
        )
    patch = shrink_to(patch, front.shape[1] // 2, front.shape[0] // 3)
    return _pasted(front, patch, *_spot(front, patch, sampler))


def _label(sampler: Sampler, width: int, height: int) -> Patch:
    """Draw a label: a colored panel with a mark above one to three lines."""
    ground = color(sampler)
    panel = cut(solid(width, height, ground), rounded(width, height, sampler.choice((0.01, 0.01, 0.1, 0.5))))
    ink = ink_on(sampler, ground)
    parts = [mark_patch(sampler, max(10, height // 4), ink, ink_on(sampler, ground))] if sampler.chance(0.6) else []
    for _ in range(sampler.integer(1, 3)):
        text, font = words(sampler, sampler.choice((BRAND, PROMOTION))).replace("\n", " "), choose_font(sampler)
        size = fit_size(text, font, width * sampler.uniform(0.5, 0.85), height * sampler.uniform(0.1, 0.3))
        parts.append(text_patch(text, font, size, ink))
    content = shrink_to(stack(parts, max(2, height // 20), upright=True), int(width * 0.9), int(height * 0.86))
    if sampler.chance(0.3):
        panel[..., 3] = 0  # printed straight on the product
    return centered(panel, content)


def _spot(front: Pixels, patch: Patch, sampler: Sampler) -> tuple[int, int]:
    free_x, free_y = front.shape[1] - patch.shape[1], front.shape[0] - patch.shape[0]
    return int(free_x * sampler.choice((0.06, 0.5, 0.5, 0.94))), int(free_y * sampler.uniform(0.03, 0.97))


def _pasted(front: Pixels, patch: Patch, x: int, y: int) -> Pixels:
    return np.ascontiguousarray(over(np.dstack((front, np.full(front.shape[:2], 255, np.uint8))), patch, x, y)[..., :3])


def _ground(sampler: Sampler, side: int) -> npt.NDArray[np.float32]:
    """Return a square of white, a soft tone, or any plain color, from one shade to another."""
    if sampler.chance(0.5):
        return np.full((side, side, 3), 255, np.float32)
    first: Color = color(sampler) if sampler.chance(0.4) else WHITE
    base = np.asarray(first, np.float32) * 0.4 + 255 * 0.6
    steps = np.linspace(0, 1, side, dtype=np.float32)[:, None, None]
    return np.clip(base * (1 - steps * sampler.uniform(0, 0.25)), 0, 255) + np.zeros((side, side, 3), np.float32)


def _with_spine(
    ground: npt.NDArray[np.float32], corners: npt.NDArray[np.float64], sampler: Sampler, tone: Color
) -> npt.NDArray[np.float32]:
    """Draw the narrow side of a box beside its front, darker than it."""
    depth = (corners[1, 0] - corners[0, 0]) * sampler.uniform(0.04, 0.2) * sampler.choice((-1, 1))
    near = corners[[0, 3]] if depth < 0 else corners[[1, 2]]
    rise = abs(depth) * sampler.uniform(0.0, 0.5)
    far = near + np.array(((depth, rise), (depth, -rise)))
    dark = tuple(float(part) * 0.7 for part in tone)
    cv2.fillPoly(ground, [np.concatenate((near, far[::-1])).astype(np.int32)], dark, cv2.LINE_AA)
    return ground


def _with_shadow(
    ground: npt.NDArray[np.float32], corners: npt.NDArray[np.float64], sampler: Sampler
) -> npt.NDArray[np.float32]:
    side = ground.shape[0]
    shade = np.zeros((side, side), np.float32)
    offset = side * sampler.rng.uniform(-0.02, 0.03, 2)
    cv2.fillPoly(shade, [(corners + offset).astype(np.int32)], 1.0)
    shade = cv2.GaussianBlur(shade, (0, 0), max(1.0, side * sampler.uniform(0.005, 0.03)))
    return ground * (1 - shade[..., None] * sampler.uniform(0.0, 0.5))


def _around(width: int, height: int) -> npt.NDArray[np.float32]:
    return np.array(((0, 0), (width, 0), (width, height), (0, height)), np.float32)
