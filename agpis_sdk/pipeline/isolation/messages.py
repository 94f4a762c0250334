"""What a run and the process of a plugin say to each other, and how it crosses over.

Arrays are sent from where they are, without a copy into the message; where the system can, a run hands over large ones
in shared memory. What comes from a plugin's process may hold records, facts and arrays only: nothing else is imported or
called on its behalf. An image that a component was given comes back as a reference, so a changed copy of it never takes
its place.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle, send_handle
from typing import Any

from agpis_sdk.components import ComponentConfig
from agpis_sdk.config import Config
from agpis_sdk.errors import AgpisError, in_words
from agpis_sdk.images import DecodedImage, ImagePair, ImageSequence, SequenceCandidates
from agpis_sdk.pipeline.isolation.shared_memory import arrays_in, in_shared_memory
from agpis_sdk.rules import RuleSet

Key = tuple[str, str]  # of an image: product id, image id
References = Callable[[Any], Any]  # from an object to what refers to it, or back; None where it is sent as it is

LARGEST_ANSWER = 1_000_000_000  # bytes

RECORDS = (
    "agpis_sdk.records", "agpis_sdk.components", "agpis_sdk.images", "agpis_sdk.facts", "agpis_sdk.errors", __name__,
)  # fmt: skip
CLASSES = frozenset(
    {
        ("builtins", "set"),
        ("builtins", "frozenset"),
        ("builtins", "bytearray"),
        ("builtins", "complex"),
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
    }
)
MAKERS = frozenset({(__name__, "tensor_of"), ("agpis_sdk.errors", "_rebuild")})
ARRAY_MAKERS = ("_reconstruct", "scalar", "_frombuffer")


class PluginProcessError(Exception):
    """What a component in a process of its own raised there, or how the process ended: the words are the message."""


class BrokenChannelError(Exception):
    """The other end is gone, or has sent what is no message."""


class ForeignClassError(Exception):
    """An answer holds something that is neither a record, a fact nor an array."""


# ── Messages ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Begin:
    """The first message to a process: what it must know of the run."""

    config: Config
    rules: RuleSet
    memory_limit: int


@dataclass(frozen=True)
class Make:
    """Make a component; the answer is `Made`."""

    name: str
    factory: str
    settings: ComponentConfig
    device: str
    provides: frozenset[str]


@dataclass(frozen=True)
class Made:
    """A component is ready: its methods, and the side of its input where it is a backbone."""

    methods: tuple[str, ...]
    input_size: int | None


@dataclass(frozen=True)
class Call:
    """Call a method of a component. `facts` are those that it requires, of the images among its arguments."""

    component: str
    method: str
    arguments: tuple[Any, ...]
    in_context: bool
    facts: Mapping[Key, Mapping[str, Any]]


@dataclass(frozen=True)
class Returned:
    """What a call returned, drained, and the facts that it provided, each in a message of its own."""

    results: Any
    provided: tuple[tuple[Key, str, bytes], ...] = ()


@dataclass(frozen=True)
class Failed:
    """What was raised, in words, and the facts that were provided until then; `error` where it is one of ours."""

    reason: str
    provided: tuple[tuple[Key, str, bytes], ...] = ()
    error: AgpisError | None = None

    def raised(self) -> Exception:
        """Return what is to be raised in the run."""
        return self.error or PluginProcessError(self.reason)


@dataclass(frozen=True)
class Question:
    """What a component asks of the context in the middle of a call; `of_backbone` where it asks the backbone."""

    name: str
    arguments: tuple[Any, ...]
    of_backbone: bool = False


@dataclass(frozen=True)
class Answer:
    """The answer to a question, or what it raised."""

    value: Any = None
    error: Exception | None = None


@dataclass(frozen=True)
class SealedFact:
    """A fact of a class that only plugins know: it is opened where a component asks for it."""

    data: bytes

    def open(self) -> Any:
        """Return the fact itself."""
        return pickle.loads(self.data)  # noqa: S301 - by a component that asks for it, as if it were in one process


def sealed(value: Any) -> bytes:
    """Return a fact as bytes; raises where it cannot leave its process."""
    stream = io.BytesIO()
    _Pickler(stream, None, None).dump(value)
    return stream.getvalue()


def unsealed(data: bytes) -> Any:
    """Return a fact from its bytes, or a `SealedFact` where it is of a class of a plugin's own."""
    try:
        return _AnswerUnpickler(io.BytesIO(data), ()).load()
    except ForeignClassError:
        return SealedFact(data)


def images_among(arguments: tuple[Any, ...]) -> dict[Key, DecodedImage]:
    """Return all images among the arguments of a call, by key."""
    items = [item for argument in arguments if isinstance(argument, list | tuple) for item in argument]
    return {image.key: image for item in items for image in _images_of(item)}


