"""What the primary selectors promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from agpis_sdk.builtin.foreground.composition import NAMES
from agpis_sdk.builtin.primary.config import LearnedPrimaryConfig
from agpis_sdk.builtin.primary.features import FEATURE_NAMES, REASONS, likeness_of
from agpis_sdk.builtin.primary.model import PrimaryHead
from agpis_sdk.builtin.primary.selectors import FirstListedSelector, LearnedPrimarySelector
from agpis_sdk.builtin.weights import write_tensors
from agpis_sdk.components import ComponentConfig, DecodedImage
from agpis_sdk.errors import WeightsError
from agpis_sdk.facts import VIEWS, View
from agpis_sdk.media.decode import as_image


class Facts:
    """A context in which every image has the features that it is given, and the product its embeddings, by image id."""

    def __init__(self, features: list[np.ndarray], embeddings: Mapping[str, np.ndarray] = MappingProxyType({})) -> None:
        self._features = features
        self._embeddings = embeddings
        self.provided: dict[int, tuple[str, ...]] = {}

    def fact(self, image: DecodedImage, name: str) -> Any:
        features = self._features[image.position]
        views = features[len(NAMES) : len(NAMES) + len(VIEWS)]
        known = {
            "composition": features[: len(NAMES)],
            "view": View(views, float(features[FEATURE_NAMES.index("whole")])),
            "p_noncompliant": 1 / (1 + np.exp(-features[FEATURE_NAMES.index("overlay")])),
            "product_embedding": self._embeddings.get(image.id, np.ones(4, np.float32)),
        }
        return known[name]

    def facts_of_product(self, product_id: str, name: str) -> Mapping[str, np.ndarray]:
        assert name == "product_embedding"
        return self._embeddings

    def provide(self, image: DecodedImage, name: str, value: tuple[str, ...]) -> None:
        assert name == "primary_reasons"
        self.provided[image.position] = value


def images(count: int) -> list[DecodedImage]:
    blank = as_image(np.zeros((8, 8, 3), np.uint8))
    return [replace(blank, position=place) for place in range(count)]


def usual_image(**changed: float) -> np.ndarray:
    """Return the features of the usual image, some of them changed by so many spreads."""
    head = PrimaryHead.load()
    features = head.usual.copy()
    for name, spreads in changed.items():
        row = FEATURE_NAMES.index(name.replace("_", " "))
        features[row] += spreads * head.spread[row]
    return features


def test_the_shipped_head_gives_probabilities() -> None:
    facts = Facts([usual_image(area=spreads) for spreads in (-3.0, -1.0, 0.0, 1.0, 3.0)])

    scores = LearnedPrimarySelector(LearnedPrimaryConfig()).score_primary(images(5), facts)

    assert all(0 <= score <= 1 for score in scores)


def test_a_score_does_not_depend_on_the_batch() -> None:
    selector = LearnedPrimarySelector(LearnedPrimaryConfig())
    facts = Facts([usual_image(skin=spreads) for spreads in (-2.0, -1.0, 0.0, 1.0, 2.0)])

    together = selector.score_primary(images(5), facts)
    alone = [selector.score_primary([image], facts)[0] for image in images(5)]

    assert together == alone


def test_an_image_that_is_unlike_the_others_is_less_likely_the_first() -> None:
    embeddings = {
        name: np.array(direction, np.float32) for name, direction in (("a", [1, 0]), ("b", [1, 0.1]), ("c", [0, 1]))
    }
    facts = Facts([usual_image()] * 3, embeddings)
    gallery = [replace(image, id=name) for image, name in zip(images(3), embeddings, strict=True)]

    scores = LearnedPrimarySelector(LearnedPrimaryConfig()).score_primary(gallery, facts)

    assert scores[2] < min(scores[:2])


def test_likeness_is_the_mean_and_the_greatest_cosine() -> None:
    one, same, across = (np.array(direction, np.float32) for direction in ([1, 0], [2, 0], [0, 3]))

    assert likeness_of(one, [same, across]).tolist() == [0.5, 1.0]


def test_an_image_alone_is_like_itself() -> None:
    assert likeness_of(np.ones(4, np.float32), []).tolist() == [1.0, 1.0]


def test_what_lowers_the_chance_is_given_as_a_reason() -> None:
    head = PrimaryHead.load()
    weight = np.zeros_like(head.weight)
    weight[FEATURE_NAMES.index("back")] = -1.0
    blind_but_for_backs = replace(head, weight=weight, curvature=np.zeros_like(weight))

    assert blind_but_for_backs.reasons(usual_image(back=2.0)) == ("it seems to show the back",)
    assert blind_but_for_backs.reasons(usual_image()) == ()


def test_an_outlier_counts_no_more_than_three_spreads() -> None:
    head = PrimaryHead.load()

    assert head.probability(usual_image(contrast=4.0)) == head.probability(usual_image(contrast=300.0))


def test_every_feature_is_put_in_words_or_left_out_on_purpose() -> None:
    assert REASONS.keys() == set(FEATURE_NAMES)


def test_what_nobody_could_act_on_is_no_reason() -> None:
    head = PrimaryHead.load()
    weight = np.zeros_like(head.weight)
    weight[FEATURE_NAMES.index("elongation")] = -1.0
    outlines_alone = replace(head, weight=weight, curvature=np.zeros_like(weight))

    assert outlines_alone.reasons(usual_image(elongation=2.0)) == ()


def tensors() -> dict[str, np.ndarray]:
    sizes = dict.fromkeys(("usual", "spread", "weight", "curvature"), len(FEATURE_NAMES))
    return {name: np.arange(size, dtype=np.float32) for name, size in {**sizes, "bias": 1}.items()}


def test_a_head_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    PrimaryHead(**tensors()).save(tmp_path / "head.safetensors")

    loaded = PrimaryHead.load(tmp_path / "head.safetensors")

    assert all((vars(loaded)[name] == value).all() for name, value in tensors().items())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"bias": None}, r"missing \['bias'\]"),
        ({"bias": np.full(1, np.nan, np.float32)}, "bias holds values that are not finite"),
        ({"x": np.zeros(1, np.float32)}, r"unexpected \['x'\]"),
        ({"weight": np.zeros(3, np.float32)}, r"weight is \(3,\), not"),
    ],
)
def test_weights_of_another_layout_are_refused(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    written = {name: value for name, value in {**tensors(), **changed}.items() if value is not None}
    save_file(written, tmp_path / "head.safetensors")

    with pytest.raises(WeightsError, match=said):
        PrimaryHead.load(tmp_path / "head.safetensors")


def test_weights_for_features_in_another_order_are_refused(tmp_path: Path) -> None:
    write_tensors(tmp_path / "head.safetensors", tensors(), tuple(reversed(FEATURE_NAMES)))

    with pytest.raises(WeightsError, match="was trained on the features"):
        PrimaryHead.load(tmp_path / "head.safetensors")


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"gone.safetensors"):
        PrimaryHead.load(tmp_path / "gone.safetensors")


def test_first_listed_puts_the_shops_first_image_first() -> None:
    class Image:
        def __init__(self, position: int) -> None:
            self.position = position

    scores = FirstListedSelector(ComponentConfig()).score_primary([Image(2), Image(0), Image(1)], None)

    assert scores.index(max(scores)) == 1
