"""Every error a user can meet: a code, what happened, which item, what to do."""

from __future__ import annotations

import contextlib
import difflib
import errno
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agpis_sdk.wording import printable, shortened

if TYPE_CHECKING:
    from pydantic import ValidationError

LONGEST_REASON = 1000  # characters
_REMEDIES = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EPIPE: "whoever read it has gone",
    errno.EACCES: "check its permissions, or name another file",
    errno.EPERM: "check its permissions, or name another file",
    errno.EROFS: "name a file on another disk",
    errno.EISDIR: "name a file",
}


class AgpisError(Exception):
    """An error that a user can act on.

    `code` is stable and documented; `item` names the line, product, image or setting; `remedy` says what to do. As text
    it is one line without control characters, whatever an id or a file name holds.
    """

    code = "E000"

    def __init__(self, what: str, *, item: str = "", remedy: str = "") -> None:
        self.what = what
        self.item = item
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        subject = f"{self.item}: " if self.item else ""
        remedy = f" ({self.remedy})" if self.remedy else ""
        return printable(f"[{self.code}] {subject}{self.what}{remedy}")

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default pickling of exceptions.
        return (_rebuild, (type(self), self.what, self.item, self.remedy))


def _rebuild(kind: type[AgpisError], what: str, item: str, remedy: str) -> AgpisError:
    return kind(what, item=item, remedy=remedy)


class ConfigError(AgpisError):
    """A setting that is unknown, of the wrong type or out of range."""

    code = "E100"


class UnknownNameError(ConfigError):
    """A rule, component or plugin name that nothing answers to."""

    code = "E101"


class PluginLoadError(AgpisError):
    """A plugin that could not be imported or registered."""

    code = "E200"


class PluginContractError(AgpisError):
    """A plugin that broke its contract: a wrong type, an undeclared rule, a name that is taken."""

    code = "E201"


class ComponentError(AgpisError):
    """A component that raised, or returned something its protocol does not allow, while it ran."""

    code = "E202"


class RecordError(AgpisError):
    """An input record that cannot be read: invalid JSON, a missing field, a repeated id."""

    code = "E300"


class InputFileError(AgpisError):
    """An input file that is missing, unreadable, empty or of another format."""

    code = "E301"


class IndexFolderError(AgpisError):
    """A catalog index that is missing, damaged, or made by another backbone or another version."""

    code = "E302"


class ImageReadError(AgpisError):
    """An image that cannot be turned into pixels: missing, truncated, not an image."""

    code = "E310"


class ImageTooLargeError(ImageReadError):
    """An image beyond the limits on bytes or pixels; it is not decoded."""

    code = "E311"


class OutputError(AgpisError):
    """An output that cannot be written: no permission, a full disk, a closed pipe, a folder in its place."""

    code = "E320"


class ResumeError(AgpisError):
    """An unfinished output that this run cannot go on with: of other settings, input or versions, or in use."""

    code = "E321"


class ClusterError(AgpisError):
    """A cluster that cannot be reached, or workers, there or here, that do not have what a run needs."""

    code = "E330"


class WeightsError(AgpisError):
    """Model weights that are missing, of another layout, or corrupt."""

    code = "E400"


class TrainingDataError(AgpisError):
    """Training data from which nothing can be learned: empty, one class only, images gone."""

    code = "E500"


class ReviewStoreError(AgpisError):
    """A store of reviews that cannot be opened or is of another version, or an account that cannot be made."""

    code = "E600"


class ReviewConflictError(AgpisError):
    """A decision that is not taken: somebody else has the product now, or it names what is not there."""

    code = "E601"


class ModelRegistryError(AgpisError):
    """A folder of model versions that is damaged, a version that is not in it, or a promotion that is refused."""

    code = "E602"


@dataclass(frozen=True)
class Problem:
    """The first thing that pydantic found wrong with data, in our words; `place` is dotted, "" for the whole."""

    path: tuple[int | str, ...]
    what: str
    given: Any
    unknown_field: bool

    @property
    def place(self) -> str:
        """Where it is, such as "images.0.uri"."""
        return ".".join(str(part) for part in self.path)

    def __str__(self) -> str:
        return f"{self.place}: {self.what}" if self.path else self.what


def first_problem(error: ValidationError, *parents: int | str) -> Problem:
    """Translate a validation error of pydantic; `parents` are the keys above the data that was validated."""
    first = error.errors()[0]
    words = {"missing": "is missing", "extra_forbidden": "is no known field"}
    return Problem(
        path=(*parents, *first["loc"]),
        what=words.get(first["type"], first["msg"].removeprefix("Value error, ")),
        given=first["input"],
        unknown_field=first["type"] == "extra_forbidden",
    )


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a remedy that suggests the nearest known name, or lists what there is.

    >>> nearest("thresold", ["threshold", "length"])
    'did you mean "threshold"?'
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f'did you mean "{close[0]}"?'
    return f"known: {', '.join(names)}" if names else "none is known"


def in_words(error: BaseException) -> str:
    r"""Return an exception as one line, its type and first words; one that cannot be printed is still named.

    >>> in_words(ValueError("no such color\nat all"))
    'ValueError: no such color'
    """
    try:
        lines = str(error).strip().splitlines()
    except BaseException:  # a message is computed by whoever raised it, and may fail in any way
        return f"{type(error).__name__} (its message cannot be read)"
    return f"{type(error).__name__}: {shortened(lines[0], LONGEST_REASON)}" if lines else type(error).__name__


@contextlib.contextmanager
def naming_output(item: str) -> Iterator[None]:
    """Turn an error of the operating system into an `OutputError` that names the output and the remedy."""
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "name another file")
        raise OutputError(f"cannot be written: {error.strerror or error}", item=item, remedy=remedy) from error
