"""Local files: regular ones below the catalog's folder, found also where a record spells their name in another way."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import stat
from pathlib import Path

from agpis_sdk.errors import ImageReadError
from agpis_sdk.media.sources.masking import masked
from agpis_sdk.media.sources.names import other_spelling
from agpis_sdk.media.sources.policy import SourcePolicy

# No waiting for the other end of a pipe, no terminal that takes the process over; O_BINARY is there on Windows alone.
_OPEN_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
# A name that is too long may be a short one with a long query behind it.
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}
_NOT_THROUGH_LINK = getattr(os, "O_NOFOLLOW", 0)
_PIECE = 1 << 20


def read_file(path: str, policy: SourcePolicy) -> bytes:
    """Return the bytes of a regular file below the policy's root.

    Raises `ImageReadError` where there is none, saying what is wrong with the name, and `ImageTooLargeError`.
    """
    item = masked(path)
    try:
        try:
            return _read(path, item, policy)
        except OSError as error:
            if error.errno not in _NOT_THERE:
                raise
        return _read(other_spelling(path, item, policy.root), item, policy)
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path, half an emoji
        raise ImageReadError(f"cannot be read: {getattr(error, 'strerror', None) or error}", item=item) from None


def _read(path: str, item: str, policy: SourcePolicy) -> bytes:
    descriptor = _open(path, item) if policy.root is None else _open_below(path, item, policy.root)
    try:
        status = os.fstat(descriptor)
        _check_regular(status.st_mode, item)
        policy.check_size(status.st_size, item)
        pieces, total, wanted = [], 0, status.st_size or _PIECE  # the files of /proc have no size
        while piece := os.read(descriptor, wanted):
            pieces.append(piece)
            total += len(piece)
            policy.check_size(total, item)
            if total == status.st_size:
                break
            wanted = min(_PIECE, policy.max_bytes + 1 - total)
        return b"".join(pieces)
    finally:
        os.close(descriptor)


def _open(path: str, item: str, more_flags: int = 0) -> int:
    try:
        return os.open(path, _OPEN_FLAGS | more_flags)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket does not open
            _check_regular(Path(path).stat().st_mode, item)
        raise


def _check_regular(mode: int, item: str) -> None:
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "no regular file")
        raise ImageReadError(f"is {kind}, not a file", item=item, remedy="name a file that holds an image")


def _open_below(path: str, item: str, root: Path) -> int:
    """Open a path; where symbolic links lead, that must be below the root."""
    folder = _real_folder(str(root.absolute()))
    parts = path[len(folder) + 1 :].split(os.sep) if _is_below(path, folder) else [os.pardir]  # noqa: PTH206
    if os.pardir not in parts:
        # Most paths have no link in them: asking for each part is faster than following the whole path from its top.
        with contextlib.suppress(OSError):
            if _without_links(folder, parts[:-1] if _NOT_THROUGH_LINK else parts):
                return _open(path, item, _NOT_THROUGH_LINK)
    real = os.path.realpath(path)
    if _is_below(real, folder):
        return _open(real, item, _NOT_THROUGH_LINK)
    as_written = os.path.normpath(Path(path).absolute())
    through_link = any(_is_below(as_written, str(top)) for top in (folder, root.absolute()))
    way = "leads through a symbolic link out of" if through_link else "is outside of"
    remedy = "move the file below it, or set media.allow_outside=true if you trust the catalog"
    if Path(path).is_absolute() and Path(folder, path.lstrip("/\\")).is_file():
        remedy = "there is such a file below it: write the path without the slash at its beginning"
    raise ImageReadError(f"{way} the catalog's folder {folder}", item=item, remedy=remedy)


@functools.lru_cache(maxsize=64)
def _real_folder(root: str) -> str:
    return os.path.realpath(root)


def _without_links(folder: str, parts: list[str]) -> bool:
    for part in parts:
        folder = f"{folder}{os.sep}{part}"
        if stat.S_ISLNK(os.lstat(folder).st_mode):
            return False
    return True


def _is_below(path: str, folder: str) -> bool:
    top = os.path.normcase(folder).rstrip(os.sep)
    return os.path.normcase(path).startswith(top + os.sep)
