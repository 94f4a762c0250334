"""What the sequence model promises: the proofs that the paper's section 3.4 asks for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from agpis_sdk.builtin.muisc.config import MuiscScorerConfig
from agpis_sdk.builtin.muisc.model import Muisc, MuiscConfig
from agpis_sdk.builtin.muisc.scorer import MuiscScorer, load_muisc
from agpis_sdk.builtin.muisc.text import CLASSES, END, MuiscText
from agpis_sdk.components import DecodedImage, ImageSequence
from agpis_sdk.errors import WeightsError
from agpis_sdk.records import CandidateImage, Product

TITLES = ["a red mug", "", "the longest title of them all, by far, in this test"]
FEEDBACK = ["yes", "watermark in the first image", "blurry image"]


@pytest.fixture(scope="module")
def text() -> MuiscText:
    return MuiscText.train([*TITLES, *FEEDBACK], vocabulary=290, title_tokens=6, feedback_tokens=10)


@pytest.fixture(scope="module")
def model(text: MuiscText) -> Muisc:
    torch.manual_seed(0)
    config = MuiscConfig.tiny()
    config.vocabulary = text.vocabulary
    return Muisc(config).eval()


@pytest.fixture(scope="module")
def images() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return torch.randn(3, 3, 4, 6), torch.randn(3, 3, 10)


def test_the_last_token_of_the_last_image_reaches_the_first_word(model, text, images) -> None:
    words, mask = text.with_feedback(TITLES, FEEDBACK)
    changed = images[0].clone()
    changed[:, -1, -1] += 1

    before = model(*images, words, mask).feedback_logits[:, 0]
    after = model(changed, images[1], words, mask).feedback_logits[:, 0]

    assert (before - after).abs().amax(1).min() > 1e-5


def test_no_word_of_the_feedback_sees_a_later_one(model, text, images) -> None:
    words, mask = text.with_feedback(TITLES, FEEDBACK)
    mask = torch.ones_like(mask)
    changed = words.clone()
    changed[:, -1] = 5

    before = model(*images, words, mask).feedback_logits[:, :-1]
    after = model(*images, changed, mask).feedback_logits[:, :-1]

    assert torch.equal(before, after)


def test_padding_changes_nothing(model, text, images) -> None:
    words, mask = text.with_feedback(TITLES, FEEDBACK)
    filled = words.masked_fill(mask == 0, 7)

    assert torch.allclose(
        model(*images, words, mask).class_logits, model(*images, filled, mask).class_logits, atol=1e-6
    )


def test_a_batch_of_one_is_a_batch_of_many(model, text, images) -> None:
    words, mask = text.with_feedback(TITLES, FEEDBACK)

    together = model(*images, words, mask).class_logits
    alone = [model(images[0][[i]], images[1][[i]], words[[i]], mask[[i]]).class_logits[0] for i in range(3)]

    assert torch.allclose(together, torch.stack(alone), atol=1e-5)


def test_the_class_is_known_before_the_feedback(model, text, images) -> None:
    prompts = text.prompts(TITLES)
    words, mask = text.with_feedback(TITLES, FEEDBACK)

    hidden = model.decode(model.encode(*images), *prompts)[:, -1]

    assert torch.allclose(model.to_classes(hidden), model(*images, words, mask).class_logits, atol=1e-5)


def test_the_loss_is_the_weighted_sum_of_both_tasks(model, text, images) -> None:
    words, mask = text.with_feedback(TITLES, FEEDBACK)
    classes = torch.tensor([0, 1, 2])
    output = model(*images, words, mask, classes)

    log_p = torch.log_softmax(output.feedback_logits, dim=2)
    nlg = torch.stack([
        -sum(log_p[row, step, words[row, 7 + step]] for step in range(10) if mask[row, 7 + step]) for row in range(3)
    ]).mean()  # fmt: skip
    mcc = torch.nn.functional.cross_entropy(output.class_logits, classes)

    assert torch.allclose(output.loss, 0.1 * nlg + mcc, atol=1e-5)


def test_training_lowers_the_loss(text, images) -> None:
    torch.manual_seed(0)
    config = MuiscConfig.tiny()
    config.vocabulary = text.vocabulary
    model = Muisc(config)
    words, mask = text.with_feedback(TITLES, FEEDBACK)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    losses = []
    for _ in range(30):
        loss = model(*images, words, mask, torch.tensor([0, 1, 2])).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))

    assert losses[-1] < losses[0] / 2


@pytest.fixture
def saved(model, text, tmp_path: Path) -> Path:
    model.save_pretrained(tmp_path)
    text.save(tmp_path)
    return tmp_path


def test_a_model_comes_back_as_it_was_saved(model, text, images, saved: Path) -> None:
    words, mask = text.with_feedback(TITLES, FEEDBACK)

    loaded, _ = load_muisc(saved)

    assert all(torch.equal(tensor, loaded.state_dict()[name]) for name, tensor in model.state_dict().items())
    # Without gradients torch takes a faster path through the encoder, which rounds differently.
    assert torch.allclose(
        loaded(*images, words, mask).class_logits, model(*images, words, mask).class_logits, atol=1e-6
    )


@pytest.mark.parametrize("change", ["missing", "unexpected", "misshapen"])
def test_tensors_of_another_layout_are_refused(saved: Path, change: str) -> None:
    tensors = load_file(saved / "model.safetensors")
    if change == "missing":
        del tensors["to_classes.bias"]
    elif change == "unexpected":
        tensors["something.else"] = torch.zeros(1)
    else:
        tensors["to_classes.bias"] = torch.zeros(7)
    save_file(tensors, saved / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(WeightsError):
        load_muisc(saved)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError):
        load_muisc(tmp_path)


class Facts:
    def fact(self, image: DecodedImage, name: str) -> np.ndarray:
        rng = np.random.default_rng([image.position, len(image.product_id), len(name)])
        return rng.random((320, 7, 7) if name == "tokens" else (1280,), dtype=np.float32)


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


@pytest.mark.parametrize("length", [1, 2, 5])
def test_sequences_of_other_lengths_are_judged(length: int) -> None:
    (verdict,) = MuiscScorer(MuiscScorerConfig()).check_sequences([sequence("p", length)], Facts())

    assert 0 <= verdict.p_qualified <= 1


def test_a_sequence_that_is_too_long_is_refused() -> None:
    with pytest.raises(WeightsError, match="at most 8 images, not 9"):
        list(MuiscScorer(MuiscScorerConfig()).check_sequences([sequence("p", 9)], Facts()))


def test_there_are_45_classes_and_the_first_is_qualified() -> None:
    assert len(CLASSES) == 45
    assert CLASSES[0] == "yes"


def test_feedback_in_any_language_comes_back(text: MuiscText) -> None:
    words, _ = text.with_feedback([""], ["水印"])

    assert text.read(words[0, 7:].tolist()) == "水印"


def test_generated_feedback_ends_once(model, text, images) -> None:
    said = model.generate_feedback(model.encode(*images), *text.prompts(TITLES), END, 8)

    assert said.shape == (3, 8)
    for row in said.tolist():
        assert set(row[row.index(END) :]) == {END} if END in row else True


def test_cached_generation_chooses_what_the_whole_model_would(model, text, images) -> None:
    words, mask = text.prompts(TITLES)
    encoded = model.encode(*images)

    said = model.generate_feedback(encoded, words, mask, END, 8)

    hidden = model.decode(encoded, torch.cat([words, said], 1), torch.cat([mask, torch.ones_like(said)], 1))
    chosen = (hidden @ model.decoder.wte.weight.T).argmax(2)[:, words.shape[1] - 1 : -1]
    for row, expected in zip(said.tolist(), chosen.tolist(), strict=True):
        length = row.index(END) + 1 if END in row else len(row)
        assert row[:length] == expected[:length]


@pytest.fixture(scope="module")
def untrained(tmp_path_factory) -> MuiscScorer:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("muisc")
    text = MuiscText.train([*TITLES, *FEEDBACK], vocabulary=290, title_tokens=16, feedback_tokens=40)
    Muisc(MuiscConfig(width=32, vocabulary=text.vocabulary)).save_pretrained(folder)
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
