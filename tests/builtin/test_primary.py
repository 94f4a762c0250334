"""What the primary selectors promise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agpis_sdk.builtin.primary.handcrafted_features import FEATURE_NAMES
from safetensors.numpy import save_file

from agpis_sdk.builtin.foreground.plain_background import estimate_foreground
from agpis_sdk.builtin.primary.config import LearnedPrimaryConfig
from agpis_sdk.builtin.primary.model import PrimaryHead
from agpis_sdk.builtin.primary.selectors import FirstListedSelector, LearnedPrimarySelector
from agpis_sdk.components import ComponentConfig, DecodedImage
from agpis_sdk.errors import WeightsError
from agpis_sdk.media.decode import as_image


class Facts:
    """A context that knows embeddings, and where the product stands."""

    def __init__(self, embeddings: list[np.ndarray]) -> None:
        self._embeddings = embeddings
        self.provided: dict[int, tuple[str, ...]] = {}

    def fact(self, image: DecodedImage, name: str) -> Any:
        background, foreground = estimate_foreground(image.pixels)
        known = {"embedding": self._embeddings[image.position], "background": background, "foreground": foreground}
        return known[name]

    def provide(self, image: DecodedImage, name: str, value: tuple[str, ...]) -> None:
        assert name == "primary_reasons"
        self.provided[image.position] = value


def random_embeddings(count: int, channels: int = 1280) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.random(channels, dtype=np.float32) for _ in range(count)]


def product_photo(x: int = 30, y: int = 30, side: int = 140) -> np.ndarray:
    pixels = np.full((200, 200, 3), 255, np.uint8)
    pixels[y : y + side, x : x + side] = (40, 90, 160)
    return pixels


def photos(*pixels: np.ndarray) -> list[DecodedImage]:
    return [replace(as_image(photo), position=place) for place, photo in enumerate(pixels)]


def test_the_shipped_head_gives_probabilities() -> None:
    images = photos(*[product_photo()] * 5)

    scores = LearnedPrimarySelector(LearnedPrimaryConfig()).score_primary(images, Facts(random_embeddings(5)))

    assert all(0 <= score <= 1 for score in scores)


def test_a_score_does_not_depend_on_the_batch() -> None:
    selector, facts = LearnedPrimarySelector(LearnedPrimaryConfig()), Facts(random_embeddings(6))
    images = photos(*(product_photo(side=60 + 20 * place) for place in range(6)))

    together = selector.score_primary(images, facts)
    alone = [selector.score_primary([image], facts)[0] for image in images]

    assert together == alone


@pytest.mark.parametrize(
    ("worse", "said"),
    [
        pytest.param(product_photo(90, 90, 40), "the product is small in the picture", id="small"),
        pytest.param(product_photo(150, 150, 50), "off the middle", id="in the corner"),
    ],
)
def test_what_lowers_the_chance_is_said(worse: np.ndarray, said: str) -> None:
    selector, facts = LearnedPrimarySelector(LearnedPrimaryConfig()), Facts([np.zeros(1280, np.float32)] * 2)

    better, lower = selector.score_primary(photos(product_photo(), worse), facts)

    assert lower < better
    assert any(said in reason for reason in facts.provided[1])


def test_features_of_another_backbone_are_refused() -> None:
    selector = LearnedPrimarySelector(LearnedPrimaryConfig())

    with pytest.raises(WeightsError, match=r"trained on a backbone with embedding \(1280,\); the configured one gives"):
        selector.check_backbone({"embedding": (64,)})

    selector.check_backbone({"embedding": (1280,)})


def tensors(channels: int = 4) -> dict[str, np.ndarray]:
    count = len(FEATURE_NAMES)
    sizes = {"weight": channels, "center": channels, "trait_weight": count, "usual": count, "bias": 1}
    return {name: np.arange(size, dtype=np.float32) for name, size in sizes.items()}


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
        ({"weight": np.zeros(3, np.float32)}, r"center is \(4,\), not \(3,\)"),
    ],
)
def test_weights_of_another_layout_are_refused(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    written = {name: value for name, value in {**tensors(), **changed}.items() if value is not None}
    save_file(written, tmp_path / "head.safetensors")

    with pytest.raises(WeightsError, match=said):
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
