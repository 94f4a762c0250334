"""What `agpis review simulate` runs with, and how it prints rounds."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

from agpis_sdk.cli.evaluate import EvaluatedSplit, evaluation_request
from agpis_sdk.cli.options import lazy_backbone, training_config
from agpis_sdk.config import SHOP_FILE, LoadedConfig
from agpis_sdk.pipeline.image_facts import RunFacts, image_facts
from agpis_sdk.plugins import PluginHost
from agpis_sdk.report.console_table import console_table
from agpis_sdk.review.metrics.rates import Rate
from agpis_sdk.review.rounds import Machinery, Round
from agpis_sdk.training.request import EvaluationRequest, TrainingRequest

HEADINGS = {
    "round": True, "reject rate": True, "95 %": False, "submitted of": False, "from p^t": True, "of all proposals": True,
    "reviews": True, "wrong": True, "promoted": False, "not promoted": False,
}  # fmt: skip
"""The columns of the table of rounds, and whether they hold numbers."""


def machinery(host: PluginHost, configured: Callable[[Path | None], LoadedConfig], seed: int) -> Machinery:
    """Return how a simulation trains and measures: as the commands do."""

    def note(line: str) -> None:
        typer.echo(line, err=True)

    def training(loaded: LoadedConfig, reviews: Path, out: Path) -> TrainingRequest:
        return TrainingRequest(
            reviews=reviews,
            out=out,
            seed=seed,
            backbone=lazy_backbone(loaded, host),
            image_facts=partial(image_facts, host=host, config=training_config(loaded.config)),
            run_facts=partial(RunFacts, host=host, config=loaded.config),
            rules=host.rules,
            note=note,
        )

    def evaluation(loaded: LoadedConfig, reviews: Path, model: str) -> EvaluationRequest:
        return evaluation_request(loaded, host, model, reviews, split=EvaluatedSplit.test, seed=seed)

    return Machinery(host, configured, training, evaluation, note)


def beginning(overrides: Sequence[str], promoted: Path | None) -> list[str]:
    """Return the settings of the command line but for the models that a registry has promoted since: --set names where a simulation begins."""
    if promoted is None:
        return list(overrides)
    components = json.loads((promoted / SHOP_FILE).read_text(encoding="utf-8"))["components"]
    learned = {f"components.{name}.{field}" for name, fields in components.items() for field in fields}
    return [override for override in overrides if override.partition("=")[0].strip() not in learned]


def print_rounds(rounds: Sequence[Round]) -> None:
    """Print a line a round: the reject rates on unseen products before it, and what was learned in it."""
    table = console_table()
    for heading, is_number in HEADINGS.items():
        table.add_column(heading, justify="right" if is_number else "left")
    for one in rounds:
        measured = one.measured
        cells = (
            str(one.number), *_shown(measured.reject_rate), f"{measured.submitted} of {measured.products}",
            f"{measured.threshold:.3f}", _shown(measured.proposed_rate)[0], str(one.reviews), str(one.wrong),
            "; ".join(one.promoted), "; ".join(one.refused),
        )  # fmt: skip
        table.add_row(*map(Text, cells))
    Console().print(table)


def _shown(known: Rate) -> tuple[str, str]:
    """Return a reject rate and its interval."""
    if known.value is None:
        return "–", ""
    return f"{known.value:.3f}", f"{known.low:.3f} – {known.high:.3f}"
