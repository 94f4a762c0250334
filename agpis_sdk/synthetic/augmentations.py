"""Augmentations of product photos: retakes, copies, recolorings, close-ups.

Every photo is (height, width, 3) RGB uint8; every function returns a new one.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.synthetic.violations.framing import backdrop, product_mask
from agpis_sdk.synthetic.violations.photometric import jpeg

Pixels = NDArray[np.uint8]
PLAIN_EDGE = 6.0


def plain_ground(pixels: Pixels) -> NDArray[np.float32] | None:
    """Return the one color (3,) of all four edges, or None where they show anything else."""
    edges = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]).astype(np.float32)
    ground = np.median(edges, axis=0)
    return ground if float(np.abs(edges - ground).mean()) <= PLAIN_EDGE else None


def retaken(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a photo as another shop might show it: other margins, a little more or less light.

    A margin is added only on a plain ground: around anything else it would be a frame, which is a violation itself
    (AGP111). Other photos are cut a little closer.
    """
    share = float(rng.uniform(0, 0.08))
    ground = plain_ground(pixels)
    if ground is None:
        framed = cropped(pixels, 1 - share / 2, rng)
    else:
        margin = round(share * max(pixels.shape[:2]))
        framed = np.asarray(
            cv2.copyMakeBorder(
                pixels, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=[float(part) for part in ground]
            ),
            np.uint8,
        )
    return brighter(framed, float(rng.uniform(0.95, 1.05)))


def mirrored(pixels: Pixels) -> Pixels:
    """Return the photo mirrored left to right."""
    return np.ascontiguousarray(pixels[:, ::-1])


def copied(pixels: Pixels, rng: np.random.Generator) -> tuple[Pixels, str]:
    """Return the same photo again - cut, mirrored, turned, brighter or compressed - and what was done."""
    kind = ("cut", "mirrored", "turned", "brightened", "saved again")[int(rng.integers(5))]
    if kind == "cut":
        return cropped(pixels, float(rng.uniform(0.7, 0.92)), rng), "a cut of it"
    if kind == "mirrored":
        return brighter(mirrored(pixels), float(rng.uniform(0.95, 1.05))), "it is mirrored"
    if kind == "turned":
        return turned(pixels, float(rng.uniform(4, 15)) * (1 if rng.random() < 0.5 else -1)), "it is turned"
    if kind == "brightened":
        return brighter(pixels, float(rng.choice([rng.uniform(0.75, 0.88), rng.uniform(1.12, 1.25)]))), "other light"
    quality = int(rng.integers(30, 60))
    return jpeg(pixels, quality), "it was saved again"


def turned(pixels: Pixels, degrees: float) -> Pixels:
    """Return the photo turned counter-clockwise, with its edges drawn on."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return np.asarray(cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def from_nearly_the_same_angle(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return what a second shot a step aside would show: a small change of perspective, place and light."""
    height, width = pixels.shape[:2]
    corners = np.array(((0, 0), (width, 0), (width, height), (0, height)), np.float32)
    lean = float(rng.uniform(0.05, 0.1)) * (1 if rng.random() < 0.5 else -1)
    aside = np.array(((0, lean), (0, -lean), (0, lean), (0, -lean)), np.float32) * (0, height)
    matrix = cv2.getPerspectiveTransform(corners, (corners + aside).astype(np.float32))
    scale = float(rng.uniform(0.85, 0.97))
    matrix = np.diag([scale, 1.0, 1.0]) @ matrix + np.array(((0, 0, width * (1 - scale) / 2), (0, 0, 0), (0, 0, 0)))
    shot = cv2.warpPerspective(pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return brighter(shot, float(rng.uniform(0.92, 1.08)))


def recolored(pixels: Pixels, degrees: float) -> Pixels:
    """Return the product in another color: its hue turned by `degrees` of the color circle, its ground left alone.

    Skin, found by its hue, keeps its color.
    """
    weight = cv2.GaussianBlur(product_mask(pixels), (0, 0), 1.5)[..., None].astype(np.float32) / 255
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
    hue = hsv[..., 0].astype(np.int32)
    skin = (hue < 18) & (hsv[..., 1] > 30) & (hsv[..., 1] < 170) & (hsv[..., 2] > 90)
    hsv[..., 0] = ((hue + round(degrees / 2)) % 180).astype(np.uint8)
    changed = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB).astype(np.float32)
    # Gray has no hue of its own, only noise: what is hardly colored keeps its color.
    vivid = np.clip((hsv[..., 1].astype(np.float32) - 25) / 40, 0, 1) * (1 - skin)
    weight = weight * cv2.GaussianBlur(vivid.astype(np.float32), (0, 0), 2)[..., None]
    return (pixels + (changed - pixels) * weight + 0.5).astype(np.uint8)


