"""What the scripts that draw the pictures of the documentation share: the example catalog's photos, fonts, saving."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

ASSETS = Path(__file__).parent / "assets"
PHOTOS = Path(__file__).parents[1] / "examples" / "catalog" / "images"
INK, SOFT, LINE, PAPER = "#1f2023", "#5c5f66", "#d9d9d4", "#ffffff"
GOOD, BAD = "#2f7d5b", "#b8452f"


def photo(name: str) -> NDArray[np.uint8]:
    """Return one of the example catalog's renderings, (512, 512, 3) RGB."""
    return np.asarray(Image.open(PHOTOS / f"{name}.jpg").convert("RGB"))


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font that comes along with Pillow."""
    return ImageFont.load_default(size)


def mark(draw: ImageDraw.ImageDraw, x: int, y: int, radius: int, *, good: bool) -> None:
    """Draw a round mark with a tick or a cross in it."""
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=GOOD if good else BAD)
    r = radius * 0.42
    strokes = [[(-r, 0), (-0.2 * r, 0.8 * r), (r, -0.8 * r)]] if good else [[(-r, -r), (r, r)], [(-r, r), (r, -r)]]
    for stroke in strokes:
        draw.line([(x + dx, y + dy) for dx, dy in stroke], fill="white", width=max(2, radius // 4), joint="curve")


def fitted(pixels: NDArray[np.uint8], side: int) -> Image.Image:
    """Return a picture in the middle of a white square; a small one is shown as small as it is."""
    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    square = Image.new("RGB", (side, side), PAPER)
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square


def save(image: Image.Image, name: str, *, quality: int = 74) -> Path:
    """Save a picture among the assets as WebP."""
    path = ASSETS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, "WEBP", quality=quality, method=6)
    return path
