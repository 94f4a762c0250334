"""Decisions on their way out: which writer, where to, which outcomes, and in words what was written."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from pydantic import ValidationError

from agpis_sdk.cli.outputs import STDIO
from agpis_sdk.components import OutcomeWriter, WriterSpec
from agpis_sdk.config import LoadedConfig
from agpis_sdk.errors import (
    AgpisError,
    ConfigError,
    InputFileError,
    OutputError,
    PluginLoadError,
    in_words,
    naming_output,
)
from agpis_sdk.media.own_folder import is_own
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import Outcome
from agpis_sdk.wording import counted, printable

if TYPE_CHECKING:
    from agpis_sdk.media.product_source import FileSource

ROLE = "writers"


class DecisionExport:
    """One way out for the decisions of a run; whatever does not fit is refused when it is made, before any model is loaded."""

    def __init__(
        self,
        file_format: str,
        outcomes: Path,
        target: Path | None,
        loaded: LoadedConfig,
        host: PluginHost,
        *,
        held: bool,
        replaces: bool,
        setting: str = "--to",
    ) -> None:
        """Choose the writer; raises `UnknownNameError` with the nearest format, and `OutputError` for what cannot be written.

        `replaces` lets an earlier export of ours give way, which is then said.
        """
        self._owned = host.of_format(ROLE, file_format, setting=setting)
        spec = self._owned.spec
        self._spec = spec if isinstance(spec, WriterSpec) else WriterSpec(name=spec.name, factory=spec.factory)
        self._outcomes, self._loaded, self._host = outcomes, loaded, host
        self._statuses = ("submit", "hold") if held else ("submit",)
        self.path = target or outcomes.with_name(f"{_stem(outcomes)}{self._spec.suffix}")
        if not self.path.resolve().parent.is_dir():
            raise OutputError("the folder does not exist", item=str(self.path), remedy="make it first")
        self._earlier = self.path.exists()
        if self.path.is_dir() and not is_own(self.path):
            raise OutputError(
                "is there already, and agpis did not write it",
                item=str(self.path),
                remedy="name another one with -o, or move it away",
            )
        if self._earlier and not replaces:
            raise OutputError(
                "is there already", item=str(self.path), remedy="--force replaces it; -o names another one"
            )
        if self.path.resolve() == outcomes.resolve():
            raise OutputError("holds the outcomes", item=str(self.path), remedy="name another file")

    def write(self, source: FileSource | None) -> Iterator[str]:
        """Write the export, and yield lines for people; raises `InputFileError` where a file that it needs is missing."""
        outcomes = list(self._kept())
        notices = self._run(outcomes, self.path, source)
        others = self._left_out()
        instead = " (in place of the earlier one)" if self._earlier else ""
        yield f"{self._spec.title or self._spec.format}: {self.path}, from {counted(len(outcomes), 'product')}{instead}"
        if others:
            counts = ", ".join(f"{count:,} {status}" for status, count in sorted(others.items()))
            hint = "; --held takes held ones too" if others["hold"] else ""
            yield f"left as they were, not submitted: {counts}{hint}"
        yield from notices

    def changes(self, source: FileSource | None) -> Iterator[str]:
        """Yield a line for each product that would change, and one for what would not be written.

        A file that is written anew is made, and thrown away.
        """
        from agpis_sdk.media.gallery_order import chosen_images, images_in_order

        outcomes = list(self._kept())
        for outcome in outcomes:
            listed = [image.id for image in outcome.images]
            new = [image.id for image in (images_in_order if self._spec.rewrites else chosen_images)(outcome)]
            if new != listed:
                yield f"{outcome.product_id}: {', '.join(new)} (was {', '.join(listed)})"
        if self._spec.rewrites:
            with tempfile.TemporaryDirectory(prefix="agpis-") as folder:
                yield from self._run(outcomes, Path(folder) / "export", source)

    def _left_out(self) -> Counter[str]:
        """Count by status the outcomes that are not applied."""
        if not self._spec.applies:
            return Counter()
        return Counter(one.status for one in read_outcomes(self._outcomes) if one.status not in self._statuses)

    def _kept(self) -> Iterator[Outcome]:
        for outcome in read_outcomes(self._outcomes):
            if not self._spec.applies or outcome.status in self._statuses:
                yield outcome

    def _run(self, outcomes: list[Outcome], path: Path, source: FileSource | None) -> list[str]:
        from agpis_sdk.media.file_export import FileExport

        if self._spec.rewrites and source is None:
            raise InputFileError(
                "are written anew, so their file is needed", item="the products", remedy="name it behind the outcomes"
            )
        if source is not None and source.path.exists() and path.exists() and source.path.samefile(path):
            raise OutputError("is the file that is read", item=str(path), remedy="name another one with -o")
        export = FileExport(path, source, self._loaded.config.media)
        try:
            writer: OutcomeWriter = self._host.create(self._owned, self._loaded.config.components)
            with naming_output(str(path)):
                writer.write(outcomes, export)
        except AgpisError:
            raise
        except Exception as error:
            plugin = self._owned.plugin
            raise PluginLoadError(
                f'writer "{self._owned.spec.name}" raised {in_words(error)}', item=plugin.owner, remedy=plugin.remedy
            ) from error
        return export.skipped.lines("not written")


def export_of(
    file_format: str | None, output: str, loaded: LoadedConfig, host: PluginHost, *, held: bool
) -> DecisionExport | None:
    """Return the way out that `agpis run --export` asks for; raises `ConfigError` where outcomes are not kept in a file."""
    if file_format is None:
        return None
    if output == STDIO:
        raise ConfigError("needs outcomes in a file", item=f"--export {file_format}", remedy="name one with -o")
    # Outcomes that are written anew take what was made of them along.
    return DecisionExport(file_format, Path(output), None, loaded, host, held=held, replaces=True, setting="--export")


def read_outcomes(path: Path) -> Iterator[Outcome]:
    """Yield the outcomes of a file; raises `InputFileError` naming the line that is none."""
    from agpis_sdk.media.outcome_lines import outcome_lines

    for place, line in outcome_lines(path):
        yield _outcome(line, place)


def _outcome(line: bytes, item: str) -> Outcome:
    try:
        return Outcome.model_validate_json(line)
    except ValidationError:
        raise InputFileError("is no outcome", item=item, remedy="name a file that `agpis run -o` wrote") from None


def print_lines(lines: Iterator[str]) -> None:
    """Print lines for people."""
    for line in lines:
        typer.echo(printable(line), err=True)


def _stem(path: Path) -> str:
    return path.name.removesuffix(".jsonl") if path.name != ".jsonl" else path.name
