"""What marketplaces ask for, as versioned data: one YAML file per profile, validated here. Light: no numpy, no cv2."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping
from importlib import resources
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from agpis_sdk.errors import UnknownNameError, nearest

Grade = Literal["A", "B", "C"]
Level = Literal["hard", "advice"]
Operator = Literal["at-least", "at-most", "one-of", "matches", "includes"]
Quantity = Literal[
    "longer-side", "shorter-side", "megapixels", "file-size", "format", "extension", "frames", "white-background", "fill",
    "aspect", "count", "role",
]  # fmt: skip
MonthOrDay = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}(-\d{2})?$")]

# What each quantity can be held against.
OPERATORS: Mapping[Quantity, tuple[Operator, ...]] = {
    "longer-side": ("at-least", "at-most"),
    "shorter-side": ("at-least", "at-most"),
    "megapixels": ("at-most",),
    "file-size": ("at-least", "at-most"),
    "format": ("one-of",),
    "extension": ("matches",),
    "frames": ("at-most",),
    "white-background": ("at-least",),
    "fill": ("at-least", "at-most"),
    "aspect": ("one-of",),
    "count": ("at-least", "at-most"),
    "role": ("includes",),
}
GRADES: Mapping[Grade, str] = {
    "A": "official text",
    "B": "restated by a third party",
    "C": "a developer's table",
}


class Entry(BaseModel):
    """A frozen entry of a data file that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Entry):
    """Where a number was read, and when; `url` is missing where our notes name the page without its address."""

    name: str = Field(min_length=1)
    url: str = ""
    read: MonthOrDay


class Claim(Entry):
    """A requirement (hard) or recommendation of a marketplace, with its source and the source's grade."""

    level: Level
    grade: Grade
    sources: tuple[str, ...] = Field(min_length=1)

    @property
    def blocks(self) -> bool:
        """Whether a violation blocks: a hard requirement from the marketplace's own text."""
        return self.level == "hard" and self.grade == "A"


class Requirement(Claim):
    """A number and what it is compared with.

    Units: sides in px, `file-size` in MB, `white-background` and `fill` as shares in 0..1. `images` says which images it is
    about; `aspect` and `category` limit it to images of one shape, or to products whose category contains the word.
    `from` and `until` are the first and the last day on which it is in force.
    """

    quantity: Quantity
    operator: Operator
    value: float | tuple[str, ...] | None = None
    images: Literal["all", "main", "others"] = "all"
    aspect: str = ""
    category: str = ""
    effective_from: datetime.date | None = Field(default=None, alias="from")
    until: datetime.date | None = None
    note: str = ""

    @model_validator(mode="after")
    def _operator_fits(self) -> Requirement:
        if self.operator not in OPERATORS[self.quantity]:
            raise ValueError(f"{self.quantity} cannot be held against {self.operator}")
        fits = {"one-of": isinstance(self.value, tuple), "includes": isinstance(self.value, tuple)}
        fits["matches"] = self.value is None
        if not fits.get(self.operator, isinstance(self.value, float)):
            raise ValueError(f"{self.quantity} {self.operator} needs a value of another kind than {self.value!r}")
        return self

    @property
    def number(self) -> float:
        """The number of an `at-least` or `at-most`."""
        assert isinstance(self.value, float)  # noqa: S101 -- the validator has seen to it
        return self.value

    @property
    def words(self) -> tuple[str, ...]:
        """The accepted values of a `one-of` or `includes`."""
        assert isinstance(self.value, tuple)  # noqa: S101 -- the validator has seen to it
        return self.value

    def in_force(self, day: datetime.date) -> bool:
        """Tell whether it is in force on a day."""
        build_model = self.effective_from is None or self.effective_from <= day
        return build_model and (self.until is None or day <= self.until)


class ForbiddenContent(Claim):
    """Content that no image of the gallery may show, as the SDK's rules that find it."""

    rules: tuple[str, ...] = Field(min_length=1)


class MarketplaceProfile(Entry):
    """One marketplace's requirements; those of one kind in the order in which they are held against an image."""

    name: str
    title: str
    summary: str
    version: MonthOrDay
    official: str = ""
    sources: Mapping[str, Source]
    requirements: tuple[Requirement, ...]
    content: tuple[ForbiddenContent, ...] = ()

    @model_validator(mode="after")
    def _sources_are_known_and_used(self) -> MarketplaceProfile:
        used = {key for claim in (*self.requirements, *self.content) for key in claim.sources}
        if used != set(self.sources):
            raise ValueError(f"sources named and listed differ: {', '.join(sorted(used ^ set(self.sources)))}")
        return self

    def in_force(self, day: datetime.date) -> tuple[Requirement, ...]:
        """Return the requirements in force on a day."""
        return tuple(requirement for requirement in self.requirements if requirement.in_force(day))

    def attribution(self, claim: Claim) -> str:
        """Return the source of a claim in words: "restated by mercatuslab, read 2026-11, grade B"."""
        sources = [self.sources[key] for key in claim.sources]
        kind = {"A": "official text, ", "B": "restated by ", "C": "a developer's table, "}[claim.grade]
        names = " and ".join(source.name for source in sources)
        return f"{kind}{names}, read {max(source.read for source in sources)}, grade {claim.grade}"


@functools.cache
def profiles() -> Mapping[str, MarketplaceProfile]:
    """Return all profiles by name, sorted."""
    folder = resources.files("agpis_marketplaces") / "profiles"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    names = [file.name.removesuffix(".yaml") for file in files]
    return {name: read_profile(name, file.read_text(encoding="utf-8")) for name, file in zip(names, files, strict=True)}


def read_profile(name: str, text: str) -> MarketplaceProfile:
    """Return the profile that a YAML text describes; raises pydantic's `ValidationError` where it is at fault."""
    # The C loader is ten times as fast; not every build of PyYAML has it.
    data: dict[str, Any] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 -- both are safe
    return MarketplaceProfile.model_validate({"name": name, **data})


def profile(name: str) -> MarketplaceProfile:
    """Return a profile; raises `UnknownNameError` with the nearest name."""
    if name not in profiles():
        raise UnknownNameError("no such marketplace profile", item=name, remedy=nearest(name, profiles()))
    return profiles()[name]
