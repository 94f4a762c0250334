"""The plugin's settings, as they stand in agpis.toml under [components.text]."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import Field, field_validator

from agpis_sdk import ComponentConfig
from agpis_text.wording import Kind, languages


class TextConfig(ComponentConfig):
    """What is read, in which languages words are judged, and which words a shop adds."""

    read_from: float = Field(
        default=0.05, ge=0, le=1, description="p_nc from which on a picture is read; 0 reads every one, at 0.1 s each."
    )
    side: int = Field(default=640, ge=160, le=2048, description="Length of the longer side at which text is read.")
    min_confidence: float = Field(default=0.6, ge=0, le=1, description="Lines read less surely are left out.")
    languages: tuple[str, ...] = Field(
        default=tuple(languages()), description="Languages whose phrases are looked for."
    )
    added: Mapping[Kind, tuple[str, ...]] = Field(
        default={},
        description='Regular expressions of your own by kind: {"promotional" = ["\\\\bmidsummer deals\\\\b"]}.',
    )
    allowed: tuple[str, ...] = Field(
        default=(),
        description="Regular expressions for lines that may stand anywhere: your brand, a size chart's title.",
    )

    @field_validator("languages")
    @classmethod
    def _are_known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = sorted(set(names) - set(languages()))
        if unknown:
            raise ValueError(f"no phrases for {', '.join(unknown)}; there are {', '.join(languages())}")
        return names

    @field_validator("added", "allowed")
    @classmethod
    def _can_be_compiled(cls, given: Mapping[Kind, tuple[str, ...]] | tuple[str, ...]) -> object:
        lists = given.values() if isinstance(given, Mapping) else [given]
        for expression in (expression for expressions in lists for expression in expressions):
            try:
                re.compile(expression)
            except re.error as error:
                raise ValueError(f"{expression!r} is no regular expression: {error}") from None
        return given
