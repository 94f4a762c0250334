"""Bytes to pixels: one decode per image, as a shop shows it.

EXIF rotation is applied, transparent parts are composited over white, 16-bit and CMYK become 8-bit RGB, and of an
animation the first frame is taken (the engine reports that as AGP905).
"""

from __future__ import annotations

import hashlib
import io
import warnings

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from agpis_sdk.components import DecodedImage
from agpis_sdk.config import MediaSection
from agpis_sdk.errors import ImageReadError, ImageTooLargeError
from agpis_sdk.media.metadata import digital_source_types, jpeg_quality, suffix_of

EXIF_ORIENTATION = 0x0112
ROTATED_BY_A_QUARTER = (5, 6, 7, 8)
DETAIL_SIDE = 512


def decode_image(
    data: bytes, *, product_id: str, image_id: str, position: int, limits: MediaSection, uri: str = ""
) -> DecodedImage:
    """Decode an image to at most `limits.working_side` pixels; `uri` is where the bytes came from.

    Raises `ImageReadError` where the bytes are no complete image, `ImageTooLargeError` beyond `limits.max_pixels`.
    """
    image = _open(data, limits)
    file_format = image.format or "unknown"
    width, height = image.size
    try:
        # A phone's JPEG may carry a second, stored picture (MPO); that makes it no animation.
        frame_count = 1 if file_format == "MPO" else int(getattr(image, "n_frames", 1))
        if image.getexif().get(EXIF_ORIENTATION, 1) in ROTATED_BY_A_QUARTER:
            width, height = height, width
        quality = jpeg_quality(image)
        decoded = _upright_pixels(image, limits.working_side)
        detail, detail_scale = _detail(decoded, limits.working_side)
        detail_scale *= max(width, height) / max(decoded.shape[:2])
        pixels = _working_pixels(decoded, limits.working_side)
    except Image.DecompressionBombError as error:
        raise ImageTooLargeError(str(error), remedy="shrink it") from None
    except MemoryError:
        raise
    except Exception as error:
        raise _damaged(error) from None
    return DecodedImage(
        product_id=product_id,
        id=image_id,
        position=position,
        pixels=pixels,
        original_width=width,
        original_height=height,
        scale=max(width, height) / max(pixels.shape[:2]),
        byte_count=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        format=file_format,
        frame_count=frame_count,
        suffix=suffix_of(uri),
        jpeg_quality=quality,
        digital_source_types=digital_source_types(data, image),
        detail=detail,
        detail_scale=detail_scale,
    )


def as_image(pixels: NDArray[np.uint8]) -> DecodedImage:
    """Return pixels (height, width, 3) as an image of no product and no file."""
    height, width = pixels.shape[:2]
    return DecodedImage(
        product_id="", id="", position=0, pixels=pixels, original_width=width, original_height=height, scale=1.0,
        byte_count=0, sha256="", format="",
    )  # fmt: skip


def _open(data: bytes, limits: MediaSection) -> Image.Image:
    if not data:
        raise ImageReadError("is empty (0 bytes)", remedy="export or fetch it again")
    try:
        with warnings.catch_warnings():
            # Our own limit on pixels is checked below, before anything is decoded.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data))
    except Image.DecompressionBombError as error:
        raise ImageTooLargeError(str(error).split(",")[0], remedy="shrink it") from None
    except UnidentifiedImageError:
        raise ImageReadError("is not an image of a known format", remedy="use JPEG, PNG or WebP") from None
    except MemoryError:
        raise
    except Exception as error:
        raise _damaged(error) from None
    width, height = image.size
    if width * height > limits.max_pixels:
        raise ImageTooLargeError(
            f"{width} x {height} pixels, more than media.max_pixels = {limits.max_pixels:,}",
            remedy="shrink it, or raise media.max_pixels",
        )
    return image


def _damaged(error: Exception) -> ImageReadError:
    return ImageReadError(f"is damaged: {error or type(error).__name__}", remedy="export or fetch it again")


def _upright_pixels(image: Image.Image, side: int) -> NDArray[np.uint8]:
    """Return (height, width, 3) uint8 RGB, both sides at least `side` where the file has as many pixels."""
    if image.format in ("JPEG", "MPO"):
        # The decoder itself scales by 1/2, 1/4 or 1/8: several times faster than decoding every pixel.
        image.draft(None, (side, side))
    image.seek(0)
    return np.asarray(_over_white(ImageOps.exif_transpose(image)))


def _detail(pixels: NDArray[np.uint8], side: int) -> tuple[NDArray[np.uint8], float]:
    """Return the (h, w) uint8 luma of the picture's middle, at most `DETAIL_SIDE` wide and high, and its scale.

    A large picture is first scaled by 1/2, 1/4 or 1/8, as a JPEG is by its decoder: formats are seen alike.
    """
    height, width = pixels.shape[:2]
    shrink = next((factor for factor in (8, 4, 2) if min(height, width) // side >= factor), 1)
    wide, high = min(width // shrink, DETAIL_SIDE), min(height // shrink, DETAIL_SIDE)
    left, top = (width - wide * shrink) // 2, (height - high * shrink) // 2
    middle = cv2.cvtColor(pixels[top : top + high * shrink, left : left + wide * shrink], cv2.COLOR_RGB2GRAY)
    detail = cv2.resize(middle, (wide, high), interpolation=cv2.INTER_AREA).astype(np.uint8)
    detail.flags.writeable = False
    return detail, float(shrink)


def _working_pixels(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return (height, width, 3) uint8 RGB with a long side of at most `side`."""
    height, width = pixels.shape[:2]
    factor = side / max(height, width)
    if factor < 1:
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    pixels = np.ascontiguousarray(pixels)
    pixels.flags.writeable = False
    return pixels


def _over_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "I":
        values = np.asarray(image).astype(np.float64)
        # Mode I holds 16-bit grayscale in 32 bits.
        return Image.fromarray(np.clip(values / 257.0, 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        return Image.fromarray(np.clip(np.asarray(image), 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")
