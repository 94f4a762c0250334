"""Records as HTML for notebooks; text that came from outside is escaped, and no file is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

THUMBNAIL = "height:96px;max-width:128px;object-fit:contain;background:#fff;border:1px solid #8884;border-radius:4px"
SHOWN_AS_THEY_ARE = ("http://", "https://", "data:image/")


class Markup(str):
    """Text that is HTML already."""


class Picture(NamedTuple):
    """An image with its caption; one whose `source` a browser cannot open is shown by its caption alone."""

    source: str
    caption: str


def html_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; cells that are no `Markup` are escaped."""
    head = "".join(f'<th style="text-align:left">{escape(heading)}</th>' for heading in headings)
    body = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def html_pictures(pictures: Iterable[Picture]) -> Markup:
    """Return pictures beside each other, each with its caption below."""
    return Markup("".join(_figure(picture) for picture in pictures))


def _cell(cell: object) -> str:
    text = cell if isinstance(cell, Markup) else escape("" if cell is None else str(cell))
    return f'<td style="text-align:left;vertical-align:top">{text}</td>'


def _figure(picture: Picture) -> str:
    caption = escape(picture.caption)
    shown = picture.source.lower().startswith(SHOWN_AS_THEY_ARE)
    image = f'<img src="{escape(picture.source)}" alt="{caption}" style="{THUMBNAIL}">' if shown else ""
    return f'<figure style="display:inline-block;margin:2px">{image}<figcaption>{caption}</figcaption></figure>'
