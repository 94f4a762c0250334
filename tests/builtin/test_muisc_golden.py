"""The shipped model judges and writes as it did when it was trained.

`golden/muisc_lite.npz` holds what the code of that day returned for the inputs below. It was written once, with
`python -m tests.builtin.test_muisc_golden`. Write it anew only when the shipped weights themselves are trained anew.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from agpis_sdk.builtin.muisc.checkpoints import load_muisc

GOLDEN = Path(__file__).parent / "golden" / "muisc_lite.npz"
TITLES = ["Nevada 3, outdoor tents", "", "Leather backpack with two side pockets, bags backpacks"]
FEEDBACK = ["the second image is blurred", "yes", "a watermark covers the bag"]
LABELS = [3, 0, 7]
COUNTS = [3, 2, 3]  # images of each sequence
TOLERANCE = 1e-5


def model_outputs() -> dict[str, NDArray[np.float32] | NDArray[np.int64]]:
    """Return what the shipped model makes of seeded features: logits (B, ...), and generated tokens (B, F)."""
    model, text = load_muisc("muisc-lite")
    config = model.config
    # RandomState's stream is frozen by numpy; the default generator's is not.
    random = np.random.RandomState(12)
    shape = (len(TITLES), max(COUNTS))
    # Small and never negative, as a backbone's features are: of wilder ones the model has nothing to write.
    tokens = 0.25 * np.abs(random.standard_normal((*shape, config.num_patches, config.token_channels)))
    global_tokens = 0.25 * np.abs(random.standard_normal((*shape, config.global_channels)))
    evidence = random.standard_normal((*shape, len(config.evidence)))
    features = {
        "tokens": torch.from_numpy(tokens).float(),
        "global_tokens": torch.from_numpy(global_tokens).float(),
        "evidence": torch.from_numpy(evidence).float(),
    }
    image_mask = torch.arange(max(COUNTS)) < torch.tensor(COUNTS)[:, None]
    prompt, attention_mask = map(torch.from_numpy, text.prompts(TITLES))
    feedback, feedback_mask = map(torch.from_numpy, text.feedback(FEEDBACK, LABELS))
    with torch.inference_mode():
        output = model(
            **features, input_ids=prompt, attention_mask=attention_mask, image_mask=image_mask,
            feedback_ids=feedback, feedback_mask=feedback_mask, labels=torch.tensor(LABELS),
        )  # fmt: skip
        words = model.generate_feedback(
            model.encode(**features, image_mask=image_mask), prompt, attention_mask, eos_token_id=text.end, max_new_tokens=20,
            forbidden_first_tokens=torch.from_numpy(text.forbidden_first_tokens(model.probabilities(output.logits).numpy())),
        )  # fmt: skip
    separator = prompt.shape[1] - 1
    return {
        "class_logits": output.logits.numpy(),
        # All words at the separator and at the first word of feedback: what follows is in `loss`.
        "word_logits": output.lm_logits[:, separator : separator + 2].numpy(),
        "loss": output.loss.numpy(),
        "words": words.numpy(),
    }


@pytest.fixture(scope="module")
def outputs() -> dict[str, NDArray[np.float32] | NDArray[np.int64]]:
    return model_outputs()


@pytest.mark.parametrize("name", ["class_logits", "word_logits", "loss"])
def test_logits_and_loss_are_those_of_the_day_it_was_trained(
    name: str, outputs: dict[str, NDArray[np.float32] | NDArray[np.int64]]
) -> None:
    before = np.load(GOLDEN)[name]

    np.testing.assert_allclose(outputs[name], before, rtol=TOLERANCE, atol=TOLERANCE)


def test_generated_words_are_those_of_the_day_it_was_trained(
    outputs: dict[str, NDArray[np.float32] | NDArray[np.int64]],
) -> None:
    before = np.load(GOLDEN)["words"]

    assert outputs["words"].tolist() == before.tolist()


if __name__ == "__main__":
    np.savez_compressed(GOLDEN, **model_outputs())
