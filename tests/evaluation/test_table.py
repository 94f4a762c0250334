"""A model's measurement in the terminal: headline, categories, worst rules, and why a figure is missing."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from agpis_sdk.evaluation.report import Confusion, Estimate, SequenceReport
from agpis_sdk.evaluation.table import CATEGORIES, HEADLINE, evaluation_table


def report(
    rules: dict[str, Estimate] | None = None, unseen: tuple[str, ...] = (), **metrics: Estimate
) -> SequenceReport:
    every = dict.fromkeys((*HEADLINE, *CATEGORIES), Estimate(0.5, 0.4, 0.6, 20))
    return SequenceReport(
        reviews=1200, qualified=700, products=1, resamples=500, metrics={**every, **metrics}, rules=rules or {},
        unseen_rules=unseen, reliability=(), confusion=Confusion((), ()),
    )  # fmt: skip


def text(of: SequenceReport, *, worst: int = 10, width: int = 120) -> str:
    console = Console(file=StringIO(), width=width)
    console.print(evaluation_table(of, worst=worst))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def line(table: str, first: str) -> str:
    return next(line for line in table.splitlines() if line.startswith(first))


def test_the_reviews_are_counted() -> None:
    assert "1,200 reviews of 1 product: 700 qualified, 500 rejected" in text(report())


def test_a_figure_stands_with_its_interval_and_its_reviews() -> None:
    table = text(report(auc=Estimate(0.8123, 0.7901, 0.834, 321)))

    assert line(table, "ROC AUC").split() == ["ROC", "AUC", "0.812", "0.790", "–", "0.834", "321"]


def test_every_category_has_a_line() -> None:
    table = text(report())

    assert all(line(table, words) for words in CATEGORIES.values())


def test_a_missing_figure_is_a_dash_with_its_reason() -> None:
    table = text(report(auc_pair=Estimate(None, reviews=0, missing="no review is rejected for an image-pair rule")))

    assert line(table, "image-pair rules").split()[2] == "–"
    assert "no review is rejected for an image-pair rule" in table


def test_the_worst_rules_come_first_by_name() -> None:
    rules = {
        "AGP103": Estimate(0.9, 0.8, 1.0, 9),
        "AGP121": Estimate(0.6, 0.5, 0.7, 9),
        "other": Estimate(0.7, 0.6, 0.8, 9),
    }

    table = text(report(rules))

    assert table.index("AGP121  watermark") < table.index("other") < table.index("AGP103  blurry-image")


def test_rules_that_are_not_shown_are_counted() -> None:
    rules = {
        "AGP103": Estimate(0.9, 0.8, 1.0, 9),
        "AGP121": Estimate(0.6, 0.5, 0.7, 9),
        "AGP111": Estimate(None, reviews=2, missing="2 reviews of it, 5 are needed"),
    }

    table = text(report(rules, unseen=("AGP101", "AGP102")), worst=1)

    assert "blurry-image" not in table
    assert "Further rules: 1 better, 1 with too few reviews, 2 that no review violates." in table


def test_figures_and_intervals_stay_whole_in_a_narrow_terminal() -> None:
    table = text(report(auc=Estimate(0.8123, 0.7901, 0.834, 321, missing="")), width=80)

    assert "0.790 – 0.834" in line(table, "ROC AUC")


def test_markup_in_a_class_of_a_model_stays_text() -> None:
    assert "[red]X[/red]" in text(report({"[red]X[/red]": Estimate(0.5, 0.4, 0.6, 9)}))
