"""Exports the graphs of a default run from their torch references (extra `export`).

python -m agpis_sdk.training.graphs [FOLDER]

Writes every graph file anew, into FOLDER or to where it ships. Needed after a change of a model's operations, not after
training: a graph file holds no weights. The exporter's names of weights are those of the safetensors file.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file

from agpis_sdk.builtin.backbones import efficientnet_lite0
from agpis_sdk.builtin.foreground import head_file as foreground
from agpis_sdk.builtin.graphs import GraphSpec
from agpis_sdk.builtin.muisc import graph_judge as muisc
from agpis_sdk.builtin.noncompliance import head_file as noncompliance
from agpis_sdk.files import written_whole

GRAPHS = (efficientnet_lite0.GRAPH, foreground.GRAPH, noncompliance.GRAPH, muisc.JUDGING, muisc.NEXT_WORD)
# Of dimensions that may vary: different ones, or the exporter would take two for one; 1 would be taken for a constant.
EXAMPLE_SIZES = {"images": 2, "batch": 3, "words": 5, "words + 1": 6, "places": 7}
MADE_OF = "agpis.made_of"  # the key of a graph's metadata that says it
IR_VERSION = 10  # ONNX Runtime 1.18 and later read it


def export(spec: GraphSpec, file: Path, made_of: str = "") -> None:
    """Write the graph of a spec; its weights are left out. `made_of` says what it was made of."""
    tensors = load_file(spec.weights)
    module = spec.module(tensors)
    model = _exported(spec, module)
    prefix = _prefix(module, tensors)
    for node in model.graph.node:
        node.input[:] = [name.removeprefix(prefix) for name in node.input]
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    kept = [one for one in model.graph.initializer if one.name.removeprefix(prefix) not in tensors]
    del model.graph.initializer[:], model.graph.value_info[:], model.functions[:]
    del model.graph.metadata_props[:], model.metadata_props[:]
    model.graph.initializer.extend(
        [*kept, *(_without_values(name, tensor) for name, tensor in spec.read(tensors).items())]
    )
    if made_of:
        model.metadata_props.add(key=MADE_OF, value=made_of)
    with written_whole(file) as unfinished:
        unfinished.write_bytes(model.SerializeToString(deterministic=True))


def example(spec: GraphSpec, sizes: Mapping[str, int] = EXAMPLE_SIZES) -> dict[str, np.ndarray[Any, Any]]:
    """Return random inputs of a graph by name; integers are all 1."""
    generator = np.random.default_rng(0)
    arrays = {}
    for name, shape in spec.inputs.items():
        given = [sizes[size] if isinstance(size, str) else size for size in shape]
        arrays[name] = (
            np.ones(given, np.int64) if name in spec.integers else generator.normal(size=given).astype(np.float32)
        )
    return arrays


def _exported(spec: GraphSpec, module: torch.nn.Module) -> Any:
    """Return the ONNX model of a module; constants are folded, but no weights into others."""
    import onnxscript.optimizer

    program = torch.onnx.export(
        module,
        tuple(torch.from_numpy(array) for array in example(spec).values()),
        input_names=list(spec.inputs),
        output_names=list(spec.outputs),
        dynamic_shapes=tuple(
            {axis: torch.export.Dim.AUTO for axis, size in enumerate(shape) if isinstance(size, str)}
            for shape in spec.inputs.values()
        ),
        dynamo=True,
        optimize=False,
        verbose=False,
    )
    if program is None:
        raise RuntimeError(f"torch exports nothing for {spec.file.name}")
    weights = frozenset(module.state_dict())
    onnxscript.optimizer.fold_constants(
        program.model,
        should_fold=lambda node: False if any(value and value.name in weights for value in node.inputs) else None,
    )
    onnxscript.optimizer.remove_unused_nodes(program.model)
    model = program.model_proto
    model.ir_version = IR_VERSION
    return model


def _prefix(module: torch.nn.Module, tensors: Mapping[str, Any]) -> str:
    """Return what the module's names have before the file's, where it wraps the model."""
    name = next(iter(tensors))
    return next(own.removesuffix(name) for own in module.state_dict() if own.endswith(name))


def _without_values(name: str, tensor: np.ndarray[Any, Any]) -> Any:
    """Return a weight of a shape and type, whose values are in a file that the graph does not name."""
    import onnx

    bare = onnx.TensorProto(
        name=name,
        dims=tensor.shape,
        data_type=onnx.helper.np_dtype_to_tensor_dtype(tensor.dtype),
        data_location=onnx.TensorProto.EXTERNAL,
    )
    length = prod(tensor.shape) * tensor.itemsize
    for key, value in (("location", "given at run time"), ("offset", "0"), ("length", str(length))):
        bare.external_data.add(key=key, value=value)
    return bare


def main() -> None:
    """Export all graphs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    folder: Path | None = parser.parse_args().folder
    for spec in GRAPHS:
        export(spec, folder / spec.file.name if folder else spec.file)


if __name__ == "__main__":
    main()
