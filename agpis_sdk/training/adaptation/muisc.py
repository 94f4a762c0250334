"""Lets the sequence model learn on from violations put into a shop's own galleries, and from its reviews."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from agpis_sdk.builtin.builders.color_agreement import FACTS as COLOR_FACTS
from agpis_sdk.builtin.builders.color_agreement import OTHER_COLOR, Appearance, color_mismatch
from agpis_sdk.builtin.muisc.checkpoints import SHIPPED, load_muisc
from agpis_sdk.builtin.muisc.config import MuiscScorerConfig
from agpis_sdk.builtin.muisc.model import Muisc, MuiscConfig
from agpis_sdk.builtin.muisc.processor import FACTS
from agpis_sdk.builtin.muisc.text import QUALIFIED, MuiscText
from agpis_sdk.datasets.galleries import read_reviews
from agpis_sdk.datasets.labels import Shown, facts_of_gallery
from agpis_sdk.datasets.photos import load_photo
from agpis_sdk.datasets.review_features import LearnableReviews
from agpis_sdk.datasets.splits import Split
from agpis_sdk.evaluation.bootstrap import WeightedMetrics
from agpis_sdk.evaluation.calibration import Calibration, calibrated, fit_calibration
from agpis_sdk.evaluation.predict import class_logits
from agpis_sdk.pipeline.image_facts import ProductFacts
from agpis_sdk.synthetic.galleries import Gallery, galleries_of
from agpis_sdk.synthetic.reviews import REVIEWS, write_reviews
from agpis_sdk.synthetic.sequences import rows_as_in_table_1
from agpis_sdk.training.adaptation.request import Adaptation, AdaptationRequest
from agpis_sdk.training.muisc.initialization import InitFrom
from agpis_sdk.training.muisc.trainer import TrainingPlan, calibration_of, fit, learnable, set_calibration
from agpis_sdk.training.provenance import drop_checkpoints

FOLDER = "muisc"
FEWEST_GALLERIES, MOST_REVIEWS = 12, 1200
SHARES = (0.5, 0.2, 0.15, 0.15)
"""Of accepted, single, pair and multi-image samples: as many rejected as accepted ones teach most."""
REVIEWS_COUNT = 3
"""How often a review of the shop counts, beside a synthetic one."""
PLAN = TrainingPlan(epochs=4, batch_size=16, learning_rate=2e-4)
RESAMPLES, CERTAINTY = 500, 0.95
MEASURE = "accepted sequences before rejected ones (AUC)"
REFUSED, HALF = 0.5, 0.5


class MuiscAdapter:
    """Adapts the scorer `muisc`: half of the products teach a model that is measured on the other half, and the reverse."""

    facts = frozenset({"view", "p_noncompliant"}) | COLOR_FACTS
    quick = False

    def adapt(self, request: AdaptationRequest) -> Adaptation:
        """Write an adapted model where it ranks sequences of products that did not teach it surely better."""
        galleries = [gallery for known in request.products for gallery in listed_galleries(known)]
        several = sum(gallery.length > 1 for gallery in galleries)
        if several < FEWEST_GALLERIES:
            return _not_adapted(several, f"needs {FEWEST_GALLERIES} galleries with two clean photos of one color")
        settings: MuiscScorerConfig = request.settings("muisc", MuiscScorerConfig)
        before = settings.model or SHIPPED
        model, text = load_muisc(before)
        with tempfile.TemporaryDirectory() as folder:
            source = _source(request, galleries, several, model, Path(folder))
            crossed = cross_validated(model, text, source, str(before), Path(folder), request.seed)
            result = crossed.adaptation(several)
            if result.adopted:
                crossed.write(source, str(before), request.out / FOLDER, request.seed)
        return result


@dataclass(frozen=True, eq=False)
class CrossValidated:
    """Decisions (n,) and class logits (n, C) of reviews, before and after learning on from the other half of the products.

    `halves` (n,) tells which half a review is of, `calibration` is that of the model as it was.
    """

    qualified: NDArray[np.bool_]
    products: NDArray[np.str_]
    halves: NDArray[np.bool_]
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    calibration: Calibration

    def adaptation(self, galleries: int) -> Adaptation:
        """Return what became of the part; taken where the gain is sure over draws of products."""
        before, after = (float(roc_auc_score(self.qualified, p_qualified(one))) for one in (self.before, self.after))
        share = self._share_of_gains()
        adopted = share >= CERTAINTY
        error, error_after = self.calibration_errors()
        reason = (
            f"better in {share:.0%} of {RESAMPLES} draws of its products, {CERTAINTY:.0%} are asked for; "
            f"calibration error {error:.2f} before, {error_after:.2f} after"
        )
        return Adaptation(
            part="sequence model",
            measure=MEASURE,
            examples=galleries,
            before=before,
            after=after,
            adopted=adopted,
            reason=reason,
            settings={"components": {"muisc": {"model": f"./{FOLDER}"}}} if adopted else {},
        )

    def calibration_errors(self) -> tuple[float, float]:
        """Return the calibration errors (ECE) of p^t before and after, as many accepted as in the paper's Table 1.

        After: each half calibrated by the other one.
        """
        rows = rows_as_in_table_1(self.qualified)
        qualified, halves = self.qualified[rows], self.halves[rows]
        p_before, after = calibrated(self.before[rows], self.calibration)[:, 0], self.after[rows]
        p_after = np.zeros_like(p_before)
        for half in (halves, ~halves):
            p_after[half] = calibrated(after[half], fit_calibration(after[~half], qualified[~half]))[:, 0]
        before, now = (
            float(WeightedMetrics.unweighted(qualified, p).calibration_error()[0]) for p in (p_before, p_after)
        )
        return before, now

    def _share_of_gains(self) -> float:
        rng = np.random.default_rng(0)
        names, rows_of = np.unique(self.products, return_inverse=True)
        before, after, gains, draws = p_qualified(self.before), p_qualified(self.after), 0, 0
        for _ in range(RESAMPLES):
            weights = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))[rows_of]
            if len(set(self.qualified[weights > 0].tolist())) == 2:
                draws += 1
                first, second = (roc_auc_score(self.qualified, one, sample_weight=weights) for one in (before, after))
                gains += second > first
        return gains / max(draws, 1)

    def write(self, source: LearnableReviews, begin: str, out: Path, seed: int) -> None:
        """Write the model that all products teach; calibration is that of the halves, on products that did not teach them."""
        model, text = _learned(source, source.every_row, begin, out, seed)
        rows = rows_as_in_table_1(self.qualified)
        logits, qualified = self.after[rows], self.qualified[rows]
        set_calibration(model, logits, qualified, fit_calibration(logits, qualified))
        model.save_pretrained(out)
        text.save(out)
        drop_checkpoints(out)


def listed_galleries(known: ProductFacts) -> Iterator[Gallery]:
    """Yield the clean galleries of a product as the shop lists it: views and colors are those that stage 1 sees."""
    photos = {
        image.id: np.array(load_photo(known.product, image).pixels)
        for image in known.product.images
        if image.id in known.images
    }
    yield from galleries_of(known.product, photos, seen_facts(known))


def seen_facts(known: ProductFacts) -> dict[str, dict[str, str]]:
    """Return role, view and color of each image, as a shop's `facts.json` has them; the first listed image is the main view.

    An image that p_nc finds non-compliant, or that shows text, is left out; so is another one of the main view.
    """
    colors: list[Appearance | None] = []
    return facts_of_gallery(
        {
            name: Shown(
                view=own["view"].name,
                color=f"color {_color(own, colors)}",
                is_main=not number,
                is_unfit=own["p_noncompliant"] >= REFUSED or own["view"].name == "text",
            )
            for number, (name, own) in enumerate(known.images.items())
        }
    )


def _color(facts: Mapping[str, Any], known: list[Appearance | None]) -> int:
    """Return the number of an image's color among those known so far, which it joins where it is a new one."""
    own = Appearance.of(facts)
    for number, other in enumerate(known):
        if own is None or other is None or color_mismatch(own, other) < OTHER_COLOR:
            return number
    known.append(own)
    return len(known) - 1


