"""Frames (AGP111) and collages (AGP112)."""

from __future__ import annotations

import cv2
import numpy as np

from agpis_sdk.synthetic.violations.banners import CORNERS, anchored
from agpis_sdk.synthetic.violations.canvas import (
    BLACK,
    WHITE,
    centered,
    circle,
    color,
    color_name,
    cut,
    gradient,
    mask_of,
    paste,
    rounded,
    solid,
)
from agpis_sdk.synthetic.violations.framing import backdrop, resize
from agpis_sdk.synthetic.violations.types import Color, Drawn, Maker, Pixels, Pool, Sampler


def _frame_color(sampler: Sampler, pixels: Pixels) -> Color:
    """Choose a color that differs from the picture's rim by 60 of 255 or more in some channel."""
    ground = np.asarray(backdrop(pixels))
    for _ in range(8):
        ink = BLACK if sampler.chance(0.25) else color(sampler)
        if np.abs(ground - ink).max() >= 60:
            return ink
    return BLACK


def _frame_width(sampler: Sampler, pixels: Pixels) -> int:
    return max(2, int(min(pixels.shape[:2]) * sampler.by_severity(0.012, 0.08)))


def _solid_frame(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Paint a frame on the rim, or set the picture into one."""
    ink, size = _frame_color(sampler, pixels), _frame_width(sampler, pixels)
    if sampler.chance(0.4):
        out = np.asarray(cv2.copyMakeBorder(pixels, size, size, size, size, cv2.BORDER_CONSTANT, value=ink), np.uint8)
    else:
        out = pixels.copy()
        out[:size], out[-size:], out[:, :size], out[:, -size:] = ink, ink, ink, ink
    return Drawn(out, None, f"{color_name(ink)} border")


def _double_frame(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Paint one frame inside another."""
    out, ink, size = pixels.copy(), _frame_color(sampler, pixels), _frame_width(sampler, pixels)
    height, width = out.shape[:2]
    gap = max(3, int(size * sampler.uniform(0.8, 2)))
    out[:size], out[-size:], out[:, :size], out[:, -size:] = ink, ink, ink, ink
    for away, thick in ((size + gap, max(2, size // 2)),):
        cv2.rectangle(
            out,
            (away + thick // 2, away + thick // 2),
            (width - 1 - away - thick // 2, height - 1 - away - thick // 2),
            ink,
            thick,
        )
    return Drawn(out, None, f"double {color_name(ink)} border")


def _rounded_frame(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Paint a frame with a round inner edge."""
    ink, size = _frame_color(sampler, pixels), _frame_width(sampler, pixels)
    height, width = pixels.shape[:2]
    patch = solid(width, height, ink)
    inner = mask_of(
        rounded(width - 2 * size, height - 2 * size, sampler.uniform(0.04, 0.2)), width - 2 * size, height - 2 * size
    )
    patch[size : size + inner.shape[0], size : size + inner.shape[1], 3] -= inner
    return Drawn(paste(pixels, patch, 0, 0)[0], None, f"rounded {color_name(ink)} border")


def _dashed_frame(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Paint a dashed line a little inside the rim."""
    out, ink, size = pixels.copy(), _frame_color(sampler, pixels), _frame_width(sampler, pixels)
    height, width = out.shape[:2]
    away, dash = sampler.integer(0, size), max(6, size * sampler.integer(2, 5))
    thick = max(2, size // 2)
    for x in range(away, width - away, 2 * dash):
        end = min(x + dash, width - away)
        out[away : away + thick, x:end] = out[height - away - thick : height - away, x:end] = ink
    for y in range(away, height - away, 2 * dash):
        end = min(y + dash, height - away)
        out[y:end, away : away + thick] = out[y:end, width - away - thick : width - away] = ink
    return Drawn(out, None, f"dashed {color_name(ink)} border")


def _shaded_frame(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Paint a frame that runs from one color to another."""
    ink, size = _frame_color(sampler, pixels), max(3, _frame_width(sampler, pixels))
    height, width = pixels.shape[:2]
    patch = gradient(width, height, ink, color(sampler), upright=sampler.chance(0.5))
    patch[size:-size, size:-size, 3] = 0
    return Drawn(paste(pixels, patch, 0, 0)[0], None, f"{color_name(ink)} border with a gradient")


def _inset_frame(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Paint a frame whose lower side is far wider, like an instant photo or a poster."""
    ink, size = _frame_color(sampler, pixels), _frame_width(sampler, pixels)
    foot = int(size * sampler.uniform(2, 3.5))
    out = cv2.copyMakeBorder(pixels, size, foot, size, size, cv2.BORDER_CONSTANT, value=ink)
    return Drawn(np.asarray(out, np.uint8), None, f"{color_name(ink)} border with a wide foot")


FRAME_LAYOUTS: Pool[Maker] = {
    "train": (_solid_frame, _solid_frame, _double_frame, _rounded_frame),
    "test": (_dashed_frame, _shaded_frame, _inset_frame),
}


def border(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Run a frame around the picture, 1 to 8 % of the shorter side wide by severity."""
    return sampler.from_pool(FRAME_LAYOUTS)(pixels, sampler)


def _another(pixels: Pixels, sampler: Sampler) -> Pixels:
    """Take another photo, or else a flipped or cut copy of the picture."""
    if sampler.others:
        return sampler.choice(sampler.others)
    height, width = pixels.shape[:2]
    top, left = sampler.integer(0, height // 4), sampler.integer(0, width // 4)
    part = pixels[top : top + max(8, height * 2 // 3), left : left + max(8, width * 2 // 3)]
    return np.ascontiguousarray(part[:, ::-1] if sampler.chance(0.5) else part)


def fitted(photo: Pixels, width: int, height: int, *, fill: bool) -> Pixels:
    """Fit a photo into width by height pixels: cut to fill, or whole on its own ground."""
    scales = (width / photo.shape[1], height / photo.shape[0])
    scale = max(scales) if fill else min(scales)
    scaled = resize(photo, max(1, round(photo.shape[1] * scale)), max(1, round(photo.shape[0] * scale)))
    if fill:
        top, left = max(0, scaled.shape[0] - height) // 2, max(0, scaled.shape[1] - width) // 2
        return resize(scaled[top : top + height, left : left + width], width, height)
    out = np.empty((height, width, 3), np.uint8)
    out[:] = backdrop(photo)
    top, left = max(0, height - scaled.shape[0]) // 2, max(0, width - scaled.shape[1]) // 2
    out[top : top + scaled.shape[0], left : left + scaled.shape[1]] = scaled[:height, :width]
    return out


def _tiles_of(pixels: Pixels, sampler: Sampler, cells: tuple[tuple[float, float, float, float], ...]) -> Pixels:
    """Fill cells (x, y, width, height as shares of the frame) with the picture and others."""
    height, width = pixels.shape[:2]
    out = np.empty_like(pixels)
    out[:] = sampler.choice((WHITE, WHITE, BLACK, color(sampler)))
    gap = sampler.choice((0, sampler.integer(2, max(3, width // 40))))
    photos = [pixels] + [_another(pixels, sampler) for _ in cells[1:]]
    for at, (x, y, w, h) in zip(sampler.rng.permutation(len(cells)), cells, strict=True):
        left, top = int(x * width) + (gap if x > 0 else 0), int(y * height) + (gap if y > 0 else 0)
        right, bottom = round((x + w) * width), round((y + h) * height)
        out[top:bottom, left:right] = fitted(photos[int(at)], right - left, bottom - top, fill=sampler.chance(0.6))
    return out


GRIDS = (
    ((0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 0.5, 1.0)),
    ((0.0, 0.0, 1.0, 0.5), (0.0, 0.5, 1.0, 0.5)),
    ((0.0, 0.0, 0.5, 0.5), (0.5, 0.0, 0.5, 0.5), (0.0, 0.5, 0.5, 0.5), (0.5, 0.5, 0.5, 0.5)),
)
UNEVEN_GRIDS = (
    ((0.0, 0.0, 0.66, 1.0), (0.66, 0.0, 0.34, 0.5), (0.66, 0.5, 0.34, 0.5)),
    ((0.0, 0.0, 1.0, 0.7), (0.0, 0.7, 0.34, 0.3), (0.34, 0.7, 0.33, 0.3), (0.67, 0.7, 0.33, 0.3)),
    ((0.0, 0.0, 0.34, 1.0), (0.34, 0.0, 0.33, 1.0), (0.67, 0.0, 0.33, 1.0)),
    tuple((column / 3, row / 3, 1 / 3, 1 / 3) for row in range(3) for column in range(3)),
)


def _grid(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Set two or four photos in an even grid."""
    cells = sampler.choice(GRIDS)
    return Drawn(_tiles_of(pixels, sampler, cells), None, f"collage of {len(cells)} pictures")


def _uneven_grid(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Set three to nine photos in an uneven grid or a row."""
    cells = sampler.choice(UNEVEN_GRIDS)
    return Drawn(_tiles_of(pixels, sampler, cells), None, f"collage of {len(cells)} pictures")


def _inset(pixels: Pixels, sampler: Sampler, *, disc: bool = False) -> Drawn:
    """Set a small second photo into a corner, with a rim."""
    size = int(min(pixels.shape[:2]) * sampler.by_severity(0.24, 0.42))
    ink, rim = _frame_color(sampler, pixels), max(2, size // sampler.integer(20, 50))
    patch = solid(size, size, ink)
    small = fitted(_another(pixels, sampler), size - 2 * rim, size - 2 * rim, fill=True)
    inside = np.dstack((small, np.full(small.shape[:2], 255, np.uint8)))
    patch = cut(centered(patch, cut(inside, circle())), circle()) if disc else centered(patch, inside)
    x, y = anchored(sampler, pixels, patch, CORNERS)
    out, box = paste(pixels, patch, x, y)
    return Drawn(out, box, "second picture set into a corner")


def _disc_inset(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Set a round second photo into a corner."""
    return _inset(pixels, sampler, disc=True)


COLLAGE_LAYOUTS: Pool[Maker] = {"train": (_grid, _grid, _inset), "test": (_uneven_grid, _uneven_grid, _disc_inset)}


def collage(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Put the picture together with others, or with parts of itself where none are given."""
    return sampler.from_pool(COLLAGE_LAYOUTS)(pixels, sampler)
