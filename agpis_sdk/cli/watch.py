"""`--watch`: a command that runs again whenever its catalog, its config or a listed image changes."""

from __future__ import annotations

import contextlib
import io
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

from agpis_sdk.cli.exit_codes import DONE, INTERRUPTED, TERMINATED
from agpis_sdk.cli.options import OUTPUT, ProductsGiven
from agpis_sdk.cli.outputs import STDIO
from agpis_sdk.config import LoadedConfig
from agpis_sdk.errors import AgpisError, ConfigError
from agpis_sdk.plugins import PluginHost
from agpis_sdk.records import Product
from agpis_sdk.wording import counted, printable

OPTION = "--watch"
WatchOption = Annotated[
    bool,
    typer.Option(
        OPTION, help="Run again whenever the catalog, the config or a listed image changes.", rich_help_panel=OUTPUT
    ),
]
PAUSE = 0.5  # seconds between two looks at the files
SHARE = 20  # looking takes at most so small a part of the time, however many files there are
NAMED = 3  # changed files in one line for people

Mark = tuple[int, int] | None
"""What tells that a file has changed: its time and size; None where there is none."""


@dataclass(frozen=True)
class Watched:
    """What a command reads: how to load its settings, and its products."""

    products: ProductsGiven
    load: Callable[[], tuple[LoadedConfig, PluginHost]]

    def marks(self) -> dict[Path, Mark]:
        """Return the mark of every file that the command reads.

        Where the config or the catalog is broken at the moment, those are the files whose names are known.
        """
        return {path: _mark(path) for path in self._files()}

    def _files(self) -> Iterator[Path]:
        yield Path(self.products.path)
        # The command itself says on standard error what is wrong.
        with contextlib.suppress(AgpisError), contextlib.redirect_stderr(io.StringIO()):
            loaded, host = self.load()
            yield from loaded.files
            for record in self.products.read(loaded, host):
                images = record.images if isinstance(record, Product) else ()
                yield from (Path(image.uri) for image in images if image.uri and "://" not in image.uri)


def keep_running(watched: Watched) -> NoReturn:
    """Run the command that this process was started with again and again, in a process of its own each time.

    Ctrl-C while it waits ends it with 0; a run that is interrupted ends it with the code of that run.
    """
    if watched.products.path == STDIO:
        raise ConfigError("cannot be watched", item=f"{OPTION} -", remedy="name a file or a folder")
    signal.signal(signal.SIGTERM, _terminated)
    # Ignored where a shell has started it in the background; `agpis run` does not ignore it either.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    command = [sys.executable, "-m", "agpis_sdk.cli", *(one for one in sys.argv[1:] if one != OPTION)]
    seen = watched.marks()
    while True:
        code = _run(command)
        if code in (INTERRUPTED, TERMINATED):
            raise typer.Exit(code)
        try:
            typer.echo(f"agpis: watching {counted(len(seen), 'file')}; Ctrl-C ends it", err=True)
            changed, seen = _changed(watched, seen)
        except KeyboardInterrupt:
            typer.echo("", err=True)
            raise typer.Exit(DONE) from None
        names = ", ".join(path.name for path in changed[:NAMED])
        more = f" and {len(changed) - NAMED:,} more" if len(changed) > NAMED else ""
        typer.echo(printable(f"agpis: changed: {names}{more}"), err=True)


def _changed(watched: Watched, seen: Mapping[Path, Mark]) -> tuple[list[Path], dict[Path, Mark]]:
    """Wait until files have changed and then been left alone for a moment; return which, and the marks of all."""
    before = dict(seen)
    # Which files there are is known again after the catalog has changed; of a folder, only by looking into it.
    look = watched.marks if Path(watched.products.path).is_dir() else lambda: {path: _mark(path) for path in seen}
    while True:
        begun = time.monotonic()
        now = look()
        if now == before and now != seen:
            return sorted(path for path in {*now, *seen} if now.get(path) != seen.get(path)), watched.marks()
        before = now
        time.sleep(max(PAUSE, SHARE * (time.monotonic() - begun)))


def _run(command: list[str]) -> int:
    """Run a command to its end; an interruption goes to it too, and is its to answer."""
    with subprocess.Popen(command) as process:  # noqa: S603 - our own interpreter and the words that it was given
        try:
            while True:
                with contextlib.suppress(KeyboardInterrupt):
                    return _shell_code(process.wait())
        except SystemExit:
            process.terminate()
            raise


def _shell_code(code: int) -> int:
    return code if code >= 0 else 128 - code


def _mark(path: Path) -> Mark:
    try:
        status = path.stat()
    except (OSError, ValueError):  # ValueError: a NUL character
        return None
    return status.st_mtime_ns, status.st_size


def _terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(TERMINATED)
