"""Pictures as they leave the machine: made small, drawn anew from their pixels, so without any metadata."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from agpis_sdk.errors import ConfigError

QUALITY = 90


def data_url(pixels: NDArray[np.uint8], side: int) -> str:
    """Return (height, width, 3) RGB pixels as the data URL of a JPEG of at most `side` pixels on the longer side."""
    return _encoded(Image.fromarray(np.ascontiguousarray(pixels)), side)


def example_url(path: Path, side: int) -> str:
    """Return an example picture of a rule in the same form; raises `ConfigError` where it cannot be read."""
    try:
        with Image.open(path) as picture:
            return _encoded(ImageOps.exif_transpose(picture).convert("RGB"), side)
    except OSError as error:
        raise ConfigError(
            f"is no picture that can be read: {error.strerror or error}",
            item=str(path),
            remedy="check passes and fails",
        ) from None


def _encoded(picture: Image.Image, side: int) -> str:
    if max(picture.size) > side:
        picture = ImageOps.contain(picture, (side, side))
    clean = Image.new("RGB", picture.size)
    clean.paste(picture)
    buffer = io.BytesIO()
    clean.save(buffer, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
