"""A reviewer's words: rule, image, place and thing, in several wordings."""

from __future__ import annotations

import numpy as np

from agpis_sdk.rules import BUILTIN_RULES

RULES = {rule.code: rule for rule in BUILTIN_RULES}
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
ABOUT_ONE = (
    "{rule}: {thing} in the {which} image, {place}.",
    "{rule} in the {which} image ({thing}, {place})",
    "the {which} image has a problem, {rule}: {thing} at {place}",
)
ABOUT_TWO = (
    "{rule}: the {which} and the {other} image.",
    "{rule} between the {which} and the {other} image",
    "the {which} image and the {other} image, {rule}",
)
ABOUT_ALL = ("{rule}: {thing}.", "{rule}, {thing}", "please choose again, {rule}: {thing}")


def about_one(code: str, position: int, thing: str, place: str, rng: np.random.Generator) -> str:
    """Word a violation of a single-image rule in the image at `position`, counted from 0."""
    return _pick(ABOUT_ONE, rng).format(rule=_spoken(code), which=ORDINALS[position], thing=thing, place=place)


def about_two(code: str, first: int, second: int, rng: np.random.Generator) -> str:
    """Word a violation of an image-pair rule."""
    return _pick(ABOUT_TWO, rng).format(rule=_spoken(code), which=ORDINALS[first], other=ORDINALS[second])


def about_all(code: str, thing: str, rng: np.random.Generator) -> str:
    """Word a violation of a multi-image rule."""
    return _pick(ABOUT_ALL, rng).format(rule=_spoken(code), thing=thing)


def _spoken(code: str) -> str:
    return RULES[code].name.replace("-", " ")


def _pick(wordings: tuple[str, ...], rng: np.random.Generator) -> str:
    return wordings[int(rng.integers(len(wordings)))]
