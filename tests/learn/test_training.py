"""Training learns what can be learned, says what cannot, and measures on unseen products."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agpis_sdk.bench.reviews import build_reviews
from agpis_sdk.components import DecodedImage
from agpis_sdk.errors import TrainingDataError
from agpis_sdk.learn.galleries import read_galleries, read_reviews
from agpis_sdk.learn.muisc import train_muisc
from agpis_sdk.learn.noncompliance import train_noncompliance
from agpis_sdk.learn.primary import train_primary
from agpis_sdk.records import CandidateImage, Product, Review


class ColourBackbone:
    """A backbone of the default's sizes that sees mean colours only: quick, and enough to learn an easy rule."""

    input_size = 224

    def features(self, images: Sequence[DecodedImage]) -> list[Mapping[str, np.ndarray]]:
        return [self._of(image) for image in images]

    def _of(self, image: DecodedImage) -> Mapping[str, np.ndarray]:
        colour = image.pixels.reshape(-1, 3).mean(0) / 255

        def spread(*shape: int) -> np.ndarray:
            values = np.zeros(shape, np.float32)
            values[:3] = colour.reshape(3, *([1] * (len(shape) - 1)))
            return values

        return {
            "embedding": spread(1280),
            "tokens": spread(320, 7, 7),
            "feature_map": spread(112, 14, 14),
            "detail_map": spread(40, 28, 28),
        }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Forty products whose first image is red and whose three others are blue."""
    (tmp_path / "images").mkdir()
    lines = []
    for number in range(40):
        names = []
        for position in range(4):
            colour = (200, 40 + number, 30) if position == 0 else (30, 40 + number, 120 + 30 * position)
            name = f"images/{number}-{position}.png"
            pixels = np.full((64, 64, 3), 250, np.uint8)
            pixels[8:56, 8:56] = colour
            Image.fromarray(pixels).save(tmp_path / name)
            names.append(name)
        lines.append(
            json.dumps({"id": f"p{number}", "title": f"Thing {number}", "category": str(number % 3), "images": names})
        )
    (tmp_path / "products.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


def test_the_primary_head_learns_what_comes_first(folder: Path, tmp_path: Path) -> None:
    metrics = train_primary(read_galleries([folder]), tmp_path / "out", ColourBackbone())

    assert metrics["test"]["top1"] == 1.0
    assert (tmp_path / "out" / "primary.safetensors").is_file()


def test_primary_needs_two_candidates_a_product(tmp_path: Path) -> None:
    product = Product(id="p", images=(CandidateImage(id="a", uri="a.jpg"),))
    reviews = [Review(product=product, sequence=("a",), decision="accepted")]

    with pytest.raises(TrainingDataError, match="two or more candidate images"):
        train_primary(reviews, tmp_path, ColourBackbone())


def test_a_gallery_leaves_colour_variants_out(folder: Path) -> None:
    facts = {"p0": {"0-0": {"view": "main"}, "0-2": {"view": "main", "role": "variant"}}}
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")

    first = next(iter(read_galleries([folder])))

    assert [image.id for image in first.product.images] == ["0-0", "0-1", "0-3"]


@pytest.mark.slow
def test_the_noncompliance_head_is_trained_and_measured(folder: Path, tmp_path: Path) -> None:
    metrics = train_noncompliance(read_galleries([folder]), tmp_path / "out", ColourBackbone(), epochs=1, draws=1)

    assert 0 <= metrics["auc"] <= 1
    assert metrics["test_photos"] > 0
    assert (tmp_path / "out" / "noncompliance.safetensors").is_file()


def test_noncompliance_needs_an_accepted_photo(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="no accepted review"):
        train_noncompliance([], tmp_path, ColourBackbone())


def hashes(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_bench_is_deterministic(folder: Path, tmp_path: Path) -> None:
    build_reviews([folder], tmp_path / "one", seed=3, per_product=2)
    build_reviews([folder], tmp_path / "two", seed=3, per_product=2)

    assert hashes(tmp_path / "one") == hashes(tmp_path / "two")


def test_reviews_of_the_bench_name_the_rule_in_words(folder: Path, tmp_path: Path) -> None:
    build_reviews([folder], tmp_path / "bench", per_product=4)

    reviews = list(read_reviews(tmp_path / "bench" / "reviews.jsonl"))

    assert {review.decision for review in reviews} == {"accepted", "rejected"}
    for review in reviews:
        assert (review.decision == "accepted") == (not review.rules)
        assert len(review.sequence) == 3


@pytest.mark.slow
def test_muisc_is_trained_on_reviews_and_measured(folder: Path, tmp_path: Path) -> None:
    build_reviews([folder], tmp_path / "bench", per_product=3)

    metrics = train_muisc(
        read_reviews(tmp_path / "bench" / "reviews.jsonl"), tmp_path / "out", ColourBackbone(), epochs=1
    )

    assert 0 <= metrics["test"]["auc"] <= 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "config.json", "metrics.json", "model.safetensors", "tokenizer.json",
    ]  # fmt: skip


def test_a_review_whose_image_is_gone_is_counted(folder: Path, tmp_path: Path) -> None:
    build_reviews([folder], tmp_path / "bench", per_product=2)
    (tmp_path / "bench" / "images" / "000000-1.jpg").unlink()

    metrics = train_muisc(
        read_reviews(tmp_path / "bench" / "reviews.jsonl"), tmp_path / "out", ColourBackbone(), epochs=1
    )

    assert metrics["skipped_reviews"] == 1


def test_a_line_that_is_no_review_is_named(tmp_path: Path) -> None:
    (tmp_path / "reviews.jsonl").write_text('{"product": 3}\n', encoding="utf-8")

    with pytest.raises(TrainingDataError, match="line 1"):
        list(read_reviews(tmp_path / "reviews.jsonl"))
