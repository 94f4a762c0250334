"""Read rules and images off a reviewer's words."""

from __future__ import annotations

import re

from agpis_sdk.rules import RuleSet

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
# Reviewers write British English, too; rules and their aliases are American.
_BRITISH = {"colour": "color", "centre": "center", "grey": "gray"}


class FeedbackParser:
    """Find the rules of a run, by code, name or alias, and the places of images in a reviewer's words."""

    def __init__(self, rules: RuleSet) -> None:
        self._codes: dict[str, str] = {}
        for rule in rules:
            if rule.category != "engine":
                for name in (rule.code, rule.name, *rule.aliases):
                    self._codes.setdefault(_normalized(name), rule.code)
        longest_first = sorted(self._codes, key=len, reverse=True)
        alternatives = "|".join(re.escape(name).replace(r"\ ", r"[\s-]+") for name in longest_first)
        self._pattern = re.compile(rf"\b(?:{alternatives})\b")

    def rules_in(self, feedback: str) -> tuple[str, ...]:
        """Return the codes of the rules that a text names, in order; a longer name wins over one inside it.

        >>> from agpis_sdk.plugins import shipped_rules
        >>> FeedbackParser(shipped_rules()).rules_in("Watermark on the second image, and low resolution")
        ('AGP121', 'AGP101')
        """
        found = [self._codes[_normalized(match[0])] for match in self._pattern.finditer(_american(feedback))]
        return tuple(dict.fromkeys(found))

    def images_in(self, feedback: str) -> frozenset[int]:
        """Return the places in the sequence, from 0, of the images that a text names, apart from rules' names.

        >>> from agpis_sdk.plugins import shipped_rules
        >>> sorted(FeedbackParser(shipped_rules()).images_in("Duplicate content: the first and the 3rd image"))
        [0, 2]
        """
        without_rules = self._pattern.sub(" ", _american(feedback))
        return frozenset(PLACES[match[1].lower()] for match in _PLACE.finditer(without_rules))


def _american(text: str) -> str:
    text = text.lower()
    for british, american in _BRITISH.items():
        text = text.replace(british, american)
    return text


def _normalized(name: str) -> str:
    return re.sub(r"[\s-]+", " ", _american(name))
