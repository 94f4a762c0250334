"""Components that run in the process of their plugin: what the run holds in place of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from agpis_sdk.components import DecodedImage
from agpis_sdk.config import Config, PluginsSection
from agpis_sdk.errors import AgpisError, ComponentError, in_words
from agpis_sdk.pipeline.child_process import AVAILABLE, ChildProcess
from agpis_sdk.pipeline.context import RunContext
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
    PluginProcessError,
    Question,
    images_among,
    unsealed,
)
from agpis_sdk.pipeline.printed import Printed
from agpis_sdk.pipeline.time_limit import time_left
from agpis_sdk.plugins import OwnedSpec, PluginHost
from agpis_sdk.plugins.discovery import OURS
from agpis_sdk.plugins.factories import cannot_be_made
from agpis_sdk.rules import RuleSet

TO_START = 60.0  # seconds that a process and its components get to start, however short the limit on calls is
GLANCE = 1.0  # seconds between two looks at whether a silent process is still there
QUESTIONS = frozenset({"fact", "facts_of_product", "product", "p_qualified"})
QUESTIONS_OF_BACKBONE = frozenset({"input_size", "features", "preprocess"})


def isolates(owned: OwnedSpec, settings: PluginsSection) -> bool:
    """Return whether a component runs in a process of its plugin's own.

    A plugin that was handed over as an object stays in this process: no other one could import it.
    """
    if not AVAILABLE or settings.isolate == "none" or not owned.plugin.module:
        return False
    return owned.spec.isolated or (settings.isolate == "third-party" and owned.plugin.distribution != OURS)


class Isolation:
    """The processes of a run's plugins, one each, and the components that were made in them."""

    def __init__(self, host: PluginHost, config: Config, rules: RuleSet) -> None:
        self._host = host
        self._config = config
        self._rules = rules
        self._workers: dict[str, PluginWorker] = {}

    def worker_of(self, owned: OwnedSpec) -> PluginWorker:
        """Return the worker of a component's plugin; its process starts when it is first asked for."""
        if owned.plugin.owner not in self._workers:
            begin = Begin(self._config, self._rules, self._config.plugins.memory_limit)
            worker = PluginWorker(owned.plugin.owner, begin, self._config.plugins.time_limit or None)
            worker.process()
            self._workers[owned.plugin.owner] = worker
        return self._workers[owned.plugin.owner]

    def create(self, owned: OwnedSpec) -> IsolatedComponent:
        """Make a component in the process of its plugin; raises `PluginLoadError` naming it where that fails."""
        spec = owned.spec
        settings = self._host.settings_of(owned, self._config.components)
        make = Make(spec.name, spec.factory, settings, self._config.run.device, spec.provides)
        try:
            return IsolatedComponent(self.worker_of(owned), make, spec.requires)
        except AgpisError:
            raise
        except Exception as error:
            reason = f"raised {error}" if isinstance(error, NotMadeError) else f"failed: {in_words(error)}"
            raise cannot_be_made(owned, reason) from error


class NotMadeError(PluginProcessError):
    """A factory raised."""


class PluginProcess(ChildProcess):
    """The process of one plugin; what comes from it is not trusted."""

    def __init__(self, patience: float | None, printed: Printed) -> None:
        super().__init__("agpis_sdk.pipeline.isolation.worker", printed=printed, patience=patience)
        self.channel = Channel(self.connection, trusts=False)


