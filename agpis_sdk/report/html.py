"""Outcomes → one self-contained HTML file for the people who look after a catalog."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from agpis_sdk.components import DecodedImage
from agpis_sdk.files import written_whole
from agpis_sdk.records import Outcome, Product, Status
from agpis_sdk.report.card import card_view
from agpis_sdk.report.config import HtmlConfig
from agpis_sdk.report.phrases import STATUS_WORDS, STATUSES, reason_in_words, spoken
from agpis_sdk.report.thumbnails import make_thumbnail
from agpis_sdk.rules import Rule
from agpis_sdk.wording import duration, percent, rate

TEMPLATES = Path(__file__).parent / "templates"
TOP_RULES = 8
_CARDS_GO_HERE = re.compile(r"<!--cards:(\w+)-->")
_TOLD_IN_THE_HEAD = {"products", "images", "seconds", "products_per_second", "images_per_second", "threshold"}


@dataclass(frozen=True)
class SectionView:
    """The head's number and the gallery of one status."""

    status: Status
    words: str
    meaning: str
    count: int
    share: float
    share_words: str
    reasons: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class RuleView:
    """How many products a rule was found on; `share` is of the most frequent rule."""

    code: str
    name: str
    summary: str
    count: int
    share: float


class HtmlReporter:
    """Writes a page that grows card by card on disk; its file appears, whole, when it is finished."""

    _path: Path
    _title: str
    _folder: Path

    def __init__(self, config: HtmlConfig) -> None:
        self._max_products = config.max_products
        self._rules: dict[str, Rule] = {}
        self._rule_names: dict[str, str] = {}
        self._statuses: Counter[str] = Counter()
        self._reasons: Counter[tuple[str, str]] = Counter()
        self._rule_counts: Counter[str] = Counter()
        self._images = 0
        self._environment = Environment(
            autoescape=True,
            loader=FileSystemLoader(TEMPLATES),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._card = self._environment.get_template("card.html")
        self._unfinished = ExitStack()
        self._parts: dict[str, TextIO] = {}

    def start(self, path: Path, title: str, rules: Sequence[Rule]) -> None:
        """Open the files that collect the cards; `rules` explain the codes."""
        self._path, self._title = path, title
        self._rules = {rule.code: rule for rule in rules}
        path.parent.mkdir(parents=True, exist_ok=True)
        # Beside the report, on a disk that has room for it.
        folder = tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.")
        self._folder = Path(self._unfinished.enter_context(folder))
        self._parts = {
            status: self._unfinished.enter_context(self._open(self._folder / f"{status}.part")) for status in STATUSES
        }

    def add(self, product: Product | None, outcome: Outcome, images: Mapping[str, DecodedImage]) -> None:
        """Count one product and append its card; `product` is None where its record could not be read."""
        number = self._statuses.total() + 1
        self._count(outcome)
        if number > self._max_products:
            return
        thumbnails = {
            name: make_thumbnail(image.pixels, image.original_width, image.original_height)
            for name, image in images.items()
        }
        view = card_view(number, product, outcome, thumbnails, self._rules)
        self._parts[outcome.status].write(self._card.render(card=view))

    def finish(self, summary: Mapping[str, object]) -> None:
        """Write the head over the cards and move the finished file to its path.

        Of `summary`, "seconds", "images", "products_per_second", "images_per_second" and "threshold" have their place
        in the head; every other text or number is listed at the end.
        """
        for part in self._parts.values():
            part.flush()
        with written_whole(self._path) as unfinished, self._open(unfinished) as whole:
            for position, piece in enumerate(_CARDS_GO_HERE.split(self._page(summary))):
                if position % 2 == 0:
                    whole.write(piece)
                    continue
                self._parts[piece].seek(0)
                shutil.copyfileobj(self._parts[piece], whole)
        self.discard()

    def discard(self) -> None:
        """Give the report up: nothing appears at its path, and nothing is left beside it."""
        self._unfinished.close()

    def _open(self, path: Path) -> TextIO:
        # A title may hold half a surrogate pair, which UTF-8 cannot carry.
        return path.open("w+", encoding="utf-8", errors="replace")

    def _count(self, outcome: Outcome) -> None:
        self._statuses[outcome.status] += 1
        self._images += len(outcome.images)
        if outcome.status in ("none", "failed") or outcome.reason:
            self._reasons[outcome.status, reason_in_words(outcome.reason)] += 1
        self._rule_names.update((finding.code, finding.name) for finding in outcome.findings if finding.name)
        self._rule_counts.update({finding.code for finding in outcome.findings})

    def _page(self, summary: Mapping[str, object]) -> str:
        script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
        products = self._statuses.total()
        rules = self._rule_views()
        threshold = summary.get("threshold")
        return self._environment.get_template(
            "page.html"
        ).render(
            title=self._title,
            style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            script_digest=digest,
            products=products,
            shown=min(products, self._max_products),
            facts=self._facts(summary),
            sections=[self._section(status) for status in STATUSES],
            top_rules=rules[:TOP_RULES],
            rules=sorted(rules, key=lambda rule: rule.code),
            threshold=threshold if isinstance(threshold, int | float) else None,
            details=[
                (spoken(key.replace("_", "-")), str(value))
                for key, value in summary.items()
                if key not in _TOLD_IN_THE_HEAD and isinstance(value, str | int | float)
            ],
        )

    def _section(self, status: Status) -> SectionView:
        count = self._statuses[status]
        share = count / max(1, self._statuses.total())
        reasons = [(words, times) for (of, words), times in self._reasons.most_common() if of == status]
        words, meaning = STATUS_WORDS[status]
        return SectionView(status, words, meaning, count, share, percent(share), tuple(reasons))

    def _rule_views(self) -> list[RuleView]:
        ordered = sorted(self._rule_counts.items(), key=lambda item: (-item[1], item[0]))
        views = []
        for code, count in ordered:
            rule = self._rules.get(code)
            name = self._rule_names.get(code, rule.name if rule is not None else "")
            views.append(
                RuleView(code, spoken(name), rule.summary if rule is not None else "", count, count / ordered[0][1])
            )
        return views

    def _facts(self, summary: Mapping[str, object]) -> list[tuple[str, str]]:
        """Return the run's size and speed, as far as the summary tells them."""
        images = summary.get("images", self._images)
        seconds = summary.get("seconds")
        facts = [("products", f"{self._statuses.total():,}")]
        facts += [("images", f"{images:,}")] if isinstance(images, int) else []
        facts += [("run time", duration(seconds))] if isinstance(seconds, int | float) else []
        for key, words, count in (
            ("products_per_second", "products / s", self._statuses.total()),
            ("images_per_second", "images / s", images),
        ):
            speed = summary.get(key)
            if speed is None and isinstance(seconds, int | float) and seconds > 0 and isinstance(count, int):
                speed = count / seconds
            facts += [(words, rate(speed))] if isinstance(speed, int | float) else []
        return facts
