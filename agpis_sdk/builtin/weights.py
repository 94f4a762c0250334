"""Reading the weights that ship with the built-in components, or a user's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from agpis_sdk.errors import WeightsError


def read_tensors(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[np.float32]]:
    """Read a safetensors file; raises `WeightsError` for missing, unexpected or misshapen tensors."""
    try:
        tensors = load_file(path)
    except FileNotFoundError:
        raise WeightsError("no such file", item=str(path), remedy="name a .safetensors file of agpis train") from None
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"is no safetensors file: {error}", item=str(path)) from None
    missing, unexpected = shapes.keys() - tensors.keys(), tensors.keys() - shapes.keys()
    if missing or unexpected:
        said = f"missing {sorted(missing)}, unexpected {sorted(unexpected)}"
        raise WeightsError(said, item=str(path), remedy="was it made by another version or for another component?")
    for name, shape in shapes.items():
        if tensors[name].shape != shape:
            raise WeightsError(
                f"{name} is {tensors[name].shape}, not {shape}",
                item=str(path),
                remedy="weights belong to the backbone that they were trained on",
            )
    return {name: tensor.astype(np.float32) for name, tensor in tensors.items()}
