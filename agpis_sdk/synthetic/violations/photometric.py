"""What light, lens, sensor and encoder do to a picture (AGP103 to 110, 126); both splits share these, they hold no lettering."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from agpis_sdk.synthetic.violations.canvas import color
from agpis_sdk.synthetic.violations.framing import backdrop, product_box, product_mask, resize
from agpis_sdk.synthetic.violations.types import Drawn, Pixels, Sampler


def _clip(values: npt.NDArray[Any]) -> Pixels:
    return np.asarray(np.clip(values + 0.5, 0, 255), np.uint8)


def _curve(pixels: Pixels, table: npt.NDArray[np.floating]) -> Pixels:
    return np.asarray(cv2.LUT(pixels, np.clip(table + 0.5, 0, 255).astype(np.uint8)), np.uint8)


LEVELS = np.arange(256, dtype=np.float64)


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    """Encode and decode a picture as JPEG; quality from 1 to 100."""
    done, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:  # pragma: no cover (the encoder takes every array of bytes)
        return pixels.copy()
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])


def blur(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Blur by softness, motion or defocus; the radius is 1 to 3.2 % of the shorter side."""
    radius = max(1.2, min(pixels.shape[:2]) * sampler.by_severity(0.010, 0.032))
    kind = sampler.choice(("soft", "motion", "defocus"))
    if kind == "soft":
        return Drawn(np.asarray(cv2.GaussianBlur(pixels, (0, 0), radius * 0.9), np.uint8), None, "blurred picture")
    reach = int(np.ceil(radius * (2.2 if kind == "motion" else 1.6)))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    if kind == "motion":
        angle = sampler.uniform(0, np.pi)
        step = (int(reach * np.cos(angle)), int(reach * np.sin(angle)))
        cv2.line(kernel, (reach - step[0], reach - step[1]), (reach + step[0], reach + step[1]), (1.0,), 1, cv2.LINE_AA)
    else:
        cv2.circle(kernel, (reach, reach), reach, (1.0,), -1, cv2.LINE_AA)
    out = cv2.filter2D(pixels, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    return Drawn(np.asarray(out, np.uint8), None, "motion blur" if kind == "motion" else "picture out of focus")


def compression_artifacts(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Encode as JPEG of quality 12 down to 3, mostly on a smaller copy, once or twice."""
    height, width = pixels.shape[:2]
    scale = sampler.uniform(0.35, 0.8) if sampler.chance(0.7) else 1.0
    small = resize(pixels, int(width * scale), int(height * scale)) if scale < 1 else pixels
    for _ in range(sampler.integer(1, 2)):
        small = jpeg(small, max(3, round(sampler.by_severity(12, 3))))
    return Drawn(resize(small, width, height) if scale < 1 else small, None, "blocks of heavy compression")


def noise(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Add grain of 14 to 48 levels: gray or colored, fine or clumped, or salt and pepper."""
    height, width = pixels.shape[:2]
    kind = sampler.choice(("gray", "color", "color", "clumped", "pepper"))
    if kind == "pepper":
        spots = sampler.rng.random((height, width), dtype=np.float32)
        share = sampler.by_severity(0.015, 0.09)
        out = pixels.copy()
        out[spots < share / 2] = 0
        out[spots > 1 - share / 2] = 255
        return Drawn(out, None, "salt-and-pepper noise")
    level = sampler.by_severity(14, 48)
    scale = 2 if kind == "clumped" else 1
    planes = 1 if kind == "gray" else 3
    grain = sampler.rng.standard_normal((height // scale + 1, width // scale + 1, planes), dtype=np.float32) * level
    sized = np.asarray(cv2.resize(grain, (width, height)) if scale > 1 else grain[:height, :width])
    return Drawn(_clip(pixels + sized.reshape(height, width, planes)), None, "grain all over")


def over_exposed(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Raise the light by 0.35 to 1.1 stops, and the shadows more, until the product washes out."""
    gain = 2 ** sampler.by_severity(0.35, 1.1)
    table = 255 * np.minimum(1.0, (LEVELS / 255) ** sampler.uniform(0.65, 0.9) * gain)
    return Drawn(_curve(pixels, table), None, "washed-out picture")


def under_exposed(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Lower the light by 1.5 to 3.5 stops, often with grain."""
    gain = 2 ** -sampler.by_severity(1.5, 3.5)
    table = 255 * (LEVELS / 255) ** sampler.uniform(0.9, 1.3) * gain
    out = _curve(pixels, table)
    if sampler.chance(0.5):
        grain = sampler.rng.standard_normal((*pixels.shape[:2], 1), dtype=np.float32)
        out = _clip(out + grain * sampler.uniform(1, 5))
    return Drawn(out, None, "picture too dark")


def low_contrast(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Squeeze all levels into 38 down to 15 % of their range, around a gray."""
    share, middle = sampler.by_severity(0.38, 0.15), sampler.uniform(105, 190)
    table = middle + (LEVELS - 128) * share
    out = _curve(pixels, table)
    if sampler.chance(0.4):
        gray = cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)[..., None]
        out = _clip(out * 0.4 + gray * 0.6)
    return Drawn(out, None, "flat gray picture")


def upscaled(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Shrink by 5 to 10 and enlarge again, soft or in steps."""
    factor = sampler.by_severity(5, 10)
    height, width = pixels.shape[:2]
    small = resize(pixels, max(4, int(width / factor)), max(4, int(height / factor)))
    way = sampler.choice((cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4))
    return Drawn(
        np.asarray(cv2.resize(small, (width, height), interpolation=way), np.uint8), None, "enlarged small picture"
    )


def color_cast(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Tint the picture: two of its channels are moved apart by 18 to 50 %."""
    tint = sampler.by_severity(0.18, 0.5)
    name, weights = sampler.choice((
        ("yellow", (0.2, 0.1, -1.0)), ("blue", (-1.0, -0.4, 0.2)), ("green", (-0.8, 0.2, -0.7)),
        ("magenta", (0.2, -0.9, 0.2)), ("red", (0.2, -0.7, -0.8)), ("cyan", (-1.0, 0.1, 0.1)), ("orange", (0.2, -0.3, -1.0)),
    ))  # fmt: skip
    gains = np.asarray([1 + tint * weight for weight in weights])
    table = (LEVELS[:, None] * gains).reshape(256, 1, 3)
    return Drawn(_curve(pixels, table), None, f"{name} cast")


def _halo(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Leave a jagged or glowing rim around the product, as a bad cut-out does."""
    mask = product_mask(pixels)
    height, width = pixels.shape[:2]
    if mask.min() > 0:
        cv2.ellipse(
            mask := np.zeros_like(mask),
            (width // 2, height // 2),
            (int(width * 0.34), int(height * 0.38)),
            0,
            0,
            360,
            255,
            -1,
        )
    cells = sampler.integer(10, 28)
    jitter = sampler.rng.standard_normal((cells, cells), dtype=np.float32) * sampler.by_severity(60, 130)
    rough = mask.astype(np.float32) + cv2.resize(jitter, (width, height), interpolation=cv2.INTER_NEAREST)
    reach = max(3, int(min(height, width) * sampler.by_severity(0.015, 0.04)))
    grown = cv2.dilate(mask, np.ones((reach, reach), np.uint8))
    ring = (grown > 127) & ~(cv2.erode(mask, np.ones((reach, reach), np.uint8)) > 127)
    ground = np.asarray(backdrop(pixels), np.float32)
    rim = (
        np.asarray(color(sampler), np.float32)
        if ground.min() > 200 or sampler.chance(0.3)
        else np.full(3, 255, np.float32)
    )
    out = pixels.copy()
    out[ring & (rough > 150)] = rim.astype(np.uint8)
    out[ring & (rough < 40)] = ground.astype(np.uint8)
    return Drawn(out, product_box((ring * 255).astype(np.uint8)), "ragged rim of a bad cut-out")


def _spot_on_product(pixels: Pixels, sampler: Sampler, share: float) -> tuple[int, int, int, int]:
    """Choose a box on the product of that share of its box, in pixels."""
    x, y, wide, high = product_box(product_mask(pixels))
    w, h = max(8, int(wide * share * sampler.uniform(0.8, 1.2))), max(8, int(high * share * sampler.uniform(0.8, 1.2)))
    w, h = min(w, wide), min(h, high)
    return x + int((wide - w) * sampler.uniform(0.25, 0.75)), y + int((high - h) * sampler.uniform(0.25, 0.75)), w, h


def _smear(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Drag a part of the product along, as a failed retouch does."""
    x, y, w, h = _spot_on_product(pixels, sampler, sampler.by_severity(0.3, 0.6))
    part = pixels[y : y + h, x : x + w]
    if sampler.chance(0.5):
        smear = np.repeat(part[:, w // 2 : w // 2 + 1], w, axis=1)
    else:
        smear = np.repeat(part[h // 2 : h // 2 + 1], h, axis=0)
    mask = np.zeros((h, w), np.uint8)
    cv2.ellipse(mask, (w // 2, h // 2), (int(w * 0.46), int(h * 0.46)), 0, 0, 360, (255,), -1)
    weight = cv2.GaussianBlur(mask, (0, 0), max(1.0, w * 0.02))[..., None].astype(np.float32) / 255
    out = pixels.copy()
    out[y : y + h, x : x + w] = _clip(part + (smear.astype(np.float32) - part) * weight)
    return Drawn(out, (x, y, w, h), "smeared patch on the product")


def _hole(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Punch holes into the product that show the ground, or copies of another part of it."""
    x, y, w, h = _spot_on_product(pixels, sampler, sampler.by_severity(0.25, 0.5))
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    radius = 0.36 + sum(sampler.uniform(-0.06, 0.06) * np.cos(k * turn + sampler.uniform(0, 6)) for k in (2, 3, 5))
    points = np.stack((w / 2 + w * radius * np.cos(turn), h / 2 + h * radius * np.sin(turn)), axis=1).astype(np.int32)
    mask = cv2.fillPoly(np.zeros((h, w), np.uint8), [points], (255,))
    part = pixels[y : y + h, x : x + w]
    ground = np.asarray(backdrop(pixels), np.uint8)
    height, width = pixels.shape[:2]
    if sampler.chance(0.5) and np.abs(part.astype(np.int16) - ground).mean() > 40:
        fill = np.broadcast_to(ground, part.shape)
    else:
        there = (sampler.integer(0, width - w), sampler.integer(0, height - h))
        fill = pixels[there[1] : there[1] + h, there[0] : there[0] + w][::-1]
        if np.abs(fill.astype(np.int16) - part).mean() < 25:
            fill = np.broadcast_to(np.asarray(color(sampler), np.uint8), part.shape)
    out = pixels.copy()
    out[y : y + h, x : x + w][mask > 0] = fill[mask > 0]
    return Drawn(out, (x, y, w, h), "hole or cloned patch in the product")


def unnatural_artifact(pixels: Pixels, sampler: Sampler) -> Drawn:
    """Leave the traces of a bad cut-out, a smear or a cloned hole."""
    drawn = sampler.choice((_halo, _smear, _hole))(pixels, sampler)
    for _ in range(3):
        x, y, wide, high = drawn.box or (0, 0, pixels.shape[1], pixels.shape[0])
        change = cv2.absdiff(drawn.pixels, pixels)[y : y + high, x : x + wide]
        if (change.max(axis=2) > 40).mean() > 0.03:
            break
        drawn = _hole(pixels, sampler)
    return drawn
