"""Embedded color profiles: pixels as they are meant, in sRGB."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageCms

# What a profile describes, and the modes of pictures that it fits.
_MODES = {"GRAY": "L", "RGB ": "RGB", "CMYK": "CMYK"}
# Profiles named sRGB differ from each other by rounding; what moves no color further than this is left alone.
SAME_COLOR = 2

ToSrgb = Callable[[Image.Image], Image.Image]


def conversion_to_srgb(image: Image.Image) -> ToSrgb | None:
    """Return what turns a picture of mode L, RGB or CMYK into sRGB by the profile embedded in `image`.

    None where there is nothing to do: no profile, sRGB itself, one that is broken or does not fit the picture.
    """
    if image.mode == "LAB":
        return _conversion(None, "LAB")
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or not profile:
        return None
    if image.mode in ("1", "L", "LA", "La", "I", "F") or image.mode.startswith("I;16"):
        return _conversion(profile, "L")
    return _conversion(profile, "CMYK" if image.mode == "CMYK" else "RGB")


# A shop's photos come from few cameras and programs; a CMYK profile of half a megabyte takes 30 ms to prepare.
@functools.lru_cache(maxsize=32)
def _conversion(profile: bytes | None, mode: str) -> ToSrgb | None:
    """Return the conversion for pictures of a mode, L, RGB, CMYK or LAB; no profile stands for CIE L*a*b* itself."""
    try:
        source = ImageCms.ImageCmsProfile(
            ImageCms.createProfile("LAB") if profile is None else io.BytesIO(profile)  # type: ignore[arg-type]
        )
        if profile is not None and _MODES.get(source.profile.xcolor_space) != mode:
            return None
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None

    def convert(picture: Image.Image) -> Image.Image:
        converted = ImageCms.applyTransform(picture, transform)
        if converted is None:  # only where the picture is changed in place
            raise ValueError("no picture")
        return converted

    return None if _changes_nothing(convert, mode) else convert


def _changes_nothing(convert: ToSrgb, mode: str) -> bool:
    if mode not in ("L", "RGB"):
        return False
    if mode == "L":
        colors = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    else:
        steps = np.linspace(0, 255, 17).astype(np.uint8)
        grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(17, -1, 3)
        colors = Image.fromarray(grid)
    before = np.asarray(colors.convert("RGB"), np.int16)
    after = np.asarray(convert(colors), np.int16)
    return int(np.abs(before - after).max()) <= SAME_COLOR
