"""The processor: pictures and titles in, a batch for the model out; words in, text out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from agpis_sdk import Muisc, MuiscConfig, MuiscProcessor
from agpis_sdk.builtin.muisc.checkpoints import load_muisc
from agpis_sdk.builtin.muisc.processor import FACTS
from agpis_sdk.builtin.muisc.text import MuiscText
from agpis_sdk.config import Config
from agpis_sdk.errors import ConfigError, WeightsError
from agpis_sdk.pipeline.image_facts import RunFacts
from agpis_sdk.testing import isolated_host, make_image
from agpis_sdk.testing.checking import sequence_of
from agpis_sdk.testing.component import ComponentUnderTest
from tests.training.color_shop import ColorBackbone


def picture(color: tuple[int, int, int], size: tuple[int, int] = (30, 40)) -> np.ndarray:
    return np.full((*size, 3), color, np.uint8)


RED, BLUE, GREEN = picture((200, 0, 0)), picture((0, 0, 200), (60, 20)), picture((0, 200, 0))


@pytest.fixture(scope="module")
def processor() -> MuiscProcessor:
    return MuiscProcessor.from_pretrained("muisc-lite", source=ColorBackbone())


@pytest.fixture(scope="module")
def model() -> Muisc:
    return load_muisc("muisc-lite")[0]


def test_a_batch_has_the_names_and_shapes_of_the_models_forward(processor: MuiscProcessor, model: Muisc) -> None:
    batch = processor([[RED, BLUE, GREEN], [BLUE, RED, GREEN]], ["Red bag", ""], ["Bags", ""])

    assert tuple(batch["tokens"].shape) == (2, 3, model.config.num_patches, model.config.token_channels)
    assert tuple(model(**batch).logits.shape) == (2, len(model.config.classes))


def test_p_qualified_is_that_of_a_run(model: Muisc) -> None:
    scorer = ComponentUnderTest.named(isolated_host(), "muisc")
    sequence = sequence_of([make_image(fault, position=place) for place, fault in enumerate(("plain", "banner"))])
    facts = RunFacts(FACTS, host=isolated_host(), config=Config())
    processor = MuiscProcessor.from_pretrained("muisc-lite", source=facts)

    batch = processor(
        [[image.pixels for image in sequence.images]], [sequence.product.title], [sequence.product.category]
    )

    (verdict,) = scorer.check_sequences([sequence])
    found = model.probabilities(model(**batch).logits)[0, 0].item()
    assert found == pytest.approx(verdict.p_qualified, abs=1e-4)


def test_a_shorter_sequence_is_judged_as_if_it_were_alone(processor: MuiscProcessor, model: Muisc) -> None:
    together = processor([[RED, BLUE, GREEN], [BLUE, RED]], ["Tent", "Tent"])
    alone = processor([[BLUE, RED]], ["Tent"])

    assert together["image_mask"].tolist() == [[True, True, True], [True, True, False]]
    assert torch.allclose(model(**together).logits[1], model(**alone).logits[0], atol=1e-4)


def test_the_order_of_images_matters(processor: MuiscProcessor, model: Muisc) -> None:
    batch = processor([[RED, BLUE], [BLUE, RED]], ["", ""])

    first, second = model(**batch).logits

    assert not torch.allclose(first, second, atol=1e-3)


def test_generated_words_are_read_back(processor: MuiscProcessor, model: Muisc) -> None:
    batch = processor([[RED, BLUE]], ["Tent"])
    feature = model.encode(batch["tokens"], batch["global_tokens"], batch["image_mask"], batch["evidence"])

    words = model.generate_feedback(
        feature, batch["input_ids"], batch["attention_mask"], eos_token_id=processor.text.end, max_new_tokens=12
    )

    (text,) = processor.batch_decode(words)
    assert text
    assert "<" not in text


def test_what_is_saved_is_read_again(processor: MuiscProcessor, tmp_path: Path) -> None:
    processor.save_pretrained(tmp_path / "processor")

    again = MuiscProcessor.from_pretrained(tmp_path / "processor", source=ColorBackbone())

    assert again.config.to_dict() == processor.config.to_dict()
    assert again([[RED]], ["Red bag"])["input_ids"].tolist() == processor([[RED]], ["Red bag"])["input_ids"].tolist()


def test_a_model_with_its_own_tower_gets_normalized_pixels() -> None:
    config = MuiscConfig.tiny(tower="timm/test_vit", tower_size=32, tower_mean=[0.5] * 3, tower_deviation=[0.5] * 3)
    text = MuiscText.train(["a bag"], vocab_size=300, title_tokens=6, feedback_tokens=6)

    pixels = MuiscProcessor(config, text)([[picture((255, 255, 255)), RED]], ["bag"])["pixels"]

    assert tuple(pixels.shape) == (1, 2, 3, 32, 32)
    assert pixels[0, 0, :, 16, 16].tolist() == [1, 1, 1]


def test_a_model_that_reads_a_backbone_needs_one() -> None:
    with pytest.raises(ConfigError, match="hand one over"):
        MuiscProcessor.from_pretrained("muisc-lite")


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=tmp_path.name):
        MuiscProcessor.from_pretrained(tmp_path)


def test_early_fusion_without_a_tower_of_its_own_is_refused() -> None:
    config = MuiscConfig.tiny(fusion="early")
    text = MuiscText.train(["red bag"], vocab_size=300, title_tokens=6, feedback_tokens=10)

    with pytest.raises(ConfigError, match="fusion = early: puts the images of a sequence into one picture"):
        MuiscProcessor(config, text, source=ColorBackbone())
