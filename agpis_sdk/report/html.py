"""Outcomes → one self-contained HTML file for the people who look after a catalog.

The page carries its data as JSON: first a row per product, for filters, sorting and the CSV, then a card per product, which
the script lays out when it is looked at. The overview is plain HTML; it is painted before the cards have been read.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from agpis_sdk.components import DecodedImage
from agpis_sdk.files import written_whole
from agpis_sdk.records import Outcome, Product
from agpis_sdk.report.card import card_view, row_view
from agpis_sdk.report.config import HtmlConfig
from agpis_sdk.report.grouping import GROUP_WORDS
from agpis_sdk.report.overview import TOP, Overview
from agpis_sdk.report.phrases import STATUS_WORDS, rule_explanation, spoken
from agpis_sdk.report.thumbnails import LARGE_SIDE, MEDIUM_SIDE, SMALL_SIDE, Thumbnail, make_thumbnail
from agpis_sdk.rules import Rule
from agpis_sdk.wording import duration, rate

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = ("elements.js", "data.js", "review.js", "card.js", "viewer.js", "gallery.js")
ROWS_GO_HERE, CARDS_GO_HERE = "<!--rows-->", "<!--cards-->"
_SAID_IN_THE_HEAD = {"products", "images", "seconds", "products_per_second", "images_per_second", "threshold"}


class HtmlReporter:
    """Writes a page that grows card by card on disk; its file appears, whole, when it is finished."""

    _path: Path
    _title: str
    _rule_names: dict[str, str]
    _rows: TextIO
    _cards: TextIO

    def __init__(self, config: HtmlConfig) -> None:
        self._config = config
        self._rules: dict[str, Rule] = {}
        self._overview = Overview()
        self._environment = Environment(
            autoescape=True,
            loader=FileSystemLoader(TEMPLATES),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._unfinished = ExitStack()

    def start(self, path: Path, title: str, rules: Sequence[Rule]) -> None:
        """Open the files that collect the cards; `rules` explain the codes."""
        self._path, self._title = path, title
        self._rules = {rule.code: rule for rule in rules}
        self._rule_names = {rule.code: rule.name for rule in rules}
        path.parent.mkdir(parents=True, exist_ok=True)
        # Beside the report, on a disk that has room for it.
        folder = tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.")
        parts = Path(self._unfinished.enter_context(folder))
        self._rows = self._unfinished.enter_context(self._open(parts / "rows.part"))
        self._cards = self._unfinished.enter_context(self._open(parts / "cards.part"))

    def add(self, product: Product | None, outcome: Outcome, images: Mapping[str, DecodedImage]) -> None:
        """Count one product and append its card; `product` is None where its record could not be read."""
        number = self._products
        self._overview.add(product, outcome)
        self._rule_names.update((finding.code, finding.name) for finding in outcome.findings if finding.name)
        if number >= self._config.max_products:
            return
        view = card_view(product, outcome, self._thumbnails(number, outcome, images), self._rules)
        self._rows.write(f"{',' if number else ''}\n{embedded(asdict(row_view(product, outcome)))}")
        self._cards.write(f'<script type="application/json" id="card-{number}">{embedded(asdict(view))}</script>\n')

    def finish(self, summary: Mapping[str, object]) -> None:
        """Write the overview before the cards and move the finished file to its path.

        Of `summary`, "seconds", "images", "products_per_second", "images_per_second" and "threshold" have their place
        in the head; every other text or number is listed at the end.
        """
        head, _, rest = self._page(summary).partition(ROWS_GO_HERE)
        middle, _, foot = rest.partition(CARDS_GO_HERE)
        with written_whole(self._path) as unfinished, self._open(unfinished) as whole:
            whole.write(head)
            _append(self._rows, whole)
            whole.write(middle)
            _append(self._cards, whole)
            whole.write(foot)
        self.discard()

    def discard(self) -> None:
        """Give the report up: nothing appears at its path, and nothing is left beside it."""
        self._unfinished.close()

    @property
    def _products(self) -> int:
        return self._overview.statuses.total()

    def _open(self, path: Path) -> TextIO:
        # A title may hold half a surrogate pair, which UTF-8 cannot carry.
        return path.open("w+", encoding="utf-8", errors="replace")

    def _thumbnails(self, number: int, outcome: Outcome, images: Mapping[str, DecodedImage]) -> dict[str, Thumbnail]:
        def side(image_id: str) -> int:
            if number < self._config.large_pictures:
                return LARGE_SIDE
            return MEDIUM_SIDE if image_id in outcome.sequence else SMALL_SIDE

        return {
            name: make_thumbnail(image.pixels, image.original_width, image.original_height, side(name))
            for name, image in images.items()
        }

    def _page(self, summary: Mapping[str, object]) -> str:
        script = _script()
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
        overview = self._overview
        rules = overview.by_rule(self._rules, self._rule_names)
        threshold = summary.get("threshold")
        return self._environment.get_template(
            "page.html"
        ).render(
            title=self._title,
            style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            script_digest=digest,
            products=self._products,
            shown=min(self._products, self._config.max_products),
            facts=list(self._facts(summary)),
            statuses=list(overview.by_status()),
            status_meanings={status: meaning for status, (_, meaning) in STATUS_WORDS.items()},
            product_funnel=overview.product_funnel(),
            image_funnel=overview.image_funnel(),
            probabilities=overview.by_probability(),
            threshold=threshold if isinstance(threshold, int | float) else None,
            groups=overview.worst_groups(),
            top_rules=rules[:TOP],
            rules=sorted(rules, key=lambda rule: rule.key),
            page_data=Markup(embedded(self._page_data())),  # noqa: S704 - no "<" is left in it
            details=[
                (spoken(key.replace("_", "-")), str(value))
                for key, value in summary.items()
                if key not in _SAID_IN_THE_HEAD and isinstance(value, str | int | float)
            ],
        )

    def _page_data(self) -> dict[str, Any]:
        """Return what every card may ask for: the words of rules, statuses and groups, and the rules that a reviewer may name."""
        names = {code: spoken(self._rule_names.get(code, "")) or code for code in self._overview.rules}
        return {
            "title": self._title,
            "statuses": {status: words for status, (words, _) in STATUS_WORDS.items()},
            "groups": dict(GROUP_WORDS),
            "offered": {rule.code: spoken(rule.name) for rule in self._rules.values() if rule.category != "engine"},
            "rules": {
                code: {"name": name, "explanation": rule_explanation(rule) if rule else "A rule of a plugin."}
                for code, name in names.items()
                for rule in [self._rules.get(code)]
            },
        }

    def _facts(self, summary: Mapping[str, object]) -> Iterator[tuple[str, str]]:
        """Yield the run's size and speed, as far as the summary says them."""
        images = summary.get("images", self._overview.images.total())
        seconds = summary.get("seconds")
        yield "products", f"{self._products:,}"
        if isinstance(images, int):
            yield "images", f"{images:,}"
        if isinstance(seconds, int | float):
            yield "run time", duration(seconds)
        for key, words, count in (
            ("products_per_second", "products / s", self._products),
            ("images_per_second", "images / s", images),
        ):
            speed = summary.get(key)
            if speed is None and isinstance(seconds, int | float) and seconds > 0 and isinstance(count, int):
                speed = count / seconds
            if isinstance(speed, int | float):
                yield words, rate(speed)


def embedded(data: object) -> str:
    r"""Return data as JSON that may be written into a script element: nothing in it can end the element or begin another.

    >>> print(embedded("</script>"))
    "\u003c/script\u003e"
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _script() -> str:
    """Return the page's script, one function around all of its files."""
    parts = [(TEMPLATES / name).read_text(encoding="utf-8") for name in SCRIPTS]
    return "\n".join(['(() => {\n"use strict";', *parts, "})();"])


def _append(part: TextIO, whole: TextIO) -> None:
    part.flush()
    part.seek(0)
    shutil.copyfileobj(part, whole)
