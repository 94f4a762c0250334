"""What the primary selectors promise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from agpis_sdk.builtin.primary.config import LearnedPrimaryConfig
from agpis_sdk.builtin.primary.model import PrimaryHead
from agpis_sdk.builtin.primary.selectors import FirstListedSelector, LearnedPrimarySelector
from agpis_sdk.components import ComponentConfig
from agpis_sdk.errors import WeightsError


class Facts:
    """A context that knows embeddings only."""

    def __init__(self, embeddings: list[np.ndarray]) -> None:
        self._embeddings = embeddings

    def fact(self, image: int, name: str) -> np.ndarray:
        assert name == "embedding"
        return self._embeddings[image]


def random_embeddings(count: int, channels: int = 1280) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.random(channels, dtype=np.float32) for _ in range(count)]


def test_the_shipped_head_gives_probabilities() -> None:
    scores = LearnedPrimarySelector(LearnedPrimaryConfig()).score_primary(range(5), Facts(random_embeddings(5)))

    assert all(0 <= score <= 1 for score in scores)


def test_a_score_does_not_depend_on_the_batch() -> None:
    selector, facts = LearnedPrimarySelector(LearnedPrimaryConfig()), Facts(random_embeddings(6))

    together = selector.score_primary(range(6), facts)
    alone = [selector.score_primary([image], facts)[0] for image in range(6)]

    assert together == alone


def test_features_of_another_backbone_are_refused() -> None:
    selector = LearnedPrimarySelector(LearnedPrimaryConfig())

    with pytest.raises(WeightsError, match=r"trained on 1280 channels, the backbone gives 64"):
        selector.score_primary([0], Facts(random_embeddings(1, channels=64)))


def test_a_head_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    head = PrimaryHead(np.arange(4, dtype=np.float32), np.array([0.5], np.float32))

    head.save(tmp_path / "head.safetensors")

    assert PrimaryHead.load(tmp_path / "head.safetensors", channels=4).weight.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        ({"weight": np.zeros(4, np.float32)}, r"missing \['bias'\]"),
        ({"weight": np.zeros(4, np.float32), "bias": np.zeros(1, np.float32), "x": np.zeros(1)}, r"unexpected \['x'\]"),
        ({"weight": np.zeros(3, np.float32), "bias": np.zeros(1, np.float32)}, r"weight is \(3,\), not \(4,\)"),
    ],
)
def test_weights_of_another_layout_are_refused(tmp_path: Path, tensors: dict[str, np.ndarray], said: str) -> None:
    save_file(tensors, tmp_path / "head.safetensors")

    with pytest.raises(WeightsError, match=said):
        PrimaryHead.load(tmp_path / "head.safetensors", channels=4)


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"gone.safetensors"):
        PrimaryHead.load(tmp_path / "gone.safetensors")


def test_first_listed_puts_the_shops_first_image_first() -> None:
    class Image:
        def __init__(self, position: int) -> None:
            self.position = position

    scores = FirstListedSelector(ComponentConfig()).score_primary([Image(2), Image(0), Image(1)], None)

    assert scores.index(max(scores)) == 1
