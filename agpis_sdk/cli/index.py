"""`agpis index`: one picture under several products of a catalog, found without comparing everything with everything."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agpis_sdk.cli.options import (
    ConfigOption,
    FromOption,
    JsonOption,
    MapOption,
    NoPluginsOption,
    ProductsArgument,
    ProductsGiven,
    ProfileOption,
    SetOption,
    opened,
    settings,
)
from agpis_sdk.errors import ConfigError
from agpis_sdk.wording import printable

if TYPE_CHECKING:
    from agpis_sdk.config import LoadedConfig
    from agpis_sdk.index.engine import IndexEngine
    from agpis_sdk.media.products import RejectedRecord
    from agpis_sdk.plugins import PluginHost
    from agpis_sdk.records import Product

NO_PRODUCT = "-"  # under which an image file is looked up

app = typer.Typer(help="Find the same picture under several products.", no_args_is_help=True)

IndexArgument = Annotated[Path, typer.Argument(help="The folder of the index.")]
OutputOption = Annotated[
    str | None, typer.Option("-o", "--output", help="Write JSON lines to a file, and a table to stderr; - is stdout.")
]


@app.callback()
def _index() -> None:
    """Find the same picture under several products."""


@app.command("add")
def add(
    index: IndexArgument,
    products: ProductsArgument,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    overrides: SetOption = None,
    file_format: FromOption = None,
    mapping: MapOption = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Add the first N products only.")] = None,
    no_plugins: NoPluginsOption = False,
) -> None:
    """Add the images of products to an index, which is made where there is none; known ones are skipped."""
    loaded, host = settings(config, overrides, profile, no_plugins=no_plugins)
    records = ProductsGiven(products, file_format, mapping, limit).read(loaded, host)
    engine = _engine(loaded, host)
    from agpis_sdk.index.ingest import add_products
    from agpis_sdk.index.search import open_search
    from agpis_sdk.index.store import IndexStore

    with IndexStore.open_to_write(index, engine.identity()) as store, _progress("products") as tell:
        summary = add_products(store, engine, records, lambda now: tell(now.products, None))
    with IndexStore.open(index) as store:
        open_search(store, engine.config.index)  # a large index is built here, and not by whoever asks first
        held = store.counts()
    for problem in summary.problems:
        typer.echo(f"agpis: {printable(problem)}", err=True)
    typer.echo(
        f"{summary.products:,} products: {summary.added:,} images added, {summary.replaced:,} replaced, "
        f"{summary.unchanged:,} unchanged, {summary.forgotten:,} no longer listed, {len(summary.problems):,} failed\n"
        f"{index}: {held.products:,} products, {held.images:,} images, {held.pictures:,} different files",
        err=True,
    )
    if summary.problems:
        raise typer.Exit(1)


@app.command("query")
def query(
    index: IndexArgument,
    asked: Annotated[str, typer.Argument(metavar="PRODUCTS", help="Products as for `add`, or one image file.")],
    output: OutputOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    overrides: SetOption = None,
    file_format: FromOption = None,
    mapping: MapOption = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Look up the first N products only.")] = None,
    no_plugins: NoPluginsOption = False,
) -> None:
    """Say for each image under which other products the index holds its picture; nothing is added."""
    from agpis_sdk.index.store import IndexStore

    output = _output(output, as_json=as_json)
    rejected: list[str] = []
    loaded, host = settings(config, overrides, profile, no_plugins=no_plugins)
    products = _accepted(_asked(ProductsGiven(asked, file_format, mapping, limit), loaded, host), rejected)
    with IndexStore.open(index) as store:
        engine = _engine(loaded, host)
        store.check_backbone(engine.identity())
        from agpis_sdk.index.search import open_search
        from agpis_sdk.index.shared_images import answer_queries

        problems: dict[str, str] = {}
        search = open_search(store, engine.config.index)
        found = []
        with _written(output) as write:
            for answer in answer_queries(store, engine, search, products, problems):
                write(answer)
                if answer.reason is not None:
                    problems[answer.image.name] = answer.reason
                elif answer.repeats:
                    found.append(answer)
    from agpis_sdk.report.shared_images_table import query_table

    _finish(query_table(found), output, [*rejected, *_named(problems)])


@app.command("report")
def report(
    index: IndexArgument,
    output: OutputOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    overrides: SetOption = None,
    no_plugins: NoPluginsOption = False,
) -> None:
    """List every picture that several products have, confirmed on the pixels of both files."""
    from agpis_sdk.index.store import IndexStore

    output = _output(output, as_json=as_json)
    with IndexStore.open(index) as store:
        engine = _engine(*settings(config, overrides, profile, no_plugins=no_plugins))
        store.check_backbone(engine.identity())
        from agpis_sdk.index.search import open_search
        from agpis_sdk.index.shared_images import find_repeats

        problems: dict[str, str] = {}
        with _progress("pairs compared") as tell:
            groups = find_repeats(store, engine, open_search(store, engine.config.index), problems, tell)
    with _written(output) as write:
        for group in groups:
            write(group)
    from agpis_sdk.report.shared_images_table import report_table

    _finish(report_table(groups), output, _named(problems))


def _engine(loaded: LoadedConfig, host: PluginHost) -> IndexEngine:
    from agpis_sdk.index.engine import IndexEngine

    return IndexEngine(loaded.config, host)


def _asked(given: ProductsGiven, loaded: LoadedConfig, host: PluginHost) -> Iterable[Product | RejectedRecord]:
    """Return the products of a file or folder, or an image file as a product that is none of the catalog's."""
    from agpis_sdk.media.formats import HEAD_BYTES, READ, opener_of, recognized
    from agpis_sdk.records import CandidateImage, Product

    path = Path(given.path)
    if path.is_file():
        with path.open("rb") as stream:
            kind = recognized(stream.read(HEAD_BYTES))
        if kind is not None and opener_of(kind) in READ:
            return [Product(id=NO_PRODUCT, images=(CandidateImage(id=path.stem, uri=str(path.resolve())),))]
    return given.read(loaded, host)


def _accepted(records: Iterable[Product | RejectedRecord], rejected: list[str]) -> Iterator[Product]:
    from agpis_sdk.records import Product

    for record in records:
        if isinstance(record, Product):
            yield record
        else:
            rejected.append(str(record.error))


def _output(output: str | None, *, as_json: bool) -> str | None:
    """Return where JSON lines go; None where only people read."""
    if output is not None and output != "-" and not Path(output).resolve().parent.is_dir():
        raise ConfigError("the folder does not exist", item=output, remedy="make it first")
    return "-" if as_json and output is None else output


@contextlib.contextmanager
def _written(output: str | None) -> Iterator[Callable[[Any], object]]:
    """Return a function that writes a record as a line of JSON, or does nothing where no output is asked for."""
    if output is None:
        yield lambda _: None
        return
    with opened(output) as stream:
        yield lambda record: stream.write(record.model_dump_json() + "\n")


@contextlib.contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """Give a function that shows on a terminal how much has been done, of how much."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _named(problems: dict[str, str]) -> list[str]:
    return [f"{name}: {reason}" for name, reason in sorted(problems.items())]


def _finish(table: Any, output: str | None, problems: list[str]) -> None:
    """Print the table, on stdout unless data went elsewhere, and every problem; exit with 1 where there is one."""
    from rich.console import Console

    if output != "-":
        Console(stderr=output is not None).print(table)
    for problem in problems:
        typer.echo(f"agpis: {printable(problem)}", err=True)
    if problems:
        typer.echo(f"agpis: {len(problems):,} not compared, named above", err=True)
        raise typer.Exit(1)
