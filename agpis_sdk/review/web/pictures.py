"""Pictures of products, decoded and written anew as JPEG: no byte of a shop's file reaches the browser."""

from __future__ import annotations

import contextlib
import hashlib
import io
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass
from typing import Final, Literal

from PIL import Image

from agpis_sdk.config import MediaSection
from agpis_sdk.errors import ImageReadError
from agpis_sdk.media.decode import decode_image
from agpis_sdk.media.sources import read_image_bytes

Size = Literal["large", "small"]
SIDES: Final[dict[Size, int]] = {"large": 1200, "small": 320}
QUALITY = 88
CACHE_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Picture:
    """A JPEG and its digest, and the size of the original after EXIF rotation, in whose pixels boxes are given."""

    jpeg: bytes
    digest: str
    original_width: int
    original_height: int


Read = Callable[[str, MediaSection], bytes]
BothSizes = Mapping[Size, Picture]


class Pictures:
    """Makes pictures, and keeps the latest ones in memory.

    They are made in the thread that asks, or in a process of `maker`, so that decoding takes no time from pages. Who asks
    for a picture that is being made waits for it.
    """

    def __init__(self, limits: MediaSection, read: Read = read_image_bytes, maker: Executor | None = None) -> None:
        self._limits, self._read, self._maker = limits, read, maker
        self._kept: OrderedDict[str, BothSizes] = OrderedDict()
        self._bytes = 0
        self._being_made: dict[str, Future[BothSizes]] = {}
        self._lock = threading.Lock()

    def get(self, uri: str, size: Size) -> Picture:
        """Return the picture that a uri names; raises `ImageReadError` where there is none."""
        return self.make(uri)[size]

    def make(self, uri: str) -> BothSizes:
        """Return a picture in all sizes, made now unless it is there; raises `ImageReadError` where there is none."""
        key = str(uri)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            waiting = self._being_made.get(key)
            mine = Future[BothSizes]() if waiting is None else None
            if mine is not None:
                self._being_made[key] = mine
        if waiting is not None:
            return waiting.result()
        assert mine is not None  # noqa: S101 - one of the two is there
        try:
            made = self._made(uri)
        except BaseException as error:
            mine.set_exception(error)
            raise
        else:
            self._keep(key, made)
            mine.set_result(made)
            return made
        finally:
            with self._lock:
                del self._being_made[key]

    def _made(self, uri: str) -> BothSizes:
        if self._maker is None:
            return made_picture(uri, self._limits, self._read)
        for _ in range(2):  # another picture may have broken the process
            with contextlib.suppress(BrokenExecutor):
                return self._maker.submit(made_picture, uri, self._limits, self._read).result()
        raise ImageReadError("breaks the process that makes pictures", remedy="shrink it, or save it anew")

    def _keep(self, key: str, made: BothSizes) -> None:
        with self._lock:
            self._kept[key] = made
            self._bytes += _size(made)
            while self._bytes > CACHE_BYTES and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= _size(oldest)


def made_picture(uri: str, limits: MediaSection, read: Read = read_image_bytes) -> BothSizes:
    """Return a picture in each size; the file is read and decoded once. Raises `ImageReadError` where there is none."""
    limits = limits.model_copy(update={"working_side": SIDES["large"]})
    image = decode_image(read(uri, limits), product_id="", image_id="", position=0, limits=limits, uri=uri)
    pixels = Image.fromarray(image.pixels)
    made: dict[Size, Picture] = {}
    for size, side in SIDES.items():
        pixels.thumbnail((side, side))
        buffer = io.BytesIO()
        pixels.save(buffer, "JPEG", quality=QUALITY)
        jpeg = buffer.getvalue()
        digest = hashlib.sha256(jpeg).hexdigest()[:32]
        made[size] = Picture(jpeg, digest, image.original_width, image.original_height)
    return made


def _size(made: BothSizes) -> int:
    return sum(len(picture.jpeg) for picture in made.values())
