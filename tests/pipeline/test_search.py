"""A builder that asks for p^t: the engine answers for whichever scorer is configured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agpis_sdk.components import Context, DecodedImage, ImageSequence
from agpis_sdk.errors import ConfigError
from agpis_sdk.facts import ColorHistogram
from agpis_sdk.records import Finding, SequenceVerdict
from tests.pipeline.fakes import Stand, product, verdict

SEARCH = {"sequence.builder": "search"}


def likes_reversed(sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
    """Find a sequence likelier accepted the later its second image was listed."""
    for sequence in sequences:
        yield verdict(sequence, p_qualified=sequence.images[1].position / 10, feedback="yes")


def stand(histograms: Mapping[str, ColorHistogram] | None = None) -> Stand:
    """Return a stand whose images have some histograms, by the images' ids."""

    def gives_histograms(images: Sequence[DecodedImage], context: Context) -> list[Finding]:
        for image in images:
            context.provide(image, "color_histogram", (histograms or {}).get(image.id))
            context.provide(image, "product_embedding", np.ones(4, np.float32))
        return []

    provides = frozenset({"color_histogram", "product_embedding"})
    return Stand().image_checker(gives_histograms, name="painter", provides=provides)


def one_color(*lab: float) -> ColorHistogram:
    return ColorHistogram(np.array([lab], np.float32), np.ones(1, np.float32))


RED, BLUE = one_color(25, 60, 40), one_color(25, 10, -60)


def test_the_sequence_with_the_highest_probability_is_submitted(gallery: Path) -> None:
    outcome = stand().scorer(likes_reversed).run_one(product(gallery, "abcd"), {**SEARCH, "sequence.threshold": 0.3})

    assert outcome.sequence[:2] == ("a", "d")
    assert outcome.probability == 0.3
    assert outcome.feedback == "yes"


@pytest.mark.parametrize("batch_size", [1, 2, 16])
def test_what_is_chosen_does_not_depend_on_the_batch(gallery: Path, batch_size: int) -> None:
    products = [product(gallery, letters, letters) for letters in ("abcd", "bcda", "cab")]

    outcomes = stand().scorer(likes_reversed).run(products, {**SEARCH, "run.batch_size": batch_size})

    assert ["".join(outcome.sequence) for outcome in outcomes] == ["adb", "bac", "cba"]


def test_without_a_scorer_the_search_is_refused() -> None:
    with pytest.raises(ConfigError, match="there is no scorer"):
        Stand().pipeline({**SEARCH, "sequence.scorer": "none"})


def test_a_scorer_that_fails_is_named(gallery: Path) -> None:
    def fails(sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
        raise RuntimeError("out of ink")

    outcome = stand().scorer(fails).run_one(product(gallery, "abcd"), SEARCH)

    assert outcome.status == "failed"
    assert "steady" in (outcome.reason or "") + (outcome.detail or "")
    assert "out of ink" in (outcome.reason or "") + (outcome.detail or "")


def level(sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
    """Find all sequences equally likely accepted."""
    for sequence in sequences:
        yield verdict(sequence, p_qualified=0.8)


def two_colors(letters: str, red: str) -> dict[str, ColorHistogram]:
    return {letter: RED if letter in red else BLUE for letter in letters}


def test_images_in_the_color_of_the_primary_image_are_preferred(gallery: Path) -> None:
    painted = stand(two_colors("abcde", red="ade"))

    outcome = painted.scorer(level).run_one(product(gallery, "abcde"), SEARCH)

    assert outcome.sequence == ("a", "d", "e")
    assert outcome.probability == 0.8


def test_the_color_that_the_catalog_names_decides(gallery: Path) -> None:
    # To the eye all are red; the catalog says of which variant each one is.
    listed = product(gallery, "abcde")
    colors = ["Navy", "Black", "Black", "navy", "Navy"]
    listed["images"] = [
        {"id": letter, "uri": uri, "attributes": {"variant": {"Color": color}}}
        for letter, uri, color in zip("abcde", listed["images"], colors, strict=True)
    ]

    outcome = stand(two_colors("abcde", red="abcde")).scorer(level).run_one(listed, SEARCH)

    assert outcome.sequence == ("a", "d", "e")


def test_colors_may_be_left_to_the_scorer(gallery: Path) -> None:
    painted = stand(two_colors("abcde", red="ade"))

    outcome = painted.scorer(level).run_one(product(gallery, "abcde"), {**SEARCH, "components.search.one_color": False})

    assert outcome.sequence == ("a", "b", "c")


def nearly_equal(first: str, second: str) -> Callable[[Sequence[DecodedImage], Context], list[float]]:
    """Return a selector that scores one image 0.9, another 0.88, and all others 0.1."""
    scores = {first: 0.9, second: 0.88}
    return lambda images, context: [scores.get(image.id, 0.1) for image in images]


def test_a_sequence_may_begin_with_an_image_about_as_good_as_the_primary_one(gallery: Path) -> None:
    # Of the first listed there is no other image in its color.
    painted = stand(two_colors("abcd", red="a")).selector(nearly_equal("a", "b"))

    outcome = painted.scorer(level).run_one(product(gallery, "abcd"), SEARCH)

    assert outcome.sequence == ("b", "c", "d")


def test_it_may_be_told_to_begin_with_the_primary_image_always(gallery: Path) -> None:
    painted = stand(two_colors("abcd", red="a")).selector(nearly_equal("a", "b"))

    outcome = painted.scorer(level).run_one(
        product(gallery, "abcd"), {**SEARCH, "components.search.alternative_weight": 0.0}
    )

    assert outcome.sequence[0] == "a"


@pytest.mark.parametrize(("margin", "first"), [(0.1, "a"), (0.0, "b")])
def test_of_images_that_score_nearly_the_same_the_first_listed_is_primary(
    gallery: Path, margin: float, first: str
) -> None:
    outcome = Stand().selector(nearly_equal("b", "a")).run_one(product(gallery, "abc"), {"primary.margin": margin})

    assert outcome.sequence[0] == first


def test_a_small_copy_is_not_primary_where_the_large_one_scores_more(gallery: Path, tmp_path: Path) -> None:
    for name, side in (("a", 40), ("b", 80), ("c", 80)):
        Image.new("RGB", (side, side), (200, 40, 40)).save(tmp_path / f"{name}.png")
    listed = {"id": "P1", "images": [str(tmp_path / f"{name}.png") for name in "abc"]}

    outcome = Stand().selector(nearly_equal("b", "a")).run_one(listed)

    assert outcome.sequence[0] == "b"


def test_an_image_below_the_threshold_is_not_primary_however_near_it_is(gallery: Path) -> None:
    outcome = Stand().selector(nearly_equal("b", "a")).run_one(product(gallery, "abc"), {"primary.threshold": 0.89})

    assert outcome.sequence[0] == "b"


def test_where_a_color_has_too_few_images_all_of_them_are_chosen(gallery: Path) -> None:
    # Whatever goes with a and d is blue, and the scorer likes what is listed late.
    painted = stand(two_colors("abcde", red="ab"))

    outcome = painted.scorer(likes_reversed).run_one(
        product(gallery, "abcde"), {**SEARCH, "sequence.min_length": 1, "components.search.alternative_weight": 0}
    )

    assert outcome.sequence == ("a", "b")