class PluginWorker:
    """Speaks with the process of one plugin, and starts a fresh one where the last was killed."""

    def __init__(self, owner: str, begin: Begin, limit: float | None) -> None:
        self._owner = owner
        self._begin = begin
        self._limit = limit
        self._printed = Printed(owner)
        self._process: PluginProcess | None = None

    def process(self) -> PluginProcess:
        """Return the process, started anew where there is none."""
        if self._process is None:
            self._process = PluginProcess(self._limit, self._printed)
            self._process.channel.send(self._begin)
        return self._process

    def exchange(self, message: Make | Call, images: Mapping[Key, DecodedImage], context: RunContext | None) -> Any:
        """Send a message and return the reply; questions that come before it are answered from the context.

        Raises `PluginProcessError` where the process ends, or gives what it may not. It is killed then, and also where the
        time is up or the run is interrupted.
        """
        process = self.process()
        limit = max(self._limit, TO_START) if self._limit and isinstance(message, Make) else self._limit
        until = time.monotonic() + (limit or 0.0)
        references = partial(_referred, images, context)
        try:
            process.channel.send(message)
            while True:
                self._wait(process, until, limit)
                reply = process.channel.receive(references)
                if not isinstance(reply, Question):
                    return reply
                process.channel.send(_answer(reply, context))
        except BrokenChannelError as error:
            self._process = None
            raise PluginProcessError(process.end_in_words()) from error
        except BaseException as error:
            self._process = None
            process.kill()
            if isinstance(error, Exception) and not isinstance(error, PluginProcessError):
                raise PluginProcessError(in_words(error)) from error
            raise

    def _wait(self, process: PluginProcess, until: float, limit: float | None) -> None:
        """Wait for the next message, until the limit of its own or that of the caller is reached."""
        while True:
            own = until - time.monotonic() if limit is not None else None
            left = [seconds for seconds in (time_left(), own) if seconds is not None]
            if left and min(left) <= 0:
                raise PluginProcessError(f"{self._owner} took longer than {limit:g} s (plugins.time_limit)")
            if process.wait(min([GLANCE, *left])):
                return


class IsolatedComponent:
    """Stands for a component in a process of its own; it has the methods that the component has."""

    def __init__(self, worker: PluginWorker, make: Make, requires: frozenset[str]) -> None:
        self._worker = worker
        self._make = make
        self._requires = sorted(requires)
        made = self._made()
        if made.input_size is not None:
            self.input_size = made.input_size
        for method in made.methods:
            setattr(self, method, partial(self._call, method))

    def prepare(self) -> None:
        """Make the component again where its process was killed; raises `PluginProcessError` where that fails."""
        if self._made_in is not self._worker.process():
            self._made()

    def _made(self) -> Made:
        reply = self._worker.exchange(self._make, {}, None)
        if isinstance(reply, Failed):
            raise reply.error or NotMadeError(reply.reason)
        self._made_in = self._worker.process()
        made: Made = reply
        return made

    def _call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the component; the context, where there is one, comes last."""
        self.prepare()
        context = arguments[-1] if isinstance(arguments[-1], RunContext) else None
        images = images_among(arguments)
        reply = self._worker.exchange(self._call_message(method, arguments, images, context), images, context)
        if context is not None:
            for key, name, data in reply.provided:
                if key not in images:
                    raise ComponentError(f'provided the fact "{name}" about an image that it was not given: {key}')
                context.provide(images[key], name, unsealed(data))
        if isinstance(reply, Failed):
            raise reply.raised()
        return reply.results

    def _call_message(
        self, method: str, arguments: tuple[Any, ...], images: Mapping[Key, DecodedImage], context: RunContext | None
    ) -> Call:
        if context is None:
            return Call(self._make.name, method, arguments, in_context=False, facts={})
        facts = {
            key: {name: context.known(image, name) for name in self._requires if context.has_facts(image, [name])}
            for key, image in images.items()
        }
        return Call(self._make.name, method, arguments[:-1], in_context=True, facts=facts)


def _referred(images: Mapping[Key, DecodedImage], context: RunContext | None, reference: Any) -> Any:
    """Return what a reference from a plugin's process refers to: an image of the call, or a product of the batch."""
    kind, *key = reference
    if kind == "image" and tuple(key) in images:
        return images[tuple(key)]
    if kind == "product" and context is not None:
        return context.product(*key)
    raise ComponentError(f"referred to something that it was not given: {reference!r}")


def _answer(question: Question, context: RunContext | None) -> Answer:
    """Answer a question of a component; what answering raises is raised in the component."""
    try:
        if context is None or question.name not in (QUESTIONS_OF_BACKBONE if question.of_backbone else QUESTIONS):
            return Answer(error=ComponentError(f"asked for {question.name}, which is no part of the context"))
        found = getattr(context.backbone if question.of_backbone else context, question.name)
        return Answer(found(*question.arguments) if callable(found) else found)
    except (KeyError, AgpisError) as error:
        return Answer(error=error)
    except Exception as error:
        return Answer(error=ComponentError(in_words(error)))
