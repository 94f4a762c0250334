"""What the sequence model promises: the proofs that the paper's section 3.4 asks for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from agpis_sdk.builtin.muisc.checkpoints import load_muisc
from agpis_sdk.builtin.muisc.model import Muisc, MuiscConfig
from agpis_sdk.builtin.muisc.text import MuiscText, label_space, title_with_category
from agpis_sdk.errors import WeightsError
from agpis_sdk.plugins import shipped_rules

CLASSES = label_space(shipped_rules())

TITLES = ["a red mug", "", "the longest title of them all, by far, in this test"]
FEEDBACK = ["yes", "watermark in the first image", "blurry image"]
Batch = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def text() -> MuiscText:
    return MuiscText.train([*TITLES, *FEEDBACK], vocab_size=290, title_tokens=6, feedback_tokens=10)


@pytest.fixture(scope="module")
def model(text: MuiscText) -> Muisc:
    torch.manual_seed(0)
    return Muisc(MuiscConfig.tiny(vocab_size=text.vocab_size, class_words=False)).eval()


@pytest.fixture(scope="module")
def batch(text: MuiscText) -> Batch:
    torch.manual_seed(1)
    prompt, attention_mask = map(torch.from_numpy, text.prompts(TITLES))
    feedback, feedback_mask = map(torch.from_numpy, text.feedback(FEEDBACK))
    return {
        "tokens": torch.randn(3, 3, 4, 6),
        "global_tokens": torch.randn(3, 3, 10),
        "input_ids": prompt,
        "attention_mask": attention_mask,
        "feedback_ids": feedback,
        "feedback_mask": feedback_mask,
    }


def first_feedback_logit(model: Muisc, batch: Batch) -> torch.Tensor:
    return model(**batch).lm_logits[:, batch["input_ids"].shape[1] - 1]


def test_the_last_token_of_the_last_image_reaches_the_first_word(model: Muisc, batch: Batch) -> None:
    changed = batch["tokens"].clone()
    changed[:, -1, -1] += 1

    before = first_feedback_logit(model, batch)
    after = first_feedback_logit(model, {**batch, "tokens": changed})

    assert (before - after).abs().amax(1).min() > 1e-5


def test_no_word_of_the_feedback_sees_a_later_one(model: Muisc, batch: Batch) -> None:
    whole = {**batch, "feedback_mask": torch.ones_like(batch["feedback_ids"])}
    changed = batch["feedback_ids"].clone()
    changed[:, -1] = 5

    before = model(**whole).lm_logits[:, :-1]
    after = model(**{**whole, "feedback_ids": changed}).lm_logits[:, :-1]

    assert torch.equal(before, after)


def test_padding_words_change_nothing(model: Muisc, batch: Batch) -> None:
    filled = {
        **batch,
        "input_ids": batch["input_ids"].masked_fill(batch["attention_mask"] == 0, 7),
        "feedback_ids": batch["feedback_ids"].masked_fill(batch["feedback_mask"] == 0, 7),
    }

    assert torch.allclose(model(**batch).logits, model(**filled).logits, atol=1e-6)


def test_wider_padding_changes_nothing(model: Muisc, batch: Batch) -> None:
    def wider(part: torch.Tensor) -> torch.Tensor:
        return torch.cat([torch.zeros(3, 2, dtype=part.dtype), part], dim=1)

    wide = {**batch, "input_ids": wider(batch["input_ids"]), "attention_mask": wider(batch["attention_mask"])}

    assert torch.allclose(model(**batch).logits, model(**wide).logits, atol=1e-5)


def test_filled_up_images_change_nothing(model: Muisc, batch: Batch) -> None:
    longer = {
        **batch,
        "tokens": torch.cat([batch["tokens"], torch.full((3, 1, 4, 6), 9.0)], dim=1),
        "global_tokens": torch.cat([batch["global_tokens"], torch.full((3, 1, 10), 9.0)], dim=1),
        "image_mask": torch.tensor([[True, True, True, False]] * 3),
    }

    assert torch.allclose(model(**batch).logits, model(**longer).logits, atol=1e-5)
    assert torch.allclose(model(**batch).lm_logits, model(**longer).lm_logits, atol=1e-5)


def test_a_batch_of_one_is_a_batch_of_many(model: Muisc, batch: Batch) -> None:
    together = model(**batch).logits

    alone = [model(**{name: part[[row]] for name, part in batch.items()}).logits[0] for row in range(3)]

    assert torch.allclose(together, torch.stack(alone), atol=1e-5)


def test_the_class_is_known_before_the_feedback(model: Muisc, batch: Batch) -> None:
    sequence = model.encode(batch["tokens"], batch["global_tokens"])

    judged = model.classify(sequence, batch["input_ids"], batch["attention_mask"])

    assert torch.allclose(judged, model(**batch).logits, atol=1e-5)


def expected_nlg_loss(model: Muisc, batch: Batch, *, with_title: bool) -> torch.Tensor:
    words = torch.cat([batch["input_ids"], batch["feedback_ids"]], 1)
    mask = torch.cat([batch["attention_mask"], batch["feedback_mask"]], 1)
    log_p = torch.log_softmax(model(**batch).lm_logits, dim=2)
    first = 1 if with_title else batch["input_ids"].shape[1]
    rows = [
        -sum(log_p[row, place - 1, words[row, place]] for place in range(first, words.shape[1]) if mask[row, place])
        for row in range(3)
    ]
    return torch.stack(rows).mean()


def test_the_loss_is_the_weighted_sum_of_both_tasks(model: Muisc, batch: Batch) -> None:
    labels = torch.tensor([0, 1, 2])
    output = model(**batch, labels=labels)

    mcc = torch.nn.functional.cross_entropy(output.logits, labels)

    assert torch.allclose(output.loss, 0.1 * expected_nlg_loss(model, batch, with_title=False) + mcc, atol=1e-5)


def test_a_mean_over_words_is_smaller_than_their_sum(model: Muisc, batch: Batch) -> None:
    labels = torch.tensor([0, 1, 2])
    averaging = Muisc(MuiscConfig.tiny(vocab_size=model.config.vocab_size, nlg_reduction="mean")).eval()
    averaging.load_state_dict(model.state_dict())

    words = batch["feedback_mask"].sum()

    mcc = torch.nn.functional.cross_entropy(model(**batch).logits, labels)
    mean = expected_nlg_loss(model, batch, with_title=False) * 3 / words
    assert torch.allclose(averaging(**batch, labels=labels).loss, 0.1 * mean + mcc, atol=1e-5)


SWITCHES: list[dict[str, Any]] = [
    {"num_decoder_layers": 0},
    {"nlg_weight": 0.0},
    {"predict_title": True},
    {"tie_lm_head": False},
    {"joint_positions": True},
    {"cross_attention_layers": [1]},
    {"fusion": "early"},
]


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: next(iter(switch)))
def test_every_switch_learns(text: MuiscText, batch: Batch, switch: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model = Muisc(MuiscConfig.tiny(vocab_size=text.vocab_size, **switch))
    given = dict(batch)
    if switch.get("fusion") == "early":
        given |= {"tokens": batch["tokens"][:, :1], "global_tokens": batch["global_tokens"][:, :1]}
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    losses = []
    for _ in range(30):
        loss = model(**given, labels=torch.tensor([0, 1, 2])).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))

    assert losses[-1] < losses[0] / 2


def test_predicting_the_title_counts_its_words_too(model: Muisc, batch: Batch) -> None:
    labels = torch.tensor([0, 1, 2])
    config = MuiscConfig.tiny(vocab_size=model.config.vocab_size, predict_title=True)
    predicting = Muisc(config).eval()
    predicting.load_state_dict(model.state_dict())

    mcc = torch.nn.functional.cross_entropy(model(**batch).logits, labels)

    expected = 0.1 * expected_nlg_loss(model, batch, with_title=True) + mcc
    assert torch.allclose(predicting(**batch, labels=labels).loss, expected, atol=1e-5)


def test_images_are_seen_in_the_chosen_blocks_alone(text: MuiscText) -> None:
    model = Muisc(MuiscConfig.tiny(vocab_size=text.vocab_size, num_decoder_layers=3, cross_attention_layers=[2]))

    assert [hasattr(block, "crossattention") for block in model.decoder] == [False, False, True]
    assert {name.split(".")[1] for name in model.state_dict() if "crossattention" in name} == {"2"}


def test_generated_feedback_ends_once(model: Muisc, text: MuiscText, batch: Batch) -> None:
    sequence = model.encode(batch["tokens"], batch["global_tokens"])

    said = model.generate_feedback(
        sequence, batch["input_ids"], batch["attention_mask"], eos_token_id=text.end, max_new_tokens=8
    )

    assert said.shape[0] == 3
    for row in said.tolist():
        assert set(row[row.index(text.end) :]) == {text.end} if text.end in row else True


@given(seed=st.integers(0, 2**16))
@settings(max_examples=10, deadline=None)
def test_each_generated_word_is_the_likeliest_after_all_that_precede_it(seed: int, text: MuiscText) -> None:
    torch.manual_seed(seed)
    model = Muisc(MuiscConfig.tiny(vocab_size=text.vocab_size, cross_attention_layers=[1])).eval()
    sequence = model.encode(torch.randn(3, 2, 4, 6), torch.randn(3, 2, 10))
    prompt, mask = map(torch.from_numpy, text.prompts(TITLES))

    generated = model.generate_feedback(sequence, prompt, mask, eos_token_id=text.end, max_new_tokens=8)

    words = torch.cat([prompt, generated], dim=1)
    hidden = model.decode(sequence, words, torch.cat([mask, torch.ones_like(generated)], dim=1))
    likeliest = model.language_logits(hidden)[:, prompt.shape[1] - 1 : -1].argmax(2)
    ended = (generated == text.end).cumsum(1) > 0
    assert torch.equal(generated, likeliest.masked_fill(ended, text.end))


def test_feedback_does_not_contradict_the_class(model: Muisc, text: MuiscText, batch: Batch) -> None:
    sequence = model.encode(batch["tokens"], batch["global_tokens"])
    never = text.forbidden_first_tokens(np.array([[0.9, 0.1, 0.0], [0.1, 0.5, 0.4], [0.4, 0.1, 0.5]]))

    said = model.generate_feedback(
        sequence,
        batch["input_ids"],
        batch["attention_mask"],
        eos_token_id=text.end,
        max_new_tokens=1,
        forbidden_first_tokens=torch.from_numpy(never),
    )

    assert (said[:, 0] == text.qualified[0]).tolist() == [True, False, False]


def test_an_objection_begins_with_the_word_of_the_likeliest_rule(model: Muisc, batch: Batch) -> None:
    text = MuiscText.train(
        [*TITLES, *FEEDBACK], vocab_size=270, title_tokens=6, feedback_tokens=10, classes=("yes", "AGP101", "AGP102")
    )
    model = Muisc(MuiscConfig.tiny(vocab_size=text.vocab_size)).eval()
    sequence = model.encode(batch["tokens"], batch["global_tokens"])
    prompt, mask = map(torch.from_numpy, text.prompts(TITLES))
    probabilities = np.array([[0.9, 0.1, 0.0], [0.1, 0.5, 0.4], [0.4, 0.1, 0.5]])

    said = model.generate_feedback(
        sequence,
        prompt,
        mask,
        eos_token_id=text.end,
        max_new_tokens=1,
        forbidden_first_tokens=torch.from_numpy(text.forbidden_first_tokens(probabilities)),
    )

    taught, _ = text.feedback(["yes", "", ""], [0, 1, 2])
    assert said[:, 0].tolist() == taught[:, 0].tolist()


def test_the_word_of_a_class_is_not_read_aloud() -> None:
    text = MuiscText.train(FEEDBACK, vocab_size=270, title_tokens=6, feedback_tokens=40, classes=("yes", "AGP101"))

    words, _ = text.feedback(["blurry image"], [1])

    assert text.read(words[0].tolist()) == "blurry image"


@pytest.fixture
def saved(model: Muisc, text: MuiscText, tmp_path: Path) -> Path:
    model.save_pretrained(tmp_path)
    text.save(tmp_path)
    return tmp_path


def test_a_model_comes_back_as_it_was_saved(model: Muisc, batch: Batch, saved: Path) -> None:
    loaded, _ = load_muisc(saved)

    assert all(torch.equal(tensor, loaded.state_dict()[name]) for name, tensor in model.state_dict().items())
    # Without gradients torch takes a faster path through the encoder, which rounds differently.
    assert torch.allclose(loaded(**batch).logits, model(**batch).logits, atol=1e-6)


@pytest.mark.parametrize("change", ["missing", "unexpected", "misshapen"])
def test_tensors_of_another_layout_are_refused(saved: Path, change: str) -> None:
    tensors = load_file(saved / "model.safetensors")
    if change == "missing":
        del tensors["classifier.bias"]
    elif change == "unexpected":
        tensors["something.else"] = torch.zeros(1)
    else:
        tensors["classifier.bias"] = torch.zeros(7)
    save_file(tensors, saved / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(WeightsError):
        load_muisc(saved)


def test_decoder_matrices_of_an_older_version_are_refused_with_what_to_do(saved: Path) -> None:
    tensors = load_file(saved / "model.safetensors")
    turned = {name: tensor.T.contiguous() if "c_attn.weight" in name else tensor for name, tensor in tensors.items()}
    save_file(turned, saved / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(WeightsError, match=r"decoder\.0\.attn\.c_attn\.weight.*train the model again"):
        load_muisc(saved)


def test_the_tokenizer_of_a_folder_is_one_of_transformers(text: MuiscText, saved: Path) -> None:
    theirs = AutoTokenizer.from_pretrained(saved)

    words = theirs("a", add_special_tokens=False)["input_ids"]
    assert [*words, theirs.sep_token_id] == text.prompts(["a"])[0][0].tolist()


def test_a_folder_without_a_tokenizer_is_named(saved: Path) -> None:
    (saved / "tokenizer.json").unlink()

    with pytest.raises(WeightsError, match=rf"{saved.name}: no tokenizer loads"):
        load_muisc(saved)


def test_a_tokenizer_of_another_training_is_refused(saved: Path) -> None:
    MuiscText.train(FEEDBACK, vocab_size=280, title_tokens=6, feedback_tokens=10, classes=("yes", "AGP101")).save(saved)

    with pytest.raises(WeightsError, match="tokenizer"):
        load_muisc(saved)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError):
        load_muisc(tmp_path)


def test_there_are_48_classes_and_the_first_is_qualified() -> None:
    assert len(CLASSES) == 48
    assert CLASSES[0] == "yes"


@pytest.mark.parametrize("words", ["水印", "wasserzeichen im ersten bild", "🙂"])
def test_feedback_in_any_language_comes_back(words: str) -> None:
    text = MuiscText.train(FEEDBACK, vocab_size=290, title_tokens=6, feedback_tokens=40)
    ids, _ = text.feedback([words])

    assert text.read(ids[0].tolist()) == words


def test_a_missing_title_leaves_the_separator_alone(text: MuiscText) -> None:
    prompt, mask = text.prompts([""])

    assert prompt.tolist() == [[text.separator]]
    assert mask.tolist() == [[1]]


def test_a_product_without_a_category_adds_no_words() -> None:
    assert title_with_category("Nevada 3", "") == "Nevada 3"


def test_a_model_of_an_older_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    Muisc(MuiscConfig.tiny()).save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(json.dumps({**written, "width": 16}), encoding="utf-8")

    with pytest.raises(WeightsError, match=r"older version \(it has width\) \(train the model again\)"):
        load_muisc(tmp_path)
