"""The findings that are already known, so that an audit shows only what is new: a JSON file of fingerprints."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from agpis_sdk.errors import InputFileError, first_problem
from agpis_sdk.files import written_whole

VERSION = 1


class Baseline(BaseModel):
    """What a baseline file holds: the sorted fingerprints of findings, and the version of the format."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = VERSION
    findings: tuple[str, ...] = ()


def read_baseline(path: Path) -> frozenset[str]:
    """Return the fingerprints in a baseline; raises `InputFileError` where the file is missing or no baseline."""
    remedy = "write one with --write-baseline"
    try:
        baseline = Baseline.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputFileError(f"cannot be read: {error.strerror}", item=str(path), remedy=remedy) from None
    except ValidationError as error:
        raise InputFileError(f"is no baseline: {first_problem(error)}", item=str(path), remedy=remedy) from None
    if baseline.version != VERSION:
        raise InputFileError(
            f"is a baseline of version {baseline.version}, not {VERSION}", item=str(path), remedy=remedy
        )
    return frozenset(baseline.findings)


def write_baseline(path: Path, fingerprints: Iterable[str]) -> None:
    """Write a baseline, sorted so that two of the same findings are the same file; nothing half-written is left."""
    text = json.dumps({"version": VERSION, "findings": sorted(set(fingerprints))}, indent=1) + "\n"
    with written_whole(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
