"""A folder that was written by us: which files in it are ours, so that it can be written anew and others' files stay."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from agpis_sdk.errors import OutputError
from agpis_sdk.files import written_whole

LIST = ".agpis-export.json"
VERSION = 1


def is_own(folder: Path) -> bool:
    """Tell whether a folder says which files in it we have written."""
    return _ours(folder) is not None


@contextlib.contextmanager
def written_folder(target: Path) -> Iterator[Path]:
    """Yield a folder to fill, and put it in the target's place when that went well; otherwise nothing has changed.

    Of a target that is there already, the files that we wrote give way, and all others stay. Raises `OutputError` where it is
    not ours, or another's file is where one of ours would be.
    """
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    unfinished.mkdir()
    try:
        yield unfinished
        files = sorted(path.relative_to(unfinished).as_posix() for path in unfinished.rglob("*") if path.is_file())
        with written_whole(unfinished / LIST) as unlisted:
            unlisted.write_text(json.dumps({"version": VERSION, "files": files}, indent=1) + "\n", encoding="utf-8")
        if target.exists():
            _renew(target, unfinished, files)
        else:
            unfinished.replace(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _renew(target: Path, new: Path, files: list[str]) -> None:
    ours = _ours(target)
    if ours is None:
        raise OutputError(
            "is there already, and agpis did not write it", item=str(target), remedy="name another one with -o"
        )
    for name in files:
        place = target / name
        if name not in ours and (place.exists() or place.is_symlink()):
            raise OutputError("is in the way: agpis did not write it", item=str(place), remedy="move it away")
    for name in ours:
        (target / name).unlink(missing_ok=True)
    for folder in sorted({parent for name in ours for parent in (target / name).parents}, reverse=True):
        if target in folder.parents:
            with contextlib.suppress(OSError):  # it holds files of others
                folder.rmdir()
    for name in [*files, LIST]:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (new / name).replace(target / name)


def _ours(folder: Path) -> frozenset[str] | None:
    """Return the files of a folder that we have written; None where it does not say so."""
    try:
        listed = json.loads((folder / LIST).read_text(encoding="utf-8"))
        names = [str(name) for name in listed["files"]]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    # A list that somebody has changed reaches nothing outside the folder.
    return frozenset(name for name in names if ".." not in Path(name).parts and not Path(name).is_absolute())
