"""See-through watermarks, single and tiled (AGP121)."""

from __future__ import annotations

import cv2
import numpy as np

from agpis_sdk.synthetic.violations.banners import CORNERS, anchored
from agpis_sdk.synthetic.violations.canvas import (
    BLACK,
    WHITE,
    centered,
    color_name,
    fit_size,
    ink_over,
    paste,
    recolored,
    rotate,
    shrink_to,
    solid,
    text_patch,
)
from agpis_sdk.synthetic.violations.fonts import choose_font
from agpis_sdk.synthetic.violations.logos_and_barcodes import logo_patch
from agpis_sdk.synthetic.violations.phrases import BRAND, words
from agpis_sdk.synthetic.violations.types import Box, Drawn, Maker, Patch, Pixels, Pool, Sampler


def _soak(pixels: Pixels, sampler: Sampler, patch: Patch, x: int, y: int) -> tuple[Pixels, Box, str]:
    """Blend a watermark in, see-through, in an ink that shows on what is under it."""
    inks = () if sampler.chance(0.2) else (WHITE, WHITE, BLACK, (90, 90, 90), (128, 128, 128), (200, 200, 200))
    ink, reach = ink_over(sampler, pixels, patch, x, y, inks)
    opacity = min(0.85, max(sampler.by_severity(0.18, 0.62), 26 / max(reach, 26)))
    out, box = paste(pixels, recolored(patch, ink), x, y, opacity)
    return out, box, color_name(ink)


def _sign(sampler: Sampler, size: int) -> Patch:
    """Draw what a watermark shows: a name, a mark, or both, about `size` pixels high."""
    if sampler.chance(0.5):
        text, font = words(sampler, BRAND), choose_font(sampler)
        return text_patch(text, font, fit_size(text, font, size * 12, size * 0.8), BLACK)
    return logo_patch(sampler, size, BLACK, BLACK, name=words(sampler, BRAND))


