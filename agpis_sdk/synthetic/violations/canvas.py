"""Drawing with alpha: text, polygons, colors, and pasting them into a picture."""

from __future__ import annotations

import colorsys
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from agpis_sdk.synthetic.violations.fonts import load_font
from agpis_sdk.synthetic.violations.types import Box, Color, Patch, Pixels, Sampler

Points = npt.NDArray[np.float64]
"""Polygon corners (n, 2) in a unit square."""
WHITE: Color = (255, 255, 255)
BLACK: Color = (17, 17, 17)
SHOP_COLORS: tuple[Color, ...] = (
    (220, 20, 40), (255, 87, 20), (255, 196, 0), (20, 90, 200), (0, 140, 70), (120, 30, 140), (240, 60, 130),
    (0, 160, 180), (24, 24, 28), (40, 54, 85), (196, 160, 90), (235, 225, 210), (130, 190, 60), (255, 255, 255),
)  # fmt: skip
HUES = ((14, "red"), (42, "orange"), (68, "yellow"), (165, "green"), (200, "turquoise"), (262, "blue"), (292, "purple"),
        (342, "pink"), (361, "red"))  # fmt: skip


def color(sampler: Sampler) -> Color:
    """Mix a color: often a shop's usual one, else any vivid or muted one."""
    if sampler.chance(0.5):
        return sampler.choice(SHOP_COLORS)
    rgb = colorsys.hsv_to_rgb(sampler.uniform(0, 1), sampler.uniform(0.35, 1), sampler.uniform(0.35, 1))
    return (int(rgb[0] * 255), int(rgb[1] * 255), int(rgb[2] * 255))


def luminance(rgb: Color | npt.NDArray[Any]) -> float:
    """Weigh a color's lightness, 0 to 255."""
    return float(0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2])


def ink_on(sampler: Sampler, ground: Color | npt.NDArray[Any], *, gap: float = 90) -> Color:
    """Choose an ink that reads on a ground: its lightness differs by at least `gap` of 255 where that can be."""
    for _ in range(6):
        ink = sampler.choice((WHITE, WHITE, BLACK, (255, 224, 40))) if sampler.chance(0.6) else color(sampler)
        if abs(luminance(ink) - luminance(ground)) >= gap:
            return ink
    return BLACK if luminance(ground) > 127 else WHITE


