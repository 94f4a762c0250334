"""Reading the weights that ship with the built-in components, or a user's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

from agpis_sdk.errors import WeightsError

if TYPE_CHECKING:
    from torch import nn

Tensors = dict[str, NDArray[np.float32]]
FEATURES = "features"


def write_tensors(path: Path, tensors: Mapping[str, NDArray[np.float32]], features: Sequence[str] = ()) -> None:
    """Write a safetensors file; `features` are the names of a head's inputs, in order, for `read_tensors` to compare."""
    # safetensors writes an array's memory in the order that it has, and a fit may leave it in column order.
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    save_file(contiguous, path, metadata={FEATURES: ",".join(features)} if features else None)


def trained_tensors(module: nn.Module) -> Tensors:
    """Return a module's tensors as float32 arrays: all but BatchNorm's counters, which judge nothing."""
    state = module.state_dict()
    return {name: tensor.float().numpy() for name, tensor in state.items() if not name.endswith("num_batches_tracked")}


def read_tensors(path: Path, layout: Mapping[str, tuple[int | str, ...]], *, features: Sequence[str] = ()) -> Tensors:
    """Read a safetensors file of a given layout.

    A size in `layout` that is a name, such as "channels", is read from the file and must be the same wherever it occurs:
    it belongs to the backbone that the weights were trained on. Raises `WeightsError` for missing, unexpected, misshapen
    or non-finite tensors, and where the file was not written with these `features`.
    """
    try:
        tensors = load_file(path)
        with safe_open(path, "numpy") as file:
            trained = (file.metadata() or {}).get(FEATURES, "")
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
    if features and trained != ",".join(features):
        raise WeightsError(
            f"was trained on the features {trained or '(not named)'}, not {', '.join(features)}",
            item=str(path),
            remedy="train it again with this version",
        )
    return {name: tensor.astype(np.float32) for name, tensor in tensors.items()}


def refuse_non_finite(module: nn.Module, item: str) -> None:
    """Raise `WeightsError` where a module that was loaded holds a NaN or an infinity: it would judge nothing."""
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise WeightsError(f"{name} holds values that are not finite", item=item, remedy="fetch or train it again")


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
