"""Digests of the files that the components of a run learned their weights from, or that they are written in."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from agpis_sdk.config import Config
from agpis_sdk.errors import ResumeError
from agpis_sdk.plugins import OwnedSpec, PluginHost

EXPORTED = ".onnx"  # of agpis models export, beside the weights
SHIPPED_WEIGHTS = "weights"  # the folder beside a component's module
WITHOUT_VERSION = "local"


def weights_of(components: Iterable[OwnedSpec], host: PluginHost, config: Config) -> dict[str, str]:
    """Return a digest for each component that has weights, shipped with it or named in its settings.

    A local plugin has no version, so its own file counts too. Raises `ResumeError` where a file cannot be read.
    """
    found = {}
    for owned in components:
        files = sorted({file for place in _places(owned, host, config) for file in _files(place)})
        if files:
            found[owned.spec.name] = _digest(files, owned.spec.name)
    return found


def shipped_weights(owned: OwnedSpec) -> Path | None:
    """Return the folder of the weights that are shipped with a component; None where there are none."""
    origin = _origin(owned.spec.factory.partition(":")[0])
    folder = origin.parent / SHIPPED_WEIGHTS if origin is not None else None
    return folder if folder is not None and folder.is_dir() else None


def _places(owned: OwnedSpec, host: PluginHost, config: Config) -> Iterator[Path]:
    for value in _values(host.settings_of(owned, config.components).model_dump()):
        if isinstance(value, Path) or (isinstance(value, str) and "/" in value):
            yield Path(value)
            if Path(value).name:
                yield Path(value).with_suffix(EXPORTED)  # the graph that a run computes with, where there is one
    origin = _origin(owned.spec.factory.partition(":")[0])
    if origin is not None:
        yield origin.parent / SHIPPED_WEIGHTS
        if owned.plugin.version == WITHOUT_VERSION:
            yield origin


def _values(settings: Any) -> Iterator[Any]:
    if isinstance(settings, dict):
        for below in settings.values():
            yield from _values(below)
    elif isinstance(settings, list | tuple):
        for below in settings:
            yield from _values(below)
    else:
        yield settings


def _origin(module: str) -> Path | None:
    """Return the file of a module without importing it; None where it is none or cannot be found."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):  # ValueError: a module made at run time, which has no spec
        return None
    return Path(spec.origin) if spec is not None and spec.has_location and spec.origin else None


def _files(place: Path) -> list[Path]:
    try:
        if place.is_file():
            return [place]
        return [file for file in place.rglob("*") if file.is_file()] if place.is_dir() else []
    except (OSError, ValueError):  # a text that is no path
        return []


def _digest(files: Iterable[Path], component: str) -> str:
    digest = hashlib.sha256()
    for file in files:
        try:
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        except OSError as error:
            raise ResumeError(f"cannot be read: {error.strerror}", item=f"weights of {component}: {file}") from None
    return digest.hexdigest()
