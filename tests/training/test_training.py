"""Training learns what can be learned, says what cannot, and measures on unseen products."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from agpis_sdk.builtin.primary.config import PrimaryTrainingConfig
from agpis_sdk.builtin.primary.model import PrimaryHead
from agpis_sdk.datasets.galleries import read_galleries
from agpis_sdk.errors import TrainingDataError
from agpis_sdk.records import Review
from agpis_sdk.training.noncompliance import train_noncompliance
from agpis_sdk.training.primary import WEIGHTS, fitted_slope, ranked_galleries, train
from tests.training.color_shop import ColorBackbone, color_facts, training_request


def test_the_primary_head_learns_what_comes_first(folder: Path, tmp_path: Path) -> None:
    metrics = train(training_request(tmp_path / "out", photos=(folder,), settings=PrimaryTrainingConfig()))

    assert metrics["test"]["top1"] == 1.0
    assert (tmp_path / "out" / "primary.safetensors").is_file()


def test_a_primary_head_goes_on_from_another_one(folder: Path, tmp_path: Path) -> None:
    train(training_request(tmp_path / "before", photos=(folder,), settings=PrimaryTrainingConfig()))
    before = PrimaryHead.load(tmp_path / "before" / WEIGHTS)
    settings = PrimaryTrainingConfig(adapt=tmp_path / "before")

    train(training_request(tmp_path / "after", photos=(folder,), settings=settings))

    after = PrimaryHead.load(tmp_path / "after" / WEIGHTS)
    assert np.array_equal(after.usual, before.usual)
    assert not np.array_equal(after.weight, before.weight)


def test_scores_that_order_by_chance_are_trusted_less_than_scores_that_are_right() -> None:
    rng = np.random.default_rng(0)
    first = np.array([True, False, False, False])
    right = [(np.array([3.0, 0.0, 0.0, 0.0]), first)] * 20
    chance = [(3 * rng.normal(size=4), rng.permutation(first)) for _ in range(200)]

    assert fitted_slope(right) > 10 * fitted_slope(chance)


def test_primary_needs_two_candidates_a_product(folder: Path, tmp_path: Path) -> None:
    products = [review.product for review in read_galleries([folder])]
    alone = [product.model_copy(update={"images": product.images[:1]}) for product in products]
    reviews = [Review(product=one, sequence=(one.images[0].id,), decision="accepted") for one in alone]
    written = folder / "reviews.jsonl"
    written.write_text("\n".join(review.model_dump_json() for review in reviews), encoding="utf-8")

    with pytest.raises(TrainingDataError, match="two or more candidate images"):
        train(training_request(tmp_path, reviews=written, settings=PrimaryTrainingConfig()))


def test_every_first_image_that_a_reviewer_accepted_counts_as_right(folder: Path) -> None:
    product = next(iter(read_galleries([folder]))).product
    firsts = [product.images[0].id, product.images[2].id]
    reviews = [Review(product=product, sequence=(first,), decision="accepted") for first in firsts]

    (gallery,) = ranked_galleries(reviews, color_facts)

    assert gallery.right.tolist() == [True, False, True, False]


def test_a_gallery_leaves_color_variants_out(folder: Path) -> None:
    facts = {"p0": {"0-0": {"view": "main"}, "0-2": {"view": "main", "role": "variant"}}}
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")

    first = next(iter(read_galleries([folder])))

    assert [image.id for image in first.product.images] == ["0-0", "0-1", "0-3"]


@pytest.mark.slow
def test_the_noncompliance_head_is_trained_and_measured(folder: Path, tmp_path: Path) -> None:
    metrics = train_noncompliance(read_galleries([folder]), tmp_path / "out", ColorBackbone(), epochs=1, draws=1)

    assert 0 <= metrics["auc"] <= 1
    assert metrics["test_photos"] > 0
    assert (tmp_path / "out" / "noncompliance.safetensors").is_file()


def test_noncompliance_needs_an_accepted_photo(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="no accepted review"):
        train_noncompliance([], tmp_path, ColorBackbone())
