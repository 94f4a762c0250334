"""Any kind of picture as 8-bit RGB over white, band by band, so that no second copy of its full size is made.

Gray values of more than 8 bits are scaled so that the file's white is 255. In 16 bits white is 65,535. Where a file has
32-bit or floating-point values and so names no white, it is the least of 1 (floating point only), 255, 65,535 and
4,294,967,295 that no value exceeds; negative values and those that are no numbers are black.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from agpis_sdk.media.color import ToSrgb, conversion_to_srgb

BAND_PIXELS = 1_000_000
WHOLE_PIXELS = 4_000_000
TIFF_PHOTOMETRIC, TIFF_SAMPLE_FORMAT = 262, 339
WHITE_IS_ZERO, UNSIGNED = 0, 1
TRANSPARENT_MODES = ("RGBA", "LA", "PA", "La", "RGBa")
WHITES = (1.0, 255.0, 65_535.0, 4_294_967_295.0)


def rgb_pixels(image: Image.Image, shrink: int = 1) -> NDArray[np.uint8]:
    """Return a loaded picture as (height, width, 3) uint8 sRGB over white, its sides divided by `shrink`, rounded up.

    Transparent parts are laid over white before anything is averaged, so that they leave no fringe.
    """
    to_rgb = _Conversion(image)
    if shrink == 1 and image.width * image.height <= WHOLE_PIXELS:
        return np.asarray(to_rgb(image))
    width, height = -(-image.width // shrink), -(-image.height // shrink)
    pixels = np.empty((height, width, 3), np.uint8)
    for top, band in _bands(image, shrink):
        rows = np.asarray(to_rgb(band).reduce(shrink))
        pixels[top // shrink : top // shrink + len(rows)] = rows
    return pixels


def _bands(image: Image.Image, multiple: int = 1) -> Iterator[tuple[int, Image.Image]]:
    """Yield (top, band) of a picture, each of about `BAND_PIXELS` and of a multiple of rows but for the last."""
    rows = max(1, BAND_PIXELS // (image.width * multiple)) * multiple
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def _opaque_but(clear: NDArray[np.bool_]) -> Image.Image:
    return Image.fromarray(np.where(clear, 0, 255).astype(np.uint8))


class _Conversion:
    """Turns a picture, or a band of it, into RGB over white."""

    def __init__(self, image: Image.Image) -> None:
        self._to_srgb: ToSrgb | None = conversion_to_srgb(image)
        self._transparency = image.info.get("transparency")
        tags = getattr(image, "tag_v2", {})
        self._inverted = tags.get(TIFF_PHOTOMETRIC) == WHITE_IS_ZERO
        self._unsigned = image.mode == "I" and tags.get(TIFF_SAMPLE_FORMAT, (UNSIGNED,))[0] == UNSIGNED
        self._white = self._white_of(image)

    def __call__(self, band: Image.Image) -> Image.Image:
        alpha = self._alpha(band)
        if self._white:
            values = np.clip(self._values(band) / (self._white / 255.0), 0, 255).astype(np.uint8)
            band = Image.fromarray(255 - values if self._inverted else values)
        color = self._color(band)
        if alpha is None:
            return color
        layer = color.convert("RGBA")
        layer.putalpha(alpha)
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")

    def _color(self, band: Image.Image) -> Image.Image:
        if self._to_srgb is None:
            transparent = self._transparency is not None or band.mode in TRANSPARENT_MODES
            return band.convert("RGBA").convert("RGB") if transparent else band.convert("RGB")
        if band.mode in ("1", "LA", "La"):
            return self._to_srgb(band.convert("RGBA").getchannel("R"))
        return self._to_srgb(band if band.mode in ("L", "CMYK", "LAB") else band.convert("RGBA").convert("RGB"))

    def _alpha(self, band: Image.Image) -> Image.Image | None:
        key = self._transparency
        if self._white:
            return None if key is None else _opaque_but(self._values(band) == key)
        if key is not None and band.mode == "RGB" and isinstance(key, tuple) and max(key) > 255:
            # A 16-bit picture's transparent color; the pixels have lost their lower bytes.
            key = tuple(value >> 8 for value in key)
            return _opaque_but((np.asarray(band) == np.array(key)).all(axis=2))
        if key is not None or band.mode in TRANSPARENT_MODES:
            return band.convert("RGBA").getchannel("A")
        return None

    def _values(self, band: Image.Image) -> NDArray[np.float64]:
        values = np.asarray(band)
        values = values.view(np.uint32) if self._unsigned else values
        with np.errstate(invalid="ignore"):
            return np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)

    def _white_of(self, image: Image.Image) -> float | None:
        """Return the value that is white in a picture of more than 8 bits a sample, None in any other."""
        if image.mode.startswith("I;16") or (image.mode == "I" and image.format != "TIFF"):
            return WHITES[2]  # older versions of Pillow open a PNG of 16 bits as I
        if image.mode not in ("I", "F"):
            return None
        largest = max(float(self._values(band).max()) for _, band in _bands(image))
        whites = WHITES if image.mode == "F" else WHITES[1:]
        return next((white for white in whites if largest <= white), largest)
