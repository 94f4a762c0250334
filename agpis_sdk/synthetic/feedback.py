"""Templates of reviewer feedback: rule, image, place and object, in many phrasings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agpis_sdk.plugins import shipped_rules

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
ABOUT_ONE = (
    "{rule} in the {which} image, {place}: {thing}.",
    "{rule}, {which} image, {place}: {thing}",
    "the {which} image has {rule}, {place}: {thing}",
    "not accepted, {rule} in the {which} image ({place}, {thing})",
    "please replace the {which} image: {rule}, {place}, {thing}",
    "{which} image: {rule}. {thing}, {place}.",
)
ABOUT_TWO = (
    "{rule}: the {which} and the {other} image, {thing}.",
    "{rule} between the {which} and the {other} image: {thing}",
    "the {which} and the {other} image: {rule}, {thing}",
    "please replace the {other} image: {rule} with the {which} image, {thing}",
)
ABOUT_ALL = (
    "{rule}: {thing}.",
    "{rule}, {thing}",
    "please choose again, {rule}: {thing}",
    "not accepted, {rule}: {thing}",
)
AND_ALSO = ("; also ", ". besides, ", ", and ")


def about_one(code: str, position: int, thing: str, place: str, rng: np.random.Generator) -> str:
    """Return feedback on a violation of a single-image rule in the image at `position`, counted from 0."""
    return _pick(ABOUT_ONE, rng).format(rule=_spoken(code, rng), which=ORDINALS[position], thing=thing, place=place)


def about_two(code: str, first: int, second: int, thing: str, rng: np.random.Generator) -> str:
    """Return feedback on a violation of an image-pair rule."""
    wording = _pick(ABOUT_TWO, rng)
    return wording.format(rule=_spoken(code, rng), which=ORDINALS[first], other=ORDINALS[second], thing=thing)


def about_all(code: str, thing: str, rng: np.random.Generator) -> str:
    """Return feedback on a violation of a multi-image rule."""
    return _pick(ABOUT_ALL, rng).format(rule=_spoken(code, rng), thing=thing)


def and_also(first: str, second: str, rng: np.random.Generator) -> str:
    """Return two objections as one text, in order."""
    return first.rstrip(". ") + _pick(AND_ALSO, rng) + second


def _spoken(code: str, rng: np.random.Generator) -> str:
    """Return a rule's name as reviewers write it: mostly the name, else an alias, rarely the code."""
    rule = shipped_rules()[code]
    choice = rng.random()
    if choice < 0.05:
        return code
    if choice < 0.3 and rule.aliases:
        return _pick(rule.aliases, rng)
    return rule.name.replace("-", " ")


def _pick(wordings: Sequence[str], rng: np.random.Generator) -> str:
    return wordings[int(rng.integers(len(wordings)))]
