"""`agpis train noncompliance --adapt` learns on from the head in force."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from agpis_sdk.builtin.noncompliance.config import NoncomplianceTrainingConfig
from agpis_sdk.builtin.noncompliance.head_file import HeadSizes
from agpis_sdk.builtin.noncompliance.model import NoncomplianceHead
from agpis_sdk.datasets.galleries import read_galleries
from agpis_sdk.errors import TrainingDataError
from agpis_sdk.records import Mark, Review
from agpis_sdk.training.noncompliance import WEIGHTS, train
from tests.training.color_shop import training_request


@pytest.fixture
def reviews(folder: Path) -> Path:
    """Accepted reviews of eight products with one photo each, and a marked one."""
    listed = [review.product for review in read_galleries([folder])][:8]
    alone = [product.model_copy(update={"images": product.images[:1]}) for product in listed]
    reviews = [Review(product=one, sequence=(one.images[0].id,), decision="accepted") for one in alone]
    mark = Mark(image=alone[0].images[0].id, rule="AGP121")
    reviews.append(reviews[0].model_copy(update={"decision": "rejected", "marks": (mark,)}))
    path = folder / "reviews.jsonl"
    path.write_text("".join(f"{review.model_dump_json()}\n" for review in reviews), encoding="utf-8")
    return path


@pytest.fixture
def in_force(tmp_path: Path) -> Path:
    torch.manual_seed(7)
    place = tmp_path / "in-force"
    place.mkdir()
    NoncomplianceHead(HeadSizes(320, 112, 40)).save(place / WEIGHTS)
    return place


def learned(reviews: Path, out: Path, **options: object) -> NoncomplianceHead:
    settings = NoncomplianceTrainingConfig(epochs=1, **options)
    train(training_request(out, reviews=reviews, settings=settings))
    return NoncomplianceHead.load(out / WEIGHTS)


def test_the_head_stays_near_the_one_in_force(reviews: Path, in_force: Path, tmp_path: Path) -> None:
    before = NoncomplianceHead.load(in_force / WEIGHTS)

    after = learned(reviews, tmp_path / "after", adapt=in_force)
    anew = learned(reviews, tmp_path / "anew")

    assert 0 < _distance(after, before) < _distance(anew, before) / 4


def test_the_head_in_force_is_not_changed(reviews: Path, in_force: Path, tmp_path: Path) -> None:
    before = (in_force / WEIGHTS).read_bytes()

    learned(reviews, tmp_path / "after", adapt=in_force)

    assert (in_force / WEIGHTS).read_bytes() == before


def test_the_head_may_be_named_by_its_file(reviews: Path, in_force: Path, tmp_path: Path) -> None:
    by_folder = learned(reviews, tmp_path / "a", adapt=in_force)
    by_file = learned(reviews, tmp_path / "b", adapt=in_force / WEIGHTS)

    assert _distance(by_folder, by_file) == 0


def test_a_folder_without_a_head_is_refused(reviews: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match=r"holds no noncompliance\.safetensors"):
        learned(reviews, tmp_path / "after", adapt=tmp_path)


def _distance(one: NoncomplianceHead, other: NoncomplianceHead) -> float:
    """Return how far the weights of two heads are from each other."""
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return sum(float((mine - theirs).abs().sum()) for mine, theirs in pairs)
