"""Rounds of the loop with simulated reviewers: run, review, train, promote; the reject rate on products kept apart.

A product is in one of three parts, by a hash of its key: unseen, on which the reject rate is measured; frozen, the test split of the
others, on which promotions are decided; and train, which reviewers see. No model learns from the first two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agpis_sdk.config import Config, LoadedConfig
from agpis_sdk.datasets.splits import split_key, split_of
from agpis_sdk.errors import ModelRegistryError, TrainingDataError
from agpis_sdk.pipeline.pipeline import Pipeline
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import Outcome, Product, Review
from agpis_sdk.review.export import reviews_of
from agpis_sdk.review.metrics.rates import Rate, rate
from agpis_sdk.review.oracle import Oracle, Truth
from agpis_sdk.review.ordering import draw
from agpis_sdk.review.outcomes import RunOutput, RunProduct
from agpis_sdk.review.players import play
from agpis_sdk.review.registry import Registry
from agpis_sdk.review.store.database import Store
from agpis_sdk.review.store.queues import add_queue
from agpis_sdk.review.versions import versions_of
from agpis_sdk.review.web.site import utc_now
from agpis_sdk.training.comparison import compare_models
from agpis_sdk.training.every_component import model_in_force, train_all
from agpis_sdk.training.request import EvaluationRequest, TrainingRequest

UNSEEN = 0.4
"""The share of products on which the reject rate is measured."""
TRAINED = "train"
REVIEWS = "reviews.jsonl"


@dataclass(frozen=True)
class Round:
    """One round: the reject rate on unseen products before it, what the reviewers did, and which versions were promoted."""

    number: int
    reject_rate: Rate
    submitted: int
    products: int
    reviews: int
    wrong: int
    promoted: tuple[str, ...]
    refused: tuple[str, ...]


@dataclass(frozen=True)
class Simulation:
    """What is simulated: how many reviews a round, how often reviewers err, and in which folder everything is kept."""

    folder: Path
    per_round: int
    error_rate: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Machinery:
    """What a round runs with: `configured` reads the settings with the promoted versions, None without any."""

    host: PluginHost
    configured: Callable[[Path | None], LoadedConfig]
    training: Callable[[LoadedConfig, Path, Path], TrainingRequest]
    evaluation: Callable[[LoadedConfig, Path, str], EvaluationRequest]
    note: Callable[[str], None]


def part_of(product: Product, seed: int) -> str:
    """Return the part of a product: "train", "frozen" or "unseen"."""
    if draw(split_key(product), f"part:{seed}") < UNSEEN:
        return "unseen"
    return "frozen" if split_of(product, seed=seed) == "test" else TRAINED


def simulate(
    products: Iterable[Product], oracle: Oracle, simulation: Simulation, machinery: Machinery, rounds: int
) -> list[Round]:
    """Play so many rounds and return them, and a last one that only measures.

    Raises `TrainingDataError` where a part has no products that the oracle knows.
    """
    known = list(products)
    parts = {
        name: [one for one in known if part_of(one, simulation.seed) == name] for name in (TRAINED, "frozen", "unseen")
    }
    empty = next((name for name, part in parts.items() if not part), None)
    if empty is not None:
        raise TrainingDataError(f"has no {empty} products", item="simulation", remedy="give more products")
    store = Store.open(str(simulation.folder / "reviews.db"))
    registry = Registry(simulation.folder / "models")
    waiting = sorted(parts[TRAINED], key=lambda one: draw(one.id, f"round:{simulation.seed}"))
    done = []
    for number in range(1, rounds + 2):
        loaded = machinery.configured(registry.folder if registry.history() else None)
        measured = _measured(parts["unseen"], oracle, loaded.config, machinery.host)
        if number == 1:
            _freeze(parts["frozen"], oracle, loaded.config, machinery.host, simulation.folder)
        if number > rounds or not waiting:
            done.append(Round(number, *measured, 0, 0, (), ()))
            break
        chosen, waiting = waiting[: simulation.per_round], waiting[simulation.per_round :]
        played = _review(store, chosen, oracle, loaded.config, simulation, machinery, number)
        promoted, refused = _learn(store, registry, loaded, simulation, machinery, number)
        done.append(Round(number, *measured, *played, promoted, refused))
        machinery.note(f"round {number}: {played[0]} reviews, promoted {', '.join(promoted) or 'nothing'}")
    store.close()
    return done


def _measured(products: Sequence[Product], oracle: Oracle, config: Config, host: PluginHost) -> tuple[Rate, int, int]:
    """Return the reject rate of what is submitted, by the truth; what the oracle does not know is left out."""
    judged = [
        oracle.judge(product, outcome.sequence)
        for product, outcome in _outcomes(products, config, host)
        if outcome.status == "submit"
    ]
    known = [truth for truth in judged if truth is not None]
    return rate("unseen", sum(bool(truth.rules) for truth in known), len(known)), len(judged), len(products)


def _outcomes(products: Sequence[Product], config: Config, host: PluginHost) -> list[tuple[Product, Outcome]]:
    outcomes = Pipeline(config, host=host).run(products)
    return list(zip(products, outcomes, strict=True))


def _review(
    store: Store,
    products: Sequence[Product],
    oracle: Oracle,
    config: Config,
    simulation: Simulation,
    machinery: Machinery,
    number: int,
) -> tuple[int, int]:
    pairs = tuple(
        RunProduct(*pair) for pair in _outcomes(products, config, machinery.host) if pair[1].status != "failed"
    )
    run = RunOutput(f"round {number}", f"{simulation.seed}-{number}", "", pairs)
    # Held ones too: they teach what a threshold hides.
    settings = config.review.model_copy(
        update={"statuses": ("submit", "hold"), "audit_share": 0.0, "double_share": 0.0}
    )
    queue = add_queue(store, run, settings, versions_of(config, machinery.host), utc_now())
    played = play(
        store, queue, oracle, machinery.host.rules,
        error_rate=simulation.error_rate, seed=simulation.seed + number, clock=utc_now,
    )  # fmt: skip
    return played.decided, played.wrong


def _learn(
    store: Store,
    registry: Registry,
    loaded: LoadedConfig,
    simulation: Simulation,
    machinery: Machinery,
    number: int,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Train on all reviews so far, and promote each model that is not worse on the frozen products."""
    reviews, out = simulation.folder / REVIEWS, simulation.folder / f"trained-{number}"
    _write(reviews, (review for review in reviews_of(store) if review is not None))
    promoted, refused = [], []
    for trained in train_all(machinery.host, loaded.config, machinery.training(loaded, reviews, out)):
        if trained.figures is None:
            refused.append(f"{trained.component} (learned nothing)")
            continue
        version = registry.add(out / trained.component, reviews=reviews)
        label = f"{version.component} {version.version}"
        try:
            old = model_in_force(machinery.host.component(version.component), machinery.host, loaded.config)
            request = machinery.evaluation(loaded, simulation.folder / "frozen.jsonl", old)
            new = str(registry.place(version.component, version.version))
            compared = compare_models(machinery.host, request, new, version.component, version.component)
            registry.promote(machinery.host, version.component, version.version, compared)
            promoted.append(label)
        except (ModelRegistryError, TrainingDataError) as error:
            machinery.note(str(error))
            refused.append(label)
    return tuple(promoted), tuple(refused)


