"""What lines of text say: promotion, price, contact data, a marketplace's name, or something else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from agpis_text.config import TextConfig
from agpis_text.lines import TextLine

Kind = Literal["promotion", "printed_too", "price", "contact", "marketplace"]
SHORTEST = 3  # shorter words name nothing
TALLEST = 3.5  # lettering this many times as high as its neighbor belongs to another text


class Matcher:
    """The word lists and patterns of a config, compiled once."""

    def __init__(self, config: TextConfig) -> None:
        lists = config.lists()
        phrases = [phrase for one in lists for phrase in one.phrases]
        patterns = [pattern for one in lists for pattern in one.patterns]
        printed_too = [phrase for one in lists for phrase in one.printed_too]
        self._patterns: dict[Kind, re.Pattern[str] | None] = {
            "promotion": _any_of([*map(_phrase, phrases), *patterns, *config.discounts]),
            "printed_too": _any_of(map(_phrase, printed_too)),
            "price": _any_of(config.prices),
            "contact": _any_of(config.contacts),
            "marketplace": _any_of(map(_phrase, config.marketplaces)),
        }

    def kinds(self, text: str) -> frozenset[Kind]:
        """Return what a text says; nothing where it is none of the kinds."""
        plain = plain_text(text)
        found = {kind for kind, pattern in self._patterns.items() if pattern and pattern.search(plain)}
        return frozenset(found - {"printed_too"} if "promotion" in found else found)


def plain_text(text: str) -> str:
    """Return a text in lower case, without accents, with single spaces and half-width signs.

    >>> plain_text("Nur  HEUTE：Schnäppchen ５０％")
    'nur heute:schnappchen 50%'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(sign))
    return " ".join(bare.split())


def names_product(text: str, title: str) -> bool:
    """Tell whether half of the words of a text, or more, are words of the product's title, or the beginning of one.

    >>> names_product("alpr", "Alpro Vanilla Soyghurt"), names_product("50 % off", "Alpro Vanilla Soyghurt")
    (True, False)
    """
    words, known = _words(text), _words(title)
    named = [word for word in words if any(one.startswith(word) or word.startswith(one) for one in known)]
    return bool(words) and 2 * len(named) >= len(words)


def _words(text: str) -> list[str]:
    return [word for word in re.findall(r"\w+", plain_text(text)) if len(word) >= SHORTEST]


def passages(lines: Sequence[TextLine]) -> Iterator[tuple[TextLine, ...]]:
    """Yield every line by itself, then every two that read on: "FREE" above "SHIPPING", "50%" beside "OFF"."""
    for line in lines:
        yield (line,)
    for first in lines:
        for second in lines:
            if first is not second and reads_on(first, second):
                yield first, second


def reads_on(first: TextLine, second: TextLine) -> bool:
    """Tell whether one line goes on in another, to its right or right below it."""
    x, y, wide, high = first.box
    other_x, other_y, other_wide, other_high = second.box
    small, large = sorted((first.height, second.height))
    if large > TALLEST * small:
        return False
    beside = abs((y + high / 2) - (other_y + other_high / 2)) < 0.5 * large
    if beside and -0.5 * small < other_x - (x + wide) < 1.5 * large:
        return True
    under = min(x + wide, other_x + other_wide) - max(x, other_x) > 0.3 * min(wide, other_wide)
    return under and -0.5 * small < other_y - (y + high) < large


def _phrase(phrase: str) -> str:
    """Return the pattern of a phrase: the recognizer may lose its spaces, and it stands by itself."""
    plain = plain_text(phrase)
    before = r"(?<![a-z0-9])" if plain[:1].isascii() else ""
    after = r"(?![a-z0-9])" if plain[-1:].isascii() else ""
    return before + r"[ -]*".join(map(re.escape, plain.split())) + after


def _any_of(patterns: Iterable[str]) -> re.Pattern[str] | None:
    # Chinese has no spaces between words: its signs must not count as letters of the Latin word beside them.
    alternatives = [f"(?:{pattern})" for pattern in patterns]
    return re.compile("|".join(alternatives), re.ASCII) if alternatives else None
