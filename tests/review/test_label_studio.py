"""Outcomes to Label Studio and its annotations back, in the formats that it publishes."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from agpis_sdk.errors import TrainingDataError
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.records import Finding, Mark, Region
from agpis_sdk.review.label_studio import labeling_config, reviews_from, tasks
from agpis_sdk.review.outcomes import RunProduct
from tests.review.runs import run_product

RULES = shipped_rules()


@pytest.fixture
def pair() -> RunProduct:
    found = Finding(
        code="AGP121",
        name="watermark",
        images=("b",),
        score=0.9,
        message="",
        regions=(Region(image="b", box=(20, 30, 40, 60)),),
    )
    return run_product(1, findings=(found,))


def task_of(pair: RunProduct) -> dict[str, Any]:
    [task] = tasks([pair], RULES, lambda uri: (200, 300), "m1")
    return task


def test_a_task_has_the_images_and_the_run_s_view(pair: RunProduct) -> None:
    task = task_of(pair)

    assert [task["data"][f"image_{n}"] for n in (1, 2, 3)] == ["p00001-a.png", "p00001-b.png", "p00001-c.png"]
    [prediction] = task["predictions"]
    assert prediction["score"] == pair.outcome.probability
    rectangle, words = prediction["result"]
    assert rectangle["value"] == {
        "x": 10.0, "y": 10.0, "width": 20.0, "height": 20.0, "rotation": 0, "rectanglelabels": ["AGP121 Watermark"],
    }  # fmt: skip
    assert (rectangle["from_name"], rectangle["to_name"]) == ("marks_2", "image_2")
    assert words["value"] == {"text": ["there is a watermark on the second image"]}


def test_every_result_belongs_to_a_control_of_the_labeling_config(pair: RunProduct) -> None:
    config = ElementTree.fromstring(labeling_config(RULES, 3))
    controls = {(one.get("name"), one.get("toName"), one.tag.lower()) for one in config.iter() if one.get("toName")}

    for result in task_of(pair)["predictions"][0]["result"]:
        assert (result["from_name"], result["to_name"], result["type"]) in controls
    fields = {one.get("value", "").removeprefix("$") for one in config.iter() if one.tag in ("Image", "Text")}
    assert fields <= set(task_of(pair)["data"])


def annotated(pair: RunProduct, *results: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    return [{"id": 7, **task_of(pair), "annotations": [{"id": 1, "result": list(results), **more}]}]


def chosen(name: str, *choices: str) -> dict[str, Any]:
    return {"from_name": name, "to_name": "title", "type": "choices", "value": {"choices": list(choices)}}


def test_a_prediction_that_was_taken_over_comes_back_as_a_mark(pair: RunProduct) -> None:
    taken = task_of(pair)["predictions"][0]["result"]
    exported = annotated(pair, *taken, chosen("decision", "rejected"))

    [review] = reviews_from(exported, {pair.product.id: pair.product})

    assert review.marks == (Mark(image="b", box=(20, 30, 40, 60), rule="AGP121"),)
    assert (review.decision, review.rules) == ("rejected", ("AGP121",))
    assert review.feedback == "there is a watermark on the second image"


def test_an_accepted_task_is_an_accepted_review(pair: RunProduct) -> None:
    [review] = reviews_from(annotated(pair, chosen("decision", "accepted")), {pair.product.id: pair.product})

    assert (review.decision, review.sequence, review.feedback) == ("accepted", ("a", "b", "c"), "yes")


def test_a_cancelled_annotation_is_left_out(pair: RunProduct) -> None:
    assert list(reviews_from(annotated(pair, was_cancelled=True), {pair.product.id: pair.product})) == []


def test_an_annotation_without_a_decision_is_named(pair: RunProduct) -> None:
    with pytest.raises(TrainingDataError, match="task 7: has no decision"):
        list(reviews_from(annotated(pair), {pair.product.id: pair.product}))


def test_a_task_of_another_product_is_named(pair: RunProduct) -> None:
    with pytest.raises(TrainingDataError, match="task 7: is of a product"):
        list(reviews_from(annotated(pair, chosen("decision", "accepted")), {}))
