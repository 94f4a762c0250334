"""Models as ONNX graphs: a default run computes with ONNX Runtime alone and imports no torch.

A graph file holds operations and no weights: these are read from the safetensors file that torch reads too, so the two
cannot drift apart, and a user's own weights of the same shapes run on the same graph. `agpis_sdk.training.graphs` exports
the files; the torch module that a graph was exported from is the reference, and runs wherever the graph does not fit.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

Arrays = Mapping[str, NDArray[Any]]
CPU = "cpu"
ERRORS_ONLY = 3


@dataclass(frozen=True)
class GraphSpec:
    """A graph file, the weights that it was exported with, and the torch module that it was exported from.

    `reference` is "package.module:function"; the function turns tensors by name into the module. `inputs` are the shapes
    of the module's arguments and `outputs` the names of its results; a size that is a name may vary from call to call.
    Inputs are float32 but for `integers`, which are int64. `reads` is a regular expression for the beginning of the
    tensors' names that the graph reads, of all by default.
    """

    file: Path
    weights: Path
    reference: str
    inputs: Mapping[str, tuple[int | str, ...]]
    outputs: tuple[str, ...]
    integers: frozenset[str] = frozenset()
    reads: str = ""

    def read(self, tensors: Arrays) -> Arrays:
        """Return the tensors that the graph reads."""
        return {name: tensor for name, tensor in tensors.items() if re.match(self.reads, name)}

    def module(self, tensors: Arrays) -> Any:
        """Return the torch module with its weights, ready to judge."""
        name, _, function = self.reference.partition(":")
        return getattr(importlib.import_module(name), function)(tensors).eval().requires_grad_(False)


class GraphModel:
    """A function from arrays to arrays by name: the graph where it fits, else the reference in torch.

    The graph fits on the CPU, with weights of the shapes that ship and inputs of the shapes in its spec.
    """

    def __init__(self, spec: GraphSpec, tensors: Arrays, device: str = CPU) -> None:
        self._spec, self._device = spec, device
        # ONNX Runtime reads them in place: they have to live as long as the session.
        self._tensors = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
        fits = _shapes_in(spec.weights) == {name: tensor.shape for name, tensor in tensors.items()}
        self._session = _session(spec, self._tensors) if device == CPU and fits else None

    def __call__(self, **inputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return the outputs by name."""
        if self._session is not None and self._fits(inputs):
            results = self._session.run(None, inputs)
        else:
            results = self._in_torch(inputs)
        return dict(zip(self._spec.outputs, results, strict=True))

    def _fits(self, inputs: Arrays) -> bool:
        return all(
            len(shape) == inputs[name].ndim
            and all(
                isinstance(size, str) or size == given for size, given in zip(shape, inputs[name].shape, strict=True)
            )
            for name, shape in self._spec.inputs.items()
        )

    @cached_property
    def _in_torch(self) -> Callable[[Arrays], list[NDArray[Any]]]:
        import torch

        module = self._spec.module(self._tensors).to(self._device)

        @torch.inference_mode()
        def run(inputs: Arrays) -> list[NDArray[Any]]:
            results = module(*(torch.from_numpy(inputs[name]).to(self._device) for name in self._spec.inputs))
            results = (results,) if isinstance(results, torch.Tensor) else results
            return [result.cpu().numpy() for result in results]

        return run


def _session(spec: GraphSpec, tensors: Arrays) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    options.intra_op_num_threads = _threads()
    options.inter_op_num_threads = 1
    # Threads that wait in a loop take the cores from those that decode images.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    read = spec.read(tensors)
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(tensor) for tensor in read.values()]
    options.add_external_initializers(list(read), values)
    return onnxruntime.InferenceSession(str(spec.file), options, providers=["CPUExecutionProvider"])


def _threads() -> int:
    """Return how many cores this process may use, or what OMP_NUM_THREADS asks for, as other libraries read it."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(asked) if asked.isdecimal() and int(asked) > 0 else available


def has_shipped_shapes(spec: GraphSpec, weights: Path) -> bool:
    """Tell whether a file holds the tensors that the graph was exported with, by name and shape."""
    shapes = _shapes_in(weights)
    return bool(shapes) and shapes == _shapes_in(spec.weights)


def _shapes_in(weights: Path) -> dict[str, tuple[int, ...]]:
    try:
        with safe_open(weights, "numpy") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 - is no mapping
    except (SafetensorError, OSError):
        return {}
