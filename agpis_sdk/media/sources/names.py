"""Names of files that a record spells in another way than the folder does.

Browsers and other systems write one name in several ways. A spelling that can mean one file only is read: backslashes
between folders, %20, a query behind the name, another Unicode form. Letter case tells files apart, so it is named.
"""

from __future__ import annotations

import functools
import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

from agpis_sdk.errors import ImageReadError
from agpis_sdk.media.sources.masking import masked

_WEB = re.compile(r"https?/+|(?=www\.)", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


def other_spelling(path: str, item: str, root: Path | None) -> str:
    """Return the path of the file that a missing path spells in another way.

    Only folders below the root are looked through. Raises `ImageReadError` where no file fits, naming what is there.
    """
    top, name = _split(path, root)
    spellings = list(_spellings(name))
    for spelling in spellings:
        # One that leads out of the root is handed back to be refused, whether or not there is a file.
        if (root is not None and _leads_up(spelling)) or _exists(top / spelling):
            return str(top / spelling)
    for spelling in [name, *spellings]:
        found = _look_up(top, spelling, _unicode_form)
        if len(found) == 1:
            return str(found[0])
        if found:
            raise ImageReadError(
                "no such file, but several whose names are other Unicode forms of this one",
                item=item,
                remedy="keep one of them",
            )
    for spelling in [name, *spellings]:
        if found := _look_up(top, spelling, _any_case):
            raise ImageReadError(
                f'no such file; one of the same name in another letter case is there: "{found[0].relative_to(top)}"',
                item=item,
                remedy="write the name as the folder has it",
            )
    raise ImageReadError("no such file", item=item, remedy=_remedy(name))


def _split(path: str, root: Path | None) -> tuple[Path, str]:
    """Return the folder in which a name is looked for, and the name."""
    prefix = "" if root is None else f"{str(root).rstrip(os.sep)}{os.sep}"
    if root is not None and path.startswith(prefix):
        return root, path[len(prefix) :]
    anchor = Path(path).anchor
    return Path(anchor), path[len(anchor) :]


def _spellings(name: str) -> Iterator[str]:
    """Yield what a name may mean where no file has it as it is, the least changed first."""
    plain = name.strip().replace("\\", "/")
    bare = re.split(r"[?#]", plain, maxsplit=1)[0]
    seen = {name}
    for spelling in (name.strip(), plain, unquote(plain), bare, unquote(bare)):
        if spelling not in seen and spelling and not spelling.startswith("/"):
            seen.add(spelling)
            yield spelling


def _leads_up(name: str) -> bool:
    depth = 0
    for part in Path(name).parts:
        depth += -1 if part == os.pardir else 1
        if depth < 0:
            return True
    return False


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long a name, a NUL character
        return False


def _look_up(top: Path, name: str, form: Callable[[str], str]) -> list[Path]:
    """Return the paths below a folder whose parts have the same form as those of a name."""
    found = [top]
    for part in Path(name).parts:
        if part == os.pardir:
            return []
        found = [entry for before in found for entry in _entries(before, part, form)]
        # Nothing is listed through a symbolic link, which may lead out of the root.
        found = [entry for entry in found if not entry.is_symlink() or entry.is_file()]
    return found if found != [top] else []


def _entries(folder: Path, part: str, form: Callable[[str], str]) -> list[Path]:
    try:
        names = _names_by_form(folder, folder.stat().st_mtime_ns).get(_any_case(part), ())
    except (OSError, ValueError):
        return []
    return [folder / entry for entry in names if form(entry) == form(part)]


@functools.lru_cache(maxsize=32)
def _names_by_form(folder: Path, changed: int) -> Mapping[str, tuple[str, ...]]:  # noqa: ARG001 - part of the key
    """Return the names in a folder by their form; many missing files of a folder are looked up at the price of one."""
    names: dict[str, tuple[str, ...]] = {}
    for name in sorted(entry.name for entry in folder.iterdir()):
        form = _any_case(name)
        names[form] = (*names.get(form, ()), name)
    return names


def _unicode_form(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _any_case(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _remedy(name: str) -> str:
    if _DRIVE.match(name):
        return "a path with a drive is one of Windows; write it relative to the file it stands in"
    without_scheme = _WEB.match(name)
    if without_scheme:
        return f"a web address begins with its scheme; write https://{masked(name[without_scheme.end() :])}"
    return "a relative uri is resolved against the file it stands in"
