"""Images that are Python values: bytes, a PIL image or an array, held by the uri that stands for them in a record."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

SCHEME = "memory:"


class HeldImage(str):
    """A uri such as "memory:1f2e3d4c" with the bytes of the image that it stands for."""

    data: bytes

    def __new__(cls, data: bytes) -> HeldImage:
        """Return a uri named by the digest of the bytes."""
        uri = super().__new__(cls, f"{SCHEME}{hashlib.sha256(data).hexdigest()[:16]}")
        uri.data = data
        return uri

    def __reduce__(self) -> tuple[type[HeldImage], tuple[bytes]]:
        return HeldImage, (self.data,)


def uri_of(value: object) -> str | None:
    """Return the uri of an image given as a string, a path, bytes, a PIL image or an array; None for anything else.

    An array is (height, width) or (height, width, 3 or 4), uint8. Raises `ValueError` for one that is not.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value) if isinstance(os.fspath(value), str) else None
    if isinstance(value, bytes | bytearray | memoryview):
        return HeldImage(bytes(value))
    if hasattr(value, "__array_interface__") and not _is_pil(value):
        return HeldImage(_png(_from_array(value)))
    return HeldImage(_png(value)) if _is_pil(value) else None


def uri_of_struct(value: Mapping[str, Any]) -> str | None:
    """Return the uri of an image as tables of Hugging Face hold it: an object of "bytes" and "path"; None for another one."""
    if "uri" in value or not {"bytes", "path"} & value.keys():
        return None
    return uri_of(value["bytes"]) if value.get("bytes") is not None else uri_of(value.get("path"))


def _is_pil(value: object) -> bool:
    return hasattr(value, "save") and hasattr(value, "getbands")


def _from_array(value: Any) -> Image:
    from PIL import Image

    if value.dtype != "uint8" or value.ndim not in (2, 3):
        raise ValueError(
            f"an array of {value.dtype} and shape {value.shape} is no image; give (height, width, 3) of uint8"
        )
    return Image.fromarray(value)


def _png(image: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format="PNG")
    return stream.getvalue()
