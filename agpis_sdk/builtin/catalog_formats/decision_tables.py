"""Decisions as tables and as tasks for other tools: CSV, Parquet, Label Studio, FiftyOne."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

from agpis_sdk.components import ComponentConfig, Export
from agpis_sdk.files import written_whole
from agpis_sdk.media.decision_rows import decision_table
from agpis_sdk.media.gallery_order import CHOSEN_STATES, chosen_images, images_in_order
from agpis_sdk.media.sources.uris import LOCAL, scheme_of
from agpis_sdk.records import Outcome

COLUMNS = ("product_id", "status", "probability", "position", "image", "state", "uri", "findings")


class CsvWriter:
    """Writes a row an image, in the order in which a shop should list them; `position` is empty where it is not chosen."""

    def __init__(self, config: ComponentConfig) -> None:
        del config

    def write(self, outcomes: Iterable[Outcome], export: Export) -> None:
        """Write the table."""
        with written_whole(export.path) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as stream:
            table = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
            table.writeheader()
            for outcome in outcomes:
                table.writerows(_image_rows(outcome))


class ParquetWriter:
    """Writes a row a product: its decision, and the ids and uris of its chosen images as lists."""

    def __init__(self, config: ComponentConfig) -> None:
        del config

    def write(self, outcomes: Iterable[Outcome], export: Export) -> None:
        """Write the table; raises `ConfigError` where pyarrow is missing."""
        table = decision_table(list(outcomes))
        from pyarrow import parquet

        with written_whole(export.path) as unfinished:
            parquet.write_table(table, unfinished)


class LabelStudioWriter:
    """Writes tasks for Label Studio: a product each, its images in order, and the decision as a prediction.

    They fit a labeling config with `<Image name="images" valueList="$images"/>` and
    `<Choices name="decision" toName="images">` of "accepted" and "rejected".
    """

    def __init__(self, config: ComponentConfig) -> None:
        del config

    def write(self, outcomes: Iterable[Outcome], export: Export) -> None:
        """Write the tasks as one JSON array."""
        _write_json([_task(outcome) for outcome in outcomes], export)


class FiftyOneWriter:
    """Writes samples for FiftyOne, an image each: `fiftyone.Sample(**sample)` takes every object of the array."""

    def __init__(self, config: ComponentConfig) -> None:
        del config

    def write(self, outcomes: Iterable[Outcome], export: Export) -> None:
        """Write the samples as one JSON array; an image that is no local file is left out with a word."""
        samples = []
        for outcome in outcomes:
            for row in _image_rows(outcome):
                if row["uri"] and scheme_of(row["uri"]) == LOCAL:
                    samples.append({"filepath": row.pop("uri"), "tags": [row["state"]], **row})
                else:
                    export.skip(f'product "{outcome.product_id}", image "{row["image"]}"', "is no local file")
        _write_json(samples, export)


def _image_rows(outcome: Outcome) -> Iterator[dict[str, Any]]:
    codes: dict[str, list[str]] = {}
    for finding in outcome.findings:
        for image_id in finding.images:
            codes.setdefault(image_id, []).append(finding.code)
    for position, image in enumerate(images_in_order(outcome), start=1):
        yield {
            "product_id": outcome.product_id,
            "status": outcome.status,
            "probability": outcome.probability,
            "position": position if image.state in CHOSEN_STATES else None,
            "image": image.id,
            "state": image.state,
            "uri": image.uri,
            "findings": " ".join(dict.fromkeys(codes.get(image.id, []))),
        }


def _task(outcome: Outcome) -> dict[str, Any]:
    task: dict[str, Any] = {
        "data": {
            "product_id": outcome.product_id,
            "status": outcome.status,
            "images": [image.uri for image in chosen_images(outcome)],
            "sequence": list(outcome.sequence),
            "findings": [f"{finding.code} {finding.message}" for finding in outcome.findings],
        }
    }
    if outcome.probability is not None:
        choice = "accepted" if outcome.status == "submit" else "rejected"
        result = {"from_name": "decision", "to_name": "images", "type": "choices", "value": {"choices": [choice]}}
        task["predictions"] = [{"model_version": "agpis", "score": outcome.probability, "result": [result]}]
    return task


def _write_json(data: list[dict[str, Any]], export: Export) -> None:
    with written_whole(export.path) as unfinished:
        unfinished.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
