"""Simulated reviewers: they claim and decide like people, know the truth, and err at a stated rate."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from agpis_sdk.records import Outcome, Product
from agpis_sdk.report.phrases import spoken
from agpis_sdk.review.oracle import Oracle, Truth
from agpis_sdk.review.store import accounts
from agpis_sdk.review.store.claims import claim
from agpis_sdk.review.store.database import Store
from agpis_sdk.review.store.decisions import Judgment, decide
from agpis_sdk.review.store.tables import Item
from agpis_sdk.rules import RuleSet

CLAIM_MINUTES = 60.0


@dataclass(frozen=True)
class Played:
    """How many decisions simulated reviewers took, how many of them were wrong, and how many products they skipped."""

    decided: int
    wrong: int
    skipped: int


def play(
    store: Store,
    queue_id: int,
    oracle: Oracle,
    rules: RuleSet,
    *,
    reviewers: int = 2,
    limit: int | None = None,
    error_rate: float = 0.0,
    correcting: bool = True,
    seed: int = 0,
    clock: Callable[[], datetime],
) -> Played:
    """Let reviewers decide a queue in turn, at most `limit` products.

    An error accepts what is wrong, or rejects what is right for a rule drawn at random. Who sees that another order is right
    corrects it, unless `correcting` is False. What the oracle does not know is skipped.
    """
    chance = random.Random(seed)  # noqa: S311 - a simulation
    people = [_account(store, f"simulated reviewer {number}", clock()) for number in range(1, reviewers + 1)]
    decided = wrong = skipped = 0
    for person, item in _turns(store, queue_id, people, clock):
        if limit is not None and decided >= limit:
            break
        truth = _truth(item, oracle)
        if truth is None:
            skipped += 1
            judgment = _judgment(item, "skipped")
        else:
            errs = chance.random() < error_rate
            wrong += errs
            decided += 1
            judgment = _decision(item, truth, rules, errs=errs, correcting=correcting, chance=chance)
        decide(store, person, item.id, judgment, clock())
    return Played(decided, wrong, skipped)


def _turns(
    store: Store, queue_id: int, people: Sequence[int], clock: Callable[[], datetime]
) -> Iterator[tuple[int, Item]]:
    """Yield who is next and what they have claimed, until nobody gets anything."""
    idle = 0
    turn = 0
    while idle < len(people):
        person = people[turn % len(people)]
        turn += 1
        claimed = claim(store, queue_id, person, now=clock(), minutes=CLAIM_MINUTES)
        if not claimed:
            idle += 1
            continue
        idle = 0
        with store.reading() as session:
            item = session.scalars(select(Item).where(Item.id == claimed[0])).one()
        yield person, item


def _truth(item: Item, oracle: Oracle) -> Truth | None:
    outcome = Outcome.model_validate_json(item.outcome)
    if not outcome.sequence:
        return None
    return oracle.judge(Product.model_validate_json(item.product), outcome.sequence)


def _decision(
    item: Item, truth: Truth, rules: RuleSet, *, errs: bool, correcting: bool, chance: random.Random
) -> Judgment:
    right = not truth.rules
    if right is not errs:  # accepts: rightly, or by error
        return _judgment(item, "accepted")
    if right:
        code = chance.choice([rule.code for rule in rules if rule.category != "engine"])
        return _judgment(item, "rejected", rules=(code,), feedback=spoken(rules[code].name))
    if correcting and truth.better:
        return _judgment(item, "corrected").model_copy(update={"sequence": truth.better})
    words = truth.feedback or ", ".join(spoken(rules[code].name) for code in truth.rules if code in rules)
    return _judgment(item, "rejected", rules=truth.rules, feedback=words).model_copy(update={"marks": truth.marks})


def _judgment(item: Item, verdict: str, *, rules: tuple[str, ...] = (), feedback: str = "") -> Judgment:
    sequence = Outcome.model_validate_json(item.outcome).sequence
    return Judgment(key=f"{secrets.token_hex(16)}", verdict=verdict, sequence=sequence, rules=rules, feedback=feedback)  # type: ignore[arg-type]


def _account(store: Store, name: str, now: datetime) -> int:
    """Return a reviewer who nobody can log in as: the password is known to nobody."""
    known = {user.name: user.id for user in accounts.users(store)}
    return known[name] if name in known else accounts.add_user(store, name, secrets.token_urlsafe(32), "reviewer", now)
