"""The outcomes of a run in a file that appears when it is whole, and until then a partial file from which to resume.

`OUTCOMES.partial` begins with a line on the run's identity. Outcomes are added micro-batch by micro-batch, each followed
by a line with the state of the run and a checksum: whatever comes after the last whole batch was cut off and is redone.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

import filelock

from agpis_sdk.errors import OutputError, ResumeError, naming_output
from agpis_sdk.pipeline.checkpoint import BEGINNING, Checkpoint, Identity, changes
from agpis_sdk.records import Outcome
from agpis_sdk.wording import counted

FORMAT = 1
HEADER = b'{"agpis_run": '
STATE = b'{"agpis_checkpoint": '


@dataclass(frozen=True)
class _Unfinished:
    """What a partial file holds: the run's identity, its last state, and where the last whole batch ends."""

    identity: Identity
    checkpoint: Checkpoint
    end: int


class OutcomeFile:
    """Collects the outcomes of a run beside their file, and moves them into place when they are whole.

    One run at a time: another one that names the same file is refused. `checkpoint` is the state to continue from.
    """

    def __init__(self, target: Path, identity: Identity, *, resume: bool) -> None:
        self._name = str(target)
        # A link stays a link: what it names is written.
        self._target = target.resolve()
        self._partial = self._target.with_name(f"{self._target.name}.partial")
        self.unfinished: Path | None = self._partial
        self._whole = self._target.with_name(f".{self._target.name}.whole")
        self._lock = filelock.FileLock(self._target.with_name(f".{self._target.name}.lock"))
        self.checkpoint = BEGINNING
        self._stream: FileIO | None = None
        with naming_output(self._name):
            try:
                self._lock.acquire(blocking=False)
            except filelock.Timeout:
                raise OutputError(
                    "another run is writing it", item=self._name, remedy="wait for it, or name another file"
                ) from None
            try:
                self._open(identity, resume=resume)
            except BaseException:
                self.close()
                raise

    def _open(self, identity: Identity, *, resume: bool) -> None:
        found = self._unfinished()
        if found is None or not found.checkpoint.products:
            self._stream = FileIO(self._partial, "w+")
            self._append(HEADER + json.dumps({"format": FORMAT, **identity}).encode() + b"}\n")
            return
        so_far = f"holds {counted(found.checkpoint.products, 'outcome')} of a run that was not finished"
        if not resume:
            raise ResumeError(
                so_far, item=str(self._partial), remedy="add --resume to continue it, or delete it to begin anew"
            )
        changed = changes(found.identity, json.loads(json.dumps(identity)))
        if changed:
            raise ResumeError(
                f"{so_far}, under other conditions: {'; '.join(changed)}",
                item=str(self._partial),
                remedy="restore them, or delete it to begin anew",
            )
        self.checkpoint = found.checkpoint
        self._stream = FileIO(self._partial, "r+")
        self._stream.truncate(found.end)
        self._stream.seek(found.end)

    def decided(self) -> Iterator[Outcome]:
        """Yield the outcomes up to the checkpoint."""
        for line in self._outcome_lines():
            yield Outcome.model_validate_json(line)

    def write(self, outcomes: Sequence[Outcome], checkpoint: Checkpoint) -> None:
        """Add the outcomes of a micro-batch, and the state after it; they outlive this process when this returns.

        A failure of the machine may take the last batches from the disk: the checksums show it, and they are redone.
        """
        lines = b"".join(outcome.model_dump_json().encode() + b"\n" for outcome in outcomes)
        state = {"crc32": zlib.crc32(lines), **checkpoint.model_dump()}
        with naming_output(self._name):
            self._append(lines + STATE + json.dumps(state).encode() + b"}\n")

    def finish(self) -> None:
        """Write the outcomes alone and move them into place in one step; an earlier file gives way to them."""
        with naming_output(self._name):
            with self._whole.open("wb") as whole:
                whole.writelines(self._outcome_lines())
                whole.flush()
                os.fsync(whole.fileno())
            if self._target.exists():
                shutil.copymode(self._target, self._whole)
            self._whole.replace(self._target)
            _sync_folder(self._target.parent)
            self._partial.unlink()

    def close(self) -> None:
        """Let go of the file; what is unfinished stays there to be resumed."""
        if self._stream is not None:
            self._stream.close()
        if self._lock.is_locked:
            Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()

    def _append(self, data: bytes) -> None:
        assert self._stream is not None  # noqa: S101 - opened before anything is written
        left = memoryview(data)
        while left:
            left = left[self._stream.write(left) :]

    def _outcome_lines(self) -> Iterator[bytes]:
        with self._partial.open("rb") as lines:
            for line in lines:
                if not line.startswith((HEADER, STATE)):
                    yield line

    def _unfinished(self) -> _Unfinished | None:
        """Read the partial file up to its last whole batch; None where there is none, or nothing whole in it."""
        try:
            stream = self._partial.open("rb")
        except FileNotFoundError:
            return None
        with stream:
            first = stream.readline()
            if first and not first.startswith(HEADER[: len(first)]):
                raise OutputError(
                    "is in the way: agpis run did not write it", item=str(self._partial), remedy="move it away"
                )
            identity = _value(first, HEADER)
            if identity is None:
                return None
            written_as = identity.pop("format", None)
            if written_as != FORMAT:
                raise ResumeError(
                    f"is of format {written_as}, not {FORMAT}: another version wrote it",
                    item=str(self._partial),
                    remedy="resume with that version, or delete it to begin anew",
                )
            checkpoint, end = _last_state(stream, len(first))
        return _Unfinished(identity, checkpoint, end)


def _last_state(lines: Iterable[bytes], start: int) -> tuple[Checkpoint, int]:
    """Return the last state that follows whole outcomes, and where it ends."""
    checkpoint, end, position, checksum = BEGINNING, start, start, 0
    for line in lines:
        position += len(line)
        if not line.startswith(STATE):
            checksum = zlib.crc32(line, checksum)
            continue
        state = _value(line, STATE)
        if state is None or state.pop("crc32", None) != checksum:
            break
        checkpoint, end, checksum = Checkpoint.model_validate(state), position, 0
    return checkpoint, end


def _value(line: bytes, prefix: bytes) -> dict[str, Any] | None:
    """Return the object on a line of the partial file's own; None where the line is cut off."""
    if not line.startswith(prefix) or not line.endswith(b"}\n"):
        return None
    try:
        value = json.loads(line)
    except ValueError:
        return None
    (inner,) = value.values()
    return inner if isinstance(inner, dict) else None


def _sync_folder(folder: Path) -> None:
    """Have the move into place on the disk before the partial file goes, where the system can do so."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
