"""The component that reads the text in each picture once, for whoever requires the fact "text.lines"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agpis_sdk import Context, DecodedImage
from agpis_sdk.records import Finding
from agpis_text.config import TextReaderConfig
from agpis_text.gate import lettering
from agpis_text.lines import FACT, TextLine
from agpis_text.ocr import reader


class TextReader:
    """Reads the pictures that may hold text; it reports nothing itself."""

    def __init__(self, config: TextReaderConfig) -> None:
        self._config = config
        self._reader = reader(config.side, config.threads)

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        """Provide the lines of text of every picture, from top to bottom: none where nothing looks like lettering."""
        for image in images:
            context.provide(image, FACT, self.lines(image))
        yield from ()

    def lines(self, image: DecodedImage) -> tuple[TextLine, ...]:
        """Return the lines of one picture."""
        return self._reader.read(image.pixels, self._config.min_confidence) if self.is_read(image) else ()

    def is_read(self, image: DecodedImage) -> bool:
        """Tell whether a picture looks as if it held text, so that reading it is worth the time."""
        return self._config.min_marks == 0 or lettering(image.pixels) >= self._config.min_marks
