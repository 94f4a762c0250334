"""The console table of `agpis evaluate`: headline metrics with intervals, categories of rules, the worst rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agpis_sdk.evaluation.report import Estimate, SequenceReport
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.report.console_table import console_table
from agpis_sdk.rules import RuleSet
from agpis_sdk.wording import counted

HEADLINE: Final[dict[str, str]] = {
    "auc": "ROC AUC",
    "recall_at_precision_0.8": "Recall at precision 0.8",
    "recall_at_precision_0.85": "Recall at precision 0.85",
    "recall_at_precision_0.9": "Recall at precision 0.9",
    "ece": "Calibration error (ECE)",
    "brier": "Brier score",
    "top1": "Most likely class is right",
    "rejected_top1": "Most likely objection is right",
    "feedback_names_the_rule": "Feedback names the rule",
    "feedback_names_the_image": "Feedback names the image",
    "feedback_says_yes": "Feedback says yes to qualified",
}
CATEGORIES: Final[dict[str, str]] = {
    "auc_single": "single-image rules",
    "auc_pair": "image-pair rules",
    "auc_multi": "multi-image rules",
}


def evaluation_table(report: SequenceReport, *, worst: int = 10, rules: RuleSet | None = None) -> Group:
    """Return a report as tables for a console, with the `worst` rules by AUC.

    A metric that could not be computed is a dash with the reason beside it.
    """
    parts: list[RenderableType] = [
        _subject(report),
        Text(),
        _estimates("Metric", "Reviews", HEADLINE, report.metrics),
        Text(),
        _estimates("AUC against qualified", "Rejected", CATEGORIES, report.metrics),
    ]
    measured = {code: estimate for code, estimate in report.rules.items() if estimate.value is not None}
    if measured:
        lowest = sorted(measured, key=lambda code: (measured[code].value, code))[:worst]
        known = rules or shipped_rules()
        words = {code: f"{code}  {known[code].name}" if code in known else code for code in lowest}
        parts += [Text(), _estimates("Worst rules, by AUC", "Rejected", words, measured)]
    if rest := _rest(report, measured, worst):
        parts += [Text(), Text(rest, style="dim")]
    return Group(*parts)


def _subject(report: SequenceReport) -> Text:
    subject = f"{counted(report.reviews, 'review')} of {counted(report.products, 'product')}"
    return Text.assemble((subject, "bold"), f": {report.qualified:,} qualified, {report.rejected:,} rejected")


def _estimates(title: str, counts: str, words: Mapping[str, str], estimates: Mapping[str, Estimate]) -> Table:
    table = console_table()
    table.add_column(title, no_wrap=True, min_width=max(map(len, HEADLINE.values())))
    table.add_column("Value", justify="right", no_wrap=True)
    table.add_column("95 % interval", no_wrap=True)
    table.add_column(counts, justify="right", no_wrap=True)
    table.add_column("", overflow="fold", style="dim")
    for name, shown in words.items():
        estimate = estimates[name]
        table.add_row(
            Text(shown),
            Text(
                "–" if estimate.value is None else f"{estimate.value:.3f}",
                style="dim" if estimate.value is None else "bold",
            ),
            Text("" if estimate.low is None or estimate.high is None else f"{estimate.low:.3f} – {estimate.high:.3f}"),
            Text(f"{estimate.reviews:,}", style="dim"),
            Text(estimate.missing),
        )
    return table


def _rest(report: SequenceReport, measured: Mapping[str, Estimate], worst: int) -> str:
    """Return how many rules are not in the table, and why."""
    counts = {
        "better": max(0, len(measured) - worst),
        "with too few reviews": len(report.rules) - len(measured),
        "that no review violates": len(report.unseen_rules),
    }
    parts = [f"{count} {words}" for words, count in counts.items() if count]
    return f"Further rules: {', '.join(parts)}." if parts else ""
