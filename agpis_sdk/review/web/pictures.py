"""Pictures of products, decoded and written anew as JPEG: no byte of a shop's file reaches the browser."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from PIL import Image

from agpis_sdk.config import MediaSection
from agpis_sdk.media.decode import decode_image
from agpis_sdk.media.sources import read_image_bytes

Size = Literal["large", "small"]
SIDES: Final[dict[Size, int]] = {"large": 1200, "small": 320}
QUALITY = 88
CACHE_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Picture:
    """A JPEG, and the size of the original after EXIF rotation, in whose pixels boxes are given."""

    jpeg: bytes
    original_width: int
    original_height: int


class Pictures:
    """Makes pictures when they are first asked for, and keeps the latest ones in memory."""

    def __init__(self, limits: MediaSection, read: Callable[[str, MediaSection], bytes] = read_image_bytes) -> None:
        self._limits = limits
        self._read = read
        self._kept: OrderedDict[tuple[str, Size], Picture] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, uri: str, size: Size) -> Picture:
        """Return the picture that a uri names; raises `ImageReadError` where there is none."""
        key = (str(uri), size)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        for made, picture in self._made(uri).items():
            self._keep((str(uri), made), picture)
            if made == size:
                found = picture
        return found

    def _made(self, uri: str) -> dict[Size, Picture]:
        """Return a picture of each size; the file is read and decoded once."""
        limits = self._limits.model_copy(update={"working_side": SIDES["large"]})
        data = self._read(uri, limits)
        image = decode_image(data, product_id="", image_id="", position=0, limits=limits, uri=uri)
        pixels = Image.fromarray(image.pixels)
        made: dict[Size, Picture] = {}
        for size, side in SIDES.items():
            pixels.thumbnail((side, side))
            buffer = io.BytesIO()
            pixels.save(buffer, "JPEG", quality=QUALITY)
            made[size] = Picture(buffer.getvalue(), image.original_width, image.original_height)
        return made

    def _keep(self, key: tuple[str, Size], picture: Picture) -> None:
        with self._lock:
            if key not in self._kept:
                self._kept[key] = picture
                self._bytes += len(picture.jpeg)
            while self._bytes > CACHE_BYTES:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= len(oldest.jpeg)
