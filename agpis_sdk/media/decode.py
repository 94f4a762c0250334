"""Bytes to pixels: one decode per image, as a browser shows it.

EXIF rotation is applied, embedded color profiles are converted to sRGB, transparent parts are composited over white,
16-bit and CMYK become 8-bit RGB, and of an animation the first frame is taken (the engine reports that as AGP905).
Damaged metadata never makes a picture unreadable; pixels that are missing do.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from agpis_sdk.components import DecodedImage
from agpis_sdk.config import MediaSection
from agpis_sdk.errors import ImageReadError, ImageTooLargeError
from agpis_sdk.media.essentials import without_metadata
from agpis_sdk.media.formats import READ_REMEDY, opener_of, readable_formats, recognized
from agpis_sdk.media.jpeg_tail import END_MARKER, INVISIBLE_SHARE, ends_in_gray, missing_share, without_end
from agpis_sdk.media.metadata import digital_source_types, frame_count, jpeg_quality, orientation, suffix_of
from agpis_sdk.media.rgb import rgb_pixels
from agpis_sdk.media.whole_jpeg import whole_jpeg

# What brings a stored picture upright, by EXIF orientation.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ROTATED_BY_A_QUARTER = (5, 6, 7, 8)
JPEGS = ("JPEG", "MPO")
DETAIL_SIDE = 512
# A decoder goes over the whole picture for each scan of a progressive JPEG; encoders write about ten.
MAX_SCANS = 200
DAMAGED_REMEDY = "export or fetch it again"

# Our own limit on pixels is checked before anything is decoded, and metadata that Pillow warns of is not used.
# Filters are set once: `warnings.catch_warnings` is not safe in the threads that decode.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


@dataclass(frozen=True, eq=False)
class _Picture:
    """An opened file and its upright pixels; `width` and `height` are those of the file after EXIF rotation."""

    image: Image.Image
    pixels: NDArray[np.uint8]
    width: int
    height: int
    frame_count: int


def decode_image(
    data: bytes, *, product_id: str, image_id: str, position: int, limits: MediaSection, uri: str = ""
) -> DecodedImage:
    """Decode an image to at most `limits.working_side` pixels; `uri` is where the bytes came from.

    Raises `ImageReadError` where the bytes are no complete image, `ImageTooLargeError` beyond `limits.max_pixels`.
    """
    picture = _read(data, limits)
    detail, detail_scale = _detail(picture.pixels, limits.working_side)
    longest = max(picture.width, picture.height)
    pixels = _working_pixels(picture.pixels, limits.working_side)
    return DecodedImage(
        product_id=product_id,
        id=image_id,
        position=position,
        pixels=pixels,
        original_width=picture.width,
        original_height=picture.height,
        scale=longest / max(pixels.shape[:2]),
        byte_count=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        format=picture.image.format or "unknown",
        frame_count=picture.frame_count,
        suffix=suffix_of(uri),
        jpeg_quality=jpeg_quality(picture.image),
        digital_source_types=digital_source_types(data, picture.image),
        detail=detail,
        detail_scale=detail_scale * longest / max(picture.pixels.shape[:2]),
    )


def as_image(pixels: NDArray[np.uint8]) -> DecodedImage:
    """Return pixels (height, width, 3) as an image of no product and no file."""
    height, width = pixels.shape[:2]
    return DecodedImage(
        product_id="", id="", position=0, pixels=pixels, original_width=width, original_height=height, scale=1.0,
        byte_count=0, sha256="", format="",
    )  # fmt: skip


def _read(data: bytes, limits: MediaSection) -> _Picture:
    """Read a file as it is; where that fails, without its metadata."""
    if not data:
        raise ImageReadError("is empty (0 bytes)", remedy=DAMAGED_REMEDY)
    try:
        return _read_as_it_is(data, limits)
    except ImageTooLargeError:
        raise
    except ImageReadError as error:
        plain = without_metadata(data)
        if plain is None or plain == data:
            raise
        try:
            return _read_as_it_is(plain, limits)
        except ImageReadError:
            raise error from None


def _read_as_it_is(data: bytes, limits: MediaSection) -> _Picture:
    image = _open(data, limits)
    width, height = image.size
    try:
        frames = frame_count(image, data)
        image.seek(0)
        pixels = _stored_pixels(image, data, limits)
        turn = orientation(image)
        if image.format not in JPEGS:
            width, height = image.size  # a TIFF's may be turned while it loads
    except (MemoryError, ImageReadError):
        raise
    except Image.DecompressionBombError as error:
        raise _bomb(error) from None
    except Exception as error:
        raise _damaged(error) from None
    if turn in TURNS:
        pixels = np.asarray(Image.fromarray(pixels).transpose(TURNS[turn]))
    if turn in ROTATED_BY_A_QUARTER:
        width, height = height, width
    return _Picture(image, pixels, width, height, frames)


def _open(data: bytes, limits: MediaSection) -> Image.Image:
    name = recognized(data)
    if name is not None and opener_of(name) not in readable_formats():
        raise ImageReadError(f"is {name}; {READ_REMEDY}", remedy="convert it, or list another file")
    try:
        image = Image.open(io.BytesIO(data), formats=readable_formats())
    except Image.DecompressionBombError as error:
        raise _bomb(error) from None
    except UnidentifiedImageError:
        if name is None:
            raise ImageReadError("is not an image of a known format", remedy=READ_REMEDY) from None
        raise ImageReadError(
            f"is damaged, or of a rare kind: {name} that cannot be opened", remedy=DAMAGED_REMEDY
        ) from None
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
    if image.info.get("progressive") and (scans := data.count(b"\xff\xda")) > MAX_SCANS:
        raise ImageTooLargeError(f"a decompression bomb: a JPEG of {scans:,} scans", remedy="save it anew")
    return image


def _bomb(error: Exception) -> ImageTooLargeError:
    size = str(error).split(",")[0]
    return ImageTooLargeError(f"{size}: it may be a decompression bomb", remedy="shrink it")


def _damaged(error: Exception) -> ImageReadError:
    return ImageReadError(f"is damaged: {error or type(error).__name__}", remedy=DAMAGED_REMEDY)


def _stored_pixels(image: Image.Image, data: bytes, limits: MediaSection) -> NDArray[np.uint8]:
    """Return (height, width, 3) uint8 RGB as stored, both sides at least the working side where the file has them."""
    side = limits.working_side
    if image.format not in JPEGS:
        image.load()
        return rgb_pixels(image, _shrink(image.width, image.height, side))
    _draft(image, side)
    whole = whole_jpeg(image, data)
    if whole is not None and not ends_in_gray(whole):
        return whole
    try:
        image.load()
    except OSError:
        # Browsers show a picture without its end marker or its last bytes.
        unclosed = data.rstrip(b"\xff")
        _refuse_visible_loss(data, unclosed, limits)
        return _jpeg_pixels(unclosed + END_MARKER, limits)
    if ends_in_gray(np.asarray(image)):
        _refuse_visible_loss(data, without_end(data), limits)
    return rgb_pixels(image)


def _refuse_visible_loss(data: bytes, unclosed: bytes, limits: MediaSection) -> None:
    missing = missing_share(unclosed, lambda file: _jpeg_pixels(file, limits))
    if missing > INVISIBLE_SHARE:
        raise ImageReadError(f"is damaged: its end is missing ({len(data):,} bytes are there)", remedy=DAMAGED_REMEDY)


def _jpeg_pixels(data: bytes, limits: MediaSection) -> NDArray[np.uint8]:
    image = _open(data, limits)
    _draft(image, limits.working_side)
    image.load()
    return rgb_pixels(image)


def _draft(image: Image.Image, side: int) -> None:
    # The decoder itself scales by 1/2, 1/4 or 1/8: several times faster than decoding every pixel.
    image.draft(None, (side, side))


def _shrink(width: int, height: int, side: int) -> int:
    """Return the factor 1, 2, 4 or 8 by which a picture is scaled before anything else, as a JPEG by its decoder."""
    return next((factor for factor in (8, 4, 2) if min(height, width) // side >= factor), 1)


def _detail(pixels: NDArray[np.uint8], side: int) -> tuple[NDArray[np.uint8], float]:
    """Return the (h, w) uint8 luma of the picture's middle, at most `DETAIL_SIDE` wide and high, and its scale.

    A large picture is first scaled by 1/2, 1/4 or 1/8, as a JPEG is by its decoder: formats are seen alike.
    """
    height, width = pixels.shape[:2]
    shrink = _shrink(width, height, side)
    wide, high = min(width // shrink, DETAIL_SIDE), min(height // shrink, DETAIL_SIDE)
    left, top = (width - wide * shrink) // 2, (height - high * shrink) // 2
    middle = cv2.cvtColor(pixels[top : top + high * shrink, left : left + wide * shrink], cv2.COLOR_RGB2GRAY)
    detail = np.asarray(cv2.resize(middle, (wide, high), interpolation=cv2.INTER_AREA), np.uint8)
    detail.flags.writeable = False
    return detail, float(shrink)


def _working_pixels(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return (height, width, 3) uint8 RGB with a long side of at most `side`."""
    height, width = pixels.shape[:2]
    factor = side / max(height, width)
    if factor < 1:
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    pixels = np.ascontiguousarray(pixels)
    pixels.flags.writeable = False
    return pixels
