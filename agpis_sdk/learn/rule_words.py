"""Reads the rules off a reviewer's words: codes, names and aliases, in the order in which they are named."""

from __future__ import annotations

import re
from functools import lru_cache

from agpis_sdk.rules import BUILTIN_RULES


def rules_in(feedback: str) -> tuple[str, ...]:
    """Return the codes of the rules that a text names, the first one first; a longer name wins over one inside it.

    >>> rules_in("Watermark on the second image, and low resolution")
    ('AGP121', 'AGP101')
    """
    pattern, codes = _names()
    found = [codes[re.sub(r"[\s-]+", " ", match[0].lower())] for match in pattern.finditer(feedback)]
    return tuple(dict.fromkeys(found))


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
