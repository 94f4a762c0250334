"""What commands look like: help in groups, colors on terminals alone, tables in place of JSON."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from agpis_sdk.cli import profiles
from agpis_sdk.cli.profiles import _settings
from agpis_sdk.components import ComponentConfig
from agpis_sdk.records import AuditFinding, CandidateImage, GalleryAudit
from agpis_sdk.report.audit_text import TextReporter
from agpis_sdk.report.figures_table import figures_table
from tests.cli.conftest import Agpis

ESCAPE = "\x1b["


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def audited(stream: io.StringIO) -> str:
    finding = AuditFinding(
        code="AGP103",
        name="blurry-image",
        images=("a",),
        score=0.9,
        message="[red]it[/red] is blurred",
        severity="error",
        fingerprint="f",
    )
    reporter = TextReporter(ComponentConfig())
    reporter.start(stream, "products.jsonl", [])
    reporter.add(
        GalleryAudit(product_id="P1", title="Bag", images=(CandidateImage(id="a", uri="a.png"),), findings=(finding,))
    )
    reporter.finish()
    return stream.getvalue()


class TestAnAuditAsText:
    PLAIN = "P1  Bag\n  a  error    AGP103 blurry-image: [red]it[/red] is blurred\n\n"

    def test_is_plain_where_it_is_no_terminal(self) -> None:
        assert audited(io.StringIO()) == self.PLAIN

    def test_is_colored_on_a_terminal_and_says_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setenv("TERM", "xterm-256color")

        colored = audited(Terminal())

        assert ESCAPE in colored
        assert "[red]it[/red] is blurred" in colored

    def test_is_without_colors_where_the_user_wants_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm-256color")

        assert f"{ESCAPE}1;31m" not in audited(Terminal())


def test_help_lists_options_in_groups_and_ends_with_examples(agpis: Agpis) -> None:
    said = agpis("run", "--help").out

    assert [name for name in ("Products", "Output", "Settings") if f"─ {name} ─" in said] == [
        "Products",
        "Output",
        "Settings",
    ]
    assert said.index("Examples:") < said.index("agpis run products_export.csv -o outcomes.jsonl --export shopify")


def test_the_shell_is_taught_by_the_command_itself(agpis: Agpis) -> None:
    assert "--install-completion" in agpis("--help").out


class TestProfiles:
    def test_are_listed_with_what_they_are_for(self, agpis: Agpis) -> None:
        said = agpis("profiles", "--json", "--no-plugins", "--config", "/dev/null").json

        assert {"paper", "strict", "relaxed"} <= {profile["name"] for profile in said}
        assert all(profile["summary"] for profile in said)

    def test_of_marketplaces_come_from_a_package_that_is_named_where_it_is_missing(
        self, agpis: Agpis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(profiles, "MARKETPLACES", "agpis-nowhere")

        unknown = agpis("run", "products.jsonl", "--profile", "amazon-main", "--no-plugins")

        assert unknown.code == 2
        assert "pip install agpis-nowhere" in unknown.err


def test_figures_of_a_training_are_a_short_table_whatever_it_measured() -> None:
    figures: dict[str, Any] = {
        "auc": 0.91234,
        "reviews": {"train": 700, "test": 200},
        "curve": [{"threshold": one / 100} for one in range(100)],
        "classes": {f"AGP{number}": {"recall": 0.5} for number in range(40)},
    }

    table = figures_table(figures)

    columns = [list(column.cells) for column in table.columns]
    assert columns == [
        ["auc", "reviews train", "reviews test", "curve", "classes"],
        ["0.9123", "700", "200", "(100 entries)", "(40 entries)"],
    ]


def test_figures_of_groups_in_groups_are_shown_while_they_are_few() -> None:
    table = figures_table({"muisc": {"auc": 0.9, "reviews": {"train": 70}, "by_class": dict.fromkeys("abcdefgh", 1)}})

    columns = [list(column.cells) for column in table.columns]
    assert columns == [["muisc auc", "muisc reviews train", "muisc by_class"], ["0.9", "70", "(8 entries)"]]


def test_profiles_show_what_they_set() -> None:
    assert list(_settings({"rules": {"select": ["AMP"]}, "sequence": {"length": 5}})) == [
        'rules.select = ["AMP"]',
        "sequence.length = 5",
    ]


def test_a_rule_page_is_markdown_for_programs_and_laid_out_for_people(
    agpis: Agpis, monkeypatch: pytest.MonkeyPatch
) -> None:
    piped = agpis("rules", "AGP901", "--no-plugins").out
    monkeypatch.setattr("agpis_sdk.cli.rules._is_terminal", lambda: True)

    shown = agpis("rules", "AGP901", "--no-plugins").out

    assert "## What it checks" in piped
    assert "What it checks" in shown
    assert "##" not in shown


def test_the_doctor_says_as_json_what_it_says_to_people(agpis: Agpis) -> None:
    said = agpis("doctor", "--json")

    assert said.code == (0 if said.json["healthy"] else 2)
    assert said.json["packages"]["numpy"]
    assert {component["name"] for component in said.json["components"]} >= {"listed", "first"}
    assert json.dumps(said.json["failed_plugins"]) == "[]"
