"""Outcomes on their way in: the lines of a file, or of the shards in a folder that `agpis run --engine ray` wrote."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agpis_sdk.errors import InputFileError

MANIFEST = "manifest.json"


def outcome_lines(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each line that is not blank with its place, in the order of the input.

    Raises `InputFileError` for what cannot be read, for a folder whose run is not finished, and for a shard that is not
    what the run wrote.
    """
    try:
        if not path.is_dir():
            yield from _lines(path, path)
            return
        for shard in _shards(path):
            digest = hashlib.sha256()
            for place, line in _lines(path / shard["name"], path):
                digest.update(line)
                yield place, line
            if digest.hexdigest() != shard["sha256"]:
                raise InputFileError(
                    "is not what the run wrote", item=str(path / shard["name"]), remedy="run anew, or copy it again"
                )
    except OSError as error:
        item = str(error.filename or path)
        raise InputFileError(f"cannot be read: {error.strerror}", item=item, remedy="check the path") from None


def outcomes_digest(path: Path) -> str:
    """Return a digest of outcomes; it is the same for a folder of shards and for the file that they make together."""
    digest = hashlib.sha256()
    for _, line in outcome_lines(path):
        digest.update(line)
    return digest.hexdigest()


def _lines(file: Path, given: Path) -> Iterator[tuple[str, bytes]]:
    name = given.name if file == given else f"{given.name}/{file.name}"
    with file.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                yield f"{name}, line {number}", line


def _shards(folder: Path) -> list[dict[str, Any]]:
    """Return what the manifest says of the shards; raises `InputFileError` where the run is not finished."""
    file = folder / MANIFEST
    if not file.is_file():
        raise InputFileError("is no folder of outcomes", item=str(folder), remedy="name what `agpis run -o` wrote")
    try:
        manifest = json.loads(file.read_bytes())
        finished, shards = manifest["finished"], list(manifest.get("shards", ()))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputFileError(
            "is no manifest of outcomes", item=str(file), remedy="name what `agpis run -o` wrote"
        ) from None
    if not finished:
        raise InputFileError("the run is not finished", item=str(folder), remedy="continue it: agpis run … --resume")
    return shards
