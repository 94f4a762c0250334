"""What a writer is given beside the outcomes: where to write, what to write anew, and a way to the images."""

from __future__ import annotations

from pathlib import Path

from agpis_sdk.components import ProductSource
from agpis_sdk.config import MediaSection
from agpis_sdk.media.skipped import Skipped
from agpis_sdk.media.sources import read_image_bytes


class FileExport:
    """An `Export` on disk."""

    def __init__(self, path: Path, source: ProductSource | None, limits: MediaSection) -> None:
        self.path, self.source = path, source
        self.skipped = Skipped()
        self._limits = limits

    def read_image(self, uri: str) -> bytes:
        """Return the bytes of an image, under the limits of `[media]`; raises `ImageReadError`."""
        return read_image_bytes(uri, self._limits)

    def skip(self, place: str, why: str) -> None:
        """Count what was not written, and keep the first places of each reason."""
        self.skipped.add(place, why)
