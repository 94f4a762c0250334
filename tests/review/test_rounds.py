"""Simulated reviewers teach a model that can be taught: the reject rate on products that it has not seen falls."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from agpis_sdk.cli.simulated import beginning, machinery
from agpis_sdk.config import LoadedConfig
from agpis_sdk.errors import ConfigError, TrainingDataError
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import CandidateImage, Outcome, Product, Review
from agpis_sdk.review.oracle import ReviewOracle, Truth
from agpis_sdk.review.players import play
from agpis_sdk.review.rounds import Simulation, as_json, part_of, simulate, threshold_for
from agpis_sdk.review.store.database import Store
from agpis_sdk.review.store.decisions import judged
from agpis_sdk.review.store.queues import add_queue
from agpis_sdk.review.web.site import utc_now
from agpis_sdk.rules import RuleSet
from tests.pipeline.fakes import Stand, configured
from tests.review import position_model
from tests.review.runs import run_of
from tests.review.settings import EACH_ONCE, VERSIONS


class ThirdComesFirst:
    """Knows that the third listed image has to come first."""

    def judge(self, product: Product, sequence: Any) -> Truth | None:
        third = product.images[2].id
        if sequence[0] == third:
            return Truth(())
        return Truth(("AGP302",), better=(third, *(one for one in sequence if one != third)))


@pytest.fixture
def products(tmp_path: Path) -> list[Product]:
    images = []
    for letter in "abcd":
        Image.new("RGB", (40, 30), (60 * "abcd".index(letter), 90, 90)).save(tmp_path / f"{letter}.png")
        images.append(CandidateImage(id=letter, uri=str(tmp_path / f"{letter}.png")))
    return [Product(id=f"p{number}", title=f"Product {number}", images=tuple(images)) for number in range(60)]


def host_with_positions() -> PluginHost:
    stand = Stand()
    host = stand.host()
    host.add(position_model, name="positions")
    return host


def loaded_with(shop: Path | None) -> LoadedConfig:
    settings: dict[str, Any] = {"primary.selector": "position"}
    if shop is not None:
        for name, table in json.loads((shop / "shop.json").read_text())["components"].items():
            settings |= {f"components.{name}.{key}": str(shop / value) for key, value in table.items()}
    return LoadedConfig(configured(settings), {})


def test_the_reject_rate_falls(products: list[Product], tmp_path: Path) -> None:
    folder = tmp_path / "simulation"
    folder.mkdir()
    known = machinery(host_with_positions(), loaded_with, seed=0)

    first, second = simulate(products, ThirdComesFirst(), Simulation(folder, per_round=40), known, rounds=1)

    assert (first.measured.reject_rate.value, second.measured.reject_rate.value) == (1.0, 0.0)
    assert first.promoted == ("position 1: top1 0.000 → 1.000",)
    assert first.measured.reject_rate.reviewed == sum(part_of(one, 0) == "unseen" for one in products)


def test_the_rounds_are_kept_as_they_end(products: list[Product], tmp_path: Path) -> None:
    folder = tmp_path / "simulation"
    folder.mkdir()
    known = machinery(host_with_positions(), loaded_with, seed=0)

    played = simulate(products, ThirdComesFirst(), Simulation(folder, per_round=10), known, rounds=2)

    kept = json.loads((folder / "rounds.json").read_text())
    assert kept == json.loads(json.dumps(as_json(played)))
    assert [one["measured"]["reject_rate"]["value"] for one in kept] == [1.0, 0.0, 0.0]
    judged_first = [json.loads(line) for line in (folder / "measured-1.jsonl").read_text().splitlines()]
    assert {tuple(row["rules"]) for row in judged_first} == {("AGP302",)}


@pytest.mark.parametrize(("share", "submitted"), [(None, 4), (0.6, 3), (0.2, 1), (1.0, 5)])
def test_a_share_of_the_proposals_sets_the_threshold(share: float | None, submitted: int) -> None:
    proposed = [Outcome(product_id=str(p), status="submit", probability=p) for p in (0.1, 0.3, 0.5, 0.7, 0.9)]

    chosen = threshold_for(proposed, 0.3, share)

    assert sum((one.probability or 0) >= chosen for one in proposed) == submitted


def test_without_a_scorer_the_configured_threshold_stays() -> None:
    assert threshold_for([Outcome(product_id="a", status="submit")], 0.3, 0.5) == 0.3


def test_a_component_that_reviews_do_not_teach_cannot_learn(products: list[Product], tmp_path: Path) -> None:
    folder = tmp_path / "simulation"
    folder.mkdir()
    known = machinery(host_with_positions(), loaded_with, seed=0)
    simulation = Simulation(folder, per_round=10, learning=("duplicates",))

    with pytest.raises(ConfigError, match="position"):
        simulate(products, ThirdComesFirst(), simulation, known, rounds=1)


def test_products_without_a_readable_photo_are_no_simulation(products: list[Product], tmp_path: Path) -> None:
    folder = tmp_path / "simulation"
    folder.mkdir()
    for letter in "abcd":
        (tmp_path / f"{letter}.png").unlink()
    known = machinery(host_with_positions(), loaded_with, seed=0)

    with pytest.raises(TrainingDataError, match="no frozen product got a sequence"):
        simulate(products, ThirdComesFirst(), Simulation(folder, per_round=10), known, rounds=1)


def test_no_model_learns_from_products_kept_apart(products: list[Product], tmp_path: Path) -> None:
    folder = tmp_path / "simulation"
    folder.mkdir()
    known = machinery(host_with_positions(), loaded_with, seed=0)

    simulate(products, ThirdComesFirst(), Simulation(folder, per_round=100), known, rounds=1)

    learned = [Review.model_validate_json(line) for line in (folder / "reviews.jsonl").read_text().splitlines()]
    assert learned
    assert {part_of(review.product, 0) for review in learned} == {"train"}


@pytest.mark.parametrize("error_rate", [0.0, 0.25, 1.0])
def test_reviewers_err_as_often_as_stated(tmp_path: Path, error_rate: float) -> None:
    store = Store.open(str(tmp_path / "reviews.db"))
    run = run_of(200)
    queue = add_queue(store, run, EACH_ONCE, VERSIONS, utc_now())
    fine = [Review(product=one.product, sequence=("a", "b", "c"), decision="accepted") for one in run.products]
    played = partial(play, store, queue, ReviewOracle(fine), RuleSet(position_rules()), clock=utc_now)

    known = played(error_rate=error_rate)

    rejected = sum(one.decision.verdict == "rejected" for one in judged(store))
    assert (known.decided, known.wrong) == (200, rejected)
    assert rejected / 200 == pytest.approx(error_rate, abs=0.08)
    store.close()


def position_rules():
    from agpis_sdk.builtin.muisc.rules import RULES

    return RULES


def test_what_was_promoted_replaces_the_model_that_a_simulation_began_with(tmp_path: Path) -> None:
    (tmp_path / "shop.json").write_text('{"components": {"primary": {"weights": "./versions/primary/1"}}}')
    given = ["components.primary.weights=begin.safetensors", "components.view.weights=own.safetensors", "run.cache=x"]

    assert beginning(given, None) == given
    assert beginning(given, tmp_path) == given[1:]
