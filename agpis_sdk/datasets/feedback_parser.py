"""Reads rules (codes, names and aliases, in the order in which they are named) and images off a reviewer's words."""

from __future__ import annotations

import re
from functools import lru_cache

from agpis_sdk.rules import BUILTIN_RULES

PLACES = {
    word: place
    for place, words in enumerate(
        ("first 1st", "second 2nd", "third 3rd", "fourth 4th", "fifth 5th", "sixth 6th", "seventh 7th", "eighth 8th")
    )
    for word in words.split()
}
# "first and third", "the second image", but not "second picture set into a corner".
_PLACE = re.compile(
    rf"\b({'|'.join(PLACES)})\b(?=\s+(?:images?|photos?|pictures?(?!\s+set)|and|or)\b|\s*[^\w\s]|\s*$)", re.IGNORECASE
)


def rules_in(feedback: str) -> tuple[str, ...]:
    """Return the codes of the rules that a text names, the first one first; a longer name wins over one inside it.

    >>> rules_in("Watermark on the second image, and low resolution")
    ('AGP121', 'AGP101')
    """
    pattern, codes = _names()
    found = [codes[re.sub(r"[\s-]+", " ", match[0].lower())] for match in pattern.finditer(feedback)]
    return tuple(dict.fromkeys(found))


def images_in(feedback: str) -> frozenset[int]:
    """Return the places in the sequence, from 0, of the images that a text names; a place in a rule's name is none.

    >>> sorted(images_in("Duplicate content: the first and the 3rd image"))
    [0, 2]
    """
    pattern, _ = _names()
    return frozenset(PLACES[match[1].lower()] for match in _PLACE.finditer(pattern.sub(" ", feedback)))


@lru_cache
def _names() -> tuple[re.Pattern[str], dict[str, str]]:
    codes: dict[str, str] = {}
    for rule in BUILTIN_RULES:
        if rule.category != "engine":
            for name in (rule.code, rule.name, *rule.aliases):
                codes.setdefault(name.lower().replace("-", " "), rule.code)
    longest_first = sorted(codes, key=len, reverse=True)
    alternatives = "|".join(re.escape(name).replace(r"\ ", r"[\s-]+") for name in longest_first)
    return re.compile(rf"\b(?:{alternatives})\b", re.IGNORECASE), codes
