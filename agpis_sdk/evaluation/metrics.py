"""What a sequence model is worth: the paper's metrics (section 4.1), its calibration, and its words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.muisc.text import OTHER, QUALIFIED
from agpis_sdk.datasets.feedback_parser import FeedbackParser
from agpis_sdk.evaluation.bootstrap import BINS, Mask, Resamples, Values, bin_of, drawn_weights, interval, mask_of
from agpis_sdk.evaluation.predictions import JudgedReviews
from agpis_sdk.evaluation.report import Confusion, Figure, ReliabilityBin, SequenceReport
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.rules import RuleSet
from agpis_sdk.wording import counted

PRECISIONS = (0.8, 0.85, 0.9)
CATEGORIES = {"single": "AGP1", "pair": "AGP2", "multi": "AGP3"}
CATEGORY_WORDS = {"single": "a single-image", "pair": "an image-pair", "multi": "a multi-image"}
ENOUGH_FOR_A_RULE = 5
NO_REVIEW, NO_QUALIFIED, NO_REJECTED = "there is no review", "no review is qualified", "no review is rejected"
NO_WORDS = "the model says no feedback"


@dataclass(frozen=True, eq=False)
class _Question:
    """A figure to compute: how, which reviews (n,) it is about, and why it has no answer ("" where it has one)."""

    about: Mask
    answer: Callable[[Resamples], Values]
    missing: str


def evaluate(
    judged: JudgedReviews, *, seed: int = 0, resamples: int = 500, rules: RuleSet | None = None
) -> SequenceReport:
    """Measure a model on reviews that it has judged, with 95 % intervals from `resamples` draws of whole products.

    What cannot be computed is None and its reason is listed in the report; nothing is raised. Generated feedback is read
    with the names of `rules`, the shipped ones where none are given.
    """
    parser = FeedbackParser(rules or shipped_rules())
    headline = {**_ranking(judged), **_calibration(judged), **_classes(judged), **_feedback(judged, parser)}
    by_rule = _rules(judged)
    questions = {**headline, **by_rule}
    answered = {name: question for name, question in questions.items() if not question.missing}
    itself = Resamples.data_itself(judged.qualified, judged.p_qualified)
    values = {name: float(question.answer(itself)[0]) for name, question in answered.items()}
    drawn = _drawn(judged, answered, seed, resamples)
    figures = {
        name: _figure(question, values.get(name), drawn.get(name), judged.products)
        for name, question in questions.items()
    }
    return SequenceReport(
        reviews=len(judged),
        qualified=int(judged.qualified.sum()),
        products=len(set(judged.products.tolist())),
        resamples=resamples,
        figures={name: figures[name] for name in headline},
        rules={name: figures[name] for name in by_rule},
        unseen_rules=tuple(code for code in judged.classes[1:] if code != OTHER and code not in by_rule),
        reliability=reliability(judged.qualified, judged.p_qualified),
        confusion=confusion(judged),
    )


def reliability(qualified: Mask, p_qualified: Values, bins: int = BINS) -> tuple[ReliabilityBin, ...]:
    """Return the points of the reliability curve, over bins of equal width from 0 to 1."""
    places = bin_of(p_qualified, bins)
    return tuple(
        ReliabilityBin(
            start=place / bins,
            end=(place + 1) / bins,
            reviews=int(inside.sum()),
            mean_probability=float(p_qualified[inside].mean()) if inside.any() else None,
            share_qualified=float(qualified[inside].mean()) if inside.any() else None,
        )
        for place in range(bins)
        for inside in [places == place]
    )


def confusion(judged: JudgedReviews) -> Confusion:
    """Return the confusion of the most likely class, over the classes that occur, in the model's order."""
    from sklearn.metrics import confusion_matrix

    if not len(judged):
        return Confusion((), ())
    counts = confusion_matrix(judged.codes, judged.most_likely, labels=list(judged.classes))
    occurs = np.flatnonzero(counts.sum(0) + counts.sum(1)).tolist()
    return Confusion(
        tuple(judged.classes[place] for place in occurs),
        tuple(tuple(row) for row in counts[np.ix_(occurs, occurs)].tolist()),
    )


def _ranking(judged: JudgedReviews) -> dict[str, _Question]:
    """Ask for the AUC, recall at precision, and the AUC of each category of rules.

    A category's AUC is taken against all qualified reviews: unlike the paper's balanced subsets this draws nothing at
    random, and has the same expectation.
    """
    questions = {"auc": _against_qualified(judged, ~judged.qualified, NO_REJECTED)}
    for level in PRECISIONS:
        questions[f"recall_at_precision_{level:g}"] = _Question(
            judged.qualified, partial(Resamples.recall_at_precision, precision=level), questions["auc"].missing
        )
    for name, prefix in CATEGORIES.items():
        nobody = f"no review is rejected for {CATEGORY_WORDS[name]} rule"
        questions[f"auc_{name}"] = _against_qualified(judged, np.char.startswith(judged.codes, prefix), nobody)
    return questions


