"""`agpis audit`: findings on stdout in five formats, counts on stderr, exit codes 0, 1 and 2."""

from __future__ import annotations

import csv
import io
import json
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Agpis
from tests.pipeline.fakes import product

FAKES = """
    from tests.pipeline.fakes import BAD, NOTE, Stand, flag, twins

    stand = Stand().image_checker(flag({"a": 1.0}), name="bad", rules=(BAD,))
    stand.image_checker(flag({"b": 0.8}, NOTE), name="odd", rules=(NOTE,)).pair_checker(twins("ac"))
    stand.host()
    agpis_image_checkers = stand.agpis_image_checkers
    agpis_pair_checkers = stand.agpis_pair_checkers
    agpis_primary_selectors = stand.agpis_primary_selectors
    agpis_sequence_checkers = stand.agpis_sequence_checkers
    agpis_backbones = stand.agpis_backbones
"""

COUNTING = """
    from agpis_sdk import ComponentConfig, ReporterSpec, hookimpl


    class CountingConfig(ComponentConfig):
        word: str = "findings"


    @hookimpl
    def agpis_reporters():
        yield ReporterSpec(
            name="counter", format="count", reports="audits", factory="counting_plugin:Counter", config=CountingConfig
        )


    class Counter:
        def __init__(self, config):
            self.word = config.word

        def start(self, stream, products, rules):
            self.stream = stream
            print(products.rpartition("/")[2], file=stream)

        def add(self, audit):
            print(f"{audit.product_id}: {len(audit.findings)} {self.word}", file=self.stream)

        def finish(self):
            print("end", file=self.stream)
"""


@pytest.fixture
def shop(agpis: Agpis, tmp_path: Path, gallery: Path) -> Path:
    """A shop whose picture a is bad, b is odd, and whose a and c are twins; the second product is without fault."""
    (tmp_path / "fakes_for_the_command_line.py").write_text(textwrap.dedent(FAKES))
    attributes = {"seller": "Ann & Co"}
    return write(
        tmp_path,
        {**product(gallery, "abc", "P1"), "title": "Bag", "category": "Bags", "attributes": attributes},
        product(gallery, "de", "P2"),
    )


def write(folder: Path, *products: Any) -> Path:
    path = folder / "products.jsonl"
    path.write_text("\n".join(json.dumps(one) for one in products))
    return path


def test_findings_are_grouped_by_product_as_a_linter_prints_them(agpis: Agpis, shop: Path) -> None:
    answer = agpis("audit", shop)

    assert answer.out == (
        "P1  Bag\n"
        '  a     error    TST101 bad-picture: a is bad-picture → Choose image "c" as the first image.\n'
        '  a, c  error    TST201 twin-pictures: twins → Keep image "c" and remove image "a".\n'
        "  b     warning  TST102 worth-noting: b is worth-noting\n"
        "\n"
    )
    assert "2 errors, 1 warning in 1 of 2 products (5 images)" in answer.err


def test_an_error_that_stands_makes_the_exit_code_1(agpis: Agpis, shop: Path) -> None:
    assert agpis("audit", shop).code == 1


def test_warnings_alone_exit_with_0(agpis: Agpis, shop: Path) -> None:
    answer = agpis("audit", shop, "--ignore", "bad-picture,TST2")

    assert "TST102" in answer.out
    assert (answer.code, "TST101" in answer.out, "TST201" in answer.out) == (0, False, False)


@pytest.mark.parametrize("entry", ["TST201", "twin-pictures", "TST2"])
def test_rules_are_selected_by_code_name_or_prefix(agpis: Agpis, shop: Path, entry: str) -> None:
    found = agpis("audit", shop, "--select", entry, "--format", "json").json

    assert [finding["code"] for finding in found[0]["findings"]] == ["TST201"]


@pytest.mark.parametrize("option", ["--select", "--ignore"])
@pytest.mark.parametrize("entry", ["TST777", "a.b", "a=b"])
def test_an_entry_that_no_rule_answers_to_is_bad_usage(agpis: Agpis, shop: Path, option: str, entry: str) -> None:
    answer = agpis("audit", shop, option, entry)

    assert (answer.code, answer.out) == (2, "")
    assert f'"{entry}": no rule answers to it' in answer.err


