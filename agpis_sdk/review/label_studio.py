"""Exchange with Label Studio: outcomes out as tasks with predictions, annotations back as reviews.

Formats: https://labelstud.io/guide/tasks and https://labelstud.io/guide/predictions. Places are percentages of the image there, and pixels of
the original here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from agpis_sdk.errors import ImageReadError, TrainingDataError
from agpis_sdk.records import Box, Mark, Product, Review
from agpis_sdk.report.phrases import spoken
from agpis_sdk.review.outcomes import RunProduct
from agpis_sdk.rules import Rule, RuleSet

DECISION, FEEDBACK, RULES, TITLE = "decision", "feedback", "rules", "title"
DECISIONS = ("accepted", "rejected")
SizeOf = Callable[[str], tuple[int, int]]
"""Returns the width and height of an image by its uri; raises `ImageReadError`."""


def labeling_config(rules: RuleSet, longest: int) -> str:
    """Return the labeling interface for sequences of at most `longest` images."""
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Text", name=TITLE, value=f"${TITLE}")
    labels = [_label(rule) for rule in _reviewable(rules)]
    for place in range(1, longest + 1):
        ElementTree.SubElement(view, "Image", name=f"image_{place}", value=f"$image_{place}")
        marks = ElementTree.SubElement(view, "RectangleLabels", name=f"marks_{place}", toName=f"image_{place}")
        for label in labels:
            ElementTree.SubElement(marks, "Label", value=label)
    decision = ElementTree.SubElement(view, "Choices", name=DECISION, toName=TITLE, choice="single", required="true")
    for choice in DECISIONS:
        ElementTree.SubElement(decision, "Choice", value=choice)
    named = ElementTree.SubElement(view, "Choices", name=RULES, toName=TITLE, choice="multiple")
    for label in labels:
        ElementTree.SubElement(named, "Choice", value=label)
    ElementTree.SubElement(view, "TextArea", name=FEEDBACK, toName=TITLE, rows="2", editable="true")
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode")


def tasks(run: Sequence[RunProduct], rules: RuleSet, size_of: SizeOf, model_version: str) -> Iterator[dict[str, Any]]:
    """Yield a task for each product with a sequence, with the run's own view as its prediction.

    Every task has the image fields of the longest sequence; those that it has no image for are empty.
    """
    longest = longest_sequence(run)
    for pair in run:
        sequence = pair.outcome.sequence
        if not sequence:
            continue
        uris = {image.id: image.uri for image in pair.product.images}
        fields = {f"image_{place}": "" for place in range(1, longest + 1)}
        fields |= {f"image_{place}": str(uris[image_id]) for place, image_id in enumerate(sequence, start=1)}
        data = {
            "product_id": pair.product.id,
            TITLE: pair.product.title or pair.product.id,
            "category": pair.product.category,
            "sequence": list(sequence),
            **fields,
        }
        prediction: dict[str, Any] = {"model_version": model_version, "result": _predicted(pair, rules, uris, size_of)}
        if pair.outcome.probability is not None:
            prediction["score"] = pair.outcome.probability
        yield {"data": data, "predictions": [prediction]}


def longest_sequence(run: Sequence[RunProduct]) -> int:
    """Return how many images the longest sequence has."""
    return max((len(pair.outcome.sequence) for pair in run), default=0)


def reviews_from(exported: Sequence[Mapping[str, Any]], products: Mapping[str, Product]) -> Iterator[Review]:
    """Yield a review for each annotation that was not cancelled, from Label Studio's JSON export.

    Raises `TrainingDataError` naming the task that is of no known product, or is no task of ours.
    """
    for number, task in enumerate(exported, start=1):
        place = f"task {task.get('id', number)}"
        data = task.get("data", {})
        product = products.get(str(data.get("product_id")))
        if product is None:
            raise TrainingDataError(
                "is of a product that is not among the products", item=place, remedy="--products FILE"
            )
        for annotation in task.get("annotations", ()):
            if not annotation.get("was_cancelled", False):
                yield _review(product, tuple(data.get("sequence", ())), annotation.get("result", ()), place)


def _review(product: Product, sequence: tuple[str, ...], results: Sequence[Mapping[str, Any]], place: str) -> Review:
    decision, feedback = "", ""
    rules: list[str] = []
    marks: list[Mark] = []
    for result in results:
        name, value = result.get("from_name", ""), result.get("value", {})
        if name == DECISION:
            decision = value["choices"][0]
        elif name == FEEDBACK:
            feedback = "\n".join(value["text"])
        elif name == RULES:
            rules += [_code(label) for label in value["choices"]]
        elif name.startswith("marks_"):
            marks.append(_mark(sequence, result))
    if decision not in DECISIONS:
        raise TrainingDataError("has no decision", item=place, remedy=f"choose one of: {', '.join(DECISIONS)}")
    if decision == "accepted":
        return Review(product=product, sequence=sequence, decision="accepted", feedback="yes")
    rules += [mark.rule for mark in marks]
    named = tuple(dict.fromkeys(rules))
    return Review(
        product=product, sequence=sequence, decision="rejected", feedback=feedback, rules=named, marks=tuple(marks)
    )


def _mark(sequence: Sequence[str], result: Mapping[str, Any]) -> Mark:
    value, width, height = result["value"], result["original_width"], result["original_height"]
    box: Box = (
        round(value["x"] / 100 * width),
        round(value["y"] / 100 * height),
        max(1, round(value["width"] / 100 * width)),
        max(1, round(value["height"] / 100 * height)),
    )
    image = sequence[int(result["to_name"].removeprefix("image_")) - 1]
    return Mark(image=image, box=box, rule=_code(value["rectanglelabels"][0]))


def _predicted(pair: RunProduct, rules: RuleSet, uris: Mapping[str, str], size_of: SizeOf) -> list[dict[str, Any]]:
    """Return the run's findings on the sequence as rectangles, and its feedback as the draft of the words."""
    results = []
    places = {image_id: place for place, image_id in enumerate(pair.outcome.sequence, start=1)}
    reviewable = {rule.code for rule in _reviewable(rules)}
    for finding in pair.outcome.findings:
        for region in finding.regions if finding.code in reviewable else ():
            if region.image not in places:
                continue
            try:
                width, height = size_of(uris[region.image])
            except ImageReadError:
                continue
            x, y, wide, high = region.box
            results.append(
                {
                    "id": _id(pair.product.id, finding.code, region.image, str(region.box)),
                    "type": "rectanglelabels",
                    "from_name": f"marks_{places[region.image]}",
                    "to_name": f"image_{places[region.image]}",
                    "original_width": width,
                    "original_height": height,
                    "image_rotation": 0,
                    "value": {
                        "x": 100 * x / width,
                        "y": 100 * y / height,
                        "width": 100 * wide / width,
                        "height": 100 * high / height,
                        "rotation": 0,
                        "rectanglelabels": [_label(rules[finding.code])],
                    },
                }
            )
    if pair.outcome.feedback and pair.outcome.feedback != "yes":
        results.append(
            {
                "id": _id(pair.product.id, FEEDBACK),
                "type": "textarea",
                "from_name": FEEDBACK,
                "to_name": TITLE,
                "value": {"text": [pair.outcome.feedback]},
            }
        )
    return results


def _reviewable(rules: RuleSet) -> list[Rule]:
    return [rule for rule in rules if rule.category != "engine"]


def _label(rule: Rule) -> str:
    return f"{rule.code} {spoken(rule.name)}"


def _code(label: str) -> str:
    return label.partition(" ")[0]


def _id(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:10]
