"""A run that continues another one gives what an undisturbed run gives, failures that are counted included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from agpis_sdk.components import Context, DecodedImage
from agpis_sdk.errors import ResumeError
from agpis_sdk.media.products import checked
from agpis_sdk.pipeline.checkpoint import Checkpoint
from agpis_sdk.pipeline.pipeline import Pipeline
from agpis_sdk.records import Finding, Outcome
from tests.pipeline.fakes import Stand, product


def failing_on_a(images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
    for image in images:
        if image.id == "a":
            raise ValueError("cannot cope with it")
    yield from ()


def pipeline(**settings: Any) -> Pipeline:
    return Stand().image_checker(failing_on_a).pipeline({"run.batch_size": 2, "run.max_failures": 3, **settings})


def catalog(gallery: Path) -> list[Mapping[str, Any]]:
    rejected = {"id": "no-images", "images": []}
    return [rejected, *(product(gallery, "abc", f"P{number}") for number in range(7))]


def run_until(gallery: Path, batches: int) -> tuple[list[Outcome], Checkpoint]:
    """Return what a run had written when it was killed after some batches."""
    outcomes: list[Outcome] = []
    for number, batch in enumerate(pipeline().process_batches(checked(catalog(gallery))), start=1):
        outcomes += [processed.outcome for processed in batch.products]
        if number == batches:
            return outcomes, batch.checkpoint
    raise AssertionError("too few batches")


@pytest.mark.parametrize("batches", [1, 2, 3, 4])
def test_gives_the_same_outcomes_and_the_same_summary(gallery: Path, batches: int) -> None:
    undisturbed = pipeline()
    expected = list(undisturbed.run(catalog(gallery)))
    decided, checkpoint = run_until(gallery, batches)
    resumed = pipeline()

    outcomes = [
        processed.outcome
        for batch in resumed.process_batches(checked(catalog(gallery)), after=checkpoint, decided=decided)
        for processed in batch.products
    ]

    assert outcomes == expected
    assert resumed.summary.statuses == undisturbed.summary.statuses
    assert resumed.summary.notices == undisturbed.summary.notices
    assert resumed.summary.dropped == undisturbed.summary.dropped == ["looker (fakes local)"]


def test_may_use_another_batch_size(gallery: Path) -> None:
    decided, checkpoint = run_until(gallery, 2)

    batches = pipeline(**{"run.batch_size": 3}).process_batches(
        checked(catalog(gallery)), after=checkpoint, decided=decided
    )

    assert [processed.outcome for batch in batches for processed in batch.products] == list(
        pipeline().run(catalog(gallery))
    )


def test_hands_a_report_the_images_of_what_was_decided(gallery: Path) -> None:
    decided, checkpoint = run_until(gallery, 1)

    first = next(pipeline().process_batches(checked(catalog(gallery)), after=checkpoint, decided=decided))

    assert first.decided
    assert [list(processed.images) for processed in first.products] == [[], ["a", "b", "c"]]


def test_refuses_other_products(gallery: Path) -> None:
    decided, checkpoint = run_until(gallery, 2)
    others = [{**record, "title": "another"} for record in catalog(gallery)]

    with pytest.raises(ResumeError, match="the first 4 records are not those that have been decided"):
        list(pipeline().process_batches(checked(others), after=checkpoint, decided=decided))


def test_refuses_fewer_products_than_were_decided(gallery: Path) -> None:
    decided, checkpoint = run_until(gallery, 2)

    with pytest.raises(ResumeError, match="the first 4 records"):
        list(pipeline().process_batches(checked(catalog(gallery)[:3]), after=checkpoint, decided=decided))
