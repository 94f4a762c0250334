"""Rounds of the loop with simulated reviewers: run, review, train, promote; the reject rate on products kept apart.

A product is in one of three parts, by a hash of its key: unseen, on which the reject rate is measured; frozen, the test split of the
others, on which promotions are decided; and train, which reviewers see. No model learns from the first two.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

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
from agpis_sdk.review.registry import ModelVersion, Registry
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
REVIEWS, FROZEN, ROUNDS = "reviews.jsonl", "frozen.jsonl", "rounds.json"


@dataclass(frozen=True)
class Judgment:
    """The truth about what is proposed for a product: its key, p^t, whether it is submitted, and which rules it breaks."""

    product: str
    probability: float | None
    submitted: bool
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Measured:
    """What the models of a round do on unseen products: the reject rate of what they submit from `threshold` on, and of all that they propose."""

    reject_rate: Rate
    proposed_rate: Rate
    threshold: float
    submitted: int
    products: int


@dataclass(frozen=True)
class Candidate:
    """A trained model beside the one in force: its headline figure on the frozen products, None where it was not compared."""

    component: str
    version: int
    promoted: bool
    headline: str = ""
    old: float | None = None
    new: float | None = None
    reason: str = ""

    def __str__(self) -> str:
        if self.old is None or self.new is None:
            return f"{self.component} ({self.reason})"
        return f"{self.component} {self.version}: {self.headline} {self.old:.3f} → {self.new:.3f}"


@dataclass(frozen=True)
class Round:
    """One round: what was measured on unseen products before it, what the reviewers did, and what was learned."""

    number: int
    measured: Measured
    reviews: int = 0
    wrong: int = 0
    candidates: tuple[Candidate, ...] = ()

    @property
    def promoted(self) -> tuple[str, ...]:
        """The candidates that run from then on."""
        return tuple(str(one) for one in self.candidates if one.promoted)

    @property
    def refused(self) -> tuple[str, ...]:
        """The candidates that do not."""
        return tuple(str(one) for one in self.candidates if not one.promoted)


@dataclass(frozen=True)
class Simulation:
    """What is simulated: how many reviews a round, how often reviewers err, and in which folder everything is kept.

    With `submitted_share`, the threshold of p^t is set anew each round so that this share of all proposals is submitted:
    what reviewers have time for stays the same, however a new model spreads p^t. Only `learning` components learn, if any
    are named.
    """

    folder: Path
    per_round: int
    error_rate: float = 0.0
    seed: int = 0
    submitted_share: float | None = None
    learning: tuple[str, ...] = ()


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
    """Play so many rounds and return them, and a last one that only measures; rounds.json holds those that are over.

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
        measured = _measured(parts["unseen"], oracle, loaded.config, machinery.host, simulation, number)
        if number == 1:
            _freeze(parts["frozen"], oracle, loaded.config, machinery.host, simulation.folder)
        if number > rounds or not waiting:
            done.append(Round(number, measured))
            _keep(done, simulation.folder)
            break
        chosen, waiting = waiting[: simulation.per_round], waiting[simulation.per_round :]
        played = _review(store, chosen, oracle, loaded.config, simulation, machinery, number)
        done.append(Round(number, measured, *played, _learn(store, registry, loaded, simulation, machinery, number)))
        _keep(done, simulation.folder)
        rate_now = f"reject rate {measured.reject_rate.refused} of {measured.reject_rate.reviewed}"
        machinery.note(
            f"round {number}: {rate_now}, {played[0]} reviews, promoted {'; '.join(done[-1].promoted) or 'nothing'}"
        )
    store.close()
    return done


def _measured(
    products: Sequence[Product],
    oracle: Oracle,
    config: Config,
    host: PluginHost,
    simulation: Simulation,
    number: int,
) -> Measured:
    """Return the reject rates by the truth, and write what they are made of; what the oracle does not know is left out."""
    proposed = [pair for pair in _outcomes(products, config, host) if pair[1].status in ("submit", "hold")]
    threshold = threshold_for(
        [outcome for _, outcome in proposed], config.sequence.threshold, simulation.submitted_share
    )
    rows = []
    for product, outcome in proposed:
        truth = oracle.judge(product, outcome.sequence)
        if truth is not None:
            submitted = outcome.probability is None or outcome.probability >= threshold
            rows.append(Judgment(split_key(product), outcome.probability, submitted, truth.rules))
    lines = "".join(f"{json.dumps(asdict(row))}\n" for row in rows)
    (simulation.folder / f"measured-{number}.jsonl").write_text(lines, encoding="utf-8")
    submitted_rows = [row for row in rows if row.submitted]
    return Measured(
        _rate("submitted", submitted_rows), _rate("proposed", rows), threshold, len(submitted_rows), len(products)
    )


