"""The model's answers as reviews: what `agpis train` learns local heads from."""

from __future__ import annotations

from collections.abc import Iterator

from agpis_sdk.pipeline.image_facts import ProductFacts
from agpis_sdk.records import Review
from agpis_sdk.rules import RuleSet
from agpis_vlm.checker import ImageVerdicts
from agpis_vlm.plugin import VERDICTS


def reviews_of(known: ProductFacts, rules: RuleSet) -> Iterator[Review]:
    """Yield a review of each image of a product that the model has judged by at least one rule.

    It is rejected for the rules whose score reaches their threshold, the surest first, in the model's own words.
    """
    for image_id, facts in known.images.items():
        answers: ImageVerdicts = facts[VERDICTS]
        if not answers.verdicts:
            continue
        broken = sorted(
            (code for code, verdict in answers.verdicts.items() if verdict.score >= rules[code].threshold),
            key=lambda code: (-answers.verdicts[code].score, code),
        )
        yield Review(
            product=known.product,
            sequence=(image_id,),
            decision="rejected" if broken else "accepted",
            feedback="; ".join(f"{rules[code].name}: {answers.verdicts[code].reason}" for code in broken) or "yes",
            rules=tuple(broken),
        )
