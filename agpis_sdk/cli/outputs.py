"""Where outcomes and reports may be written: nowhere that the run reads from, and not two in one file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO
from urllib.parse import unquote, urlsplit

from agpis_sdk.errors import ConfigError, InputFileError, OutputError, naming_output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from agpis_sdk.media.products import CheckedProducts, RejectedRecord
    from agpis_sdk.pipeline.checkpoint import Checkpoint
    from agpis_sdk.records import Outcome, Product

STDIO = "-"


class OutcomeSink(Protocol):
    """Where the outcomes of a run go."""

    checkpoint: Checkpoint
    """The state of the run that is continued; the beginning where there is none."""

    unfinished: Path | None
    """Where outcomes are until all are there, and from where a run is resumed; None where it cannot be."""

    def decided(self) -> Iterable[Outcome]:
        """Return the outcomes up to the checkpoint."""
        ...

    def write(self, outcomes: Sequence[Outcome], checkpoint: Checkpoint) -> None:
        """Add the outcomes of a micro-batch; raises `OutputError` where they cannot be written."""
        ...

    def finish(self) -> None:
        """Complete the output."""
        ...

    def close(self) -> None:
        """Let go of the output, whole or not."""
        ...


class OutcomeStream:
    """Writes outcomes to a stream: standard output, or a pipe or device that a path names. It cannot be resumed."""

    def __init__(self, stream: TextIO, name: str, *, closes: bool) -> None:
        from agpis_sdk.pipeline.checkpoint import BEGINNING

        self._stream, self._name, self._closes = stream, name, closes
        self.checkpoint = BEGINNING
        self.unfinished: Path | None = None

    def decided(self) -> Iterable[Outcome]:
        """Return nothing: what has been written cannot be read again."""
        return ()

    def write(self, outcomes: Sequence[Outcome], checkpoint: Checkpoint) -> None:
        """Write a line for each outcome, and have them leave this process."""
        del checkpoint
        with naming_output(self._name):
            self._stream.writelines(f"{outcome.model_dump_json()}\n" for outcome in outcomes)
            self._stream.flush()

    def finish(self) -> None:
        """Do nothing: every line is out."""

    def close(self) -> None:
        """Close a stream that was opened for the run."""
        if self._closes:
            with contextlib.suppress(OSError):  # `write` has named the error
                self._stream.close()


def check_places(products: str, read: Callable[[], CheckedProducts], *outputs: str | Path | None) -> None:
    """Refuse an output that cannot be one: a folder, the input, one of its images, or another output.

    Raises `ConfigError` and `OutputError` naming it. Links and hard links are followed.
    """
    places = _places(outputs)
    for place in places:
        if place.is_dir():
            raise OutputError("is a folder", item=str(place), remedy="name a file in it")
        if not place.resolve().parent.is_dir():
            raise ConfigError("the folder does not exist", item=str(place), remedy="make it first")
        if products != STDIO and _same_file(place, Path(products)):
            raise ConfigError("is the input itself", item=str(place), remedy="name another file")
    for first, second in combinations(places, 2):
        if _same_file(first, second) and (first.is_file() or not first.exists()):
            raise ConfigError("is named for two outputs", item=str(second), remedy="name two files")
    if products != STDIO and any(place.is_file() for place in places):
        with contextlib.suppress(InputFileError):  # the run itself names what is wrong with its input
            for _ in refusing_outputs(read(), *outputs):
                pass


def refusing_outputs(records: CheckedProducts, *outputs: str | Path | None) -> CheckedProducts:
    """Pass records on; reading raises `ConfigError` where one lists an output among its images."""
    from agpis_sdk.media.products import CheckedProducts

    return CheckedProducts(_refusing(records, _places(outputs)), lambda: records.notices, source=records.source)


def _refusing(records: CheckedProducts, places: Sequence[Path]) -> Iterator[Product | RejectedRecord]:
    from agpis_sdk.records import Product

    outputs = {_identity(place): place for place in places if place.is_file()}
    for record in records:
        for image in record.images if outputs and isinstance(record, Product) else ():
            place = outputs.get(_identity(_local(image.uri)))
            if place is not None:
                raise ConfigError(
                    f"is listed as an image of the products: {image.uri}", item=str(place), remedy="name another file"
                )
        yield record


def _places(outputs: Iterable[str | Path | None]) -> list[Path]:
    return [Path(output) for output in outputs if output is not None and output != STDIO]


def _same_file(first: Path, second: Path) -> bool:
    return first.resolve() == second.resolve() or (first.exists() and _identity(first) == _identity(second))


def _identity(path: Path | None) -> tuple[int, int] | None:
    """Return what all names of one file share; None where there is no file."""
    try:
        status = path.stat() if path is not None else None
    except (OSError, ValueError):  # ValueError: a NUL character
        return None
    return (status.st_dev, status.st_ino) if status is not None else None


def _local(uri: str) -> Path | None:
    if "://" not in uri:
        return Path(uri)
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    return Path(unquote(parts.path)) if parts.scheme == "file" else None
