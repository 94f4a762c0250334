"""What the scorer promises: one verdict a sequence, whatever else is in the batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from agpis_sdk.builtin.muisc.config import MuiscScorerConfig
from agpis_sdk.builtin.muisc.model import Muisc, MuiscConfig
from agpis_sdk.builtin.muisc.scorer import MuiscScorer
from agpis_sdk.builtin.muisc.text import MuiscText, label_space
from agpis_sdk.components import DecodedImage, ImageSequence
from agpis_sdk.errors import WeightsError
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.records import CandidateImage, Product
from tests.training.color_shop import measured

CLASSES = label_space(shipped_rules())

TITLES = ["a red mug", "", "the longest title of them all, by far, in this test"]
FEEDBACK = ["yes", "watermark in the first image", "blurry image"]
SHAPES = {"stride32": (320, 7, 7), "embedding": (1280,), "stride16": (112, 14, 14), "stride8": (40, 28, 28)}


class Facts:
    rules = shipped_rules()

    def __init__(self, threshold: float = 0.3) -> None:
        self.sequence_threshold = threshold

    def fact(self, image: DecodedImage, name: str) -> Any:
        rng = np.random.default_rng([image.position, len(image.product_id), len(name)])
        known = measured(rng.random(3, dtype=np.float32))
        return known[name] if name in known else rng.random(SHAPES[name], dtype=np.float32)


def sequence(product_id: str, length: int = 3) -> ImageSequence:
    product = Product(id=product_id, title=f"Hoodie {product_id}", images=(CandidateImage(id="a", uri="a.jpg"),))
    images = tuple(
        DecodedImage(
            product_id=product_id, id=f"i{position}", position=position, pixels=np.zeros((8, 8, 3), np.uint8),
            original_width=8, original_height=8, scale=1.0, byte_count=1, sha256="", format="PNG",
        ) for position in range(length)
    )  # fmt: skip
    return ImageSequence(product=product, images=images)


def test_the_shipped_model_judges_without_regard_to_the_batch() -> None:
    scorer = MuiscScorer(MuiscScorerConfig())
    sequences = [sequence("p" * count) for count in range(1, 6)]

    together = list(scorer.check_sequences(sequences, Facts()))
    alone = [next(iter(scorer.check_sequences([one], Facts()))) for one in sequences]

    assert together == alone


@pytest.mark.parametrize(("threshold", "accepted"), [(0.0, True), (1.0, False)])
def test_feedback_agrees_with_the_decision(threshold: float, accepted: bool) -> None:
    verdicts = MuiscScorer(MuiscScorerConfig()).check_sequences([sequence("p"), sequence("pp")], Facts(threshold))

    assert all((verdict.feedback == "yes") == accepted for verdict in verdicts)


@pytest.mark.parametrize("length", [1, 2, 5])
def test_sequences_of_other_lengths_are_judged(length: int) -> None:
    (verdict,) = MuiscScorer(MuiscScorerConfig()).check_sequences([sequence("p", length)], Facts())

    assert 0 <= verdict.p_qualified <= 1


def test_a_sequence_that_is_too_long_is_refused() -> None:
    with pytest.raises(WeightsError, match="at most 8 images, not 9"):
        list(MuiscScorer(MuiscScorerConfig()).check_sequences([sequence("p", 9)], Facts()))


def test_quick_scores_are_those_of_the_verdicts(untrained: MuiscScorer) -> None:
    sequences = [sequence("p", 3), sequence("pp", 2), sequence("ppp", 3)]

    quick = untrained.score_sequences(sequences, Facts())

    verdicts = {verdict.product_id: verdict.p_qualified for verdict in untrained.check_sequences(sequences, Facts())}
    assert quick == [verdicts[one.product.id] for one in sequences]


def test_a_sequence_that_is_likely_rejected_is_not_told_yes(untrained: MuiscScorer) -> None:
    verdicts = list(untrained.check_sequences([sequence("p" * count) for count in range(1, 9)], Facts()))

    assert all(verdict.p_qualified < 0.5 and verdict.feedback != "yes" for verdict in verdicts)


def test_a_model_of_early_fusion_is_refused(tmp_path: Path) -> None:
    text = MuiscText.train(TITLES, vocab_size=290, title_tokens=6, feedback_tokens=10, classes=CLASSES)
    Muisc(MuiscConfig.tiny(vocab_size=text.vocab_size, fusion="early")).save_pretrained(tmp_path)
    text.save(tmp_path)

    with pytest.raises(WeightsError, match="late fusion"):
        MuiscScorer(MuiscScorerConfig(model=tmp_path))


@pytest.fixture(scope="module")
def untrained(tmp_path_factory) -> MuiscScorer:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("muisc")
    text = MuiscText.train([*TITLES, *FEEDBACK], vocab_size=290, title_tokens=24, feedback_tokens=40, classes=CLASSES)
    Muisc(MuiscConfig(hidden_size=32, num_attention_heads=2, vocab_size=text.vocab_size)).save_pretrained(folder)
    text.save(folder)
    return MuiscScorer(MuiscScorerConfig(model=folder))


@pytest.mark.parametrize("lengths", [(3, 2), (2, 3), (1, 3, 2)])
def test_sequences_of_several_lengths_do_not_touch_one_another(
    untrained: MuiscScorer, lengths: tuple[int, ...]
) -> None:
    sequences = [sequence("p" * (place + 1), length) for place, length in enumerate(lengths)]

    together = {verdict.product_id: verdict for verdict in untrained.check_sequences(sequences, Facts())}

    for one in sequences:
        assert together[one.product.id] == next(iter(untrained.check_sequences([one], Facts())))
