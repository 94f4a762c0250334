"""What the exit codes of every command mean; the reference prints this table."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
INCOMPLETE: Final = 1
REFUSED: Final = 2
DROPPED: Final = 3
INTERRUPTED: Final = 130  # 128 + the number of the signal, as shells count
TERMINATED: Final = 143

EXIT_CODES: Final = {
    DONE: "Done.",
    INCOMPLETE: "Done, but some record, component or plugin failed; or an audit found what blocks.",
    REFUSED: "Bad usage, config or plugin: nothing was run. Or the input broke off, or an output cannot be written (full "
    "disk, closed pipe, a folder): the outcomes until there are kept.",
    DROPPED: "Done, but a component failed so often that it was dropped, or a plugin's report failed; stderr names it.",
    INTERRUPTED: "Interrupted by SIGINT (Ctrl-C), after the products in flight; `--resume` continues.",
    TERMINATED: "Interrupted by SIGTERM, likewise.",
}
