"""Framing violations: resolution, shape, clutter, size, cropping, centering, rotation (AGP101, 102, 115 to 118, 127)."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from agpis_sdk.builtin.foreground.plain_background import estimate_foreground
from agpis_sdk.synthetic.violations.canvas import color
from agpis_sdk.synthetic.violations.types import Box, Color, Drawn, Pixels, Pool, Sampler


def resize(pixels: npt.NDArray[np.uint8], width: int, height: int) -> npt.NDArray[np.uint8]:
    """Scale a picture to width by height pixels."""
    smaller = width * height < pixels.shape[0] * pixels.shape[1]
    way = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (max(1, width), max(1, height)), interpolation=way), np.uint8)


def backdrop(pixels: Pixels) -> Color:
    """Return the median color of the picture's rim."""
    rim = np.concatenate((pixels[:3, ::4].reshape(-1, 3), pixels[-3:, ::4].reshape(-1, 3), pixels[::4, :3].reshape(-1, 3),
                          pixels[::4, -3:].reshape(-1, 3)))  # fmt: skip
    red, green, blue = np.median(rim, axis=0)
    return int(red), int(green), int(blue)


def product_mask(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """Return 255 on the product, its holes filled, as (H, W); all 255 where no plain background shows a product."""
    height, width = pixels.shape[:2]
    _, foreground = estimate_foreground(pixels)
    everywhere = np.full((height, width), 255, np.uint8)
    if foreground is None:
        return everywhere
    closed = cv2.morphologyEx(foreground.mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    filled = np.zeros(closed.shape, np.uint8)
    cv2.drawContours(filled, outlines, -1, (255,), -1)
    if not 0.02 < (filled > 0).mean() < 0.9:
        return everywhere
    return np.asarray(cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def product_box(mask: npt.NDArray[np.uint8]) -> Box:
    """Return the bounding box of a product mask, in pixels."""
    x, y, width, height = cv2.boundingRect((mask > 127).astype(np.uint8))
    return (x, y, width, height) if width and height else (0, 0, mask.shape[1], mask.shape[0])


def rotated(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Turn the picture by a quarter, a half, or 15 to 40 degrees on its own ground."""
    quarter = sampler.choice((0, 0, 1, 1, 2, 2, 3))
    if quarter:
        thing = ("", "product lying on its side", "upside-down picture", "product lying on its side")[quarter]
        return Drawn(np.ascontiguousarray(np.rot90(pixels, quarter)), None, thing)
    degrees = sampler.by_severity(15, 40) * sampler.choice((-1, 1))
    height, width = pixels.shape[:2]
    scale = 1 / (np.cos(np.radians(degrees)) + abs(np.sin(np.radians(degrees))) * 0.6)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, float(scale))
    ground = sampler.choice((backdrop(pixels), (255, 255, 255)))
    turned = cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_CONSTANT, borderValue=ground)
    return Drawn(np.asarray(turned, np.uint8), None, "tilted product")


def cropped(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Cut the picture so tightly that one or two of its edges run through the product."""
    x, y, wide, high = product_box(product_mask(pixels))
    height, width = pixels.shape[:2]
    take = sampler.by_severity(0.28, 0.5)
    left, top, right, bottom = 0, 0, width, height
    sides = [
        str(side)
        for side in sampler.rng.permutation(["left", "right", "top", "bottom"])[: sampler.choice((1, 1, 2, 2, 3))]
    ]
    for side in sides:
        cut_off = take * sampler.uniform(0.7, 1) / (1.3 if len(sides) > 1 else 1)
        if side == "left":
            left = int(x + wide * cut_off)
        elif side == "right":
            right = int(x + wide * (1 - cut_off))
        elif side == "top":
            top = int(y + high * cut_off)
        else:
            bottom = int(y + high * (1 - cut_off))
    part = pixels[top : max(top + 8, bottom), left : max(left + 8, right)]
    return Drawn(np.ascontiguousarray(part), None, f"product cut off at the {' and '.join(sides)}", sides[0])


def _restaged(pixels: Pixels, sampler: Sampler, share: float, middle: tuple[float, float]) -> tuple[Pixels, Box]:
    """Stand the product on a plain ground so that its longer side fills `share` of the frame, around a middle."""
    x, y, wide, high = product_box(product_mask(pixels))
    height, width = pixels.shape[:2]
    ground = backdrop(pixels)
    scale = share * min(width / wide, height / high)
    new_wide, new_high = max(4, int(wide * scale)), max(4, int(high * scale))
    patch = resize(pixels[y : y + high, x : x + wide], new_wide, new_high)
    out = np.empty_like(pixels)
    out[:] = ground
    if wide * high > 0.85 * width * height and sampler.chance(0.5):
        out[:] = sampler.choice(((255, 255, 255), (245, 245, 245), (235, 232, 228)))
    left = int(np.clip(width * middle[0] - new_wide / 2, 0, width - new_wide))
    top = int(np.clip(height * middle[1] - new_high / 2, 0, height - new_high))
    out[top : top + new_high, left : left + new_wide] = patch
    return out, (left, top, new_wide, new_high)


def too_small(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Shrink the product to 15 to 35 % of the frame's side."""
    out, box = _restaged(
        pixels, sampler, sampler.by_severity(0.35, 0.15), (sampler.uniform(0.35, 0.65), sampler.uniform(0.35, 0.65))
    )
    return Drawn(out, box, "product that fills little of the picture")


def off_center(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Push the product to a side or into a corner."""
    pull = sampler.by_severity(0.26, 0.42)
    across, down = sampler.choice(((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (1, -1), (-1, 1), (1, 1)))
    share = sampler.uniform(0.35, 0.6)
    out, box = _restaged(pixels, sampler, share, (0.5 + across * pull, 0.5 + down * pull))
    return Drawn(out, box, "product far from the middle")


def low_resolution(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Shrink the picture until its longer side has fewer than 200 pixels."""
    longest = sampler.by_severity(190, 60)
    scale = min(1.0, longest / max(pixels.shape[:2]))
    small = resize(pixels, int(pixels.shape[1] * scale), int(pixels.shape[0] * scale))
    return Drawn(small, None, f"picture of {small.shape[1]} x {small.shape[0]} pixels")


def extreme_aspect(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Cut or pad the picture to three to six times as wide as high, or as high as wide."""
    height, width = pixels.shape[:2]
    ratio = sampler.by_severity(3, 6)
    wide = sampler.chance(0.5)
    if sampler.chance(0.6):
        if wide:
            size = max(8, int(width / ratio))
            top = int((height - size) * sampler.uniform(0.3, 0.7)) if size < height else 0
            part = pixels[top : top + size]
        else:
            size = max(8, int(height / ratio))
            left = int((width - size) * sampler.uniform(0.3, 0.7)) if size < width else 0
            part = pixels[:, left : left + size]
        return Drawn(np.ascontiguousarray(part), None, "very wide picture" if wide else "very tall picture")
    grow = (0, int(ratio * height - width)) if wide else (int(ratio * width - height), 0)
    down, across = (max(0, size) // 2 for size in grow)
    padded = cv2.copyMakeBorder(pixels, down, down, across, across, cv2.BORDER_CONSTANT, value=backdrop(pixels))
    return Drawn(np.asarray(padded, np.uint8), None, "very wide picture" if wide else "very tall picture")


def _room(pixels: Pixels, sampler: Sampler) -> Pixels:
    """Make a busy ground from another photo, seen larger and from one part of it."""
    height, width = pixels.shape[:2]
    if not sampler.others:
        return _heap(pixels, sampler)
    return _covering(sampler.choice(sampler.others), width, height, sampler)


def _covering(photo: Pixels, width: int, height: int, sampler: Sampler) -> Pixels:
    """Cut a part of a photo that covers width by height pixels; a pale ground is dyed, as a wall or cloth would be."""
    scale = min(photo.shape[1] / width, photo.shape[0] / height) * sampler.uniform(0.55, 1.0)
    wide, high = max(4, int(width * scale)), max(4, int(height * scale))
    top, left = (
        int((photo.shape[0] - high) * sampler.uniform(0, 1)),
        int((photo.shape[1] - wide) * sampler.uniform(0, 1)),
    )
    part = resize(photo[top : top + high, left : left + wide], width, height)
    if min(backdrop(photo)) < 215:
        return part
    dye = np.asarray([sampler.uniform(90, 215)] * 3) + sampler.rng.uniform(-35, 35, 3)
    return np.asarray(part * (dye / 255), np.uint8)


def _heap(pixels: Pixels, sampler: Sampler) -> Pixels:
    """Heap colored boxes, balls and boards on each other."""
    height, width = pixels.shape[:2]
    out = np.empty_like(pixels)
    out[:] = color(sampler)
    for _ in range(int(sampler.by_severity(18, 60))):
        x, y = sampler.integer(0, width), sampler.integer(0, height)
        w, h = int(width * sampler.uniform(0.04, 0.3)), int(height * sampler.uniform(0.04, 0.3))
        shape = sampler.choice(("box", "ball", "board"))
        if shape == "ball":
            cv2.ellipse(out, (x, y), (w // 2, h // 2), sampler.uniform(0, 180), 0, 360, color(sampler), -1, cv2.LINE_AA)
        else:
            size = (float(w), h * (0.2 if shape == "board" else 1.0))
            corners = cv2.boxPoints(((float(x), float(y)), size, sampler.uniform(0, 180)))
            cv2.fillPoly(out, [corners.astype(np.int32)], color(sampler), cv2.LINE_AA)
    noise = sampler.rng.integers(-10, 11, (height // 4 + 1, width // 4 + 1, 1)).astype(np.float32)
    grain = cv2.resize(noise, (width, height))[..., None]
    return np.asarray(np.clip(out + grain, 0, 255), np.uint8)


def _shelf(pixels: Pixels, sampler: Sampler) -> Pixels:
    """Make a busy ground of two or three other photos side by side; of small pieces where none are given."""
    if not sampler.others:
        return _mirrored_heap(pixels, sampler)
    height, width = pixels.shape[:2]
    edges = np.linspace(0, width, sampler.integer(2, 3) + 1).astype(int)
    return np.concatenate(
        [_covering(sampler.choice(sampler.others), int(size), height, sampler) for size in np.diff(edges)], axis=1
    )


def _mirrored_heap(pixels: Pixels, sampler: Sampler) -> Pixels:
    """Make a busy ground of many small pieces of other photos, or of the picture itself, over a heap."""
    out = _heap(pixels, sampler)
    height, width = pixels.shape[:2]
    for _ in range(sampler.integer(8, 20)):
        other = sampler.choice(sampler.others) if sampler.others else pixels
        size = int(min(height, width) * sampler.uniform(0.15, 0.4))
        patch = resize(other, size, size)
        x, y = sampler.integer(0, width - size), sampler.integer(0, height - size)
        out[y : y + size, x : x + size] = np.rot90(patch, sampler.integer(0, 3))
    return out


CLUTTER_LAYOUTS: Pool[Callable[[Pixels, Sampler], Pixels]] = {
    "train": (_room, _room, _heap),
    "test": (_shelf, _shelf, _mirrored_heap),
}


def cluttered_background(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Stand the product before another photo or a heap of things; severity sets how much of it is seen."""
    mask = product_mask(pixels)
    height, width = pixels.shape[:2]
    ground = sampler.from_pool(CLUTTER_LAYOUTS)(pixels, sampler)
    x, y, wide, high = product_box(mask)
    part, alpha = pixels[y : y + high, x : x + wide], mask[y : y + high, x : x + wide]
    scale = sampler.by_severity(0.8, 0.5) * min(width / wide, height / high)
    new_wide, new_high = max(4, int(wide * scale)), max(4, int(high * scale))
    part, alpha = resize(part, new_wide, new_high), resize(alpha, new_wide, new_high)
    weight = (
        cv2.GaussianBlur(cv2.erode(alpha, np.ones((3, 3), np.uint8)), (0, 0), 1.2)[..., None].astype(np.float32) / 255
    )
    left, top = (width - new_wide) // 2, int((height - new_high) * sampler.uniform(0.4, 0.8))
    region = ground[top : top + new_high, left : left + new_wide]
    out = ground.copy()
    out[top : top + new_high, left : left + new_wide] = (region + (part.astype(np.float32) - region) * weight).astype(
        np.uint8
    )
    return Drawn(out, None, "busy background behind the product")
