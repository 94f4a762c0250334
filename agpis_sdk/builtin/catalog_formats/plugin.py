"""Announces the readers of shops' catalogs, and the writers that bring decisions back."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_sdk.builtin.catalog_formats.config import MagentoConfig
from agpis_sdk.components import ComponentConfig, ReaderSpec
from agpis_sdk.hookspecs import hookimpl

HOME = "agpis_sdk.builtin.catalog_formats"
TABLES = (".csv", ".tsv", ".txt")
# format, title, module, class of the reader; that of the writer has "Writer" behind it.
SHOPS: tuple[tuple[str, str, str, str, type[ComponentConfig]], ...] = (
    ("shopify", "Shopify product export", "shopify", "Shopify", ComponentConfig),
    ("woocommerce", "WooCommerce product export", "woocommerce", "WooCommerce", ComponentConfig),
    ("magento", "Magento product export", "magento", "Magento", MagentoConfig),
    ("google", "Google Merchant feed (table)", "google", "GoogleTable", ComponentConfig),
    ("google-xml", "Google Merchant feed (XML)", "google_xml", "GoogleXml", ComponentConfig),
    ("amazon", "Amazon flat file", "amazon", "Amazon", ComponentConfig),
)


@hookimpl
def agpis_readers() -> Iterable[ReaderSpec]:
    """Announce the readers."""
    yield ReaderSpec(
        name="folder-reader", format="folder", title="folder of images", factory=f"{HOME}.folder:FolderReader"
    )
    yield ReaderSpec(
        name="csv-reader",
        format="csv",
        title="table (CSV or TSV)",
        suffixes=TABLES,
        factory=f"{HOME}.named_columns:NamedColumns",
    )
    for name, title, module, reader, config in SHOPS:
        yield ReaderSpec(
            name=f"{name}-reader",
            format=name,
            title=title,
            suffixes=(".xml",) if name == "google-xml" else TABLES,
            factory=f"{HOME}.{module}:{reader}",
            config=config,
        )