def _row(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Put a name or logo into a corner or at a side, most often at the bottom right."""
    height, width = pixels.shape[:2]
    patch = shrink_to(
        _sign(sampler, int(min(height, width) * sampler.by_severity(0.08, 0.17))), int(width * 0.8), height
    )
    x, y = anchored(sampler, pixels, patch, ("bottom right", "bottom right", *CORNERS, "bottom", "top"))
    out, box, ink = _soak(pixels, sampler, patch, x, y)
    return Drawn(out, box, f"{ink} see-through watermark")


def _middle(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Put a large name or logo over the middle, upright or slanted."""
    height, width = pixels.shape[:2]
    patch = _sign(sampler, int(min(height, width) * sampler.by_severity(0.12, 0.36)))
    patch = rotate(patch, sampler.choice((0, 0, 45, 30, -30, sampler.uniform(-40, 40))))
    patch = shrink_to(patch, int(width * 0.92), int(height * 0.92))
    x, y = anchored(sampler, pixels, patch, ("center",))
    out, box, ink = _soak(pixels, sampler, patch, x, y)
    return Drawn(out, box, f"{ink} see-through watermark")


def _sheet(sampler: Sampler, patch: Patch, width: int, height: int, degrees: float, stagger: bool) -> Patch:
    """Repeat a patch over a turned sheet that covers width by height pixels."""
    gap_x, gap_y = (int(size * sampler.uniform(0.3, 1.0)) for size in (patch.shape[1], 1.6 * patch.shape[0]))
    tile = np.pad(patch[..., 3], ((0, max(4, gap_y)), (0, max(4, gap_x))))
    if stagger:
        tile = np.concatenate((tile, np.roll(tile, tile.shape[1] // 2, axis=1)), axis=0)
    side = int(np.hypot(width, height)) + 2
    times = (side // tile.shape[0] + 1, side // tile.shape[1] + 1)
    sheet = np.tile(tile, times)[:side, :side]
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), degrees, 1.0)
    matrix[0, 2] += width / 2 - side / 2
    matrix[1, 2] += height / 2 - side / 2
    alpha = cv2.warpAffine(np.ascontiguousarray(sheet), matrix, (width, height), flags=cv2.INTER_LINEAR)
    return np.dstack((np.zeros((height, width, 3), np.uint8), np.asarray(alpha, np.uint8)))


def _tiled(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Repeat a name over the whole picture, slanted."""
    height, width = pixels.shape[:2]
    text, font = words(sampler, BRAND), choose_font(sampler)
    size = fit_size(text, font, width * sampler.uniform(0.18, 0.4), height * sampler.by_severity(0.035, 0.08))
    sheet = _sheet(
        sampler,
        text_patch(text, font, size, BLACK),
        width,
        height,
        sampler.choice((30, 45, -30, 20)),
        sampler.chance(0.7),
    )
    out, _, ink = _soak(pixels, sampler, sheet, 0, 0)
    return Drawn(out, None, f"{ink} tiled watermark")


def _tiled_marks(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Repeat a logo over the whole picture in an upright grid."""
    height, width = pixels.shape[:2]
    size = int(min(width, height) * sampler.by_severity(0.08, 0.18))
    patch = shrink_to(logo_patch(sampler, size, BLACK, BLACK, name=words(sampler, BRAND)), width // 2, height // 2)
    out, _, ink = _soak(
        pixels, sampler, _sheet(sampler, patch, width, height, sampler.choice((0, 0, 15)), sampler.chance(0.4)), 0, 0
    )
    return Drawn(out, None, f"{ink} tiled logo watermark")


def _crossed(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Run lines from corner to corner behind a name, as picture agencies do."""
    height, width = pixels.shape[:2]
    alpha = np.zeros((height, width), np.uint8)
    for start, end in (((0, 0), (width, height)), ((width, 0), (0, height))):
        cv2.line(alpha, start, end, 255, max(1, width // sampler.integer(120, 300)), cv2.LINE_AA)
    sheet = np.dstack((np.zeros((height, width, 3), np.uint8), alpha))
    patch = shrink_to(_sign(sampler, int(min(height, width) * 0.14)), int(width * 0.7), height // 2)
    out, _, ink = _soak(pixels, sampler, centered(sheet, patch), 0, 0)
    return Drawn(out, None, f"{ink} agency watermark with crossed lines")


def _diagonal(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Run one name from corner to corner."""
    height, width = pixels.shape[:2]
    text, font = words(sampler, BRAND), choose_font(sampler)
    size = fit_size(text, font, np.hypot(width, height) * sampler.by_severity(0.55, 0.8), height * 0.22)
    degrees = np.degrees(np.arctan2(height, width)) * sampler.choice((1, 1, -1))
    patch = shrink_to(rotate(text_patch(text, font, size, BLACK), degrees), width, height)
    out, box, ink = _soak(pixels, sampler, patch, (width - patch.shape[1]) // 2, (height - patch.shape[0]) // 2)
    return Drawn(out, box, f"{ink} watermark from corner to corner")


def _edge(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Run a name up a side, or set it in a frame in a corner."""
    height, width = pixels.shape[:2]
    text, font = words(sampler, BRAND), choose_font(sampler)
    size = fit_size(text, font, 0.6 * height, height * sampler.by_severity(0.05, 0.11))
    patch = text_patch(text, font, size, BLACK)
    if sampler.chance(0.5):
        patch = np.ascontiguousarray(np.rot90(patch))
        x, y = anchored(sampler, pixels, shrink_to(patch, width, height), ("left", "right"))
    else:
        room = max(3, size // 3)
        frame = solid(patch.shape[1] + 2 * room, patch.shape[0] + 2 * room, BLACK)
        frame[room // 3 : -(room // 3) or None, room // 3 : -(room // 3) or None, 3] = 0
        patch = shrink_to(centered(frame, patch), int(0.9 * width), height)
        x, y = anchored(sampler, pixels, patch, CORNERS)
    out, box, ink = _soak(pixels, sampler, patch, x, y)
    return Drawn(out, box, f"{ink} see-through watermark")


WATERMARK_LAYOUTS: Pool[Maker] = {
    "train": (_row, _row, _row, _middle, _middle, _tiled, _tiled, _crossed),
    "test": (_tiled_marks, _diagonal, _edge),
}


def watermark(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Blend a see-through name or mark in, once or tiled; severity sets opacity and size."""
    return sampler.from_pool(WATERMARK_LAYOUTS)(pixels, sampler)
