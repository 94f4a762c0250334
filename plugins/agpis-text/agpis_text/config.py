"""The plugin's settings, as they stand in agpis.toml under [components.text-reader] and [components.text]."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from agpis_sdk import ComponentConfig
from agpis_sdk.errors import nearest
from agpis_text.wording import CONTACTS, DISCOUNTS, MARKETPLACES, PRICES, WORDING


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f'"{pattern}" is no regular expression: {error}') from None
    return pattern


Patterns = tuple[Annotated[str, AfterValidator(_compiles)], ...]
Share = Annotated[float, Field(ge=0, le=1)]


class TextReaderConfig(ComponentConfig):
    """Settings of the reader of text."""

    side: int = Field(default=512, ge=64, description="Pictures are read at no more than this long side, in pixels.")
    min_marks: int = Field(
        default=3, ge=0, description="Read pictures with this many letter-like marks in a row; 0 reads every one."
    )
    min_confidence: Share = Field(default=0.6, description="Lines of which the recognizer is less sure are dropped.")
    threads: int = Field(default=1, ge=1, description="Threads of the models.")


class Wording(BaseModel):
    """What sellers lay over pictures, in one language.

    Phrases are found whatever their case, accents and spaces; `patterns` are regular expressions, searched in the line
    without accents and in lower case.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    phrases: tuple[str, ...] = Field(default=(), description="Promotional phrases that no packaging has.")
    printed_too: tuple[str, ...] = Field(default=(), description="Promotional phrases that packaging has as well.")
    patterns: Patterns = Field(default=(), description="Promotional regular expressions.")


def _shipped() -> dict[str, Wording]:
    return {language: Wording(**lists) for language, lists in WORDING.items()}


class Strengths(BaseModel):
    """What wording adds to the log odds that a line is laid over the picture: 0 is nothing, 3 nearly decides alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    promotion: float = Field(default=3.0, description='Phrases that no packaging has: "free shipping", "50 % off".')
    printed_too: float = Field(default=0.5, description='Phrases that packaging has as well: "new", "high quality".')
    price: float = Field(default=2.0, description="A price.")
    contact: float = Field(default=1.0, description="An address, a number, a handle; packaging has the maker's.")
    marketplace: float = Field(default=1.5, description="A marketplace's name.")
    other: float = Field(default=-1.5, description="None of these: how the lettering looks must be all the clearer.")
    product_name: float = Field(
        default=-2.0, description="None of these, and words of the product's title: its own label, most likely."
    )
    on_product: float = Field(
        default=-1.5, description="None of these, wholly on a product before a plain background: most likely printed."
    )


class TextConfig(ComponentConfig):
    """Settings of the check of what the text in a picture says."""

    languages: tuple[str, ...] = Field(default=tuple(WORDING), description="The languages whose wording is looked for.")
    wording: Mapping[str, Wording] = Field(
        default={}, description="Word lists by language, in place of the shipped ones."
    )
    more_wording: Mapping[str, Wording] = Field(
        default={}, description="Word lists by language, added to the shipped ones."
    )
    discounts: Patterns = Field(default=DISCOUNTS, description="Regular expressions of discounts, for all languages.")
    prices: Patterns = Field(default=PRICES, description="Regular expressions of prices.")
    contacts: Patterns = Field(default=CONTACTS, description="Regular expressions of contact data.")
    marketplaces: tuple[str, ...] = Field(default=MARKETPLACES, description="Names of marketplaces.")
    strengths: Strengths = Field(default=Strengths(), description="How much each kind of wording counts.")
    codes: bool = Field(default=True, description="Look for QR codes and bar codes.")

    @model_validator(mode="after")
    def _languages_are_known(self) -> TextConfig:
        known = {*WORDING, *self.wording, *self.more_wording}
        for language in self.languages:
            if language not in known:
                raise ValueError(f'no word list for the language "{language}"; {nearest(language, known)}')
        return self

    def lists(self) -> tuple[Wording, ...]:
        """Return the word lists to look for: those of the languages, the user's own in place of or beside the shipped."""
        first = {**_shipped(), **self.wording}
        chosen = [table.get(language) for language in self.languages for table in (first, self.more_wording)]
        return tuple(one for one in chosen if one is not None)