def dyed(pixels: Pixels, where: NDArray[np.bool_], degrees: float) -> Pixels:
    """Return the photo with a vivid color of that hue on the part `where` (h, w), as light and as shaded as before."""
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = round(degrees / 2) % 180
    hsv[..., 1] = np.maximum(hsv[..., 1], 170)
    hsv[..., 2] = np.clip(hsv[..., 2], 90, 230)
    weight = cv2.GaussianBlur(where.astype(np.float32), (0, 0), 1.0)[..., None]
    changed = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB).astype(np.float32)
    return (pixels + (changed - pixels) * weight + 0.5).astype(np.uint8)


def colorfulness(pixels: Pixels) -> float:
    """Return how much of a photo's product is colored enough for another hue to show, 0 to 1; skin is left out."""
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
    skin = (hsv[..., 0] < 18) & (hsv[..., 1] < 170) & (hsv[..., 2] > 90)
    inside = (product_mask(pixels) > 127) & ~skin
    vivid = (hsv[..., 1] > 70) & (hsv[..., 2] > 50)
    return float(vivid[inside].mean()) if inside.any() else 0.0


def on_ground(pixels: Pixels, color: tuple[int, int, int]) -> Pixels:
    """Return the product before another plain color."""
    weight = cv2.GaussianBlur(product_mask(pixels), (0, 0), 1.2)[..., None].astype(np.float32) / 255
    ground = np.asarray(color, np.float32)
    # Shadows of the old ground stay visible on the new one.
    shade = np.clip(pixels.astype(np.float32).mean(2, keepdims=True) / max(float(np.mean(backdrop(pixels))), 1.0), 0, 1)
    placed: Pixels = np.clip(ground * shade + (pixels - ground * shade) * weight, 0, 255).astype(np.uint8)
    return placed


def in_other_style(pixels: Pixels, rng: np.random.Generator) -> tuple[Pixels, str]:
    """Return the photo as a drawing, in black and white or in sepia, and how that looks."""
    kind = int(rng.integers(3))
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    if kind == 0:
        lines = cv2.divide(gray, 255 - cv2.GaussianBlur(255 - gray, (0, 0), 6), scale=256)
        return np.repeat(np.asarray(lines, np.uint8)[..., None], 3, axis=2), "it is a pencil drawing"
    if kind == 1:
        return np.repeat(np.asarray(gray, np.uint8)[..., None], 3, axis=2), "it is black and white"
    sepia = gray[..., None].astype(np.float32) * (1.0, 0.84, 0.62)
    return np.clip(sepia, 0, 255).astype(np.uint8), "it is sepia"


def close_up(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a detail: a quarter to two fifths of each side, from within the product."""
    x, y, width, height = cv2.boundingRect((product_mask(pixels) > 127).astype(np.uint8))
    if not width or not height:
        x, y, width, height = 0, 0, pixels.shape[1], pixels.shape[0]
    share = float(rng.uniform(0.3, 0.45))
    inner_width, inner_height = max(24, round(width * share)), max(24, round(height * share))
    left = x + round((width - inner_width) * float(rng.uniform(0.25, 0.75)))
    top = y + round((height - inner_height) * float(rng.uniform(0.15, 0.75)))
    detail = pixels[max(0, top) : top + inner_height, max(0, left) : left + inner_width]
    scale = 0.8 * max(pixels.shape[:2]) / max(detail.shape[:2])
    return np.asarray(cv2.resize(detail, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)


def brighter(pixels: NDArray[Any], gain: float) -> Pixels:
    """Return the photo with every value times `gain`."""
    brightened: Pixels = np.clip(pixels.astype(np.float32) * gain, 0, 255).astype(np.uint8)
    return brightened


def cropped(pixels: Pixels, share: float, rng: np.random.Generator) -> Pixels:
    """Return a part of `share` of each side, near the middle."""
    height, width = pixels.shape[:2]
    inner_height, inner_width = round(height * share), round(width * share)
    top = round((height - inner_height) * float(rng.uniform(0.25, 0.75)))
    left = round((width - inner_width) * float(rng.uniform(0.25, 0.75)))
    return np.ascontiguousarray(pixels[top : top + inner_height, left : left + inner_width])