def test_a_severity_that_is_set_decides_what_blocks(agpis: Agpis, shop: Path) -> None:
    settings = ["--set", "rules.severities.bad-picture=warning", "--set", "rules.severities.TST201=warning"]

    assert agpis("audit", shop, *settings).code == 0


def test_a_record_that_is_no_product_is_printed_and_makes_the_audit_incomplete(
    agpis: Agpis, shop: Path, tmp_path: Path, gallery: Path
) -> None:
    answer = agpis("audit", write(tmp_path, product(gallery, "de", "P2"), {"id": "P3", "images": []}))

    assert answer.code == 1
    assert answer.out.startswith('P3\n  error: [E300] line 2, product "P3": has no candidate images')
    assert "1 faulty record" in answer.err


@pytest.mark.parametrize("name", ["text", "json", "csv", "github", "sarif"])
def test_half_an_emoji_ends_no_audit(agpis: Agpis, shop: Path, tmp_path: Path, gallery: Path, name: str) -> None:
    cut = {**product(gallery, "abc", "A \ud83d"), "title": "cut \ud83d"}

    answer = agpis("audit", write(tmp_path, cut, product(gallery, "de", "D")), "--format", name)

    assert answer.code == 1
    assert "A \ufffd" in answer.out
    assert "2 products" in answer.err


def test_an_entry_without_a_file_is_a_finding_and_the_others_are_looked_at(
    agpis: Agpis, shop: Path, tmp_path: Path, gallery: Path
) -> None:
    record = product(gallery, "ab", "P1")

    answer = agpis("audit", write(tmp_path, {**record, "title": None, "images": [*record["images"], None, ""]}))

    assert [line.split()[:3] for line in answer.out.splitlines() if "AGP901" in line] == [
        ["image-3", "error", "AGP901"],
        ["image-4", "error", "AGP901"],
    ]
    assert "TST101 bad-picture: a is bad-picture" in answer.out


class TestFormats:
    def test_json_is_an_array_of_products_with_findings(self, agpis: Agpis, shop: Path) -> None:
        (found,) = agpis("audit", shop, "--format", "json").json

        assert (found["product_id"], found["seller"], found["category"]) == ("P1", "Ann & Co", "Bags")
        assert found["findings"][0]["severity"] == "error"

    def test_csv_is_a_row_per_finding(self, agpis: Agpis, shop: Path) -> None:
        rows = list(csv.DictReader(io.StringIO(agpis("audit", shop, "--format", "csv").out)))

        assert [(row["code"], row["images"], row["seller"]) for row in rows] == [
            ("TST101", "a", "Ann & Co"),
            ("TST201", "a|c", "Ann & Co"),
            ("TST102", "b", "Ann & Co"),
        ]

    def test_sarif_lists_only_the_rules_of_the_audit(self, agpis: Agpis, shop: Path) -> None:
        (run,) = agpis("audit", shop, "--format", "sarif", "--select", "TST1").json["runs"]

        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"] if not rule["id"].startswith("AGP9")]
        assert rules == ["TST101", "TST102"]
        assert [result["ruleId"] for result in run["results"]] == ["TST101", "TST102"]

    def test_github_annotates_the_image_files(self, agpis: Agpis, shop: Path, gallery: Path) -> None:
        first = agpis("audit", shop, "--format", "github").out.splitlines()[0]

        assert first == (
            "::error file=gallery/a.png,title=TST101 bad-picture · P1::a: a is bad-picture"
            '%0AChoose image "c" as the first image.'
        )

    @pytest.mark.parametrize("name", ["json", "csv", "sarif", "github", "text"])
    def test_stdout_holds_nothing_but_the_format(self, agpis: Agpis, shop: Path, name: str) -> None:
        noisy, quiet = (
            agpis("audit", shop, "--format", name, "--statistics"),
            agpis("audit", shop, "--format", name, "--quiet"),
        )

        assert noisy.out == quiet.out
        assert quiet.err == ""

    @pytest.mark.parametrize(
        ("name", "remedy"), [("xml", "known: csv, github, json, sarif, text"), ("serif", 'did you mean "sarif"?')]
    )
    def test_an_unknown_format_is_bad_usage_and_the_nearest_is_named(
        self, agpis: Agpis, shop: Path, name: str, remedy: str
    ) -> None:
        answer = agpis("audit", shop, "--format", name)

        assert (answer.code, answer.out) == (2, "")
        assert f'--format = "{name}": no plugin announces it ({remedy})' in answer.err

    def test_a_plugin_brings_a_format_with_settings_of_its_own(self, agpis: Agpis, shop: Path, tmp_path: Path) -> None:
        (tmp_path / "counting_plugin.py").write_text(textwrap.dedent(COUNTING))
        settings = ["--set", 'plugins.load=["fakes_for_the_command_line", "counting_plugin"]']

        answer = agpis("audit", shop, "--format", "count", *settings, "--set", "components.counter.word=found")

        assert answer.out == "products.jsonl\nP1: 3 found\nP2: 0 found\nend\n"
        assert answer.code == 1