def threshold_for(proposed: Sequence[Outcome], configured: float, share: float | None) -> float:
    """Return the configured threshold, or the one from which on this share of what is proposed is submitted."""
    p_t = [outcome.probability for outcome in proposed if outcome.probability is not None]
    return configured if share is None or not p_t else float(np.quantile(p_t, 1 - share))


def _rate(name: str, rows: Sequence[Judgment]) -> Rate:
    return rate(name, sum(bool(row.rules) for row in rows), len(rows))


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
) -> tuple[Candidate, ...]:
    """Train on all reviews so far, and promote each model that is not worse on the frozen products."""
    reviews, out = simulation.folder / REVIEWS, simulation.folder / f"trained-{number}"
    _write(reviews, (review for review in reviews_of(store) if review is not None))
    request = machinery.training(loaded, reviews, out)
    candidates = []
    for trained in train_all(machinery.host, loaded.config, request, simulation.learning):
        if trained.figures is None:
            candidates.append(Candidate(trained.component, 0, False, reason=str(trained.error)))
            continue
        version = registry.add(out / trained.component, reviews=reviews)
        candidates.append(_promoted(version, registry, loaded, simulation, machinery))
    return tuple(candidates)


def _promoted(
    version: ModelVersion, registry: Registry, loaded: LoadedConfig, simulation: Simulation, machinery: Machinery
) -> Candidate:
    """Promote a version unless it is worse, or nothing can tell; return what became of it."""
    candidate = Candidate(version.component, version.version, False)
    old = model_in_force(machinery.host.component(version.component), machinery.host, loaded.config)
    request = machinery.evaluation(loaded, simulation.folder / FROZEN, old)
    new = str(registry.place(version.component, version.version))
    try:
        compared = compare_models(machinery.host, request, new, version.component, version.component)
        figure = compared.decisive
        candidate = replace(candidate, headline=compared.headline, old=figure.old, new=figure.new)
        registry.promote(machinery.host, version.component, version.version, compared)
    except (ModelRegistryError, TrainingDataError) as error:
        machinery.note(str(error))
        return replace(candidate, reason=str(error))
    return replace(candidate, promoted=True)


def _freeze(products: Sequence[Product], oracle: Oracle, config: Config, host: PluginHost, folder: Path) -> None:
    """Write the truth about frozen products, of what the first models propose and the like: each later model is measured on it.

    Raises `TrainingDataError` where nothing is proposed for any of them.
    """
    reviews = []
    for product, outcome in _outcomes(products, config, host):
        for sequence in _orders(product, outcome.sequence):
            truth = oracle.judge(product, sequence)
            if truth is not None:
                reviews.append(_as_review(product, sequence, truth))
    if not reviews:
        raise TrainingDataError(
            "no frozen product got a sequence whose truth is known",
            item="simulation",
            remedy="look at an agpis run of these products: are their photos read, and are they labeled?",
        )
    _write(folder / FROZEN, reviews)


def _orders(product: Product, sequence: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return a sequence, and the like with each other image of the product first; nothing where there is no sequence.

    A new model that puts another right image first is then not measured by what the first one happened to choose.
    """
    firsts = [image.id for image in product.images if image.id != sequence[0]] if sequence else []
    others = [(first, *(one for one in sequence if one != first))[: len(sequence)] for first in firsts]
    return [sequence, *others] if sequence else []


def _as_review(product: Product, sequence: tuple[str, ...], truth: Truth) -> Review:
    if not truth.rules:
        return Review(product=product, sequence=sequence, decision="accepted", feedback="yes")
    words = truth.feedback or ", ".join(truth.rules)
    return Review(
        product=product, sequence=sequence, decision="rejected", feedback=words, rules=truth.rules, marks=truth.marks
    )


def _write(path: Path, reviews: Iterable[Review]) -> None:
    path.write_text("".join(f"{review.model_dump_json()}\n" for review in reviews), encoding="utf-8")


def _keep(rounds: Sequence[Round], folder: Path) -> None:
    (folder / ROUNDS).write_text(json.dumps(as_json(rounds), indent=2) + "\n", encoding="utf-8")


def as_json(rounds: Sequence[Round]) -> list[dict[str, Any]]:
    """Return rounds as JSON values, each with the reject rates themselves."""
    found = []
    for one in rounds:
        row = asdict(one)
        for name in ("reject_rate", "proposed_rate"):
            row["measured"][name]["value"] = getattr(one.measured, name).value
        found.append(row)
    return found
