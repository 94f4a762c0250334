"""An image's bytes and its findings in, the bytes of a fixed copy out.

A copy is upright, in sRGB and in a format that every shop takes, whatever the original was. Its metadata is left behind.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from PIL import Image

from agpis_sdk.components import FixablePicture, Fixer
from agpis_sdk.config import MediaSection
from agpis_sdk.errors import AgpisError, ComponentError, in_words
from agpis_sdk.media.color import conversion_to_srgb
from agpis_sdk.media.decode import decode_image
from agpis_sdk.media.formats import readable_formats
from agpis_sdk.media.metadata import format_of_suffix, one_format, orientation, suffix_of
from agpis_sdk.records import Finding

SUFFIXES: Final[Mapping[str, str]] = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp"}
SAVING: Final[Mapping[str, Mapping[str, int]]] = {
    "JPEG": {"quality": 92, "subsampling": 0},
    "PNG": {"optimize": True},
    "WEBP": {"quality": 92, "method": 4},
}


@dataclass(frozen=True)
class FixOptions:
    """What is asked of every copy: its format, "JPEG", "PNG" or "WEBP" (None: that of the original) and its longest side in pixels (None: any)."""

    format: str | None = None
    longest_side: int | None = None


@dataclass(frozen=True)
class FixedCopy:
    """A copy's bytes, the ending of its name, and what was done to the original, in order."""

    data: bytes
    suffix: str
    changes: tuple[str, ...]


@dataclass(frozen=True)
class NamedFixer:
    """A fixer, what the run calls it, and the codes of the rules whose findings it mends."""

    name: str
    codes: tuple[str, ...]
    fixer: Fixer


def fixed_copy(
    data: bytes,
    uri: str,
    findings: Sequence[Finding],
    fixers: Iterable[NamedFixer],
    limits: MediaSection,
    options: FixOptions,
) -> FixedCopy | None:
    """Return a fixed copy of an image, None where there is nothing to mend.

    Raises `ImageReadError` where the bytes are no complete image, `ComponentError` where a fixer fails.
    """
    # A working side that no picture has: the pixels come as they are.
    whole = limits.model_copy(update={"working_side": limits.max_pixels})
    image = decode_image(data, product_id="", image_id="", position=0, limits=whole, uri=uri)
    file_format = one_format(image.format)
    changes = list(_file_changes(data, uri, file_format))
    picture = FixablePicture(image.pixels)
    for fixer, finding in ((fixer, finding) for fixer in fixers for finding in findings):
        mended = _mended(picture, fixer, finding) if finding.code in fixer.codes else None
        if mended is not None:
            picture = mended
            changes.append(f"{fixer.name} ({finding.code})")
    if options.longest_side is not None and max(picture.width, picture.height) > options.longest_side:
        picture = _downscaled(picture, options.longest_side)
        changes.append(f"scaled to {picture.width} x {picture.height}")
    wanted = options.format or (file_format if file_format in SUFFIXES else "JPEG")
    if wanted != file_format:
        changes.append(f"saved as {wanted} instead of {file_format}")
    return FixedCopy(_encoded(picture, wanted), SUFFIXES[wanted], tuple(changes)) if changes else None


def _mended(picture: FixablePicture, fixer: NamedFixer, finding: Finding) -> FixablePicture | None:
    try:
        return fixer.fixer.fix(picture, finding)
    except (AgpisError, MemoryError):
        raise
    except Exception as error:
        raise ComponentError(f"raised {in_words(error)}", item=f'fixer "{fixer.name}"') from error


def _file_changes(data: bytes, uri: str, file_format: str) -> Iterable[str]:
    """Yield what opening and saving a file mends by itself."""
    with Image.open(io.BytesIO(data), formats=readable_formats()) as image:
        if orientation(image) != 1:
            yield "turned upright, as its EXIF says"
        if image.mode == "CMYK":
            yield "converted from CMYK to sRGB"
        elif conversion_to_srgb(image) is not None:
            yield "converted to sRGB from its own color profile"
    named = format_of_suffix(suffix_of(uri))
    if named is not None and named != file_format and file_format in SUFFIXES:
        yield f"named {SUFFIXES[file_format]}, which it is"


def _downscaled(picture: FixablePicture, longest_side: int) -> FixablePicture:
    image = Image.fromarray(picture.pixels)
    image.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    return replace(picture, pixels=np.asarray(image))


def _encoded(picture: FixablePicture, file_format: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture.pixels).save(buffer, file_format, **SAVING[file_format])
    return buffer.getvalue()
