"""Announces the readers of shops' catalogs, and the writers that bring decisions back."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_sdk.builtin.catalog_formats.config import FolderConfig, MagentoConfig
from agpis_sdk.components import ComponentConfig, ReaderSpec, WriterSpec
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

DECISIONS = (
    ("csv", "table of decisions, an image a row", ".csv", "CsvWriter"),
    ("parquet", "table of decisions, a product a row", ".parquet", "ParquetWriter"),
    ("label-studio", "tasks for Label Studio", ".label-studio.json", "LabelStudioWriter"),
    ("fiftyone", "samples for FiftyOne", ".fiftyone.json", "FiftyOneWriter"),
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


@hookimpl
def agpis_writers() -> Iterable[WriterSpec]:
    """Announce the writers."""
    for name, title, module, reader, _ in SHOPS:
        yield WriterSpec(
            name=f"{name}-writer",
            format=name,
            title=f"{title} with its images re-ordered",
            suffix=f".{name}.{'xml' if name == 'google-xml' else 'txt' if name == 'amazon' else 'csv'}",
            factory=f"{HOME}.{module}:{reader}Writer",
            applies=True,
            rewrites=True,
        )
    yield WriterSpec(
        name="folder-writer",
        format="folder",
        title="folder of the chosen images in order",
        suffix="-images",
        factory=f"{HOME}.image_folder:ImageFolderWriter",
        config=FolderConfig,
        applies=True,
    )
    for name, title, suffix, writer in DECISIONS:
        yield WriterSpec(
            name=f"{name}-writer",
            format=name,
            title=title,
            suffix=suffix,
            factory=f"{HOME}.decision_tables:{writer}",
        )
