"""The built-in readers and writers keep the contracts that the kit hands to everyone else; so does one of a plugin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

from agpis_sdk.components import ComponentConfig, ProductSource, ReaderSpec, ReadRecord
from agpis_sdk.hookspecs import hookimpl
from agpis_sdk.media.products import read_products
from agpis_sdk.records import Outcome
from agpis_sdk.testing import ReaderContract, WriterContract, isolated_host
from agpis_sdk.testing.format_contracts import Galleries
from tests.builtin.catalog_formats.exports import EXPORTS
from tests.builtin.catalog_formats.test_ways_in import COUNTED, read, write
from tests.builtin.catalog_formats.test_ways_out import decided


class ShopReaderContract(ReaderContract):
    """A reader of one of the exports that the tests write."""

    def example(self, folder: Path) -> tuple[Path, Galleries]:
        name, make = EXPORTS[self.format]
        counted = COUNTED[self.format](make())
        return write(folder, name, make()), {product_id: len(uris) for product_id, uris in counted.items()}


class TestShopify(ShopReaderContract):
    component: ClassVar[str] = "shopify-reader"


class TestWooCommerce(ShopReaderContract):
    component: ClassVar[str] = "woocommerce-reader"


class TestMagento(ShopReaderContract):
    component: ClassVar[str] = "magento-reader"


class TestGoogleTable(ShopReaderContract):
    component: ClassVar[str] = "google-reader"


class TestGoogleXml(ShopReaderContract):
    component: ClassVar[str] = "google-xml-reader"


class TestAmazon(ShopReaderContract):
    component: ClassVar[str] = "amazon-reader"


class TestTable(ReaderContract):
    component: ClassVar[str] = "csv-reader"

    def example(self, folder: Path) -> tuple[Path, Galleries]:
        return write(folder, "shop.csv", "id,images\nP1,a.jpg|b.jpg\nP2,c.jpg\n"), {"P1": 2, "P2": 1}


class TestFolder(ReaderContract):
    component: ClassVar[str] = "folder-reader"

    def example(self, folder: Path) -> tuple[Path, Galleries]:
        for name in ("P1_1.jpg", "P1_2.jpg", "P2_1.jpg"):
            write(folder, name, "")
        return folder, {"P1": 2, "P2": 1}


class RewriterContract(WriterContract):
    """A writer that writes one of the exports anew."""

    @property
    def format(self) -> str:
        return self.component.removesuffix("-writer")

    def source(self, folder: Path) -> Path:
        name, make = EXPORTS[self.format]
        return write(folder, name, make())

    def outcomes(self, folder: Path) -> list[Outcome]:
        products, _ = read(self.source(folder))
        return [decided(product, 1, 0) for product in products.values()]


class TestShopifyWriter(RewriterContract):
    component: ClassVar[str] = "shopify-writer"


class TestWooCommerceWriter(RewriterContract):
    component: ClassVar[str] = "woocommerce-writer"


class TestMagentoWriter(RewriterContract):
    component: ClassVar[str] = "magento-writer"


class TestGoogleTableWriter(RewriterContract):
    component: ClassVar[str] = "google-writer"


class TestGoogleXmlWriter(RewriterContract):
    component: ClassVar[str] = "google-xml-writer"


class TestAmazonWriter(RewriterContract):
    component: ClassVar[str] = "amazon-writer"


class TestFolderWriter(WriterContract):
    component: ClassVar[str] = "folder-writer"


class TestCsvWriter(WriterContract):
    component: ClassVar[str] = "csv-writer"


class TestParquetWriter(WriterContract):
    component: ClassVar[str] = "parquet-writer"


class TestLabelStudioWriter(WriterContract):
    component: ClassVar[str] = "label-studio-writer"


class TestFiftyOneWriter(WriterContract):
    component: ClassVar[str] = "fiftyone-writer"


class LetterReader:
    """A plugin's reader, of a format that nobody else knows: "product: image, image"."""

    def __init__(self, config: ComponentConfig) -> None:
        del config

    def recognizes(self, source: ProductSource) -> bool:
        return source.head.startswith(b"#catalog")

    def read(self, source: ProductSource) -> Iterator[ReadRecord]:
        with source.text() as stream:
            for number, line in enumerate(stream, start=1):
                product_id, colon, images = line.strip().partition(":")
                if colon:
                    yield ReadRecord(f"line {number}", {"id": product_id, "images": images.split(",")})


@hookimpl
def agpis_readers() -> Iterable[ReaderSpec]:
    yield ReaderSpec(name="lines", title="catalog in lines", factory=f"{__name__}:LetterReader")


PLUGIN = SimpleNamespace(agpis_readers=agpis_readers)


class TestAReaderOfAPlugin(ReaderContract):
    plugins: ClassVar[tuple[Any, ...]] = (PLUGIN,)
    component: ClassVar[str] = "lines"

    def example(self, folder: Path) -> tuple[Path, Galleries]:
        return write(folder, "shop.lines", "#catalog\nP1:a.jpg,b.jpg\n"), {"P1": 2}


class Greedy(LetterReader):
    """A plugin's reader that takes any table."""

    def recognizes(self, source: ProductSource) -> bool:
        return b"," in source.head

    def read(self, source: ProductSource) -> Iterator[ReadRecord]:
        yield ReadRecord("all", {"id": "everything", "images": ["a.jpg"]})


def test_a_plugin_is_asked_before_the_built_in_readers(tmp_path: Path) -> None:
    spec = ReaderSpec(name="greedy", suffixes=(".other",), factory=f"{__name__}:Greedy")
    host = isolated_host(SimpleNamespace(agpis_readers=hookimpl(lambda: [spec], specname="agpis_readers")))
    name, make = EXPORTS["shopify"]

    records = read_products(write(tmp_path, name, make()), host=host)

    assert records.source is not None
    assert records.source.format == "greedy"
