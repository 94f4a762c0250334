"""Reading the weights that ship with the built-in components, or a user's own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file

from agpis_sdk.errors import WeightsError

Tensors = dict[str, NDArray[np.float32]]
FEATURES = "features"


def read_tensors(path: Path, layout: Mapping[str, tuple[int | str, ...]]) -> Tensors:
    """Read a safetensors file of a given layout.

    A size in `layout` that is a name, such as "channels", is read from the file and must be the same wherever it occurs:
    it belongs to the backbone that the weights were trained on. Raises `WeightsError` for missing, unexpected, misshapen
    or non-finite tensors.
    """
    try:
        tensors = load_file(path)
    except FileNotFoundError:
        raise WeightsError("no such file", item=str(path), remedy="name a .safetensors file of agpis train") from None
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"is no safetensors file: {error}", item=str(path)) from None
    missing, unexpected = layout.keys() - tensors.keys(), tensors.keys() - layout.keys()
    if missing or unexpected:
        found = f"missing {sorted(missing)}, unexpected {sorted(unexpected)}"
        raise WeightsError(found, item=str(path), remedy="was it made by another version or for another component?")
    sizes: dict[str, int] = {}
    for name, shape in layout.items():
        actual = tensors[name].shape
        named = zip(shape, actual, strict=False)
        fits = len(shape) == len(actual) and all(
            sizes.setdefault(size, found) == found if isinstance(size, str) else size == found for size, found in named
        )
        if not fits:
            expected = tuple(sizes.get(size, size) if isinstance(size, str) else size for size in shape)
            raise WeightsError(
                f"{name} is {actual}, not {expected}", item=str(path), remedy="was it made for another component?"
            )
        if not np.isfinite(tensors[name]).all():
            raise WeightsError(f"{name} holds values that are not finite", item=str(path), remedy="train it again")
    return {name: tensor.astype(np.float32) for name, tensor in tensors.items()}


def feature_metadata(names: Sequence[str]) -> dict[str, str]:
    """Return the metadata that records which features, in which order, weights were trained on."""
    return {FEATURES: json.dumps(list(names))}


def check_feature_names(path: Path, names: Sequence[str]) -> None:
    """Raise `WeightsError` where a file's weights were trained on other features, or on the same in another order."""
    with safe_open(path, framework="numpy") as file:
        recorded = json.loads((file.metadata() or {}).get(FEATURES, "[]"))
    if recorded != list(names):
        other = next((name for name in recorded if name not in names), "another order or number of them")
        raise WeightsError(f"was trained on other features: {other}", item=str(path), remedy="train it again")


def check_shapes(
    expected: Mapping[str, tuple[int, ...]], given: Mapping[str, tuple[int, ...]], *, item: str, setting: str
) -> None:
    """Raise `WeightsError` where a backbone gives facts of other shapes than weights were trained on.

    Of a map (channels, h, w) only the channels count; `setting` is the key that names other weights.
    """
    wrong = {name: given[name] for name, shape in expected.items() if given[name][: len(shape)] != shape}
    if wrong:
        trained = ", ".join(f"{name} {expected[name]}" for name in wrong)
        found = ", ".join(f"{name} {shape}" for name, shape in wrong.items())
        raise WeightsError(
            f"was trained on a backbone with {trained}; the configured one gives {found}",
            item=item,
            remedy=f"set {setting} to weights trained on this backbone (agpis train), or backbone.name to theirs",
        )