class TestStatistics:
    def test_counts_by_rule_seller_and_category(self, agpis: Agpis, shop: Path) -> None:
        lines = [line.split() for line in agpis("audit", shop, "--statistics").err.splitlines()]

        assert ["TST101", "bad-picture", "1", "0", "1"] in lines
        assert ["Ann", "&", "Co", "2", "1", "1"] in lines
        assert ["Bags", "2", "1", "1"] in lines


class TestBaseline:
    def test_what_stands_is_written_and_exits_with_0(self, agpis: Agpis, shop: Path, tmp_path: Path) -> None:
        answer = agpis("audit", shop, "--write-baseline", "known.json")

        assert answer.code == 0
        assert len(json.loads((tmp_path / "known.json").read_text())["findings"]) == 3

    def test_what_is_known_is_not_shown_and_does_not_block(self, agpis: Agpis, shop: Path) -> None:
        agpis("audit", shop, "--write-baseline", "known.json")

        answer = agpis("audit", shop, "--baseline", "known.json")

        assert (answer.code, answer.out) == (0, "")
        assert "3 known from the baseline" in answer.err

    def test_what_is_new_is_shown(self, agpis: Agpis, shop: Path, tmp_path: Path, gallery: Path) -> None:
        agpis("audit", shop, "--write-baseline", "known.json")
        write(tmp_path, product(gallery, "abc", "P1"), product(gallery, "ad", "P2"))

        answer = agpis("audit", shop, "--baseline", "known.json")

        assert answer.code == 1
        assert answer.out == (
            'P2\n  a  error    TST101 bad-picture: a is bad-picture → Choose image "d" as the first image.\n\n'
        )

    def test_a_missing_baseline_is_bad_usage(self, agpis: Agpis, shop: Path) -> None:
        answer = agpis("audit", shop, "--baseline", "none.json")

        assert answer.code == 2
        assert "none.json: cannot be read: No such file or directory" in answer.err

    def test_a_folder_that_is_not_there_is_refused_before_any_work(self, agpis: Agpis, shop: Path) -> None:
        answer = agpis("audit", shop, "--write-baseline", "nowhere/known.json")

        assert (answer.code, answer.out) == (2, "")


class TestSuppressions:
    @pytest.fixture
    def lenient_shop(self, shop: Path, tmp_path: Path, gallery: Path) -> Path:
        ignored = {"agpis_ignore": [{"rule": "bad-picture", "images": ["a"], "reason": "it is art"}]}
        return write(tmp_path, {**product(gallery, "ab", "P1"), "attributes": ignored})

    def test_what_is_suppressed_is_counted_and_does_not_block(self, agpis: Agpis, lenient_shop: Path) -> None:
        answer = agpis("audit", lenient_shop)

        assert answer.code == 0
        assert "TST101" not in answer.out
        assert "0 errors, 1 warning in 1 of 1 product (2 images)" in answer.err
        assert "1 suppressed" in answer.err

    def test_it_is_shown_with_its_reason_on_request(self, agpis: Agpis, lenient_shop: Path) -> None:
        answer = agpis("audit", lenient_shop, "--show-suppressed")

        assert 'a is bad-picture → Choose image "b" as the first image. [suppressed: it is art]' in answer.out
        assert answer.code == 0

    def test_one_without_a_reason_is_an_error_that_names_the_product(
        self, agpis: Agpis, shop: Path, tmp_path: Path, gallery: Path
    ) -> None:
        ignored = {"agpis_ignore": [{"rule": "TST101", "images": ["a"]}]}

        answer = agpis("audit", write(tmp_path, {**product(gallery, "ab", "P1"), "attributes": ignored}))

        assert answer.code == 1
        assert 'error: [E300] product "P1", attributes.agpis_ignore.0.reason: is missing' in answer.out
        assert "TST101" in answer.out
