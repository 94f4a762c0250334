"""What reviewers have marked teaches the non-compliance head."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from agpis_sdk.records import CandidateImage, Mark, Product, Review
from agpis_sdk.training.noncompliance import marked


@pytest.fixture
def product(tmp_path: Path) -> Product:
    for letter in "ab":
        Image.new("RGB", (1000, 1000), "white").save(tmp_path / f"{letter}.png")
    return Product(id="p", images=tuple(CandidateImage(id=one, uri=str(tmp_path / f"{one}.png")) for one in "ab"))


def rejected(product: Product, *marks: Mark) -> Review:
    return Review(product=product, sequence=("a", "b"), decision="rejected", feedback="no", marks=marks)


def test_a_marked_box_is_a_place_on_the_image(product: Product) -> None:
    review = rejected(product, Mark(image="b", box=(100, 200, 300, 400), rule="AGP121"))

    [photo] = marked([review], seed=0)

    assert photo.kind == "watermark"
    assert photo.image.id == "b"
    assert photo.box == pytest.approx((0.1, 0.2, 0.3, 0.4), abs=0.01)


def test_an_image_marked_as_a_whole_has_no_place(product: Product) -> None:
    [photo] = marked([rejected(product, Mark(image="a", rule="AGP103"))], seed=0)

    assert (photo.kind, photo.box) == ("blur", None)


def test_marks_of_other_rules_teach_other_models(product: Product) -> None:
    assert list(marked([rejected(product, Mark(image="a", rule="AGP201"), Mark(image="b"))], seed=0)) == []


def test_an_image_counts_once(product: Product) -> None:
    marks = [Mark(image="a", box=(x, 0, 50, 50), rule="AGP121") for x in (0, 500)]

    assert len(list(marked([rejected(product, *marks)], seed=0))) == 1