def color_name(rgb: Color) -> str:
    """Name a color as a reviewer would."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(part / 255 for part in rgb))
    if value < 0.22:
        return "black"
    if saturation < 0.16:
        return "white" if value > 0.88 else "gray"
    return next(name for limit, name in HUES if hue * 360 < limit)


def solid(width: int, height: int, rgb: Color, alpha: float = 1.0) -> Patch:
    """Make a rectangle of one color, in pixels."""
    patch = np.empty((max(1, height), max(1, width), 4), np.uint8)
    patch[:] = (*rgb, round(alpha * 255))
    return patch


def gradient(width: int, height: int, first: Color, second: Color, *, upright: bool) -> Patch:
    """Make a rectangle that runs from one color to another, in pixels."""
    patch = solid(width, height, first)
    steps = np.linspace(0, 1, patch.shape[0] if upright else patch.shape[1])[:, None]
    ramp = np.asarray(first) * (1 - steps) + np.asarray(second) * steps
    patch[..., :3] = (ramp[:, None] if upright else ramp[None]).astype(np.uint8)
    return patch


def mask_of(points: Points, width: int, height: int) -> npt.NDArray[np.uint8]:
    """Fill a unit-square polygon with soft edges into a mask of that many pixels."""
    mask = np.zeros((max(1, height), max(1, width)), np.uint8)
    scaled = np.rint(points * (width - 1, height - 1) * 16).astype(np.int32)
    cv2.fillPoly(mask, [scaled], 255, cv2.LINE_AA, 4)
    return mask


def cut(patch: Patch, points: Points) -> Patch:
    """Return a patch cut to a polygon in unit coordinates."""
    out = patch.copy()
    mask = mask_of(points, patch.shape[1], patch.shape[0])
    out[..., 3] = (out[..., 3].astype(np.uint16) * mask // 255).astype(np.uint8)
    return out


def circle(count: int = 64, radius: float = 0.5, center: tuple[float, float] = (0.5, 0.5)) -> Points:
    """Give the corners of a circle, or of a regular polygon with few corners."""
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False) - np.pi / 2
    return np.stack((center[0] + radius * np.cos(turn), center[1] + radius * np.sin(turn)), axis=1)


def rounded(width: int, height: int, radius: float) -> Points:
    """Give the corners of a rounded rectangle; radius is a share of the shorter side, up to 0.5."""
    reach = max(0.01, min(0.5, radius)) * min(width, height)
    across, down = reach / width, reach / height
    turn = np.linspace(0, np.pi / 2, 9)
    quarters = []
    for x, y, start in (
        (1 - across, 1 - down, 0.0),
        (across, 1 - down, 0.5),
        (across, down, 1.0),
        (1 - across, down, 1.5),
    ):
        angle = turn + start * np.pi
        quarters.append(np.stack((x + across * np.cos(angle), y + down * np.sin(angle)), axis=1))
    return np.concatenate(quarters)


def text_size(text: str, font: str, size: int, stroke: int = 0) -> Box:
    """Measure a text: left, top, width and height of its ink in pixels."""
    draw = ImageDraw.Draw(Image.new("L", (1, 1)))
    left, top, right, bottom = draw.multiline_textbbox((0, 0), text, font=load_font(font, size), stroke_width=stroke)
    return int(left), int(top), int(right - left) + 2, int(bottom - top) + 2


def fit_size(text: str, font: str, width: float, height: float) -> int:
    """Find the size in pixels per em at which a text fills a room of width by height pixels."""
    _, _, wide, high = text_size(text, font, 64)
    return max(7, int(64 * min(width / wide, height / high)))


def text_patch(
    text: str, font: str, size: int, ink: Color, *, stroke: int = 0, edge: Color = BLACK, align: str = "center"
) -> Patch:
    """Set a text, with an outline of `stroke` pixels where asked."""
    left, top, width, height = text_size(text, font, size, stroke)
    image = Image.new("RGBA", (width, height), (*(edge if stroke else ink), 0))
    ImageDraw.Draw(image).multiline_text(
        (-left + 1, -top + 1), text, font=load_font(font, size), fill=(*ink, 255), align=align,
        stroke_width=stroke, stroke_fill=(*edge, 255) if stroke else None,
    )  # fmt: skip
    return np.array(image)


def shadowed(patch: Patch, offset: int, blur: float, rgb: Color = (0, 0, 0), alpha: float = 0.6) -> Patch:
    """Put a soft shadow behind a patch, `offset` pixels down and right."""
    room = offset + int(2 * blur) + 1
    wide = cv2.copyMakeBorder(patch, room, room, room, room, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
    shade = np.roll(wide[..., 3], (offset, offset), axis=(0, 1))
    if blur > 0:
        shade = cv2.GaussianBlur(shade, (0, 0), blur)
    front = wide[..., 3:].astype(np.float32) / 255
    back = shade[..., None].astype(np.float32) / 255 * alpha
    total = front + back * (1 - front)
    mix = (wide[..., :3] * front + np.asarray(rgb, np.float32) * back * (1 - front)) / np.maximum(total, 1e-6)
    return np.concatenate((mix, total * 255), axis=2).astype(np.uint8)


def stack(patches: list[Patch], gap: int, *, upright: bool) -> Patch:
    """Set patches one under the other, or side by side, centered, `gap` pixels apart."""
    along, across = (0, 1) if upright else (1, 0)
    size = [0, 0]
    size[along] = sum(patch.shape[along] for patch in patches) + gap * (len(patches) - 1)
    size[across] = max(patch.shape[across] for patch in patches)
    out = np.zeros((size[0], size[1], 4), np.uint8)
    at = 0
    for patch in patches:
        side = (size[across] - patch.shape[across]) // 2
        y, x = (at, side) if upright else (side, at)
        out[y : y + patch.shape[0], x : x + patch.shape[1]] = patch
        at += patch.shape[along] + gap
    return out


def over(ground: Patch, patch: Patch, x: int, y: int) -> Patch:
    """Lay one patch over another, at x, y in pixels; what leaves the ground is cut off."""
    out = ground.copy()
    mixed, box = paste(np.ascontiguousarray(ground[..., :3]), patch, x, y)
    out[..., :3] = mixed
    left, top, width, height = box
    if width and height:
        part = out[top : top + height, left : left + width, 3]
        np.maximum(part, patch[top - y : top - y + height, left - x : left - x + width, 3], out=part)
    return out


def centered(ground: Patch, patch: Patch) -> Patch:
    """Lay a patch over the middle of another."""
    return over(ground, patch, (ground.shape[1] - patch.shape[1]) // 2, (ground.shape[0] - patch.shape[0]) // 2)


def rotate(patch: Patch, degrees: float) -> Patch:
    """Turn a patch counter-clockwise and grow it so that nothing is cut off."""
    if abs(degrees) < 0.5:
        return patch
    height, width = patch.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    cosine, sine = abs(matrix[0, 0]), abs(matrix[0, 1])
    wide, high = int(height * sine + width * cosine) + 2, int(height * cosine + width * sine) + 2
    matrix[0, 2] += wide / 2 - width / 2
    matrix[1, 2] += high / 2 - height / 2
    weight = patch[..., 3:].astype(np.float32) / 255
    soft = np.concatenate((patch[..., :3] * weight, weight), axis=2)
    turned = cv2.warpAffine(soft, matrix, (wide, high), flags=cv2.INTER_LINEAR)
    ink = turned[..., :3] / np.maximum(turned[..., 3:], 1e-4)
    return np.clip(np.concatenate((ink, turned[..., 3:] * 255), axis=2), 0, 255).astype(np.uint8)


def shrink_to(patch: Patch, width: int, height: int) -> Patch:
    """Scale a patch down until it fits into width by height pixels."""
    scale = min(1.0, width / patch.shape[1], height / patch.shape[0])
    if scale >= 1.0:
        return patch
    size = (max(1, int(patch.shape[1] * scale)), max(1, int(patch.shape[0] * scale)))
    return np.asarray(cv2.resize(patch, size, interpolation=cv2.INTER_AREA), np.uint8)


def paste(pixels: Pixels, patch: Patch, x: int, y: int, opacity: float = 1.0) -> tuple[Pixels, Box]:
    """Blend a patch into a copy of the picture at x, y and return the box of its ink; both in pixels."""
    height, width = pixels.shape[:2]
    left, top = max(0, x), max(0, y)
    right, bottom = min(width, x + patch.shape[1]), min(height, y + patch.shape[0])
    out = pixels.copy()
    if right <= left or bottom <= top:
        return out, (0, 0, 0, 0)
    part = patch[top - y : bottom - y, left - x : right - x]
    region = out[top:bottom, left:right].astype(np.float32)
    alpha = part[..., 3:].astype(np.float32) * (opacity / 255)
    out[top:bottom, left:right] = (region + (part[..., :3] - region) * alpha + 0.5).astype(np.uint8)
    dx, dy, wide, high = cv2.boundingRect((part[..., 3] > 24).astype(np.uint8))
    return out, (left + dx, top + dy, wide, high)


def place_words(box: Box | None, width: int, height: int) -> str:
    """Return the place of a box in a picture of width by height pixels, as a reviewer would write it."""
    if box is None or box[2] * box[3] > 0.6 * width * height:
        return "whole image"
    across = (box[0] + box[2] / 2) / width
    down = (box[1] + box[3] / 2) / height
    side = "" if box[2] > 0.62 * width or 0.36 < across < 0.64 else "left" if across <= 0.36 else "right"
    level = "" if box[3] > 0.62 * height or 0.36 < down < 0.64 else "top" if down <= 0.36 else "bottom"
    return f"{level} {side}".strip() or "center"


def ground_under(pixels: Pixels, x: int, y: int, width: int, height: int) -> Color:
    """Take the middle color of a part of the picture, in pixels."""
    part = pixels[max(0, y) : y + height : 4, max(0, x) : x + width : 4].reshape(-1, 3)
    red, green, blue = np.median(part, axis=0) if len(part) else (255, 255, 255)
    return int(red), int(green), int(blue)


def recolored(patch: Patch, rgb: Color) -> Patch:
    """Paint all of a patch in one color and keep its alpha."""
    out = patch.copy()
    out[..., :3] = rgb
    return out


def ink_over(
    sampler: Sampler, pixels: Pixels, patch: Patch, x: int, y: int, inks: tuple[Color, ...] = ()
) -> tuple[Color, float]:
    """Choose an ink that a patch at x, y shows in, and return its contrast there: the middle gap, 0 to 255.

    The gap is measured under the patch's own ink, so that a name half on white and half on red is still read.
    """
    height, width = pixels.shape[:2]
    left, top, right, bottom = max(0, x), max(0, y), min(width, x + patch.shape[1]), min(height, y + patch.shape[0])
    seen = patch[top - y : bottom - y, left - x : right - x, 3] > 100
    under = pixels[top:bottom, left:right][seen][::5].astype(np.float32) @ np.array((0.299, 0.587, 0.114), np.float32)
    if not len(under):
        return BLACK, 255.0
    best, reach = BLACK, -1.0
    for turn in range(8):
        ink = (
            sampler.choice(inks)
            if inks
            else sampler.choice((WHITE, BLACK))
            if turn > 4 or sampler.chance(0.45)
            else color(sampler)
        )
        gap = np.abs(under - luminance(ink))
        worth = float(np.median(gap) + min(0.0, float(np.quantile(gap, 0.2)) - 40))
        if worth > reach:
            best, reach = ink, worth
        if worth >= 85:
            break
    return best, max(reach, 0.0)
