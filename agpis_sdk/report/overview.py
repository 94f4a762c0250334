"""What a run comes to, counted product by product: funnel, findings by rule, acceptance probabilities, worst groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from agpis_sdk.records import Outcome, Product
from agpis_sdk.report.grouping import GROUP_WORDS, group_names
from agpis_sdk.report.phrases import STATUS_WORDS, STATUSES, reason_in_words, spoken
from agpis_sdk.rules import Rule
from agpis_sdk.wording import counted, percent

BINS = 10
TOP = 8


@dataclass(frozen=True)
class BarView:
    """A bar: what it counts, how many, and its length in 0..1; `key` is what a click filters by, `note` says more."""

    key: str
    words: str
    count: int
    share: float
    note: str = ""


@dataclass(frozen=True)
class GroupView:
    """The sellers, brands or categories with the most products that cannot be submitted as they are."""

    group: str
    words: str
    count: int
    rows: tuple[BarView, ...]


@dataclass
class Overview:
    """Counts that grow with rules and groups, not with products."""

    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    images: Counter[str] = field(default_factory=Counter)
    probabilities: Counter[int] = field(default_factory=Counter)
    products_of: dict[str, Counter[str]] = field(default_factory=dict)
    stopped_of: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, product: Product | None, outcome: Outcome) -> None:
        """Count one product."""
        self.statuses[outcome.status] += 1
        self.images.update(image.state for image in outcome.images)
        self.rules.update({finding.code for finding in outcome.findings})
        if outcome.status in ("none", "failed") or outcome.reason:
            self.reasons[outcome.status, reason_in_words(outcome.reason)] += 1
        if outcome.probability is not None:
            self.probabilities[min(BINS - 1, int(outcome.probability * BINS))] += 1
        for group, name in group_names(product).items():
            self.products_of.setdefault(group, Counter())[name] += 1
            self.stopped_of.setdefault(group, Counter())[name] += outcome.status != "submit"

    def by_status(self) -> Iterator[BarView]:
        """Yield the products of each status; `note` says why, where the run does."""
        total = max(1, self.statuses.total())
        for status in STATUSES:
            reasons = [f"{times:,} × {words}" for (of, words), times in self.reasons.most_common() if of == status]
            count = self.statuses[status]
            yield BarView(status, STATUS_WORDS[status][0], count, count / total, " ".join(reasons[:3]))

    def image_funnel(self) -> list[BarView]:
        """Return how many images are left after each step."""
        listed = self.images.total()
        readable = listed - self.images["unreadable"]
        chosen = self.images["primary"] + self.images["selected"]
        steps = [
            ("images listed", listed),
            ("could be read", readable),
            ("fit to be shown", readable - self.images["removed"]),
            ("chosen", chosen),
        ]
        return [
            BarView("", words, count, count / max(1, listed), percent(count / max(1, listed))) for words, count in steps
        ]

    def product_funnel(self) -> list[BarView]:
        """Return how many products are left after each step."""
        total = self.statuses.total()
        steps = [
            ("products", total),
            ("with a sequence", self.statuses["submit"] + self.statuses["hold"]),
            ("to submit", self.statuses["submit"]),
        ]
        return [
            BarView("", words, count, count / max(1, total), percent(count / max(1, total))) for words, count in steps
        ]

    def by_rule(self, rules: Mapping[str, Rule], names: Mapping[str, str]) -> list[BarView]:
        """Return how many products each rule was found on, the most first."""
        ordered = sorted(self.rules.items(), key=lambda item: (-item[1], item[0]))
        most = ordered[0][1] if ordered else 1
        return [
            BarView(
                code,
                spoken(names.get(code, "")) or code,
                count,
                count / most,
                rules[code].summary if code in rules else "",
            )
            for code, count in ordered
        ]

    def by_probability(self) -> list[BarView]:
        """Return how many products have an acceptance probability (p^t) in each tenth; none where none has one."""
        if not self.probabilities:
            return []
        most = max(self.probabilities.values())
        return [
            BarView(
                "",
                f"{low * 100 // BINS}–{(low + 1) * 100 // BINS}",
                self.probabilities[low],
                self.probabilities[low] / most,
            )
            for low in range(BINS)
        ]

    def worst_groups(self) -> list[GroupView]:
        """Return the groups of each kind with the most products that were not submitted, where there are several."""
        views = []
        for group, words in GROUP_WORDS.items():
            products, stopped = self.products_of.get(group, Counter()), self.stopped_of.get(group, Counter())
            names = sorted(
                (name for name in stopped if stopped[name]), key=lambda name: (-stopped[name], products[name], name)
            )
            rows = [
                BarView(
                    name,
                    name,
                    stopped[name],
                    stopped[name] / products[name],
                    f"of {counted(products[name], 'product')}",
                )
                for name in names[:TOP]
            ]
            if len(products) > 1 and rows:
                views.append(GroupView(group, words, len(products), tuple(rows)))
        return views
