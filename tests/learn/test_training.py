"""Training learns what can be learned, says what cannot, and measures on unseen products."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agpis_sdk.errors import TrainingDataError
from agpis_sdk.learn.galleries import read_galleries
from agpis_sdk.learn.noncompliance import train_noncompliance
from agpis_sdk.learn.primary import train_primary
from agpis_sdk.records import CandidateImage, Product, Review
from learn.colours import ColourBackbone


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
