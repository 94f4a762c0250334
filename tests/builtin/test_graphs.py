"""The graphs of a default run: the same answers as in torch, with the very weights that torch reads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file

from agpis_sdk.builtin import graphs
from agpis_sdk.builtin.graphs import GraphModel, GraphSpec
from agpis_sdk.training.graphs import GRAPHS, example, export

torch = pytest.importorskip("torch")
SIZES = {"batch": 8, "images": 3, "words": 5, "words + 1": 6, "places": 7}

every_graph = pytest.mark.parametrize("spec", GRAPHS, ids=[spec.file.stem for spec in GRAPHS])


def in_torch(spec: GraphSpec, arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    module = spec.module(load_file(spec.weights))
    results = module(*(torch.from_numpy(arrays[name]) for name in spec.inputs))
    results = [results] if isinstance(results, torch.Tensor) else results
    return {name: result.numpy() for name, result in zip(spec.outputs, results, strict=True)}


@every_graph
def test_a_graph_says_what_its_model_says_in_torch(spec: GraphSpec) -> None:
    arrays = example(spec, SIZES)

    found, expected = GraphModel(spec, load_file(spec.weights))(**arrays), in_torch(spec, arrays)

    for name in spec.outputs:
        assert found[name].dtype == expected[name].dtype
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-4, atol=2e-4)


@pytest.mark.slow
@every_graph
def test_a_graph_is_what_its_model_exports_today(spec: GraphSpec, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")

    export(spec, tmp_path / "graph.onnx")

    assert operations(tmp_path / "graph.onnx") == operations(spec.file), "run `make graphs`"


def operations(file: Path) -> list[tuple[str, tuple[str, ...]]]:
    """Return the operations of a graph, each with the weights that it reads."""
    import onnx

    graph = onnx.load(file, load_external_data=False).graph
    weights = {one.name for one in graph.initializer if one.data_location == onnx.TensorProto.EXTERNAL}
    return [(node.op_type, tuple(name for name in node.input if name in weights)) for node in graph.node]


@every_graph
def test_a_graph_file_holds_no_weights(spec: GraphSpec) -> None:
    onnx = pytest.importorskip("onnx")

    initializers = onnx.load(spec.file, load_external_data=False).graph.initializer
    without_values = {one.name for one in initializers if one.data_location == onnx.TensorProto.EXTERNAL}

    assert without_values == spec.read(load_file(spec.weights)).keys()
    assert spec.file.stat().st_size < 200_000


@every_graph
def test_a_graph_follows_the_weights_that_it_is_given(spec: GraphSpec) -> None:
    arrays, tensors = example(spec, SIZES), load_file(spec.weights)
    halved = {name: tensor * np.float32(0.5) for name, tensor in tensors.items()}

    as_shipped, changed = GraphModel(spec, tensors)(**arrays), GraphModel(spec, halved)(**arrays)

    assert not np.allclose(as_shipped[spec.outputs[0]], changed[spec.outputs[0]])


@every_graph
def test_an_item_s_answer_does_not_depend_on_its_batch(spec: GraphSpec) -> None:
    model, arrays = GraphModel(spec, load_file(spec.weights)), example(spec, SIZES)
    axes = {name: shape.index("batch") for name, shape in spec.inputs.items()}
    order = [0, *range(SIZES["batch"] - 1, 0, -1)]
    others = {name: np.ascontiguousarray(array.take(order, axes[name])) for name, array in arrays.items()}

    one, other = model(**arrays), model(**others)

    for name in spec.outputs:
        axis = one[name].shape.index(SIZES["batch"])
        assert one[name].take(0, axis).tobytes() == other[name].take(0, axis).tobytes()


@every_graph
def test_the_answer_does_not_depend_on_the_number_of_threads(spec: GraphSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays, answers = example(spec, SIZES), []
    for threads in ("1", "2"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        answers.append(GraphModel(spec, load_file(spec.weights))(**arrays))

    for name in spec.outputs:
        assert answers[0][name].tobytes() == answers[1][name].tobytes()


def test_inputs_of_another_shape_are_answered_by_torch() -> None:
    (spec,) = (spec for spec in GRAPHS if spec.file.stem == "noncompliance")
    larger = {
        name: np.zeros((1, shape[1], 2 * shape[2], 2 * shape[3]), np.float32) for name, shape in spec.inputs.items()
    }  # type: ignore[operator]

    assert GraphModel(spec, load_file(spec.weights))(**larger)["maps"].shape[2:] == (28, 28)


def test_threads_are_those_that_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert graphs._threads() == len(os.sched_getaffinity(0))
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert graphs._threads() == 3
