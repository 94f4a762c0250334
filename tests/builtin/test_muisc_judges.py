"""The sequence model by graph and in torch: the same p^t, the same words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from agpis_sdk.builtin.muisc.graph_judge import WEIGHTS, GraphJudge
from agpis_sdk.builtin.muisc.judge import load_judge
from agpis_sdk.builtin.muisc.saved_config import SHIPPED_FOLDER
from agpis_sdk.builtin.muisc.torch_judge import TorchJudge
from agpis_sdk.errors import WeightsError

TITLES = ["running jacket women, blue", "", "watch", "yoga tee men, tops"]


@pytest.fixture(scope="module")
def by_graph() -> GraphJudge:
    return GraphJudge(SHIPPED_FOLDER)


@pytest.fixture(scope="module")
def in_torch() -> TorchJudge:
    return TorchJudge(SHIPPED_FOLDER, "cpu")


def asked(judge: GraphJudge | TorchJudge, images: int, seed: int = 0) -> tuple[Any, ...]:
    """Return sequences of random features, some of which hold an image twice, with their prompts."""
    config, generator = judge.config, np.random.default_rng(seed)
    shape = (len(TITLES), images, config.num_patches, config.token_channels)
    tokens = (generator.normal(size=shape) * 2).astype(np.float32)
    global_tokens = generator.random((*shape[:2], config.global_channels)).astype(np.float32)
    tokens[::2, -1], global_tokens[::2, -1] = tokens[::2, 0], global_tokens[::2, 0]
    evidence = generator.normal(size=(*shape[:2], len(config.evidence))).astype(np.float32)
    prompt, mask = judge.text.prompts(TITLES, full_width=True)
    return tokens, global_tokens, prompt, mask, evidence if config.evidence else None


@pytest.mark.parametrize("images", [1, 2, 3, 5, 8])
def test_p_t_and_the_words_are_those_of_torch(by_graph: GraphJudge, in_torch: TorchJudge, images: int) -> None:
    ours, theirs = by_graph.judge(*asked(by_graph, images)), in_torch.judge(*asked(in_torch, images))

    np.testing.assert_allclose(ours.probabilities, theirs.probabilities, atol=1e-4)
    for threshold in (0.0, 0.5, 1.0):
        assert by_graph.feedback(ours, threshold, 32) == in_torch.feedback(theirs, threshold, 32)


def test_p_t_and_the_words_do_not_depend_on_how_many_sequences_are_in_a_pass(by_graph: GraphJudge) -> None:
    inputs = asked(by_graph, 3)
    together = by_graph.judge(*inputs)

    alone = [by_graph.judge(*(part[row : row + 1] for part in inputs)) for row in range(len(TITLES))]

    assert np.abs(np.concatenate([one.probabilities for one in alone]) - together.probabilities).max() < 1e-6
    assert [by_graph.feedback(one, 1.0, 32)[0] for one in alone] == by_graph.feedback(together, 1.0, 32)


def test_feedback_is_no_longer_than_asked(by_graph: GraphJudge) -> None:
    judged = by_graph.judge(*asked(by_graph, 3))

    assert by_graph.feedback(judged, 0.5, 0) == [""] * len(TITLES)
    longer, shorter = by_graph.feedback(judged, 1.0, 8), by_graph.feedback(judged, 1.0, 3)
    assert all(long.startswith(short) for long, short in zip(longer, shorter, strict=True))


def test_a_model_of_the_shipped_architecture_runs_as_a_graph(tmp_path: Path) -> None:
    folder = shutil.copytree(SHIPPED_FOLDER, tmp_path / "own")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "mcc_qualified_bias": -40.0}))

    judge = load_judge(folder, "cpu")

    assert isinstance(judge, GraphJudge)
    assert judge.judge(*asked(judge, 3)).probabilities[:, 0].max() < 1e-6


@pytest.mark.parametrize("change", [{"num_attention_heads": 4}, {"a_later_field": 1}])
def test_a_model_of_another_architecture_runs_in_torch(tmp_path: Path, change: dict[str, Any]) -> None:
    folder = shutil.copytree(SHIPPED_FOLDER, tmp_path / "own")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **change}))

    assert not GraphJudge.fits(folder, "cpu")


def test_weights_that_are_not_finite_are_named(tmp_path: Path) -> None:
    folder = shutil.copytree(SHIPPED_FOLDER, tmp_path / "own")
    tensors = load_file(folder / WEIGHTS)
    save_file({**tensors, "classifier.bias": np.full_like(tensors["classifier.bias"], np.nan)}, folder / WEIGHTS)

    with pytest.raises(WeightsError, match=r"classifier\.bias holds values that are not finite"):
        load_judge(folder, "cpu")


def test_a_folder_without_weights_and_another_device_are_left_to_torch(tmp_path: Path) -> None:
    folder = shutil.copytree(SHIPPED_FOLDER, tmp_path / "own")
    (folder / WEIGHTS).unlink()

    assert not GraphJudge.fits(folder, "cpu")
    assert not GraphJudge.fits(SHIPPED_FOLDER, "cuda")
