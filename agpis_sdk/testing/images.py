"""Synthetic product pictures, each with one chosen fault, drawn when they are asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.components import DecodedImage
from agpis_sdk.config import MediaSection
from agpis_sdk.errors import UnknownNameError, nearest
from agpis_sdk.media.decode import decode_image
from agpis_sdk.records import CandidateImage, Product

Pixels = NDArray[np.uint8]
Color = tuple[int, int, int]
WHITE: Color = (255, 255, 255)
SIZE = (480, 480)
UNREADABLE = "unreadable"
COLORS: tuple[Color, ...] = ((170, 60, 50), (50, 90, 160), (60, 120, 70), (150, 110, 40), (110, 60, 130))


@dataclass(frozen=True)
class Scene:
    """What a fault is drawn into: a picture's size and the product's color."""

    width: int
    height: int
    seed: int

    def product(
        self,
        box: tuple[float, float, float, float] = (0.22, 0.2, 0.78, 0.84),
        background: Color = WHITE,
    ) -> Pixels:
        """Draw a striped bag in `box` (left, top, right, bottom in 0..1) as (height, width, 3) uint8 RGB."""
        pixels = np.full((self.height, self.width, 3), background, np.uint8)
        color = COLORS[self.seed % len(COLORS)]
        darker = tuple(round(value * 0.55) for value in color)
        left, right = round(box[0] * self.width), round(box[2] * self.width) - 1
        top, bottom = round(box[1] * self.height), round(box[3] * self.height) - 1
        handle = (max(2, (right - left) // 4), max(2, (bottom - top) // 5))
        cv2.ellipse(pixels, ((left + right) // 2, top + handle[1]), handle, 0, 180, 360, darker, max(2, handle[0] // 6))
        cv2.rectangle(pixels, (left, top + handle[1]), (right, bottom), color, -1)
        for step in range(1, 6):
            x = left + (right - left) * step // 6
            cv2.line(pixels, (x, top + handle[1]), (x, bottom), darker, max(1, (right - left) // 50))
        return pixels

    def part(self, *shares: float) -> tuple[int, ...]:
        """Turn x, y, x, y … in 0..1 of the picture into pixels."""
        return tuple(round(share * (self.width, self.height)[index % 2]) for index, share in enumerate(shares))


def _block(scene: Scene, pixels: Pixels, box: tuple[float, float, float, float], color: Color) -> None:
    left, top, right, bottom = scene.part(*box)
    cv2.rectangle(pixels, (left, top), (right, bottom), color, -1)


def _words(scene: Scene, pixels: Pixels, text: str, place: tuple[float, float], color: Color, height: float) -> None:
    """Write a line whose capitals are about `height` of the picture tall; `place` is its lower left corner."""
    scale = height * scene.height / 22
    x, y = scene.part(*place)
    cv2.putText(pixels, text, (x, y), cv2.FONT_HERSHEY_DUPLEX, scale, color, max(1, round(scale * 2)), cv2.LINE_AA)


def _plain(scene: Scene) -> Pixels:
    return scene.product()


def _blur(scene: Scene) -> Pixels:
    return np.asarray(cv2.GaussianBlur(scene.product(), (0, 0), scene.width / 48), np.uint8)


def _dark(scene: Scene) -> Pixels:
    return (scene.product(background=(130, 130, 130)) * 0.2).astype(np.uint8)


def _washed_out(scene: Scene) -> Pixels:
    pixels = scene.product(background=(170, 200, 230))
    left, top, right, bottom = scene.part(0.2, 0.15, 0.8, 0.86)
    inside = pixels[top:bottom, left:right]
    inside[(inside != (170, 200, 230)).any(axis=2)] = 254
    return pixels


def _flat(scene: Scene) -> Pixels:
    return (scene.product() * 0.12 + 120).astype(np.uint8)


def _gray(scene: Scene) -> Pixels:
    luma = cv2.cvtColor(scene.product(), cv2.COLOR_RGB2GRAY)
    return np.repeat(luma[:, :, None], 3, axis=2).astype(np.uint8)


def _border(scene: Scene) -> Pixels:
    pixels = scene.product()
    side = max(3, round(0.05 * min(scene.width, scene.height)))
    for strip in (pixels[:side], pixels[-side:], pixels[:, :side], pixels[:, -side:]):
        strip[:] = (20, 30, 110)
    return pixels


def _banner(scene: Scene) -> Pixels:
    pixels = scene.product()
    _block(scene, pixels, (0.0, 0.8, 1.0, 1.0), (225, 30, 40))
    _words(scene, pixels, "SUMMER SALE", (0.06, 0.93), WHITE, 0.07)
    return pixels


def _text(scene: Scene) -> Pixels:
    pixels = scene.product()
    _words(scene, pixels, "Best quality", (0.05, 0.13), (20, 20, 20), 0.06)
    _words(scene, pixels, "Free shipping", (0.05, 0.95), (200, 20, 20), 0.06)
    return pixels


def _price(scene: Scene) -> Pixels:
    pixels = scene.product()
    x, y, radius, _ = scene.part(0.8, 0.2, 0.17, 0.0)
    cv2.circle(pixels, (x, y), radius, (240, 200, 20), -1, cv2.LINE_AA)
    _words(scene, pixels, "-50%", (0.675, 0.23), (200, 10, 10), 0.05)
    return pixels


def _watermark(scene: Scene) -> Pixels:
    pixels = scene.product()
    layer = pixels.copy()
    for row in range(4):
        _words(scene, layer, "PHOTOSTOCK", (0.04 + 0.1 * (row % 2), 0.25 + 0.2 * row), (128, 128, 128), 0.08)
    return np.asarray(cv2.addWeighted(layer, 0.45, pixels, 0.55, 0), np.uint8)


def _collage(scene: Scene) -> Pixels:
    """Draw four close-ups on four backgrounds, side by side and one above the other."""
    boxes = ((0.2, 0.2, 0.8, 0.85), (-0.2, -0.1, 0.7, 1.2), (0.1, 0.3, 0.6, 0.7), (0.3, -0.4, 1.4, 0.8))
    backgrounds = (WHITE, (215, 225, 235), (235, 225, 215), (225, 235, 220))
    half = dataclasses.replace(scene, width=(scene.width + 1) // 2, height=(scene.height + 1) // 2)
    tiles = [half.product(box, background) for box, background in zip(boxes, backgrounds, strict=True)]
    whole = np.vstack([np.hstack(tiles[:2]), np.hstack(tiles[2:])])
    return whole[: scene.height, : scene.width]


def _clutter(scene: Scene) -> Pixels:
    """Draw many overlapping things of many colors, the product in front of them."""
    hand = np.random.default_rng(scene.seed)
    pixels = np.zeros((scene.height, scene.width, 3), np.uint8)
    for _ in range(400):
        x, y = int(hand.integers(-40, scene.width)), int(hand.integers(-40, scene.height))
        width, height = (int(side) for side in hand.integers(10, 70, 2))
        color = tuple(int(value) for value in hand.integers(0, 256, 3))
        cv2.rectangle(pixels, (x, y), (x + width, y + height), color, -1)
    left, top, right, bottom = scene.part(0.32, 0.32, 0.68, 0.68)
    pixels[top:bottom, left:right] = scene.product()[top:bottom, left:right]
    return pixels


def _small(scene: Scene) -> Pixels:
    return scene.product((0.42, 0.42, 0.58, 0.58))


def _cropped(scene: Scene) -> Pixels:
    return scene.product((0.2, 0.04, 1.0, 0.98))


def _off_center(scene: Scene) -> Pixels:
    return scene.product((0.03, 0.05, 0.4, 0.55))


def _placeholder(scene: Scene) -> Pixels:
    return np.full((scene.height, scene.width, 3), 200, np.uint8)


def _highlight(scene: Scene) -> Pixels:
    pixels = scene.product()
    x, y, radius, _ = scene.part(0.5, 0.5, 0.14, 0.0)
    cv2.circle(pixels, (x, y), radius, WHITE, -1)
    return pixels


def _tiny(scene: Scene) -> Pixels:
    return dataclasses.replace(scene, width=96, height=96).product()


def _wide(scene: Scene) -> Pixels:
    return dataclasses.replace(scene, width=scene.height * 4).product()


@dataclass(frozen=True)
class Fault:
    """A fault that a picture can be drawn with; `rule` is the built-in rule that it breaks, "" where there is none.

    The shipped model, which knows photos, does not recognize "collage" and "text" as these pictures have them.
    """

    draw: Callable[[Scene], Pixels]
    rule: str = ""


FAULTS: Mapping[str, Fault] = {
    "plain": Fault(_plain),
    "banner": Fault(_banner, "AGP119"),
    "blur": Fault(_blur, "AGP103"),
    "border": Fault(_border, "AGP111"),
    "clutter": Fault(_clutter, "AGP115"),
    "collage": Fault(_collage, "AGP112"),
    "cropped": Fault(_cropped, "AGP117"),
    "dark": Fault(_dark, "AGP105"),
    "flat": Fault(_flat, "AGP106"),
    "gray": Fault(_gray),
    "highlight": Fault(_highlight),
    "off-center": Fault(_off_center, "AGP118"),
    "placeholder": Fault(_placeholder, "AGP114"),
    "price": Fault(_price, "AGP124"),
    "small": Fault(_small, "AGP116"),
    "text": Fault(_text, "AGP120"),
    "tiny": Fault(_tiny, "AGP101"),
    "washed-out": Fault(_washed_out, "AGP104"),
    "watermark": Fault(_watermark, "AGP121"),
    "wide": Fault(_wide, "AGP102"),
}


def image_bytes(fault: str = "plain", *, seed: int = 0, size: tuple[int, int] = SIZE) -> bytes:
    """Return the PNG file of a picture with a fault of `FAULTS`, or a broken file for "unreadable".

    `seed` chooses the product's color; `size` is (width, height) in pixels. Raises `UnknownNameError` for a fault that
    is none.
    """
    if fault != UNREADABLE and fault not in FAULTS:
        raise UnknownNameError("no such fault", item=fault, remedy=nearest(fault, [*FAULTS, UNREADABLE]))
    width, height = size
    pixels = FAULTS.get(fault, FAULTS["plain"]).draw(Scene(width, height, seed))
    data = bytes(cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1])
    return data[: len(data) // 2] if fault == UNREADABLE else data


def make_image(
    fault: str = "plain",
    *,
    seed: int = 0,
    size: tuple[int, int] = SIZE,
    product_id: str = "P1",
    id: str = "",  # noqa: A002 - as in DecodedImage
    position: int = 0,
) -> DecodedImage:
    """Return a picture with a fault of `FAULTS` as a checker sees it; its id is the fault's name unless given.

    Raises `ImageReadError` for "unreadable", as the engine's decoder does.
    """
    data = image_bytes(fault, seed=seed, size=size)
    return decode_image(data, product_id=product_id, image_id=id or fault, position=position, limits=MediaSection())


def make_product(folder: Path, *faults: str, id: str = "P1", seed: int = 0, **fields: Any) -> Product:  # noqa: A002
    """Write one picture per fault into a folder, and return the product that lists them; "unreadable" is one of them.

    `fields` are further fields of the product, such as `title` or `category`.
    """
    images = []
    for position, fault in enumerate(faults or ("plain",)):
        image_id = fault if fault not in faults[:position] else f"{fault}-{position + 1}"
        path = folder / f"{id}-{image_id}.png"
        path.write_bytes(image_bytes(fault, seed=seed))
        images.append(CandidateImage(id=image_id, uri=str(path)))
    return Product(id=id, images=tuple(images), **fields)
