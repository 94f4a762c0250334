"""The Google Merchant feed as XML (RSS or Atom): read as a stream, and written with only its image links exchanged.

Expat tells where in the file each link stands, so that everything else can be copied byte for byte. defusedxml refuses
entities, by which a small file could fill the memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from agpis_sdk.builtin.catalog_formats.galleries import Gallery, Slot
from agpis_sdk.builtin.catalog_formats.google import ADDITIONAL, IMAGE, TAKEN
from agpis_sdk.builtin.catalog_formats.shop_table import source_of
from agpis_sdk.components import ComponentConfig, Export, ProductSource, ReadRecord
from agpis_sdk.errors import InputFileError
from agpis_sdk.files import written_whole
from agpis_sdk.media.gallery_order import Decisions
from agpis_sdk.records import Outcome

NAMESPACE = b"http://base.google.com/ns/1.0"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
ITEMS = ("item", "entry")
PIECE = 1 << 16
START_TAG = re.compile(rb"""<(?:"[^"]*"|'[^']*'|[^>"'])*>""")
Span = tuple[int, int]  # in bytes of the unpacked file, from the start tag to before the end tag


class GoogleXml:
    """Reads a feed of XML; every item is an offer with images of its own."""

    title = "Google Merchant feed (XML)"

    def __init__(self, config: ComponentConfig) -> None:
        del config

    def recognizes(self, source: ProductSource) -> bool:
        """Tell by Google's namespace."""
        return source.head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") and NAMESPACE in source.head

    def read(self, source: ProductSource) -> Iterator[ReadRecord]:
        """Yield a product for every item."""
        for item in read_items(source):
            if not item.first("id"):
                source.skip(item.place, "has no id")
                continue
            yield item.gallery().record()


@dataclass
class Item:
    """One item of a feed: the texts by name, and where in the file its image links stand."""

    place: str
    texts: dict[str, list[str]] = field(default_factory=dict)
    spans: list[tuple[str, Span, str]] = field(default_factory=list)

    def first(self, name: str) -> str:
        """Return the first text of a name."""
        return next(iter(self.texts.get(name, [])), "")

    def links(self) -> list[tuple[Span, str]]:
        """Return the image links, the main one first, with their places."""
        ordered = sorted(self.spans, key=lambda one: one[0] != IMAGE)
        return [(span, uri) for _, span, uri in ordered if uri]

    def gallery(self) -> Gallery:
        """Return the item as a product."""
        facts = {
            name: texts[0] if len(texts) == 1 else texts for name, texts in self.texts.items() if name not in TAKEN
        }
        gallery = Gallery(self.first("id"), self.place, attributes=facts)
        category = self.first("product_type") or self.first("google_product_category")
        gallery.describe(self.first("title"), category, self.first("description"))
        gallery.slots += [Slot(uri=uri) for _, uri in self.links()]
        return gallery


class GoogleXmlWriter:
    """Writes a feed with the links of each item exchanged among their elements."""

    def __init__(self, config: ComponentConfig) -> None:
        del config

    def write(self, outcomes: Iterable[Outcome], export: Export) -> None:
        """Copy the feed, byte for byte but for the links."""
        source = source_of(export)
        decisions = Decisions(outcomes, export)
        with source.open() as stream:
            data = stream.read()
        if data.startswith(UTF_16):
            raise InputFileError("is UTF-16, which is not written", item=str(source.path), remedy="export it as UTF-8")
        exchanged: list[tuple[Span, Span]] = []
        for item in read_items(source):
            spans = [_content(data, span) for span, _ in item.links()]
            order = decisions.order(item.first("id"), [uri for _, uri in item.links()])
            exchanged += zip(spans, [spans[index] for index in order or range(len(spans))], strict=True)
        decisions.report_missing()
        with written_whole(export.path) as unfinished, unfinished.open("wb") as copy:
            position = 0
            for (start, end), (other_start, other_end) in sorted(exchanged):
                copy.write(data[position:start])
                copy.write(data[other_start:other_end])
                position = end
            copy.write(data[position:])


def read_items(source: ProductSource) -> Iterator[Item]:
    """Yield the items of a feed; raises `InputFileError` where it is no XML, or has entities of its own."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser, ParseError

    collector = _Collector()
    parser = DefusedXMLParser(target=collector)
    collector.expat = parser.parser
    item = str(source.path)
    try:
        with source.open() as stream:
            while piece := stream.read(PIECE):
                parser.feed(piece)
                yield from collector.taken()
        parser.close()
    except ParseError as error:
        raise InputFileError(f"is no XML: {error}", item=item, remedy="export it again") from None
    except DefusedXmlException as error:
        raise InputFileError(f"is refused: {error}", item=item, remedy="export it without a DTD") from None
    yield from collector.taken()


class _Collector:
    """Takes what the parser says, and makes items of it."""

    expat: Any

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._open: Item | None = None
        self._depth = 0
        self._text: list[str] = []
        self._begins = 0
        self._count = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an item, or an element of it."""
        del attributes
        if self._open is not None:
            self._depth += 1
            if self._depth == 1:
                self._text, self._begins = [], self.expat.CurrentByteIndex
        elif _local(tag) in ITEMS:
            self._count += 1
            self._open, self._depth = Item(f"item {self._count}"), 0

    def data(self, text: str) -> None:
        """Take the text of an element."""
        self._text.append(text)

    def end(self, tag: str) -> None:
        """Finish an element, or the item."""
        if self._open is None:
            return
        if self._depth == 0:
            self._items.append(self._open)
            self._open = None
            return
        if self._depth == 1 and (text := "".join(self._text).strip()):
            name = _local(tag)
            self._open.texts.setdefault(name, []).append(text)
            if name in (IMAGE, ADDITIONAL):
                self._open.spans.append((name, (self._begins, self.expat.CurrentByteIndex), text))
        self._depth -= 1

    def close(self) -> None:
        """Do nothing: items are taken as they come."""

    def taken(self) -> list[Item]:
        """Return the items since the last call."""
        items, self._items = self._items, []
        return items


def _content(data: bytes, span: Span) -> Span:
    """Return where the content of an element stands."""
    tag = START_TAG.match(data, span[0])
    return (tag.end() if tag else span[0], span[1])


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
