"""Writes the page of all profiles from the data: `python -m agpis_marketplaces.page > docs/reference/profiles.md`."""

from __future__ import annotations

import sys

from agpis_marketplaces.data import GRADES, MarketplaceProfile, Requirement, Source, profiles
from agpis_marketplaces.requirements import KIND_OF
from agpis_marketplaces.rules import KINDS

UNITS = {"longer-side": " px", "shorter-side": " px", "megapixels": " MP", "file-size": " MB"}
SHARES = ("white-background", "fill")
HEAD = """<!-- Written by agpis_marketplaces.page from the data of plugins/agpis-marketplaces. -->

# Marketplace profiles

The plugin `agpis-marketplaces` brings a profile per marketplace: `agpis audit PRODUCTS --profile amazon-main`. These are
all its numbers, and where each was read. Check a number again before it blocks anyone: marketplaces change their pages.

Grades: {grades}. Only what is *asked for* in a text of grade A blocks (severity error); advice, and everything of grade B or
C, is a warning.
"""


def page() -> str:
    """Return the page in Markdown."""
    grades = ", ".join(f"**{grade}** {words}" for grade, words in GRADES.items())
    return "\n".join([HEAD.format(grades=grades), *map(_section, profiles().values())])


def _section(profile: MarketplaceProfile) -> str:
    lines = [f"## {profile.name}\n", f"{profile.title}: {profile.summary} Data of {profile.version}.\n"]
    if profile.official:
        lines.append(f"Official text: {profile.official}.\n")
    lines += [
        "| what | number | images | level | grade | in force | rule | sources | note |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [_row(profile, requirement) for requirement in profile.requirements]
    for claim in profile.content:
        grade, sources = claim.grade, _sources(profile, claim.sources)
        lines.append(f"\nAlso selects {', '.join(claim.rules)} ({claim.level}, grade {grade}: {sources}).")
    return "\n".join(lines) + "\n"


def _row(profile: MarketplaceProfile, requirement: Requirement) -> str:
    kind = KINDS[KIND_OF[requirement.quantity, requirement.operator]]
    limits = [f"shape {requirement.aspect}"] * bool(requirement.aspect)
    limits += [f"category {requirement.category}"] * bool(requirement.category)
    cells = (
        requirement.quantity,
        _value(requirement),
        ", ".join([requirement.images, *limits]),
        requirement.level,
        requirement.grade,
        _in_force(requirement),
        (kind.blocking if requirement.blocks else kind.warning).code,
        _sources(profile, requirement.sources),
        requirement.note,
    )
    return f"| {' | '.join(cells)} |"


def _value(requirement: Requirement) -> str:
    words = requirement.operator.replace("-", " ")
    if requirement.operator == "matches":
        return "matches the format"
    if isinstance(requirement.value, tuple):
        return f"{words} {', '.join(requirement.value)}"
    if requirement.quantity in SHARES:
        return f"{words} {requirement.number:.0%}"
    return f"{words} {requirement.number:,g}{UNITS.get(requirement.quantity, '')}"


def _in_force(requirement: Requirement) -> str:
    parts = [f"from {requirement.effective_from}"] * (requirement.effective_from is not None)
    parts += [f"until {requirement.until}"] * (requirement.until is not None)
    return " ".join(parts) or "always"


def _sources(profile: MarketplaceProfile, keys: tuple[str, ...]) -> str:
    return "; ".join(_linked(profile.sources[key]) for key in keys)


def _linked(source: Source) -> str:
    name = f"[{source.name}]({source.url})" if source.url else source.name
    return f"{name} ({source.read})"


if __name__ == "__main__":
    sys.stdout.write(page())