def _rules(judged: JudgedReviews) -> dict[str, _Question]:
    """Ask for the AUC of each class of rejected reviews that occurs."""
    questions = {}
    for code in judged.classes[1:]:
        rejected = np.asarray(judged.codes == code, dtype=bool)
        if count := int(rejected.sum()):
            too_few = (
                f"{counted(count, 'review')} of it, {ENOUGH_FOR_A_RULE} are needed" if count < ENOUGH_FOR_A_RULE else ""
            )
            questions[code] = _against_qualified(judged, rejected, NO_REJECTED, too_few)
    return questions


def _against_qualified(judged: JudgedReviews, rejected: Mask, nobody: str, too_few: str = "") -> _Question:
    missing = "" if rejected.any() else nobody
    if not judged.qualified.any():
        missing = NO_QUALIFIED
    if not len(judged):
        missing = NO_REVIEW
    return _Question(rejected, partial(Resamples.area_under_roc, rejected=rejected), missing or too_few)


def _calibration(judged: JudgedReviews) -> dict[str, _Question]:
    everyone, missing = np.ones(len(judged), dtype=bool), "" if len(judged) else NO_REVIEW
    return {
        "ece": _Question(everyone, Resamples.calibration_error, missing),
        "brier": _Question(everyone, Resamples.brier_score, missing),
    }


def _classes(judged: JudgedReviews) -> dict[str, _Question]:
    """Ask how often the most likely class, and on rejected reviews the most likely objection, is the right one."""
    return {
        "top1": _share(judged.most_likely == judged.codes, np.ones(len(judged), dtype=bool), NO_REVIEW),
        "rejected_top1": _share(judged.most_likely_objection == judged.codes, ~judged.qualified, NO_REJECTED),
    }


def _feedback(judged: JudgedReviews, parser: FeedbackParser) -> dict[str, _Question]:
    """Ask whether the words name the reviewer's rule and images, and say "yes" to what is qualified.

    A review whose rule is "other" names no rule that could be repeated, so it is not counted among the first.
    """
    said, written = judged.feedback_said, judged.feedback_written
    names_rule = [
        parser.rules_in(words)[:1] == (code,) for words, code in zip(said, judged.codes.tolist(), strict=True)
    ]
    images = [(parser.images_in(words), parser.images_in(wanted)) for words, wanted in zip(said, written, strict=True)]
    rejected, silent = ~judged.qualified, len(judged) > 0 and not any(said)
    questions = {
        "feedback_names_the_rule": _share(
            mask_of(names_rule), rejected & (judged.codes != OTHER), "no review is rejected for a known rule"
        ),
        "feedback_names_the_image": _share(
            mask_of([found == wanted for found, wanted in images]),
            rejected & mask_of([bool(wanted) for _, wanted in images]),
            "no reviewer who rejected names an image",
        ),
        "feedback_says_yes": _share(
            mask_of([words.strip().lower() == QUALIFIED for words in said]), judged.qualified, NO_QUALIFIED
        ),
    }
    if not silent:
        return questions
    return {name: _Question(question.about, question.answer, NO_WORDS) for name, question in questions.items()}


def _share(hits: Mask, among: Mask, nobody: str) -> _Question:
    return _Question(among, partial(Resamples.share, hits=hits, among=among), "" if among.any() else nobody)


def _drawn(
    judged: JudgedReviews, questions: dict[str, _Question], seed: int, resamples: int
) -> dict[str, NDArray[np.float64]]:
    """Return the values (R,) of every figure over resamples of products."""
    blocks = [
        {name: question.answer(block) for name, question in questions.items()}
        for weights in drawn_weights(judged.products, resamples, seed)
        for block in [Resamples(weights, judged.qualified, judged.p_qualified)]
    ]
    return {name: np.concatenate([block[name] for block in blocks]) for name in questions if blocks}


def _figure(
    question: _Question, value: float | None, drawn: NDArray[np.float64] | None, products: NDArray[np.str_]
) -> Figure:
    reviews = int(question.about.sum())
    if value is None:
        return Figure(None, reviews=reviews, missing=question.missing)
    if drawn is None:
        return Figure(value, reviews=reviews, missing="no interval: no resamples were asked for")
    if len(set(products[question.about].tolist())) < 2:
        return Figure(value, reviews=reviews, missing="no interval: all reviews are of one product")
    low, high = interval(drawn) or (None, None)
    return Figure(value, low, high, reviews, "" if low is not None else "no interval: no resample holds both decisions")
