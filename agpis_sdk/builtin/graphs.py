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
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from agpis_sdk.cores import available_cores
from agpis_sdk.errors import WeightsError
from agpis_sdk.wording import shortened

Arrays = Mapping[str, NDArray[Any]]
CPU = "cpu"
ERRORS_ONLY = 3


@dataclass(frozen=True)
class GraphSpec:
    """A graph file, the weights that it was exported with, and the torch module that it was exported from.

    `reference` is "package.module:function"; the function turns tensors by name into the module. `inputs` are the shapes
    of the module's arguments and `outputs` the names of its results; a size that is a name may vary from call to call.
    Inputs are float32 but for `integers`, which are int64. `reads` is a regular expression for the beginning of the
    tensors' names that the graph reads, of all by default. `folder` is where the reference reads a config of a user's own.
    """

    file: Path
    weights: Path
    reference: str
    inputs: Mapping[str, tuple[int | str, ...]]
    outputs: tuple[str, ...]
    integers: frozenset[str] = frozenset()
    reads: str = ""
    folder: Path | None = None

    def read(self, tensors: Arrays) -> Arrays:
        """Return the tensors that the graph reads."""
        return {name: tensor for name, tensor in tensors.items() if re.match(self.reads, name)}

    def module(self, tensors: Arrays) -> Any:
        """Return the torch module with its weights, ready to judge."""
        name, _, function = self.reference.partition(":")
        own = () if self.folder is None else (self.folder,)
        return getattr(importlib.import_module(name), function)(tensors, *own).eval().requires_grad_(False)


class GraphModel:
    """A function from arrays to arrays by name: the graph where it fits, else the reference in torch.

    The graph fits on the CPU, with weights and inputs of the shapes that it was exported with.
    """

    def __init__(self, spec: GraphSpec, tensors: Arrays, device: str = CPU) -> None:
        self._spec, self._device = spec, device
        # ONNX Runtime reads them in place: they have to live as long as the session.
        self._tensors = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
        fits = _shapes_in(spec.weights) == {name: tensor.shape for name, tensor in tensors.items()}
        self._session = open_session(spec.file, spec.read(self._tensors)) if device == CPU and fits else None

    def __call__(self, **inputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return the outputs by name."""
        if self._session is not None and self._fits(inputs):
            results = self._session.run(None, inputs)
        else:
            results = self._in_torch(inputs)
        return dict(zip(self._spec.outputs, results, strict=True))

    def _fits(self, inputs: Arrays) -> bool:
        return self._session is not None and all(
            len(one.shape) == inputs[one.name].ndim
            and all(
                not isinstance(size, int) or size == given
                for size, given in zip(one.shape, inputs[one.name].shape, strict=True)
            )
            for one in self._session.get_inputs()
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


def open_session(file: Path, tensors: Arrays | None = None) -> onnxruntime.InferenceSession:
    """Return a graph ready to run, with the weights that its file leaves out.

    Raises `WeightsError` where the file is none, or leaves out other ones.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    options.intra_op_num_threads = _threads()
    options.inter_op_num_threads = 1
    # Threads that wait in a loop take the cores from those that decode images.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(tensor) for tensor in (tensors or {}).values()]
    options.add_external_initializers(list(tensors or {}), values)
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # of a class that ONNX Runtime does not name in public
        reason = shortened(str(error).partition("\n")[0])
        raise WeightsError(
            f"cannot be run: {reason}", item=str(file), remedy="write it with agpis models export"
        ) from None


def own_graph(spec: GraphSpec, weights: Path) -> GraphSpec:
    """Return the spec of the graph beside a user's weights, where there is one and the shipped one does not fit them."""
    file = weights.with_suffix(".onnx")
    return (
        replace(spec, file=file, weights=weights) if file.is_file() and not has_shipped_shapes(spec, weights) else spec
    )


def _threads() -> int:
    """Return how many cores this process may use, or what OMP_NUM_THREADS asks for, as other libraries read it."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdecimal() and int(asked) > 0 else available_cores()


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
