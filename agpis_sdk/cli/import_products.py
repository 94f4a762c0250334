"""`agpis import`: a shop's file or folder in, products.jsonl out, and in words what was understood and what was not."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agpis_sdk.cli.exit_codes import INCOMPLETE
from agpis_sdk.cli.options import (
    OUTPUT,
    PRODUCTS,
    ConfigOption,
    FromOption,
    MapOption,
    NoPluginsOption,
    ProductsArgument,
    ProductsGiven,
    SetOption,
    opened,
    settings,
)
from agpis_sdk.cli.outputs import STDIO, check_places
from agpis_sdk.errors import naming_output
from agpis_sdk.wording import counted, printable

if TYPE_CHECKING:
    from agpis_sdk.media.products import CheckedProducts
    from agpis_sdk.records import Product

NAMES_SHOWN = 12
REJECTED_SHOWN = 5


def import_products(
    products: ProductsArgument,
    output: Annotated[
        str,
        typer.Option("-o", "--output", help="Products, one JSON object a line; - is stdout.", rich_help_panel=OUTPUT),
    ] = STDIO,
    file_format: FromOption = None,
    mapping: MapOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Read the first N products only.", rich_help_panel=PRODUCTS)
    ] = None,
    no_plugins: NoPluginsOption = False,
) -> None:
    """Write the products of a shop's file as JSON lines, and say what of it was understood and what was not."""
    loaded, host = settings(config, overrides, no_plugins=no_plugins)
    given = ProductsGiven(products, file_format, mapping, limit)
    records = given.read(loaded, host)
    check_places(products, lambda: given.read(loaded, host), output)
    written = _Written(Path.cwd() if output == STDIO else Path(output).resolve().parent)
    with naming_output(output), opened(output) as stream:
        stream.writelines(f"{line}\n" for line in written.lines(records))
    for line in written.summary(records):
        typer.echo(printable(line), err=True)
    if written.rejected:
        raise typer.Exit(INCOMPLETE)


@dataclass
class _Written:
    """What has been written, counted."""

    folder: Path
    products: int = 0
    images: int = 0
    attributes: Counter[str] = field(default_factory=Counter)
    rejected: list[str] = field(default_factory=list)
    outside: int = 0

    def lines(self, records: CheckedProducts) -> Iterator[str]:
        """Yield the products as JSON, and count them."""
        from agpis_sdk.records import Product

        for record in records:
            if not isinstance(record, Product):
                self.rejected.append(str(record.error))
                continue
            self.products += 1
            self.images += len(record.images)
            self.attributes.update(record.attributes.keys())
            yield self._seen_from_here(record).model_dump_json(exclude_defaults=True)

    def summary(self, records: CheckedProducts) -> Iterator[str]:
        """Yield what people should know, a line each."""
        source = records.source
        name, title = (source.path.name, source.format_title) if source is not None else ("stdin", "JSON lines")
        yield f"{name}: {title}, {counted(self.products, 'product')} with {counted(self.images, 'image')}"
        if self.attributes:
            shown = [f"{name} ({count:,})" for name, count in self.attributes.most_common(NAMES_SHOWN)]
            yield f"kept in attributes: {', '.join(shown)}{', …' if len(self.attributes) > NAMES_SHOWN else ''}"
        for notice in records.notices:
            yield f"agpis: {notice}"
        for error in self.rejected[:REJECTED_SHOWN]:
            yield f"agpis: not written: {error}"
        if len(self.rejected) > REJECTED_SHOWN:
            yield f"agpis: not written: {counted(len(self.rejected) - REJECTED_SHOWN, 'more record')}"
        if self.outside:
            yield (
                f"agpis: {counted(self.outside, 'image')} outside of the output's folder {self.folder}: "
                "write it beside them, or run with --set media.allow_outside=true"
            )

    def _seen_from_here(self, product: Product) -> Product:
        """Return a product whose local images are named from the folder of the output."""
        from agpis_sdk.media.sources.uris import LOCAL, scheme_of

        images = []
        for image in product.images:
            seen = image
            if image.uri and scheme_of(image.uri) == LOCAL:
                relative = Path(os.path.relpath(image.uri, self.folder))
                self.outside += relative.parts[:1] == (os.pardir,)
                seen = image.model_copy(update={"uri": relative.as_posix()})
            images.append(seen)
        return product.model_copy(update={"images": tuple(images)})