def cross_validated(
    model: Muisc, text: MuiscText, source: LearnableReviews, begin: str, folder: Path, seed: int
) -> CrossValidated:
    """Return what a model says of each review, as it is and after learning on from the other half of the products."""
    halves = np.array([_position(review.product, seed) < HALF for review in source.reviews])
    before = class_logits(model, text, source, source.every_row)
    after = np.zeros_like(before)
    for held in (True, False):
        rows = np.flatnonzero(halves == held)
        taught = _learned(source, np.flatnonzero(halves != held), begin, folder / f"half-{held}", seed)
        after[rows] = class_logits(*taught, source, rows)
    return CrossValidated(
        qualified=np.array([review.code == QUALIFIED for review in source.reviews]),
        products=np.array([review.product for review in source.reviews]),
        halves=halves,
        before=before,
        after=after,
        calibration=calibration_of(model),
    )


def p_qualified(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p^t (n,) of class logits (n, C), not calibrated: what ranks sequences."""
    return calibrated(logits, Calibration())[:, 0]


def _source(
    request: AdaptationRequest, galleries: Sequence[Gallery], several: int, model: Muisc, folder: Path
) -> LearnableReviews:
    """Return synthetic reviews of the galleries, and the shop's own ones several times over, with features."""
    # A gallery of one photo is drawn from an eighth as often.
    per_product = round(MOST_REVIEWS / (several + (len(galleries) - several) / 8))
    # Strangers come from the same split: no photo of one half teaches on the other.
    halved = [
        replace(gallery, split="train" if _position(gallery.product.id, request.seed) < HALF else "validation")
        for gallery in galleries
    ]
    write_reviews(halved, folder, seed=request.seed, per_product=min(max(per_product, 4), 60), shares=SHARES)
    reviews = [*read_reviews(folder / REVIEWS), *[review for review in request.reviews for _ in range(REVIEWS_COUNT)]]
    return learnable(reviews, request.run_facts(FACTS), model.config, seed=request.seed, rules=request.rules)


def _learned(
    source: LearnableReviews, rows: NDArray[np.int64], begin: str, out: Path, seed: int
) -> tuple[Muisc, MuiscText]:
    """Return a model that learned on from some reviews; a fifth of their products says when to stop."""
    reviews = []
    for row in rows:
        review = source.reviews[row]
        split: Split = "validation" if _position(review.product, seed + 1) < 0.2 else "train"
        reviews.append(replace(review, split=split))
    model, text, _ = fit(
        replace(source, reviews=tuple(reviews)),
        MuiscConfig(),
        replace(PLAN, seed=seed),
        out,
        begin=InitFrom(model=begin),
    )
    return model, text


def _position(product: str, seed: int) -> float:
    """Return a number in 0..1 that is the same for all reviews of a product."""
    digest = hashlib.sha256(f"{seed}:{product}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _not_adapted(galleries: int, reason: str) -> Adaptation:
    return Adaptation(
        part="sequence model",
        measure=MEASURE,
        examples=galleries,
        before=None,
        after=None,
        adopted=False,
        reason=reason,
    )
