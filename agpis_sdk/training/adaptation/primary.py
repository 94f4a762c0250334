"""Lets the primary head learn on from the order in which a shop lists its own photos, where that order means something."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import binomtest, ttest_1samp

from agpis_sdk.builtin.primary.config import LearnedPrimaryConfig
from agpis_sdk.builtin.primary.features import FACTS
from agpis_sdk.builtin.primary.model import SHIPPED, PrimaryHead
from agpis_sdk.pipeline.alternatives import FIRST_VIEWS
from agpis_sdk.pipeline.image_facts import ProductFacts
from agpis_sdk.records import Review
from agpis_sdk.training.adaptation.request import Adaptation, AdaptationRequest
from agpis_sdk.training.primary import WEIGHTS, RankedGallery, adapted, first_right_rank, ranked_gallery, scored

FEWEST_GALLERIES = 8
FOLDS = 5
SIGNIFICANCE = 0.05
"""Largest p-value of the sign test at which an adapted head is taken."""
SIGNIFICANCE_OF_SHARES = 0.001
"""The same of the t-test on log shares, which is as sure with fewer products, and is misled by a few large gains."""
LEAST_FORETOLD = 0.75
"""Share of listed first images that an adapted head has to foretell: an order that it foretells less often is no rule of the house."""


@dataclass(frozen=True, eq=False)
class AdaptedPrimary:
    """A head, and how often it puts the listed first image first on galleries that did not teach it, 0..1.

    `head` is the adapted one where `adopted`, else the one before. `before` and `after` are None where there are too few
    galleries for an answer.
    """

    head: PrimaryHead
    adopted: bool
    galleries: int
    before: float | None
    after: float | None
    reason: str


class PrimaryAdapter:
    """Adapts the component `primary`."""

    facts = FACTS
    quick = True

    def adapt(self, request: AdaptationRequest) -> Adaptation:
        """Write an adapted head where cross-validation says better."""
        settings: LearnedPrimaryConfig = request.settings("primary", LearnedPrimaryConfig)
        head = PrimaryHead.load(settings.weights or SHIPPED)
        result = adapt_primary(head, request.products, accepted_firsts(request.reviews), seed=request.seed)
        if result.adopted:
            result.head.save(request.out / WEIGHTS)
        return Adaptation(
            part="first image",
            measure="listed first image put first",
            examples=result.galleries,
            before=result.before,
            after=result.after,
            adopted=result.adopted,
            reason=result.reason,
            settings={"components": {"primary": {"weights": f"./{WEIGHTS}"}}} if result.adopted else {},
        )


def accepted_firsts(reviews: Iterable[Review]) -> dict[str, set[str]]:
    """Return the first images of the sequences that reviewers accepted, by product id."""
    firsts: dict[str, set[str]] = {}
    for review in reviews:
        if review.decision == "accepted":
            firsts.setdefault(review.product.id, set()).add(review.sequence[0])
    return firsts


def adapt_primary(
    head: PrimaryHead,
    products: Sequence[ProductFacts],
    reviewed: Mapping[str, Iterable[str]] = MappingProxyType({}),
    *,
    seed: int = 0,
) -> AdaptedPrimary:
    """Learn on from the first image of products; adopted only where cross-validation says better.

    The first image is what reviewers accepted where `reviewed` has the product, else the first listed one. The facts of a
    product are `FACTS`. A gallery that nobody has reviewed, and that begins with what no first image shows, such as a back,
    teaches nothing: it was listed by chance.
    """
    made = (
        ranked_gallery(known, reviewed.get(known.product.id, [known.product.images[0].id]))
        for known in products
        if known.product.id in reviewed or _begins_well(known)
    )
    galleries = [gallery for gallery in made if gallery is not None]
    if len(galleries) < FEWEST_GALLERIES:
        reason = f"needs {FEWEST_GALLERIES} products with several readable images, the first listed among them, and no back or detail"
        return AdaptedPrimary(head, False, len(galleries), None, None, reason)
    before, after, gains = cross_validated(head, galleries, seed)
    better, worse = int((after & ~before).sum()), int((before & ~after).sum())
    certain, foretold = _is_certain(better, worse, gains), float(after.mean()) >= LEAST_FORETOLD
    reason = f"{better} of its products better, {worse} worse, by heads that did not learn from them"
    if not certain:
        reason += ": no clear gain, so the order may be noise" if worse >= better else ": too few to be sure"
    elif not foretold:
        reason += f": still less than {LEAST_FORETOLD:.0%} are foretold, so the order is no rule"
    adopted = certain and foretold
    return AdaptedPrimary(
        adapted(head, galleries) if adopted else head,
        adopted,
        len(galleries),
        float(before.mean()),
        float(after.mean()),
        reason,
    )


def _begins_well(known: ProductFacts) -> bool:
    first = known.images.get(known.product.images[0].id)
    return first is not None and first["view"].name in FIRST_VIEWS


def _is_certain(better: int, worse: int, gains: NDArray[np.float64]) -> bool:
    """Return whether a gain is no chance, by how many galleries are better and worse, and by gains in log share (n,)."""
    changed = better + worse
    by_signs = changed > 0 and binomtest(better, changed, alternative="greater").pvalue <= SIGNIFICANCE
    if by_signs or worse > better or not gains.std() > 0:
        return bool(by_signs)
    return bool(ttest_1samp(gains, 0.0, alternative="greater").pvalue <= SIGNIFICANCE_OF_SHARES)


def cross_validated(
    head: PrimaryHead, galleries: Sequence[RankedGallery], seed: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
    """Return of each gallery (n,) whether a head puts its right image first, before and after learning from the others.

    The third is by how much the logarithm of the right images' share of a softmax over the gallery grows.
    """
    fold = np.random.default_rng(seed).permutation(len(galleries)) % FOLDS
    before = np.array([first_right_rank(gallery, head) == 1 for gallery in galleries])
    after, gains = before.copy(), np.zeros(len(galleries))
    for held in range(FOLDS):
        others = [gallery for gallery, own in zip(galleries, fold.tolist(), strict=True) if own != held]
        learned = adapted(head, others)
        for row in np.flatnonzero(fold == held).tolist():
            after[row] = first_right_rank(galleries[row], learned) == 1
            gains[row] = _log_share(galleries[row], learned) - _log_share(galleries[row], head)
    return before, after, gains


def _log_share(gallery: RankedGallery, head: PrimaryHead) -> float:
    scores, right = scored(gallery, head)
    return float(logsumexp(scores[right]) - logsumexp(scores))
