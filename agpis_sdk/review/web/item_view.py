"""One product as its reviewer sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from agpis_sdk.datasets.feedback_parser import FeedbackParser
from agpis_sdk.records import ImageOutcome, Outcome, Product
from agpis_sdk.report.phrases import STATE_WORDS, reason_in_words, spoken
from agpis_sdk.review.store.tables import Item
from agpis_sdk.rules import Rule, RuleSet

GUESSES = 5
ACCEPTING_WORDS = ("", "yes")


@dataclass(frozen=True)
class ImageView:
    """A candidate image; `note` says why it was not chosen."""

    id: str
    large: str
    small: str
    note: str


@dataclass(frozen=True)
class ItemView:
    """A product and what the run proposes; `guesses` are codes of the rules that it may break, the likeliest first."""

    id: int
    product_id: str
    title: str
    category: str
    description: str
    reason: str
    sequence: tuple[ImageView, ...]
    others: tuple[ImageView, ...]
    guesses: tuple[str, ...]
    draft: str

    def for_script(self, offered: Sequence[Rule]) -> dict[str, Any]:
        """Return what the page's script needs, as JSON values; a reviewer may name the rules that are offered."""
        return {
            "item": self.id,
            "proposed": [image.id for image in self.sequence],
            "guesses": list(self.guesses),
            "draft": self.draft,
            "rules": [
                {"code": rule.code, "words": spoken(rule.name), "summary": rule.summary, "aliases": list(rule.aliases)}
                for rule in offered
            ],
        }


# A product is read for its page, for the page before, which loads its pictures, and for each picture. Records are frozen.
@lru_cache(512)
def product_of(text: str) -> Product:
    """Return the product that an item holds as JSON."""
    return Product.model_validate_json(text)


@lru_cache(512)
def outcome_of(text: str) -> Outcome:
    """Return the outcome that an item holds as JSON."""
    return Outcome.model_validate_json(text)


def item_view(item: Item, rules: RuleSet, offered: Sequence[Rule], version: str) -> ItemView:
    """Return the view of an item; an image that the run could not read is left out, a rule that is not offered not guessed.

    `version` is part of the addresses of pictures.
    """
    product, outcome = product_of(item.product), outcome_of(item.outcome)
    states = {image.id: image for image in outcome.images}
    views = {
        image.id: ImageView(
            id=image.id,
            large=f"/pictures/{item.id}/{position}/large?v={version}",
            small=f"/pictures/{item.id}/{position}/small?v={version}",
            note=_note(states.get(image.id), outcome),
        )
        for position, image in enumerate(product.images)
        if is_shown(states.get(image.id))
    }
    sequence = tuple(views[image_id] for image_id in outcome.sequence if image_id in views)
    return ItemView(
        id=item.id,
        product_id=product.id,
        title=product.title or product.id,
        category=product.category,
        description=product.description,
        reason="" if outcome.sequence else outcome.detail or reason_in_words(outcome.reason),
        sequence=sequence,
        others=tuple(view for view in views.values() if view not in sequence),
        guesses=_guesses(outcome, rules, offered),
        draft=objection(outcome),
    )


def is_shown(image: ImageOutcome | None) -> bool:
    """Say whether a run has read an image: no other one is shown."""
    return image is not None and image.state != "unreadable"


def objection(outcome: Outcome) -> str:
    """Return the generated feedback; "" where it objects to nothing."""
    feedback = outcome.feedback or ""
    return "" if feedback.lower() in ACCEPTING_WORDS else feedback


def _note(image: ImageOutcome | None, outcome: Outcome) -> str:
    if image is None or image.state in ("primary", "selected"):
        return ""
    reasons = [finding.name for finding in outcome.findings if image.id in finding.images and image.state == "removed"]
    return spoken(reasons[0]) if reasons and reasons[0] else STATE_WORDS[image.state]


@lru_cache(4)
def _parser(rules: RuleSet) -> FeedbackParser:
    return FeedbackParser(rules)


def _guesses(outcome: Outcome, rules: RuleSet, offered: Sequence[Rule]) -> tuple[str, ...]:
    """Return the rules that the generated feedback names, then those found on images of the sequence, by score."""
    named = _parser(rules).rules_in(outcome.feedback or "")
    chosen = set(outcome.sequence)
    found = sorted((one for one in outcome.findings if chosen & set(one.images)), key=lambda one: -one.score)
    known = {rule.code for rule in offered}
    codes = [*named, *(one.code for one in found)]
    return tuple(dict.fromkeys(code for code in codes if code in known))[:GUESSES]
