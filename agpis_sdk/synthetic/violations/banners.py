"""Banners, ribbons and blocks (AGP119), and price badges (AGP124)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from agpis_sdk.synthetic.violations.canvas import (
    Points,
    centered,
    circle,
    color,
    color_name,
    cut,
    fit_size,
    gradient,
    ink_on,
    mask_of,
    over,
    paste,
    rotate,
    rounded,
    shadowed,
    shrink_to,
    solid,
    stack,
    text_patch,
)
from agpis_sdk.synthetic.violations.fonts import choose_font
from agpis_sdk.synthetic.violations.framing import backdrop
from agpis_sdk.synthetic.violations.logos_and_barcodes import decorated, mark_patch
from agpis_sdk.synthetic.violations.phrases import BANNER, PRICE, PROMOTION, words
from agpis_sdk.synthetic.violations.types import Color, Drawn, Maker, Patch, Pixels, Pool, Sampler

CORNERS = ("top left", "top right", "bottom left", "bottom right")
ANCHORS = (*CORNERS, "top", "bottom", "left", "right", "center")


def anchored(
    sampler: Sampler, pixels: Pixels, patch: Patch, spots: tuple[str, ...] = ANCHORS, margin: float = 0.06
) -> tuple[int, int]:
    """Choose where a patch goes: at one of the spots, up to `margin` of the side away from the edge; x, y in pixels."""
    height, width = pixels.shape[:2]
    spot = sampler.choice(spots)
    room_x, room_y = width - patch.shape[1], height - patch.shape[0]
    gap_x, gap_y = (int(sampler.uniform(0, margin) * size) for size in (width, height))
    x = gap_x if "left" in spot else room_x - gap_x if "right" in spot else int(room_x * sampler.uniform(0.4, 0.6))
    y = gap_y if "top" in spot else room_y - gap_y if "bottom" in spot else int(room_y * sampler.uniform(0.35, 0.65))
    return max(0, min(x, room_x)), max(0, min(y, room_y))


def _fill(sampler: Sampler, pixels: Pixels, width: int, height: int) -> tuple[Patch, Color]:
    """Fill a strip with one color or two, sometimes a little see-through; it differs from the picture's rim."""
    ground = np.asarray(backdrop(pixels))
    tries = [color(sampler) for _ in range(4)]
    first = next((ink for ink in tries if np.abs(ground - ink).max() > 40), (24, 24, 28))
    alpha = 1.0 if sampler.chance(0.7) else sampler.uniform(0.65, 0.95)
    if sampler.chance(0.3):
        second = color(sampler) if sampler.chance(0.5) else (first[0] // 2, first[1] // 2, first[2] // 2)
        patch = gradient(width, height, first, second, upright=sampler.chance(0.3))
        patch[..., 3] = round(alpha * 255)
        return patch, first
    return solid(width, height, first, alpha), first


def _lettered(sampler: Sampler, ground: Patch, *, lines: int = 1, share: float = 0.85, loose: bool = True) -> Patch:
    """Write banner words into a patch; `share` of its width and up to 0.7 of its height is filled.

    A loose patch may hold several phrases and set them to a side.
    """
    middle = ground[ground.shape[0] // 2, ground.shape[1] // 2, :3]
    font = choose_font(sampler, heavy=sampler.chance(0.6))
    text = "\n".join(words(sampler, BANNER if line == 0 or sampler.chance(0.4) else PROMOTION) for line in range(lines))
    if loose and lines == 1 and ground.shape[1] > 6 * ground.shape[0] and sampler.chance(0.4):
        text = sampler.choice(("  |  ", "   ", "  ·  ")).join(
            [text, *(words(sampler, BANNER) for _ in range(sampler.choice((1, 1, 2))))]
        )
    tall = ground.shape[0] * sampler.uniform(0.38, 0.7)
    size = fit_size(text, font, ground.shape[1] * share, tall)
    letters = text_patch(text, font, size, ink_on(sampler, middle), align=sampler.choice(("left", "center")))
    if sampler.chance(0.25) and ground.shape[1] > letters.shape[1] + 1.6 * tall:
        mark = mark_patch(sampler, max(8, int(tall * 0.9)), ink_on(sampler, middle), ink_on(sampler, middle))
        letters = stack([mark, letters], int(tall * 0.3), upright=False)
    room = ground.shape[1] - letters.shape[1]
    x = sampler.choice((room // 2, room // 2, int(room * 0.08), int(room * 0.92))) if loose else room // 2
    return over(ground, letters, x, (ground.shape[0] - letters.shape[0]) // 2)


def _strip(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Run a strip along one whole side."""
    height, width = pixels.shape[:2]
    side = sampler.choice(("top", "bottom", "bottom", "left", "right"))
    upright = side in {"left", "right"}
    long, short = (height, width) if upright else (width, height)
    patch, ground = _fill(sampler, pixels, long, int(short * sampler.by_severity(0.08, 0.24)))
    patch = _lettered(sampler, patch)
    if upright:
        patch = np.ascontiguousarray(np.rot90(patch, sampler.choice((1, 3))))
    x = width - patch.shape[1] if side == "right" else 0
    y = height - patch.shape[0] if side == "bottom" else 0
    out, box = paste(pixels, patch, x, y)
    return Drawn(out, box, f"{color_name(ground)} banner strip")


def _block(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Put a lettered block in a corner, at a side or in the middle."""
    height, width = pixels.shape[:2]
    wide, high = int(width * sampler.by_severity(0.24, 0.58)), int(height * sampler.by_severity(0.1, 0.36))
    patch, ground = _fill(sampler, pixels, wide, high)
    patch = decorated(sampler, _lettered(sampler, patch, lines=sampler.integer(1, 3)))
    x, y = anchored(sampler, pixels, patch, margin=sampler.choice((0.0, 0.06)))
    out, box = paste(pixels, patch, x, y)
    return Drawn(out, box, f"{color_name(ground)} block with text")


def _ribbon(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Lay a ribbon across a corner."""
    height, width = pixels.shape[:2]
    short = min(height, width)
    away = short * sampler.by_severity(0.16, 0.34)
    thick = int(short * sampler.by_severity(0.06, 0.12))
    patch, ground = _fill(sampler, pixels, int(2 * away + thick + 8), thick)
    patch = _lettered(sampler, patch, share=0.5, loose=False)
    corner = sampler.choice(CORNERS)
    patch = rotate(patch, 45 if corner in {"top left", "bottom right"} else -45)
    center_x = away / 2**0.5 * 0.95 if "left" in corner else width - away / 2**0.5 * 0.95
    center_y = away / 2**0.5 * 0.95 if "top" in corner else height - away / 2**0.5 * 0.95
    out, box = paste(pixels, patch, int(center_x - patch.shape[1] / 2), int(center_y - patch.shape[0] / 2))
    return Drawn(out, box, f"{color_name(ground)} corner ribbon", corner)


def _slanted(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Lay a strip with a slanted end along the top or the bottom."""
    height, width = pixels.shape[:2]
    patch, ground = _fill(
        sampler, pixels, int(width * sampler.uniform(0.6, 1.0)), int(height * sampler.by_severity(0.1, 0.22))
    )
    lean = sampler.uniform(0.06, 0.15)
    shape = np.array(((0, 0), (1, 0), (1 - lean, 1), (0, 1)), np.float64)
    patch = cut(_lettered(sampler, patch, share=0.72, loose=False), shape)
    out, box = paste(
        pixels, patch, 0, sampler.choice((0, height - patch.shape[0], int(height * 0.78) - patch.shape[0] // 2))
    )
    return Drawn(out, box, f"{color_name(ground)} slanted banner")


def _bar(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Float a rounded bar over the picture."""
    height, width = pixels.shape[:2]
    wide, high = int(width * sampler.uniform(0.5, 0.92)), int(height * sampler.by_severity(0.08, 0.18))
    patch, ground = _fill(sampler, pixels, wide, high)
    patch = cut(_lettered(sampler, patch, share=0.78, loose=False), rounded(wide, high, sampler.choice((0.15, 0.5))))
    x, y = anchored(sampler, pixels, patch, ("top", "bottom", "bottom", "center"))
    out, box = paste(pixels, patch, x, y)
    return Drawn(out, box, f"{color_name(ground)} rounded banner")


def _quarter(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Fill a corner with a quarter of a disc."""
    height, width = pixels.shape[:2]
    size = int(min(height, width) * sampler.by_severity(0.26, 0.48))
    patch, ground = _fill(sampler, pixels, size, size)
    corner = sampler.choice(CORNERS)
    middle = (0.0 if "left" in corner else 1.0, 0.0 if "top" in corner else 1.0)
    mask = mask_of(circle(96, 1.0, middle), size, size)
    patch[..., 3] = np.minimum(patch[..., 3], mask)
    font, text = choose_font(sampler, heavy=True), words(sampler, BANNER).replace(" ", "\n", 1)
    letters = text_patch(text, font, fit_size(text, font, size * 0.6, size * 0.45), ink_on(sampler, ground))
    gap = size // 9
    x = gap if "left" in corner else size - letters.shape[1] - gap
    y = gap if "top" in corner else size - letters.shape[0] - gap
    patch = over(patch, letters, x, y)
    out, box = paste(pixels, patch, 0 if "left" in corner else width - size, 0 if "top" in corner else height - size)
    return Drawn(out, box, f"{color_name(ground)} corner block")


def _two_tone(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Run a strip of two colors, each with its own words, along the top or the bottom."""
    height, width = pixels.shape[:2]
    high, part = int(height * sampler.by_severity(0.09, 0.2)), int(width * sampler.uniform(0.3, 0.6))
    first, ground = _fill(sampler, pixels, part, high)
    second, _ = _fill(sampler, pixels, width - part, high)
    patch = np.concatenate((_lettered(sampler, first), _lettered(sampler, second)), axis=1)
    out, box = paste(pixels, patch, 0, sampler.choice((0, height - high)))
    return Drawn(out, box, f"two-colored banner, {color_name(ground)} at the left")


BANNER_LAYOUTS: Pool[Maker] = {
    "train": (_strip, _strip, _block, _ribbon),
    "test": (_slanted, _bar, _quarter, _two_tone),
}


def banner(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Lay a lettered strip, block or ribbon over the picture; severity sets how much it covers."""
    return sampler.from_pool(BANNER_LAYOUTS)(pixels, sampler)


def _burst(sampler: Sampler) -> Points:
    count, depth = sampler.integer(9, 24), sampler.uniform(0.36, 0.45)
    turn = np.linspace(0, 2 * np.pi, 2 * count, endpoint=False)
    radius = np.where(np.arange(2 * count) % 2, depth, 0.5)
    return np.stack((0.5 + radius * np.cos(turn), 0.5 + radius * np.sin(turn)), axis=1)


def _disc(sampler: Sampler) -> Points:  # noqa: ARG001 (every shape is asked alike)
    return circle()


def _pill(sampler: Sampler) -> Points:
    return rounded(20, 10, sampler.uniform(0.2, 0.5)) * (1, 0.5) + (0, 0.25)


def _label(sampler: Sampler) -> Points:
    notch = sampler.uniform(0.12, 0.22)
    return np.array(((notch, 0.25), (1, 0.25), (1, 0.75), (notch, 0.75), (0, 0.5)), np.float64)


def _pennant(sampler: Sampler) -> Points:
    notch = sampler.uniform(0.1, 0.25)
    return np.array(((0.15, 0), (0.85, 0), (0.85, 1), (0.5, 1 - notch), (0.15, 1)), np.float64)


def _crest(sampler: Sampler) -> Points:
    side = sampler.uniform(0.5, 0.65)
    return np.array(((0.08, 0.05), (0.92, 0.05), (0.92, side), (0.5, 1.0), (0.08, side)), np.float64)


def _swallowtail(sampler: Sampler) -> Points:
    notch = sampler.uniform(0.06, 0.16)
    return np.array(((0, 0.25), (1, 0.25), (1 - notch, 0.5), (1, 0.75), (0, 0.75), (notch, 0.5)), np.float64)


def _cushion(sampler: Sampler) -> Points:
    return rounded(10, 10, sampler.uniform(0.1, 0.35))


BADGE_SHAPES: Pool[Callable[[Sampler], Points]] = {
    "train": (_burst, _burst, _disc, _disc, _pill, _label),
    "test": (_pennant, _crest, _swallowtail, _cushion),
}


def price_badge(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Stick a badge with a price or a discount on the picture; severity sets its size."""
    short = min(pixels.shape[:2])
    size = int(short * sampler.by_severity(0.15, 0.38))
    fill = color(sampler)
    points = sampler.from_pool(BADGE_SHAPES)(sampler)
    patch = cut(
        gradient(size, size, fill, color(sampler), upright=True) if sampler.chance(0.15) else solid(size, size, fill),
        points,
    )
    ink = ink_on(sampler, fill)
    if sampler.chance(0.3):
        patch = over(
            cut(solid(size, size, ink), points),
            shrink_to(patch, int(size * 0.93), int(size * 0.93)),
            size // 28,
            size // 28,
        )
    text, font = words(sampler, PRICE), choose_font(sampler, heavy=sampler.chance(0.8))
    if points[:, 1].max() - points[:, 1].min() > 0.8:
        text = text.replace(" ", "\n", 1) if "\n" not in text and len(text) > 5 else text
    high = 0.52 if points[:, 1].max() - points[:, 1].min() > 0.8 else 0.36
    letters = text_patch(text, font, fit_size(text, font, size * 0.66, size * high), ink)
    patch = centered(patch, letters)
    patch = rotate(patch, sampler.uniform(-25, 25) if sampler.chance(0.4) else 0)
    if sampler.chance(0.3):
        patch = shadowed(patch, max(1, size // 30), sampler.uniform(0.5, 3))
    x, y = anchored(sampler, pixels, patch, (*CORNERS, *CORNERS, "left", "right", "center"))
    out, box = paste(pixels, patch, x, y)
    return Drawn(out, box, f"{color_name(fill)} badge reading {text.replace(chr(10), ' ')}")
