"""What reviews say about one rule: the images or sequences that break it, and those that keep it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from agpis_sdk.datasets.feedback_parser import FeedbackParser
from agpis_sdk.errors import TrainingDataError
from agpis_sdk.records import Product, Review
from agpis_sdk.rules import RuleSet
from agpis_sdk.training.request import LearningData
from agpis_sdk.wording import counted

OWNER = "agpis-vlm"
READ_ELSEWHERE = "files outside the reviews' folder are read with media.allow_outside = true"


@dataclass(frozen=True)
class Label:
    """A review as a label of a rule: whether some image of the sequence breaks it."""

    review: Review
    breaks: bool


class ReviewLabels:
    """The labels of reviews by rule; where a review lists no rules they are read off its words, as everywhere."""

    def __init__(self, reviews: Iterable[Review], rules: RuleSet) -> None:
        parser = FeedbackParser(rules)
        self.reviews = list(reviews)
        self._named = [set(review.rules or parser.rules_in(review.feedback)) for review in self.reviews]

    def of(self, code: str) -> Iterator[Label]:
        """Yield the labels of a rule: rejected reviews that name it break it, accepted ones keep it.

        Of a sequence that was rejected for another rule nobody said whether it keeps this one: it is left out.
        """
        for review, named in zip(self.reviews, self._named, strict=True):
            if review.decision == "accepted" or code in named:
                yield Label(review, review.decision == "rejected")

    def facts(self, request: LearningData, name: str) -> dict[str, dict[str, Any]]:
        """Return a fact about every image of the reviews, by product and image id; an image without it is left out.

        How many are left out is noted; raises `TrainingDataError` where no image has it.
        """
        products = self.products()
        found = {
            known.product.id: {image_id: facts[name] for image_id, facts in known.images.items()}
            for known in request.image_facts(products, frozenset({name}))
        }
        listed, known_images = sum(len(one.images) for one in products), sum(len(one) for one in found.values())
        if listed and not known_images:
            raise TrainingDataError(
                "name no image that can be read and judged", item="the reviews", remedy=READ_ELSEWHERE
            )
        if known_images < listed:
            request.note(f"{counted(listed - known_images, 'image')} of {listed:,} could not be read or judged")
        return found

    def products(self) -> list[Product]:
        """Return the products of the reviews, each once with all its images that a review is about."""
        found: dict[str, Product] = {}
        for review in self.reviews:
            known = found.setdefault(review.product.id, review.product.model_copy(update={"images": ()}))
            ids = {image.id for image in known.images}
            more = [image for image in review.product.images if image.id in review.sequence and image.id not in ids]
            found[known.id] = known.model_copy(update={"images": (*known.images, *more)})
        return list(found.values())


def sentence_codes(rules: RuleSet) -> list[str]:
    """Return the codes of the single-image rules that were written for this plugin."""
    return [rule.code for rule in rules if rule.category == "single-image" and rules.owner(rule.code).startswith(OWNER)]
