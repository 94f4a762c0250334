"""How counts, shares, durations, rates and foreign text are put in words, in notices, reports and tables alike."""

from __future__ import annotations

import re

# What moves the cursor, rings, colors, ends a line or turns the direction of writing: C0, DEL, C1, the bidirectional
# controls, the line and paragraph separators, and halves of surrogate pairs. Joiners stay: emoji and Persian need them.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def printable(text: str, *, keep: str = "") -> str:
    r"""Return text that came from outside as one line for people: control characters become escapes, but for `keep`.

    >>> print(printable("a\x1b[31mred\nb"))
    a\x1b[31mred\nb
    """

    def escaped(match: re.Match[str]) -> str:
        character = match.group()
        if character in keep:
            return character
        code = ord(character)
        return _SHORT.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")

    return _CONTROL.sub(escaped, text)


def json_printable(text: str) -> str:
    r"""Return JSON in which control characters inside its texts are escaped as JSON does; it reads back the same.

    >>> json_printable('{"a": "\u202e"}')
    '{"a": "\\u202e"}'
    """
    return _CONTROL.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def shortened(text: str, length: int = 80) -> str:
    """Return text cut to a length, with a mark where it was cut.

    >>> shortened("a long title", 7)
    'a long…'
    """
    return text if len(text) <= length else f"{text[: length - 1]}…"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun in the singular or plural.

    >>> counted(1, "image"), counted(1200, "image")
    ('1 image', '1,200 images')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def percent(share: float) -> str:
    """Return a share in 0..1 as a whole percentage; only exactly 0 and 1 are 0% and 100%.

    >>> percent(0.9996), percent(0.5), percent(1.0)
    ('>99%', '50%', '100%')
    """
    if 0.0 < share < 0.005:
        return "<1%"
    if 0.995 <= share < 1.0:
        return ">99%"
    return f"{share * 100:.0f}%"


def duration(seconds: float) -> str:
    """Return seconds as people say them.

    >>> duration(7.25), duration(192), duration(7260)
    ('7.2 s', '3 min 12 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def rate(per_second: float) -> str:
    """Return a rate with as many digits as it deserves.

    >>> rate(0.00123), rate(0.1234), rate(12.34), rate(1234.5)
    ('0.0012', '0.12', '12.3', '1,234')
    """
    if per_second < 0.1:
        return f"{per_second:.2g}"
    if per_second < 10:
        return f"{per_second:.2f}"
    return f"{per_second:.1f}" if per_second < 100 else f"{per_second:,.0f}"
