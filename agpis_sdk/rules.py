"""What a rule is, the rules of the engine itself, and how a config selects among the rules of a run.

Every other rule is declared by the plugin that finds its violations, built-in or not. Codes: AGP1xx single-image,
AGP2xx image-pair, AGP3xx multi-image (the three categories of the paper's section 1), AGP9xx engine. A third party owns
its own prefix of 2-4 letters. A code or its name works everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib import resources
from typing import Literal

from agpis_sdk.errors import PluginContractError, UnknownNameError, nearest
from agpis_sdk.record_html import html_table

Category = Literal["single-image", "image-pair", "multi-image", "engine"]
Severity = Literal["error", "warning"]
MendedBy = Literal["image", "first", "view", "none"]
CODE = re.compile(r"^[A-Z]{2,4}\d{3}$")
NAME = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$")
PAGE_HEADINGS = ("What it checks", "Why it matters", "How it is measured", "Known problems", "Example")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One image rule: what its violation is called and what the engine does about it.

    A finding at or above `threshold` is reported; with severity "error" it also removes the image, or one of the pair.
    `remedy` says what to do about a violation, in one sentence; a finding may say it more exactly.
    `mended_by` says what another image of the product can do about it, which the engine then adds by name: take the place of
    the "image" that the finding is about, come "first", show another "view", or nothing ("none"). Of a pair with severity
    "error" one image is kept in any case.
    `aliases` are further names by which reviewers call it. The explanation, Markdown under the headings `PAGE_HEADINGS`,
    is either given as text or the file `rule_pages/CODE.md` of the package that `pages` names.
    """

    code: str
    name: str
    summary: str
    category: Category
    severity: Severity = "warning"
    threshold: float = 0.5
    remedy: str = ""
    mended_by: MendedBy = "image"
    aliases: tuple[str, ...] = ()
    explanation: str = ""
    pages: str = ""

    def __post_init__(self) -> None:
        if not CODE.match(self.code):
            raise ValueError(f'rule code "{self.code}": use 2-4 capital letters and three digits, e.g. "ACM101"')
        if not NAME.match(self.name):
            raise ValueError(f'rule name "{self.name}": use kebab-case, e.g. "price-in-image"')
        if not 0.0 <= self.threshold <= 1.0:
            raise ValueError(f"rule {self.code}: threshold {self.threshold} is not in 0..1")

    def _repr_html_(self) -> str:
        facts = (("summary", self.summary), ("category", self.category), ("severity", self.severity))
        return html_table((self.code, self.name), facts)

    def page(self) -> str:
        """Return the explanation in Markdown; "" where the rule has none."""
        if self.explanation or not self.pages:
            return self.explanation
        return (resources.files(self.pages) / "rule_pages" / f"{self.code}.md").read_text(encoding="utf-8")


_engine_rule = partial(Rule, category="engine", pages="agpis_sdk")

ENGINE_RULES: tuple[Rule, ...] = (
    _engine_rule(
        code="AGP906",
        name="noncompliant-image",
        severity="error",
        summary="The image's non-compliance probability reaches the threshold, whatever kind is likeliest.",
        remedy="Look at what does not belong in the picture, and upload the photo without it.",
    ),
    _engine_rule(
        code="AGP907",
        name="too-many-images",
        summary="The product lists more images than are looked at; the others took no part.",
        remedy="Take images off the list, or raise media.max_images.",
        mended_by="none",
    ),
    _engine_rule(
        code="AGP901",
        name="unreadable-image",
        severity="error",
        summary="The image could not be read.",
        remedy="Upload the file again.",
    ),
    _engine_rule(
        code="AGP902",
        name="component-failed",
        summary="A component failed on this item.",
        remedy="See the notices of the run; the item was not judged by this component.",
        mended_by="none",
    ),
    _engine_rule(
        code="AGP903",
        name="missing-fact",
        summary="A component was skipped, as a fact that it needs could not be computed.",
        remedy="See the notices of the run; the item was not judged by this component.",
        mended_by="none",
    ),
    _engine_rule(
        code="AGP904",
        name="image-too-large",
        severity="error",
        summary="The image is beyond the limit on pixels or bytes and was not decoded.",
        remedy="Upload a smaller file, or raise media.max_pixels.",
    ),
    _engine_rule(
        code="AGP905",
        name="animated-image",
        summary="The image is animated; only its first frame was looked at.",
        remedy="Upload a still picture.",
    ),
)


class RuleSet:
    """All rules of a run, found by code or by name."""

    def __init__(self, rules: Iterable[Rule] = ENGINE_RULES) -> None:
        self._by_code: dict[str, Rule] = {}
        self._by_name: dict[str, Rule] = {}
        self._owners: dict[str, str] = {}
        for rule in rules:
            self.add(rule, owner="agpis-sdk")

    def add(self, rule: Rule, *, owner: str) -> None:
        """Add a rule; the same rule may be added twice by one owner.

        Raises `PluginContractError`, naming both owners, when the code or the name is taken.
        """
        for key, table in ((rule.code, self._by_code), (rule.name, self._by_name)):
            taken = table.get(key)
            if taken is not None and taken != rule:
                raise PluginContractError(
                    f'rule "{key}" is declared by both {self._owners[taken.code]} and {owner}',
                    item=rule.code,
                    remedy="rename one, or name one of the two plugins in plugins.block",
                )
        self._by_code[rule.code] = rule
        self._by_name[rule.name] = rule
        self._owners.setdefault(rule.code, owner)

    def __iter__(self) -> Iterator[Rule]:
        return iter(sorted(self._by_code.values(), key=lambda rule: rule.code))

    def __len__(self) -> int:
        return len(self._by_code)

    def _repr_html_(self) -> str:
        headings = ("code", "name", "what it says", "severity")
        return html_table(headings, ((rule.code, rule.name, rule.summary, rule.severity) for rule in self))

    def __contains__(self, key: str) -> bool:
        return self._get(key) is not None

    def __getitem__(self, key: str) -> Rule:
        """Return the rule of a code or name; raises `UnknownNameError` with the nearest name."""
        rule = self._get(key)
        if rule is None:
            raise UnknownNameError("no such rule", item=key, remedy=nearest(key, [*self._by_code, *self._by_name]))
        return rule

    def _get(self, key: str) -> Rule | None:
        return self._by_code.get(key.upper()) or self._by_name.get(key.lower())

    def copy(self) -> RuleSet:
        """Return a set of the same rules and owners."""
        return self.with_severities({})

    def with_severities(self, severities: Mapping[str, Severity]) -> RuleSet:
        """Return a set in which the rules named, by code or name, have another severity."""
        wanted = {self[key].code: severity for key, severity in severities.items()}
        twin = RuleSet(())
        for rule in self:
            twin.add(replace(rule, severity=wanted.get(rule.code, rule.severity)), owner=self._owners[rule.code])
        return twin

    def owner(self, code: str) -> str:
        """Return the distribution that declares a rule."""
        return self._owners[code]


def selected(rule: Rule, select: Iterable[str], ignore: Mapping[str, str]) -> bool:
    """Tell whether a config's `select` and `ignore` let a rule be reported.

    Entries are codes, names or code prefixes ("AGP1"); an empty `select` means all. Engine rules are always reported.
    """
    if rule.category == "engine":
        return True
    chosen = list(select)
    return (not chosen or matches(rule, chosen)) and not matches(rule, ignore)


def matches(rule: Rule, entries: Iterable[str]) -> bool:
    """Tell whether one of some codes, names or code prefixes is that of a rule."""
    return any(rule.code.startswith(entry.upper()) or rule.name == entry.lower() for entry in entries)