def _freeze(products: Sequence[Product], oracle: Oracle, config: Config, host: PluginHost, folder: Path) -> None:
    """Write the truth about what the first models propose for the frozen products; every later model is measured on it."""
    reviews = []
    for product, outcome in _outcomes(products, config, host):
        truth = oracle.judge(product, outcome.sequence) if outcome.sequence else None
        if truth is not None:
            reviews += _as_reviews(product, outcome, truth)
    _write(folder / "frozen.jsonl", reviews)


def _as_reviews(product: Product, outcome: Outcome, truth: Truth) -> list[Review]:
    if not truth.rules:
        return [Review(product=product, sequence=outcome.sequence, decision="accepted", feedback="yes")]
    words = truth.feedback or ", ".join(truth.rules)
    rejected = Review(
        product=product,
        sequence=outcome.sequence,
        decision="rejected",
        feedback=words,
        rules=truth.rules,
        marks=truth.marks,
    )
    if not truth.better:
        return [rejected]
    return [rejected, Review(product=product, sequence=truth.better, decision="accepted", feedback="yes")]


def _write(path: Path, reviews: Iterable[Review]) -> None:
    path.write_text("".join(f"{review.model_dump_json()}\n" for review in reviews), encoding="utf-8")


def as_json(rounds: Sequence[Round]) -> list[dict[str, Any]]:
    """Return rounds as JSON values, each with the reject rate itself."""
    return [
        {**asdict(one), "reject_rate": {**asdict(one.reject_rate), "value": one.reject_rate.value}} for one in rounds
    ]