def references_to(arguments: tuple[Any, ...]) -> References:
    """Return what gives references to the images and products among the arguments of a call.

    It holds them: an object that takes the place in memory of one that a component let go of would be taken for it.
    """
    items = [item for argument in arguments if isinstance(argument, list | tuple) for item in argument]
    known: dict[int, tuple[Any, tuple[str, ...]]] = {}
    for image in images_among(arguments).values():
        known[id(image)] = (image, ("image", *image.key))
    for item in items:
        if isinstance(item, ImageSequence | SequenceCandidates):
            known[id(item.product)] = (item.product, ("product", item.product.id))

    def reference(found: Any) -> tuple[str, ...] | None:
        _, name = known.get(id(found), (None, None))
        return name

    return reference


def _images_of(item: Any) -> tuple[DecodedImage, ...]:
    if isinstance(item, DecodedImage):
        return (item,)
    if isinstance(item, ImagePair):
        return (item.first, item.second)
    if isinstance(item, ImageSequence):
        return item.images
    return (item.primary, *item.others) if isinstance(item, SequenceCandidates) else ()


# ── How they cross over ──────────────────────────────────────────────────────────────────────────────────────────────


class Channel:
    """One end of the connection between a run and a plugin's process.

    The end that `trusts` the other, the plugin's, reads whatever it sends, from shared memory too; the run's end reads
    records, facts and arrays only, from bytes of its own: what a plugin could still change, or cut short, is none of them.
    """

    def __init__(self, connection: Connection, *, trusts: bool) -> None:
        self.connection = connection
        self._trusts = trusts

    def send(self, message: Any, references: References | None = None) -> None:
        """Send a message; an object for which `references` gives a reference is not sent itself.

        Raises `BrokenChannelError` where the other end is gone; whatever else it raises is about what cannot be sent.
        """
        stream, arrays = io.BytesIO(), list[pickle.PickleBuffer]()
        _Pickler(stream, arrays.append, references).dump(message)
        parts = [array.raw() for array in arrays]
        memory = None if self._trusts else in_shared_memory(parts)
        header = {"stream": stream.tell(), "arrays": [part.nbytes for part in parts], "shared": memory is not None}
        try:
            self.connection.send_bytes(json.dumps(header).encode())
            self.connection.send_bytes(stream.getbuffer())
            if memory is not None:
                send_handle(self.connection, memory, None)
                return
            for part in parts:
                if part.nbytes:
                    self.connection.send_bytes(part)
        except OSError as error:
            raise BrokenChannelError(in_words(error)) from error
        finally:
            if memory is not None:
                os.close(memory)

    def receive(self, references: References | None = None) -> Any:
        """Wait for a message and return it, with `references` turned back into what they refer to.

        Raises `BrokenChannelError` where none comes; whatever else it raises is about what the message holds.
        """
        try:
            stream, arrays = self._parts()
        except Exception as error:
            raise BrokenChannelError(in_words(error)) from error
        unpickler = _Unpickler if self._trusts else _AnswerUnpickler
        return unpickler(io.BytesIO(stream), arrays, references).load()

    def _parts(self) -> tuple[bytearray, Sequence[bytearray | memoryview]]:
        header = json.loads(self.connection.recv_bytes(LARGEST_ANSWER))
        size, sizes = int(header["stream"]), list(map(int, header["arrays"]))
        if not self._trusts and size + sum(sizes) > LARGEST_ANSWER:
            raise ValueError(f"{size + sum(sizes):,} bytes are too many")
        stream = bytearray(size)
        self.connection.recv_bytes_into(stream)
        if self._trusts and header["shared"]:
            return stream, arrays_in(recv_handle(self.connection), sizes)
        arrays = [bytearray(size) for size in sizes]
        for array in arrays:
            if array:
                self.connection.recv_bytes_into(array)
        return stream, arrays


class _Pickler(pickle.Pickler):
    def __init__(
        self,
        stream: io.BytesIO,
        take_array: Callable[[pickle.PickleBuffer], Any] | None,
        references: References | None,
    ) -> None:
        super().__init__(stream, protocol=5, buffer_callback=take_array)
        self._references = references

    def persistent_id(self, found: Any) -> Any:
        return self._references(found) if self._references is not None else None

    def reducer_override(self, found: Any) -> Any:
        """Send a torch tensor as an array, which the other end reads without calling on torch's own unpickling."""
        kind = type(found)
        if kind.__module__ == "torch" and kind.__name__ == "Tensor":
            return tensor_of, (found.detach().cpu().numpy(),)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: io.BytesIO, arrays: Any, references: References | None = None) -> None:
        super().__init__(stream, buffers=arrays)
        self._references = references

    def persistent_load(self, reference: Any) -> Any:
        if self._references is None:
            raise pickle.UnpicklingError("a reference to nothing")
        return self._references(reference)


class _AnswerUnpickler(_Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        maker = module.startswith(("numpy.core.", "numpy._core.")) and name in ARRAY_MAKERS
        if maker or (module, name) in CLASSES:
            return super().find_class(module, name)
        if module in RECORDS:
            found = getattr(importlib.import_module(module), name, None)
            if (module, name) in MAKERS or (isinstance(found, type) and found.__module__ in RECORDS):
                return found
        raise ForeignClassError(f"gave a {module}.{name}, which is no record, fact or array")


def tensor_of(array: Any) -> Any:
    """Return a torch tensor of an array's values."""
    import torch

    return torch.from_numpy(array)
