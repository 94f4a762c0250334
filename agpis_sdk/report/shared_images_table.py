"""What `agpis index` prints for people: one picture under several products, and why it is the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from agpis_sdk.index.records import IndexedImage, QueryAnswer, Repeat, RepeatGroup
from agpis_sdk.report.console_table import console_table
from agpis_sdk.wording import counted, printable

SHOWN_IMAGES = 6


def report_table(groups: Sequence[RepeatGroup]) -> Group:
    """Return the groups of `agpis index report`, with the surest repeat of each, and their count."""
    table = _table("Same picture")
    for group in groups:
        table.add_row(_images(group.images), *_why(group.repeats))
    products = {product for group in groups for product in group.products}
    return _with_count(table, f"{counted(len(groups), 'picture')} shared by {counted(len(products), 'product')}")


def query_table(answers: Sequence[QueryAnswer]) -> Group:
    """Return the answers of `agpis index query` that found something, and their count."""
    table = _table("Image", "Same picture")
    for answer in answers:
        table.add_row(Text(printable(answer.image.name)), _images(answer.images), *_why(answer.repeats))
    return _with_count(table, f"{counted(len(answers), 'image')} found under other products")


def _table(*images: str) -> Table:
    table = console_table()
    for heading in (*images, "Rule"):
        table.add_column(heading, overflow="fold")
    table.add_column("Score", justify="right", no_wrap=True)
    table.add_column("Why", overflow="fold")
    return table


def _images(images: Sequence[IndexedImage]) -> Text:
    lines = [printable(image.name) for image in images[:SHOWN_IMAGES]]
    if len(images) > SHOWN_IMAGES:
        lines.append(f"and {len(images) - SHOWN_IMAGES:,} more")
    return Text("\n".join(lines))


def _why(repeats: Sequence[Repeat]) -> Iterable[Text]:
    surest = repeats[0]
    return Text(surest.code), Text(f"{surest.score:.2f}"), Text(printable(surest.message), style="dim")


def _with_count(table: Table, count: str) -> Group:
    return Group(table, Text(), Text(count)) if table.row_count else Group(Text(count))
