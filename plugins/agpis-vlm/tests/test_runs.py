"""A run asks the model: verdicts are right, the budget is kept, nothing is asked twice, and nothing is asked unbidden."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from agpis_vlm.spending import SPENDING
from conftest import NO_BLUE, NO_GREEN, NO_RED, faults, of_rule, product, settings_of
from endpoint import EndpointServer

from agpis_sdk.errors import ConfigError
from agpis_sdk.records import Outcome

Run = Callable[..., list[Outcome]]
ERROR = {"severity": "error"}


class TestVerdicts:
    def test_the_score_is_the_model_s_and_the_box_is_in_original_pixels(
        self, endpoint: EndpointServer, run: Run, tmp_path: Path
    ) -> None:
        (outcome,) = run([product(tmp_path, "P1", "gray", "red-75")], settings_of(endpoint))

        (finding,) = [one for one in outcome.findings if one.code == "VLM101"]
        assert finding.images == ("1-red-75",)
        assert finding.score == pytest.approx(0.75, abs=0.02)
        assert finding.regions[0].box == (0, 0, pytest.approx(61, abs=2), 60)
        assert finding.message == f"{finding.score:.0%} of picture 1 is of that color"
        assert finding.checker == "vlm"

    def test_an_error_removes_the_image_and_a_warning_does_not(
        self, endpoint: EndpointServer, run: Run, tmp_path: Path
    ) -> None:
        rules = {"VLM101": NO_RED | ERROR, "VLM102": NO_GREEN}

        (outcome,) = run([product(tmp_path, "P1", "gray", "red", "green")], settings_of(endpoint, rules=rules))

        assert outcome.sequence == ("0-gray", "2-green")
        assert of_rule(outcome) == {("1-red",): 1.0}
        assert of_rule(outcome, "VLM102") == {("2-green",): 1.0}

    def test_a_pair_and_a_sequence_are_one_question_each(
        self, endpoint: EndpointServer, run: Run, tmp_path: Path
    ) -> None:
        rules = {
            "VLM201": NO_RED | {"applies_to": "pair"},
            "VLM301": NO_GREEN | {"applies_to": "sequence"},
        }

        (outcome,) = run([product(tmp_path, "P1", "gray", "red", "green")], settings_of(endpoint, rules=rules))

        assert of_rule(outcome, "VLM201") == {("0-gray", "1-red"): 1.0, ("1-red", "2-green"): 1.0}
        assert of_rule(outcome, "VLM301") == {("0-gray", "1-red", "2-green"): 1.0}
        (of_sequence,) = [finding for finding in outcome.findings if finding.code == "VLM301"]
        assert of_sequence.regions[0].image == "2-green"
        assert endpoint.asked == 3 + 1

    def test_rules_that_are_not_selected_cost_nothing(self, endpoint: EndpointServer, run: Run, tmp_path: Path) -> None:
        settings = settings_of(endpoint, rules={"VLM101": NO_RED, "VLM102": NO_GREEN})

        run([product(tmp_path, "P1", "gray")], settings, rules={"ignore": {"VLM102": "not now"}})

        assert endpoint.asked == 1
        assert "green" not in str(endpoint.bodies)

    def test_a_seller_may_suppress_a_rule(self, endpoint: EndpointServer, run: Run, tmp_path: Path) -> None:
        ignored = {"agpis_ignore": [{"rule": "no-red", "reason": "it is a fire engine"}]}

        (outcome,) = run([product(tmp_path, "P1", "red", attributes=ignored)], settings_of(endpoint))

        assert of_rule(outcome) == {}

    @pytest.mark.parametrize("batch_size", [1, 16])
    def test_neither_the_order_of_products_nor_the_batch_changes_a_verdict(
        self, endpoint: EndpointServer, run: Run, tmp_path: Path, batch_size: int
    ) -> None:
        products = [product(tmp_path, name, "gray", f"red-{share}") for name, share in (("P1", 55), ("P2", 80))]
        settings = settings_of(endpoint, rules={"VLM101": NO_RED, "VLM102": NO_BLUE}, rules_per_call=2)

        usual = run(products, settings)
        turned = run(products[::-1], settings, run={"batch_size": batch_size})

        assert usual == turned[::-1]


class TestCache:
    def test_a_second_run_asks_nothing(self, endpoint: EndpointServer, run: Run, tmp_path: Path) -> None:
        settings = settings_of(endpoint, cache=str(tmp_path / "answers" / "kept.sqlite"))
        products = [product(tmp_path, name, "gray", "red", "red-60") for name in ("P1", "P2")]
        first = run(products, settings)
        asked = endpoint.asked

        second = run(products, settings)

        assert second == first
        assert endpoint.asked == asked == 3  # both products show the same pictures
        assert (SPENDING.calls, SPENDING.cached) == (0, 3)

    @pytest.mark.parametrize(
        "change",
        [
            {"rules": {"VLM101": NO_RED | {"text": "Nothing red at all."}}},
            {"model": "other-colors"},
            {"side": 40},
            {"send_title": True},
        ],
    )
    def test_another_sentence_model_size_or_title_is_asked_anew(
        self, endpoint: EndpointServer, run: Run, tmp_path: Path, change: dict[str, Any]
    ) -> None:
        settings = settings_of(endpoint, cache=str(tmp_path / "kept.sqlite"))
        products = [product(tmp_path, "P1", "red", title="Fire engine")]
        run(products, settings)

        run(products, {**settings, **change})

        assert endpoint.asked == 2

    def test_a_name_threshold_or_severity_is_not(self, endpoint: EndpointServer, run: Run, tmp_path: Path) -> None:
        settings = settings_of(endpoint, cache=str(tmp_path / "kept.sqlite"))
        products = [product(tmp_path, "P1", "gray", "red")]
        run(products, settings)

        run(products, settings | {"rules": {"VLM101": NO_RED | ERROR | {"name": "never-red", "threshold": 0.2}}})

        assert endpoint.asked == 2

    def test_what_is_no_answer_is_not_kept(self, endpoint: EndpointServer, run: Run, tmp_path: Path) -> None:
        settings = settings_of(endpoint, cache=str(tmp_path / "kept.sqlite"))
        products = [product(tmp_path, "P1", "red")]
        endpoint.faults = ["empty"]
        (first,) = run(products, settings)

        (second,) = run(products, settings)

        assert (of_rule(first), of_rule(second)) == ({}, {("0-red",): 1.0})


class TestBudget:
    @pytest.mark.parametrize(
        ("limits", "asked"),
        [
            ({"max_calls": 3}, 3),
            ({"max_calls": 0}, 0),
            ({"max_tokens": 4000}, 2),
            ({"max_cost": 0.005, "input_price": 1.0, "output_price": 2.0}, 2),
        ],
    )
    def test_is_kept_and_what_was_not_asked_is_named(
        self, endpoint: EndpointServer, run: Run, tmp_path: Path, limits: dict[str, float], asked: int
    ) -> None:
        products = [product(tmp_path, "P1", "gray", "red", "green", "blue", "red-60")]

        (outcome,) = run(products, settings_of(endpoint, **limits))

        setting = next(iter(limits))
        assert endpoint.asked == asked
        assert len(faults(outcome)) == 5 - asked
        assert f"the budget is spent: components.vlm.{setting}" in faults(outcome)[0]

    def test_a_product_that_an_error_rule_did_not_judge_is_held(
        self, endpoint: EndpointServer, run: Run, tmp_path: Path
    ) -> None:
        settings = settings_of(endpoint, rules={"VLM101": NO_RED | ERROR}, max_calls=1)

        first, second = run([product(tmp_path, "P1", "gray"), product(tmp_path, "P2", "green")], settings)

        assert first.status == "submit"
        assert (second.status, second.reason) == ("hold", "not-judged")

    def test_what_is_not_there_in_time_is_not_waited_for(
        self, endpoint: EndpointServer, run: Run, tmp_path: Path
    ) -> None:
        endpoint.seconds = 1.5
        settings = settings_of(endpoint, patience=0.3, concurrency=1)

        (outcome,) = run([product(tmp_path, "P1", "gray", "red")], settings)

        assert [fault.partition(": ")[2] for fault in faults(outcome)] == [
            "no answer after 0.3 s (components.vlm.patience)"
        ] * 2
        assert SPENDING.calls == 1  # the other one never began

    def test_no_more_requests_run_at_a_time_than_the_config_says(
        self, endpoint: EndpointServer, run: Run, tmp_path: Path
    ) -> None:
        endpoint.seconds = 0.05

        run([product(tmp_path, "P1", "gray", "red", "green", "blue")], settings_of(endpoint, concurrency=2))

        assert endpoint.busiest == 2

    def test_the_books_are_told_at_the_end_of_a_run(
        self, endpoint: EndpointServer, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run([product(tmp_path, "P1", "gray", "red")], settings_of(endpoint, input_price=1.0))

        assert capsys.readouterr().err == (
            "agpis-vlm: 2 requests, 880 tokens, 0.0008 in the currency of the prices; 0 answers from the cache\n"
        )


class TestDryRun:
    def test_estimates_what_a_run_costs_and_asks_nothing(
        self, endpoint: EndpointServer, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        products = [product(tmp_path, "P1", "gray", "red")]
        settings = settings_of(endpoint, tokens_per_picture=300, input_price=1.0, output_price=2.0)

        (outcome,) = run(products, settings | {"dry_run": True})

        said = capsys.readouterr().err
        assert endpoint.asked == 0
        assert said.startswith("agpis-vlm: dry run: 2 requests with at most")
        assert faults(outcome)[0].endswith("could not judge VLM101: not asked: this is a dry run")

    def test_estimates_no_less_than_the_run_then_costs(
        self, endpoint: EndpointServer, run: Run, tmp_path: Path
    ) -> None:
        products = [product(tmp_path, "P1", "gray", "red")]
        settings = settings_of(endpoint, tokens_per_picture=300)
        run(products, settings | {"dry_run": True})
        estimated = SPENDING.tokens

        run(products, settings)

        assert 0 < SPENDING.tokens <= estimated


class TestNothingByDefault:
    @pytest.fixture
    def closed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Close the network: whoever opens a socket fails."""

        def refuse(*_: Any, **__: Any) -> None:
            raise AssertionError("a socket was opened")

        monkeypatch.setattr(socket.socket, "connect", refuse)
        monkeypatch.setattr(socket, "create_connection", refuse)

    @pytest.mark.usefixtures("closed")
    @pytest.mark.parametrize("settings", [{}, {"endpoint": "http://127.0.0.1:9/v1", "model": "colors"}])
    def test_a_run_without_rules_sends_nothing(self, run: Run, tmp_path: Path, settings: dict[str, Any]) -> None:
        (outcome,) = run([product(tmp_path, "P1", "gray", "red")], settings)

        assert (outcome.status, faults(outcome)) == ("submit", [])

    @pytest.mark.usefixtures("closed")
    def test_rules_without_an_endpoint_end_the_run_before_it_begins(self, run: Run, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"components\.vlm\.endpoint: is not named, and rules ask a model"):
            run([product(tmp_path, "P1", "gray")], {"rules": {"VLM101": NO_RED}})

    @pytest.mark.usefixtures("closed")
    def test_rules_without_an_endpoint_may_be_ignored(self, run: Run, tmp_path: Path) -> None:
        (outcome,) = run(
            [product(tmp_path, "P1", "gray")], {"rules": {"VLM101": NO_RED}}, rules={"ignore": {"VLM": "no server"}}
        )

        assert outcome.status == "submit"

    @pytest.mark.usefixtures("closed")
    def test_a_dry_run_sends_nothing(self, run: Run, tmp_path: Path) -> None:
        settings = {"endpoint": "http://127.0.0.1:9/v1", "model": "colors", "cache": "", "dry_run": True}

        (outcome,) = run([product(tmp_path, "P1", "gray")], settings | {"rules": {"VLM101": NO_RED}})

        assert len(faults(outcome)) == 1
