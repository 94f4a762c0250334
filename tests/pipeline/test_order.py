"""Same input, same config, same seed: same outcomes, whatever the batch size, the order and the threads (DESIGN law 6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agpis_sdk.components import Context, DecodedImage, ImagePair, ImageSequence, image_finding, pair_finding
from agpis_sdk.records import Finding, Outcome, SequenceVerdict
from tests.pipeline.fakes import BAD, NOTE, TWIN, Stand, product, verdict


def level(*images: DecodedImage) -> float:
    """A number in 0..1 that depends on the pixels alone."""
    return float(sum(int(image.pixels.astype(int).sum()) for image in images) % 1000 / 999)


def look(images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
    for image in images:
        if (image.product_id, image.id) == ("P3", "c"):
            raise ValueError("not this one")
        context.provide(image, "p_noncompliant", level(image))
        yield image_finding(image, NOTE if image.id in "abc" else BAD, level(image), "seen")


def match(pairs: Sequence[ImagePair], context: Context) -> Iterator[Finding]:
    for pair in pairs:
        yield pair_finding(pair, TWIN, level(pair.first, pair.second) ** 4, "alike")


def score(sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
    # In any order: verdicts are matched by product and images.
    for sequence in reversed(sequences):
        yield verdict(sequence, p_qualified=level(*sequence.images))


def stand() -> Stand:
    made = Stand().image_checker(look, provides=frozenset({"p_noncompliant"}), batch_size=5)
    made.pair_checker(match, batch_size=7).scorer(score, batch_size=3)
    return made.selector(lambda images, context: [level(image) for image in images], batch_size=4)


def outcomes(products: list[Any], **run: int) -> list[Outcome]:
    settings_of_run = {f"run.{key}": value for key, value in run.items()}
    return stand().run(products, {"sequence.builder": "random", **settings_of_run})


@st.composite
def catalogs(draw: st.DrawFn) -> list[str]:
    galleries = st.lists(st.sampled_from("abcdefgh!"), min_size=1, max_size=7, unique=True).map("".join)
    return draw(st.lists(galleries, min_size=1, max_size=7))


def made(gallery: Path, galleries: list[str]) -> list[dict[str, Any]]:
    return [product(gallery, letters, f"P{number}") for number, letters in enumerate(galleries)]


@settings(max_examples=25)
@given(galleries=catalogs(), batch_size=st.integers(1, 20), threads=st.integers(1, 4))
def test_outcomes_do_not_depend_on_the_batch_size_or_the_threads(
    gallery: Path, galleries: list[str], batch_size: int, threads: int
) -> None:
    products = made(gallery, galleries)

    assert outcomes(products, batch_size=batch_size, threads=threads) == outcomes(products, batch_size=1, threads=1)


@settings(max_examples=25)
@given(galleries=catalogs(), data=st.data())
def test_outcomes_do_not_depend_on_the_order_of_the_products(
    gallery: Path, galleries: list[str], data: st.DataObject
) -> None:
    products = made(gallery, galleries)
    shuffled = data.draw(st.permutations(products))

    def by_id(found: list[Outcome]) -> list[Outcome]:
        return sorted(found, key=lambda outcome: outcome.product_id)

    assert by_id(outcomes(shuffled, batch_size=3)) == by_id(outcomes(products, batch_size=3))


@settings(max_examples=25)
@given(galleries=catalogs())
def test_every_outcome_keeps_what_the_format_promises(gallery: Path, galleries: list[str]) -> None:
    for outcome, letters in zip(outcomes(made(gallery, galleries)), galleries, strict=True):
        ids = ["broken" if letter == "!" else letter for letter in letters]
        states = {image.id: image.state for image in outcome.images}
        chosen = [image_id for image_id in ids if states[image_id] in ("primary", "selected")]
        assert [image.id for image in outcome.images] == ids
        assert len(set(outcome.sequence)) == len(outcome.sequence)
        assert sorted(chosen) == sorted(outcome.sequence)
        assert (outcome.status in ("submit", "hold")) == (outcome.probability is not None)
        assert (outcome.reason is None) == (outcome.status in ("submit", "hold"))
        if outcome.sequence:
            assert states[outcome.sequence[0]] == "primary"
            assert len(outcome.sequence) == 3
        assert list(outcome.findings) == sorted(outcome.findings, key=lambda f: (f.code, f.images, f.checker))
        assert Outcome.model_validate_json(outcome.model_dump_json()) == outcome


def test_the_same_pipeline_gives_the_same_outcomes_twice(gallery: Path) -> None:
    pipeline = stand().pipeline({"sequence.builder": "random"})
    products = made(gallery, ["abcdef", "bcdefgh", "defgh"])

    assert list(pipeline.run(products)) == list(pipeline.run(products))


def test_another_seed_draws_other_sequences(gallery: Path) -> None:
    def drawn(seed: int) -> list[tuple[str, ...]]:
        products = [product(gallery, "abcdefgh", f"P{number}") for number in range(5)]
        return [outcome.sequence for outcome in Stand().run(products, {"sequence.builder": "random", "run.seed": seed})]

    assert drawn(0) == drawn(0)
    assert drawn(0) != drawn(1)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 16])
def test_records_that_are_no_products_keep_their_place_among_the_others(gallery: Path, batch_size: int) -> None:
    good = [product(gallery, "abc", f"P{number}") for number in range(4)]
    records: list[Any] = [
        "text",
        good[0],
        {"images": []},
        good[1],
        good[1],
        {"id": "empty", "images": []},
        good[2],
        7,
        good[3],
    ]

    found = Stand().run(records, {"run.batch_size": batch_size})

    assert [(outcome.product_id, outcome.status) for outcome in found] == [
        ("record-1", "failed"),
        ("P0", "submit"),
        ("record-3", "failed"),
        ("P1", "submit"),
        ("P1", "failed"),
        ("empty", "failed"),
        ("P2", "submit"),
        ("record-8", "failed"),
        ("P3", "submit"),
    ]
    assert found[4].reason == (
        '[E300] record 5, product "P1": the id stands twice, first on record 4 (give every product its own id)'
    )


def test_no_products_at_all_give_no_outcomes() -> None:
    pipeline = Stand().pipeline()

    assert list(pipeline.run([])) == []
    assert pipeline.summary.products == 0
    assert not pipeline.summary.failed


def test_outcomes_come_out_while_products_still_come_in(gallery: Path) -> None:
    taken: list[int] = []

    def endless() -> Iterator[dict[str, Any]]:
        for number in range(1000):
            taken.append(number)
            yield product(gallery, "abc", f"P{number}")

    run = Stand().pipeline({"run.batch_size": 2}).run(endless())
    first = next(run)
    run.close()  # type: ignore[attr-defined]

    assert first.product_id == "P0"
    assert len(taken) <= 6


def test_the_summary_counts_what_came_out(gallery: Path) -> None:
    pipeline = Stand().pipeline()

    list(pipeline.run([product(gallery, "abc", "P1"), product(gallery, "a!", "P2"), "rubbish"]))  # type: ignore[list-item]

    summary = pipeline.summary
    assert (summary.products, summary.images) == (3, 5)
    assert summary.statuses == {"submit": 1, "none": 1, "failed": 1}
    assert summary.reasons == {"too-few-images": 1}
    assert summary.rules == {"AGP901": 1}
    assert summary.failed
