"""Outcomes to FiftyOne and its tags back, in the layout that its importer reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agpis_sdk.errors import TrainingDataError
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.records import Finding, Mark, Region, Review
from agpis_sdk.review.fiftyone_dataset import METADATA, SAMPLES, metadata, reviews_from, samples
from agpis_sdk.review.outcomes import RunProduct
from tests.review.runs import run_product

RULES = shipped_rules()


@pytest.fixture
def pair() -> RunProduct:
    watermark = Finding(
        code="AGP121", images=("b",), score=0.9, message="", regions=(Region(image="b", box=(20, 30, 40, 60)),)
    )
    return run_product(1, findings=(watermark,))


def exported(pair: RunProduct, **tags: list[str]) -> list[dict[str, Any]]:
    """Return the samples of a product as FiftyOne writes them again, with tags by image."""
    written = samples([pair], RULES, lambda _: (200, 300))
    return [{**sample, "tags": tags.get(sample["image_id"], [])} for sample in written]


def reviewed(pair: RunProduct, **tags: list[str]) -> list[Review]:
    return list(reviews_from(exported(pair, **tags), {pair.product.id: pair.product}, RULES))


def test_each_image_of_a_sequence_is_a_sample_with_its_place(pair: RunProduct) -> None:
    found = exported(pair)

    assert [(one["image_id"], one["place"], one["filepath"]) for one in found] == [
        (letter, place, f"p00001-{letter}.png") for place, letter in enumerate("abc", start=1)
    ]
    assert found[0]["status"]["label"] == "submit"
    assert found[0]["status"]["confidence"] == pair.outcome.probability


def test_a_finding_is_a_detection_in_shares_of_the_image(pair: RunProduct) -> None:
    [detection] = exported(pair)[1]["findings"]["detections"]

    assert detection["label"] == "AGP121 Watermark"
    assert detection["bounding_box"] == [0.1, 0.1, 0.2, 0.2]
    assert detection["confidence"] == 0.9


def test_a_product_without_tags_is_not_reviewed(pair: RunProduct) -> None:
    assert reviewed(pair) == []


def test_a_tag_accepts(pair: RunProduct) -> None:
    [review] = reviewed(pair, b=["accepted"])

    assert (review.decision, review.sequence) == ("accepted", ("a", "b", "c"))


def test_the_code_of_a_rule_as_a_tag_rejects_and_marks_its_image(pair: RunProduct) -> None:
    [review] = reviewed(pair, c=["AGP121", "my own tag"])

    assert (review.decision, review.rules) == ("rejected", ("AGP121",))
    assert review.marks == (Mark(image="c", rule="AGP121"),)


@pytest.mark.parametrize(
    ("tags", "fault"),
    [
        ({"a": ["accepted"], "b": ["AGP121"]}, "is accepted and rejected"),
        ({"a": ["rejected"]}, "is rejected without a rule"),
    ],
)
def test_what_contradicts_itself_is_refused(pair: RunProduct, tags: dict[str, list[str]], fault: str) -> None:
    with pytest.raises(TrainingDataError, match=fault):
        reviewed(pair, **tags)


def test_a_product_that_nobody_knows_is_refused(pair: RunProduct) -> None:
    with pytest.raises(TrainingDataError, match="is not among the products"):
        list(reviews_from(exported(pair, a=["accepted"]), {}, RULES))


def test_fiftyone_s_own_importer_reads_it(pair: RunProduct, tmp_path: Path) -> None:
    importers = pytest.importorskip("fiftyone.utils.data.importers")
    (tmp_path / METADATA).write_text(json.dumps(metadata("m1")))
    (tmp_path / SAMPLES).write_text(json.dumps({"samples": exported(pair, b=["AGP121"])}))

    importer = importers.FiftyOneDatasetImporter(str(tmp_path))
    assert importer._is_legacy_format_data()
    with importer._to_legacy_importer() as read:
        found = list(read)

    assert [sample.image_id for sample in found] == ["a", "b", "c"]
    assert [one.label for one in found[1].findings.detections] == ["AGP121 Watermark"]
    [review] = reviews_from([sample.to_dict() for sample in found], {pair.product.id: pair.product}, RULES)
    assert review.rules == ("AGP121",)
