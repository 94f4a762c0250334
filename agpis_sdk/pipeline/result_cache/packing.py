"""Facts as bytes and back: arrays, numbers, texts, and the classes of `agpis_sdk.facts`; nothing that could run code.

What comes back is of the same types, bit for bit: a float that had become a double would change what is computed from it.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from agpis_sdk import facts

PLAIN = (type(None), bool, int, float, str)
STRUCTURE = "structure"
Arrays = dict[str, NDArray[Any]]


class UnpackableError(Exception):
    """A value that cannot be kept, or bytes that are none that `packed` has given."""


def packed(value: Any) -> bytes:
    """Return a value as a safetensors file; raises `UnpackableError` for one of another type."""
    arrays: Arrays = {}
    text = json.dumps(_described(value, arrays))
    try:
        return bytes(save({STRUCTURE: np.frombuffer(text.encode(), np.uint8), **arrays}))
    except (SafetensorError, KeyError, ValueError) as error:
        raise UnpackableError(str(error)) from None


def unpacked(data: bytes) -> Any:
    """Return the value again; raises `UnpackableError`."""
    try:
        arrays = load(data)
        return _value(json.loads(arrays.pop(STRUCTURE).tobytes()), arrays)
    except (SafetensorError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise UnpackableError(str(error)) from None


def _described(value: Any, arrays: Arrays) -> Any:
    """Return what JSON can say of a value; its arrays are put aside."""
    if type(value) in PLAIN:
        return value
    if type(value) in (list, tuple):
        return [type(value).__name__, *(_described(item, arrays) for item in value)]
    if type(value) is dict and all(type(key) is str for key in value):
        return ["dict", {key: _described(item, arrays) for key, item in value.items()}]
    if isinstance(value, np.generic) or (type(value) is np.ndarray and value.flags.c_contiguous):
        name = str(len(arrays))
        arrays[name] = np.asarray(value)
        return ["number" if isinstance(value, np.generic) else "array", name]
    if is_dataclass(value) and type(value) is getattr(facts, type(value).__name__, None):
        parts = {one.name: _described(getattr(value, one.name), arrays) for one in fields(value)}
        return ["fact", type(value).__name__, parts]
    raise UnpackableError(
        f"a fact with a {type(value).__name__} in it; arrays, numbers, texts and `agpis_sdk.facts` are kept"
    )


def _value(described: Any, arrays: Arrays) -> Any:
    if not isinstance(described, list):
        return described
    kind, *parts = described
    match kind:
        case "list" | "tuple":
            items = [_value(part, arrays) for part in parts]
            return items if kind == "list" else tuple(items)
        case "dict":
            return {key: _value(part, arrays) for key, part in parts[0].items()}
        case "number":
            return arrays[parts[0]][()]
        case "array":
            return arrays[parts[0]].copy()  # of its own memory, and one that may be written to
        case "fact":
            return getattr(facts, parts[0])(**{key: _value(part, arrays) for key, part in parts[1].items()})
    raise UnpackableError(f"no such kind: {kind}")
