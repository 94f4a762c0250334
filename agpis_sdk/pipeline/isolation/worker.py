"""The process of a plugin: it makes the plugin's components, and answers calls until the run ends.

`child_process.py` starts it and kills it. Whatever the plugin does to this process, it does to itself.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from typing import Any

from agpis_sdk.components import DecodedImage
from agpis_sdk.errors import AgpisError, in_words
from agpis_sdk.images import ImageSequence
from agpis_sdk.pipeline.context import RunContext
from agpis_sdk.pipeline.guard import collect
from agpis_sdk.pipeline.isolation.messages import (
    Answer,
    Begin,
    BrokenChannelError,
    Call,
    Channel,
    Failed,
    Key,
    Made,
    Make,
    Question,
    Returned,
    references_to,
    sealed,
)
from agpis_sdk.plugins.factories import make_component
from agpis_sdk.records import Product

DRAINED = (
    "check_images", "check_pairs", "check_sequences", "score_sequences", "score_primary", "build", "features",
)  # fmt: skip
PLAIN = ("preprocess", "check_backbone")
LIKELIEST = b"1000"  # to be killed where the machine runs out of memory, before any other process

Ask = Callable[..., Any]


def serve(connection: Connection) -> None:
    """Serve one run over a connection, until the run is gone."""
    with contextlib.suppress(BrokenChannelError):
        Worker(Channel(connection, trusts=True)).serve()


class Worker:
    """The components of one plugin, made and called as the run asks for it."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._process = os.getpid()
        self._components: dict[str, tuple[Make, Any]] = {}
        self._asking = threading.RLock()  # a component may ask from threads of its own
        self._begin: Begin = channel.receive()
        _limit_memory(self._begin.memory_limit)

    def serve(self) -> None:
        """Answer until the run is gone."""
        while True:
            self._answer(self._channel.receive())

    def _answer(self, message: Make | Call) -> None:
        """Make a component or call one, and send what came of it."""
        if isinstance(message, Make):
            self._reply(self._made(message))
            return
        references = references_to(message.arguments)
        ask = _Asking(self._ask, references)
        make, instance = self._components[message.component]
        context = WorkerContext(self._begin, make.provides, message, ask)
        reply = _called(instance, message, context)
        with self._asking:  # by a thread that was left over
            ask.over = True
            self._reply(reply, references)

    def _made(self, make: Make) -> Made | Failed:
        try:
            instance = make_component(make.factory, make.settings, make.device)
            methods = tuple(name for name in (*DRAINED, *PLAIN) if callable(getattr(instance, name, None)))
            side = int(instance.input_size) if "features" in methods else None
        except BaseException as error:
            return _failure(error)
        self._components[make.name] = (make, instance)
        return Made(methods, side)

    def _reply(self, reply: Any, references: Callable[[Any], Any] | None = None) -> None:
        if os.getpid() != self._process:
            os._exit(1)  # a copy that the component has forked, and that came back with it
        try:
            self._channel.send(reply, references)
        except BrokenChannelError:
            raise
        except BaseException as error:
            self._channel.send(Failed(f"gave what cannot leave its process: {in_words(error)}"))

    def _ask(self, question: Question, references: Callable[[Any], Any]) -> Any:
        """Ask the run; a call of another component of this plugin may come before the answer."""
        with self._asking:
            self._channel.send(question, references)
            while not isinstance(message := self._channel.receive(), Answer):
                self._answer(message)
        if message.error is not None:
            raise message.error
        return message.value


class _Asking:
    """Lets a component ask the run, as long as its call lasts."""

    def __init__(self, ask: Callable[[Question, Callable[[Any], Any]], Any], references: Callable[[Any], Any]) -> None:
        self._ask = ask
        self._references = references
        self.over = False

    def __call__(self, name: str, *arguments: Any, of_backbone: bool = False) -> Any:
        if self.over:
            raise RuntimeError("the context was asked after the call that it was for")
        return self._ask(Question(name, arguments, of_backbone), self._references)


class WorkerContext(RunContext):
    """The context of one call: what the call did not bring is asked of the run."""

    def __init__(self, begin: Begin, provides: frozenset[str], call: Call, ask: Ask) -> None:
        super().__init__(begin.config, begin.rules, RemoteBackbone(ask))
        self._may_provide = provides
        self._facts = {key: dict(facts) for key, facts in call.facts.items()}
        self._ask = ask
        self.provided: list[tuple[Key, str, bytes]] = []

    def product(self, product_id: str) -> Product:
        """Return the product that an image belongs to."""
        if product_id not in self._products:
            self._products[product_id] = self._ask("product", product_id)
        return self._products[product_id]

    def fact(self, image: DecodedImage, name: str) -> Any:
        """Return a fact about an image; raises `KeyError` naming it when nothing has provided it."""
        if not self.has_facts(image, [name]):
            self._facts.setdefault(image.key, {})[name] = self._ask("fact", image, name)
        return super().fact(image, name)

    def facts_of_product(self, product_id: str, name: str) -> Mapping[str, Any]:
        """Return a fact about every image of a product that has it, by image id in listed order."""
        return dict(self._ask("facts_of_product", product_id, name))

    def provide(self, image: DecodedImage, name: str, value: Any) -> None:
        """Record a fact; raises `PluginContractError` when the component did not declare it."""
        super().provide(image, name, value)
        self.provided.append((image.key, name, sealed(value)))

    def p_qualified(self, sequences: Sequence[ImageSequence]) -> list[float]:
        """Return the scorer's p^t of each sequence; raises `PluginContractError` where there is no scorer."""
        return list(self._ask("p_qualified", tuple(sequences)))


class RemoteBackbone:
    """The configured backbone, which runs elsewhere."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    @property
    def input_size(self) -> int:
        """The side of the square input in pixels."""
        return int(self._ask("input_size", of_backbone=True))

    def features(self, images: Sequence[DecodedImage]) -> Any:
        """Return the facts of each image, in order."""
        return self._ask("features", tuple(images), of_backbone=True)

    def preprocess(self, pixels: Any) -> Any:
        """Return the normalized, letterboxed tensor of one image."""
        return self._ask("preprocess", pixels, of_backbone=True)


def _called(instance: Any, call: Call, context: WorkerContext) -> Returned | Failed:
    arguments = (*call.arguments, context) if call.in_context else call.arguments
    try:
        method = getattr(instance, call.method)
        if call.method in DRAINED:
            results: Any = collect(call.arguments[0], lambda _: method(*arguments), lambda _, result: result)
        else:
            results = method(*arguments)
        return Returned(results, tuple(context.provided))
    except BaseException as error:
        return _failure(error, context.provided)


def _failure(error: BaseException, provided: Sequence[tuple[Key, str, bytes]] = ()) -> Failed:
    return Failed(in_words(error), tuple(provided), error if isinstance(error, AgpisError) else None)


def _limit_memory(limit: int) -> None:
    import resource

    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "wb") as file:  # noqa: PTH123 - no pathlib yet
        file.write(LIKELIEST)
    if limit and sys.platform == "linux":  # elsewhere the limit counts other things
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        limit = limit if most == resource.RLIM_INFINITY else min(limit, most)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
