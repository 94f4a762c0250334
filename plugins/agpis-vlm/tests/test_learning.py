"""From a sentence to a local head, by the commands that users type: evaluate, reviews, train, evaluate, swap, audit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agpis_vlm.cli import cli
from agpis_vlm.evaluation import Scored, agreement, threshold_at
from agpis_vlm.heads import Head
from agpis_vlm.labels import ReviewLabels
from conftest import NO_GREEN, NO_RED, product, write_lines
from endpoint import EndpointServer, running
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from agpis_sdk.cli.app import app
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import Review

PRODUCTS = 60
RUNNER = CliRunner()


@dataclass(frozen=True)
class Shop:
    """A shop of products with two pictures each, reviews of them, and a config that asks an endpoint."""

    folder: Path
    endpoint: EndpointServer

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def configured(self, **vlm: Any) -> list[str]:
        """Write the config and return the option that names it; the backbone is one that needs no weights."""
        table = {
            "endpoint": self.endpoint.url,
            "model": "colors",
            "cache": self.path("answers.sqlite"),
            "input_price": 0.5,
            "output_price": 2.0,
            "rules": {"VLM101": NO_RED, "VLM102": NO_GREEN},
            **vlm,
        }
        lines = ['backbone.name = "color-grid"', 'rules.select = ["VLM"]', "media.allow_outside = true"]
        lines += [f"components.vlm.{key} = {toml(value)}" for key, value in table.items()]
        (self.folder / "agpis.toml").write_text("\n".join(lines), encoding="utf-8")
        return ["--config", self.path("agpis.toml")]


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(below)}" for key, below in value.items()) + "}"
    return json.dumps(value)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    generator = np.random.default_rng(0)
    products, reviews = [], []
    for number in range(PRODUCTS):
        shares = generator.integers(0, 100, 2)
        record = product(folder, f"P{number}", *(f"red-{share}" for share in shares), title=f"Thing {number}")
        broken = bool(shares.max() >= 50)
        words = "no-red: it is red" if broken else "yes"
        products.append(record)
        ids = [image["id"] for image in record["images"]]
        reviews.append(
            {"product": record, "sequence": ids, "decision": "rejected" if broken else "accepted", "feedback": words}
        )
    write_lines(folder / "products.jsonl", products)
    write_lines(folder / "reviews.jsonl", reviews)
    with running() as endpoint:
        yield Shop(folder, endpoint)


def agpis(*arguments: str) -> Any:
    finished = RUNNER.invoke(app, list(arguments), catch_exceptions=False)
    assert finished.exit_code in (0, 1), finished.output
    return json.loads(finished.stdout)


def agpis_vlm(*arguments: str) -> Any:
    return RUNNER.invoke(cli, list(arguments), catch_exceptions=False)


class TestFromSentenceToHead:
    """One story; each test is a step that the next one builds on."""

    def test_1_the_model_is_compared_with_reviewers(self, shop: Shop) -> None:
        figures = agpis(
            "evaluate", "vlm", shop.path("reviews.jsonl"), "--component", "vlm", "--split", "all", "--json",
            *shop.configured(),
        )  # fmt: skip

        red = figures["rules"]["VLM101"]
        assert (red["reviews"], red["auc"], red["recall"]) == (PRODUCTS, 1.0, 1.0)
        assert red["agreement"] >= 0.95
        assert 0.2 <= red["threshold_at_precision"]["0.9"] <= red["threshold_at_precision"]["0.95"] <= 0.55
        assert figures["images"] == 2 * PRODUCTS
        assert figures["tokens_per_image"] == 2 * 440
        assert figures["cost_per_image"] == pytest.approx(2 * (400 * 0.5 + 40 * 2) / 1e6)

    def test_2_its_answers_become_reviews_and_nothing_is_asked_twice(self, shop: Shop) -> None:
        asked = shop.endpoint.asked

        done = agpis_vlm("reviews", shop.path("products.jsonl"), "-o", shop.path("answers.jsonl"), *shop.configured())

        lines = (shop.folder / "answers.jsonl").read_text(encoding="utf-8").splitlines()
        reviews = [Review.model_validate_json(line) for line in lines]
        rejected = [review for review in reviews if review.decision == "rejected"]
        assert done.exit_code == 0
        assert shop.endpoint.asked == asked
        assert len(reviews) == 2 * PRODUCTS
        assert all(int(review.sequence[0].split("-")[-1]) >= 48 for review in rejected)
        assert {review.rules for review in rejected} == {("VLM101",)}

    def test_3_a_head_is_learned_from_them(self, shop: Shop) -> None:
        figures = agpis(
            "train", "vlm-heads", shop.path("answers.jsonl"), "-o", shop.path("heads"), "--json", *shop.configured()
        )

        assert figures.keys() == {"VLM101"}  # no picture breaks the other rule
        assert figures["VLM101"]["test"]["reviews"] >= 10
        assert figures["VLM101"]["test"]["auc"] >= 0.95

    def test_4_the_head_is_measured_on_what_it_has_not_seen(self, shop: Shop) -> None:
        figures = agpis("evaluate", shop.path("heads"), shop.path("answers.jsonl"), "--json", *shop.configured())
        trained = json.loads((shop.folder / "heads" / "metrics.json").read_text(encoding="utf-8"))

        assert figures["rules"]["VLM101"] == trained["VLM101"]["test"]

    def test_5_it_takes_the_model_s_place_and_nobody_is_asked(self, shop: Shop) -> None:
        asked = shop.endpoint.asked
        rules = {"VLM101": NO_RED | {"judge": "head"}}

        found = agpis(
            "audit", shop.path("products.jsonl"), "--format", "json",
            *shop.configured(rules=rules, heads=shop.path("heads"), endpoint=""),
        )  # fmt: skip

        flagged = {image for finding in findings_of(found) for image in finding["images"]}
        shares = [int(image.split("-")[-1]) for image in flagged]
        assert shop.endpoint.asked == asked
        assert len(flagged) > 5
        assert np.mean([share >= 45 for share in shares]) >= 0.9

    def test_6_a_head_serves_no_other_sentence(self, shop: Shop) -> None:
        rules = {"VLM101": {"name": "no-red", "text": "Nothing red.", "judge": "head"}}
        options = shop.configured(rules=rules, heads=shop.path("heads"))

        finished = RUNNER.invoke(app, ["audit", shop.path("products.jsonl"), *options])

        assert "holds no head for the sentence of VLM101" in str(finished.exception)


def test_reviews_whose_pictures_are_gone_are_refused(shop: Shop, tmp_path: Path) -> None:
    review = {"product": {"id": "P1", "images": ["gone.jpg"]}, "sequence": ["gone"], "decision": "accepted"}
    reviews = write_lines(tmp_path / "reviews.jsonl", [review])

    finished = RUNNER.invoke(app, ["evaluate", "vlm", str(reviews), "--component", "vlm", *shop.configured()])

    assert "the reviews: name no image that can be read and judged" in str(finished.exception)


class TestOrder:
    def test_is_without_effect_on_an_endpoint_that_measures(self, shop: Shop) -> None:
        done = agpis_vlm("order", shop.path("products.jsonl"), "--limit", "3", *shop.configured(cache=""))

        assert done.exit_code == 0
        assert "together: 0 of 12 verdicts changed (0%), the scores by at most 0.00" in done.stdout
        assert "in reverse: 0 of 12 verdicts changed" in done.stdout

    def test_is_found_out_where_it_has_one(self, shop: Shop) -> None:
        shop.endpoint.fault = "prefers the first rule"
        try:
            done = agpis_vlm("order", shop.path("products.jsonl"), "--limit", "3", *shop.configured(cache=""))
        finally:
            shop.endpoint.fault = ""

        assert done.exit_code == 1
        assert "together: 6 of 12 verdicts changed (50%)" in done.stdout


class TestLabels:
    def review(self, decision: str, *rules: str, feedback: str = "") -> Review:
        return Review.model_validate(
            {"product": {"id": "P1", "images": ["a.jpg"]}, "sequence": ["a"], "decision": decision}
            | {"rules": rules, "feedback": feedback}
        )

    def labels(self, *reviews: Review) -> list[bool]:
        host = PluginHost.load()
        host.add_rules_from({"vlm": {"rules": {"VLM101": NO_RED | {"aliases": ["too red"]}}}})
        return [label.breaks for label in ReviewLabels(reviews, host.rules).of("VLM101")]

    def test_an_accepted_review_keeps_the_rule_and_one_that_names_it_breaks_it(self) -> None:
        assert self.labels(self.review("accepted"), self.review("rejected", "VLM101")) == [False, True]

    def test_of_a_review_that_was_rejected_for_something_else_nobody_knows(self) -> None:
        assert self.labels(self.review("rejected", "AGP121")) == []

    def test_the_reviewer_s_own_words_name_the_rule(self) -> None:
        assert self.labels(self.review("rejected", feedback="Far too red")) == [True]


class TestFigures:
    @given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30), st.floats(0.1, 1))
    def test_from_the_threshold_on_findings_are_as_precise_as_wanted(
        self, reviewed: list[tuple[float, bool]], precision: float
    ) -> None:
        scores = np.array([round(score, 4) for score, _ in reviewed])
        reviews = Scored(scores, np.array([breaks for _, breaks in reviewed]), np.array(["P"] * len(reviewed)))

        level = threshold_at(reviews, precision)

        reached = [reviews.breaks[scores >= score].mean() >= precision for score in scores]
        assert (level is None) == (not any(reached))
        if level is not None:
            assert reviews.breaks[scores >= level].mean() >= precision

    def test_what_the_reviews_do_not_allow_is_missing(self) -> None:
        figures = agreement(Scored(np.array([0.2]), np.array([False]), np.array(["P"])), 0.5)

        assert (figures["auc"], figures["precision"], figures["recall"]) == (None, None, None)
        assert figures["agreement"] == 1.0

    @given(st.integers(1, 20), st.integers(0, 100))
    def test_a_head_says_the_same_of_an_image_in_any_batch(self, count: int, seed: int) -> None:
        generator = np.random.default_rng(seed)
        head = Head(generator.normal(size=64).astype(np.float32), 0.3)
        embeddings = generator.normal(size=(count, 64)).astype(np.float32)

        together = head.probabilities(embeddings)

        assert together.tolist() == [head.probabilities(row[None])[0] for row in embeddings]


def findings_of(found: Any) -> list[dict[str, Any]]:
    """Return the findings of an audit in JSON, wherever it lists them."""
    galleries = found["products"] if isinstance(found, dict) else found
    return [finding for gallery in galleries for finding in gallery["findings"]]
