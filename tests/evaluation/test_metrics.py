"""A model's measurement: right figures, honest intervals, and a reason wherever a figure is missing."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, brier_score_loss, roc_auc_score

from agpis_sdk.builtin.muisc.text import label_space
from agpis_sdk.evaluation.metrics import evaluate, reliability
from agpis_sdk.evaluation.predictions import Predictions
from agpis_sdk.plugins import shipped_rules
from tests.evaluation.predicted import drawn, expected_calibration_error, predicted, sequence_metrics

CLASSES = label_space(shipped_rules())

CODES = st.lists(st.sampled_from(["yes", "AGP101", "AGP201", "AGP302", "other"]), max_size=30)


# ── Figures ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_ranking_figures_are_those_of_scikit_learn() -> None:
    reviews = drawn(400)

    found = evaluate(reviews, resamples=0).as_dict()

    expected = sequence_metrics(reviews.codes, reviews.p_qualified)
    assert {name: found[name] for name in expected} == expected


def test_calibration_and_top1_are_those_of_scikit_learn() -> None:
    reviews = drawn(400)

    figures = evaluate(reviews, resamples=0).metrics

    assert figures["brier"].value == pytest.approx(brier_score_loss(reviews.qualified, reviews.p_qualified))
    assert figures["top1"].value == pytest.approx(accuracy_score(reviews.codes, reviews.most_likely))


def test_a_rule_s_auc_is_taken_against_all_qualified() -> None:
    reviews = predicted(["yes", "yes", *["AGP103"] * 5, "AGP121"], [0.9, 0.5, 0.1, 0.2, 0.6, 0.6, 0.7, 0.95])

    figure = evaluate(reviews, resamples=0).rules["AGP103"]

    chosen = reviews.codes != "AGP121"
    assert figure.value == pytest.approx(roc_auc_score(reviews.qualified[chosen], reviews.p_qualified[chosen]))
    assert figure.reviews == 5


def test_a_rule_with_too_few_reviews_has_no_auc_but_a_reason() -> None:
    figure = evaluate(predicted(["yes", "AGP103", "AGP103"]), resamples=0).rules["AGP103"]

    assert figure.value is None
    assert figure.missing == "2 reviews of it, 5 are needed"


def test_a_rule_that_nobody_violates_is_listed() -> None:
    report = evaluate(predicted(["yes", *["AGP103"] * 5]), resamples=0)

    assert "AGP101" in report.unseen_rules
    assert "AGP103" not in report.unseen_rules
    assert len(report.unseen_rules) == len(CLASSES) - len(["yes", "other", "AGP103"])


def test_the_most_likely_objection_counts_even_where_acceptance_is_likelier() -> None:
    report = evaluate(predicted(["AGP103", "AGP121"], [0.9, 0.1]), resamples=0)

    assert report.metrics["top1"].value == 0.5
    assert report.metrics["rejected_top1"].value == 1.0


def test_confusion_counts_reviews_by_class_over_classes_that_occur() -> None:
    report = evaluate(predicted(["yes", "yes", "AGP103", "AGP103"], [0.9, 0.1, 0.8, 0.1]), resamples=0)

    assert report.confusion.classes == ("yes", "AGP103", "other")
    assert report.confusion.counts == ((1, 0, 1), (1, 1, 0), (0, 0, 0))


def test_the_reliability_curve_is_that_of_scikit_learn() -> None:
    reviews = drawn(400)

    points = [point for point in reliability(reviews.qualified, reviews.p_qualified) if point.reviews]

    shares, means = calibration_curve(reviews.qualified, reviews.p_qualified, n_bins=10)
    np.testing.assert_allclose([point.share_qualified for point in points], shares)
    np.testing.assert_allclose([point.mean_probability for point in points], means)


def test_an_empty_bin_of_the_reliability_curve_stands_there_with_no_share() -> None:
    points = reliability(np.array([True]), np.array([0.55]))

    assert [point.reviews for point in points] == [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert points[0].share_qualified is None


# ── Feedback ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def feedback(name: str, codes: list[str], said: list[str], written: list[str] | None = None) -> float | None:
    return evaluate(predicted(codes, said=said, written=written), resamples=0).metrics[name].value


def test_the_first_rule_that_feedback_names_must_be_the_reviewer_s() -> None:
    said = ["Blur in the first image", "watermark; also blurry", "yes"]

    assert feedback("feedback_names_the_rule", ["AGP103"] * 3, said) == pytest.approx(1 / 3)


def test_a_rejection_without_a_known_rule_does_not_count_against_the_rule() -> None:
    assert feedback("feedback_names_the_rule", ["AGP103", "other"], ["blur", "ugly"]) == 1.0


def test_feedback_names_all_images_of_the_reviewer_or_it_does_not_count() -> None:
    written = ["the first and the third image: duplicate content", "blur in the second image"]
    said = ["duplicate content between the third and the first image", "blur in the second and the third image"]

    assert feedback("feedback_names_the_image", ["AGP201", "AGP103"], said, written) == 0.5


def test_images_count_only_where_the_reviewer_names_one() -> None:
    written = ["blur in the second image", "improper order"]

    assert (
        feedback("feedback_names_the_image", ["AGP103", "AGP302"], ["second image: blur", "first image"], written)
        == 1.0
    )


def test_qualified_reviews_should_be_told_yes() -> None:
    assert feedback("feedback_says_yes", ["yes", "yes", "AGP103"], [" Yes", "blur", "yes"]) == 0.5


def test_a_model_without_words_has_no_figures_on_words() -> None:
    report = evaluate(predicted(["yes", "AGP103"], said=["", ""]), resamples=0)

    assert report.metrics["feedback_says_yes"].value is None
    assert report.missing["feedback_names_the_rule"] == "the model generates no feedback"


# ── Intervals ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_headline_figure_has_an_interval_around_it() -> None:
    report = evaluate(drawn(600, products=150))

    for name, figure in report.metrics.items():
        assert figure.low is not None, name
        assert figure.low <= figure.value <= figure.high, name


def test_the_same_seed_gives_the_same_report() -> None:
    reviews = drawn(200)

    assert evaluate(reviews, seed=3, resamples=50) == evaluate(reviews, seed=3, resamples=50)


def test_many_reviews_of_one_product_teach_less_than_as_many_products() -> None:
    few, many = drawn(900, products=30), drawn(900)
    torn = Predictions(
        many.codes, many.probabilities, many.generated_feedback, many.reviewer_feedback, few.products, CLASSES
    )
    repeated = np.repeat(np.arange(30), 30)
    copies = Predictions(
        many.codes[repeated],
        many.probabilities[repeated],
        [""] * 900,
        [""] * 900,
        repeated.astype(np.str_),
        CLASSES,
    )

    def width(reviews: Predictions) -> float:
        figure = evaluate(reviews, resamples=200).metrics["auc"]
        return figure.high - figure.low

    assert width(copies) > 2 * width(torn)


def test_reviews_of_one_product_have_no_interval_and_say_why() -> None:
    report = evaluate(predicted(["yes", "AGP103"], [0.8, 0.3], products=["p", "p"]))

    assert report.metrics["auc"].value == 1.0
    assert report.metrics["auc"].low is None
    assert report.missing["auc"] == "no interval: all reviews are of one product"


def test_without_resamples_every_figure_says_that_it_has_no_interval() -> None:
    report = evaluate(drawn(200), resamples=0)

    assert report.missing["auc"] == "no interval: no resamples were asked for"


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    truth = evaluate(drawn(40_000, seed=99), resamples=0).metrics["auc"].value
    figures = [evaluate(drawn(150, seed=seed), resamples=200).metrics["auc"] for seed in range(60)]

    covered = np.mean([figure.low <= truth <= figure.high for figure in figures])

    assert covered >= 0.85


# ── Missing figures ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("codes", "reason"),
    [([], "there is no review"), (["yes"], "no review is rejected"), (["AGP101"], "no review is qualified")],
)
def test_what_cannot_be_ranked_says_why(codes: list[str], reason: str) -> None:
    report = evaluate(predicted(codes))

    assert report.metrics["auc"].value is None
    assert report.metrics["recall_at_precision_0.8"].value is None
    assert report.missing["auc"] == report.missing["recall_at_precision_0.8"] == reason


def test_a_category_without_reviews_says_why() -> None:
    report = evaluate(predicted(["yes", "AGP101"]))

    assert report.missing["auc_pair"] == "no review is rejected for an image-pair rule"


@settings(deadline=None, max_examples=50)
@given(CODES, st.integers(0, 3))
def test_a_figure_has_a_value_with_an_interval_or_a_reason(codes: list[str], seed: int) -> None:
    scores = np.random.default_rng(seed).random(len(codes))

    report = evaluate(predicted(codes, scores.tolist()), resamples=20)

    for figure in (*report.metrics.values(), *report.rules.values()):
        assert (figure.value is None) <= bool(figure.missing)
        assert (figure.low is None) == bool(figure.missing)
        assert figure.value is None or 0 <= figure.value <= 1


@settings(deadline=None, max_examples=30)
@given(CODES)
def test_a_report_of_whatever_reviews_is_json(codes: list[str]) -> None:
    found = evaluate(predicted(codes), resamples=5).as_dict()

    assert json.loads(json.dumps(found, allow_nan=False)) == found


@settings(deadline=None, max_examples=30)
@given(st.permutations(range(12)))
def test_the_order_of_reviews_does_not_matter(order: list[int]) -> None:
    reviews = drawn(12, seed=5)
    shuffled = Predictions(
        reviews.codes[order],
        reviews.probabilities[order],
        [reviews.generated_feedback[place] for place in order],
        [reviews.reviewer_feedback[place] for place in order],
        reviews.products[order],
        CLASSES,
    )

    assert evaluate(shuffled, resamples=20).as_dict() == evaluate(reviews, resamples=20).as_dict()


# ── Input ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_parts_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="generated_feedback: 1 for 2 codes"):
        predicted(["yes", "AGP101"], said=["yes"])


def test_a_probability_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not all in"):
        predicted(["yes"], [float("nan")])


def test_a_code_that_is_no_class_is_refused() -> None:
    with pytest.raises(ValueError, match='"ACM101" is not a class'):
        Predictions(np.array(["ACM101"]), np.zeros((1, len(CLASSES))), [""], [""], np.array(["p"]), CLASSES)


def test_figures_are_rounded_to_four_digits() -> None:
    found = evaluate(drawn(100), resamples=20).as_dict()

    assert found["auc"] == round(found["auc"], 4)
    assert all(bound == round(bound, 4) for bound in found["intervals"]["auc"])


def test_the_calibration_error_alone_takes_single_precision() -> None:
    error = expected_calibration_error(np.array([True, False]), np.array([0.75, 0.25], dtype=np.float32))

    assert error == 0.25
