"""The rules: what one is, the built-in catalog, and how a config selects among them.

Codes: AGP1xx single-image, AGP2xx image-pair, AGP3xx multi-image (the three categories of the paper's section 1),
AGP9xx engine. A third party owns its own prefix of 2-4 letters. A code or its name serves everywhere.
The explanation of a built-in rule is a page in `rule_pages/`, read only when someone asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from typing import Literal

from agpis_sdk.errors import PluginContractError, UnknownNameError, nearest

Category = Literal["single-image", "image-pair", "multi-image", "engine"]
Severity = Literal["error", "warning"]
CODE = re.compile(r"^[A-Z]{2,4}\d{3}$")
NAME = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$")
PAGE_HEADINGS = ("What it checks", "Why it matters", "How it is measured", "Known problems", "Example")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One image rule: what its violation is called and what the engine does about it.

    A finding at or above `threshold` is reported; of severity "error" it also removes the image (or one of the pair).
    `detector` names the component that finds it, `"muisc"` where only the learned sequence model knows it.
    """

    code: str
    name: str
    summary: str
    category: Category
    severity: Severity = "warning"
    threshold: float = 0.5
    detector: str = ""
    aliases: tuple[str, ...] = ()
    explanation: str = ""

    def __post_init__(self) -> None:
        if not CODE.match(self.code):
            raise ValueError(f'rule code "{self.code}": use 2-4 capital letters and three digits, e.g. "ACM101"')
        if not NAME.match(self.name):
            raise ValueError(f'rule name "{self.name}": use kebab-case, e.g. "price-in-image"')
        if not 0.0 <= self.threshold <= 1.0:
            raise ValueError(f"rule {self.code}: threshold {self.threshold} is not in 0..1")

    def page(self) -> str:
        """Return the rule's explanation in Markdown, under the headings `PAGE_HEADINGS`."""
        if self.explanation or self.code[:-3] != "AGP":
            return self.explanation
        return (resources.files("agpis_sdk") / "rule_pages" / f"{self.code}.md").read_text(encoding="utf-8")


def _rule(
    code: str,
    name: str,
    summary: str,
    detector: str,
    severity: Severity = "warning",
    *aliases: str,
    threshold: float = 0.5,
) -> Rule:
    categories: dict[str, Category] = {"1": "single-image", "2": "image-pair", "3": "multi-image", "9": "engine"}
    category = categories[code[3]]
    return Rule(
        code=code, name=name, summary=summary, category=category, severity=severity, threshold=threshold,
        detector=detector, aliases=aliases,
    )  # fmt: skip


BUILTIN_RULES: tuple[Rule, ...] = (
    _rule("AGP101", "low-resolution", "The image has too few pixels to show the product.", "image-quality", "error", "low resolution", "too small image", "resolution"),
    _rule("AGP102", "extreme-aspect-ratio", "The image is far wider or taller than a gallery can show.", "image-quality", "error", "aspect ratio"),
    _rule("AGP103", "blurry-image", "The image is blurred: focus, motion or enlargement.", "image-quality", "error", "blur", "blurry", "out of focus"),
    _rule("AGP104", "over-exposed", "The product is washed out by light.", "image-quality", "warning", "overexposed", "washed out"),
    _rule("AGP105", "under-exposed", "The image is too dark to see the product.", "image-quality", "warning", "underexposed", "too dark"),
    _rule("AGP106", "low-contrast", "The image is flat and gray.", "image-quality", "warning", "contrast"),
    _rule("AGP107", "compression-artifacts", "Blocks or ringing from heavy compression.", "image-quality", "warning", "jpeg artifacts", "compression"),
    _rule("AGP108", "image-noise", "Grain or color noise covers the product.", "muisc", "warning", "noise", "grain"),
    _rule("AGP109", "unnatural-artifact", "Traces of a bad cut-out, a smear or a failed retouch.", "noncompliance", "warning", "artifact", "bad cut-out", threshold=0.8),
    _rule("AGP110", "upscaled-image", "A small image that was enlarged.", "image-quality", "warning", "upscaled", "pixelated"),
    _rule("AGP111", "border-or-frame", "A border or frame runs around the picture.", "image-quality", "error", "border", "frame"),
    _rule("AGP112", "collage", "Several pictures are put together in one.", "noncompliance", "error", "grid of pictures", "inset"),
    _rule("AGP113", "screenshot", "The picture is a screenshot with parts of an app or browser.", "noncompliance", "error", "screen capture"),
    _rule("AGP114", "placeholder-image", "A placeholder stands where the product should be.", "image-quality", "error", "placeholder", "no image"),
    _rule("AGP115", "cluttered-background", "The background distracts from the product.", "image-quality", "warning", "clutter", "messy background"),
    _rule("AGP116", "product-too-small", "The product fills too little of the picture.", "image-quality", "warning", "too small", "product fill"),
    _rule("AGP117", "product-cropped", "The picture's edge cuts the product.", "image-quality", "warning", "cropped", "cut off"),
    _rule("AGP118", "product-off-center", "The product stands far from the middle.", "image-quality", "warning", "off center", "not centered"),
    _rule("AGP119", "banner", "A banner or colored block lies over the picture.", "noncompliance", "error", "banner overlay", "color block"),
    _rule("AGP120", "promotional-text", "Text is laid over the picture.", "noncompliance", "error", "text overlay", "overlaid text", "slogan"),
    _rule("AGP121", "watermark", "A watermark lies over the picture.", "noncompliance", "error", "water-print", "water print"),
    _rule("AGP122", "logo-overlay", "A logo that is not on the product is laid over the picture.", "noncompliance", "error", "logo"),
    _rule("AGP123", "qr-or-barcode", "A QR code or barcode is laid over the picture.", "noncompliance", "error", "qr code", "barcode"),
    _rule("AGP124", "price-badge", "A price or discount badge lies over the picture.", "noncompliance", "error", "price tag", "discount badge"),
    _rule("AGP125", "contact-information", "A phone number, address or handle leads buyers elsewhere.", "noncompliance", "error", "phone number", "contact"),
    _rule("AGP126", "color-cast", "A color cast changes the product's color.", "muisc", "warning", "color cast", "white balance"),
    _rule("AGP127", "rotated-image", "The product lies on its side, tilted or upside down.", "muisc", "warning", "rotated", "upside down", "tilted"),
    _rule("AGP128", "non-compliant-content", "Something does not belong in the picture, and no one kind stands out.", "noncompliance", "error", "non-compliant", "noncompliant content"),
    _rule("AGP129", "format-mismatch", "The file's extension does not tell its real format.", "image-quality", "warning", "wrong extension", "wrong file type"),
    _rule("AGP130", "ai-generated-mark", "The metadata says that generative AI made or edited the picture.", "image-quality", "warning", "ai generated", "generative ai"),
    _rule("AGP201", "duplicate-content", "Two images show the same content: a crop, flip or copy of one another.", "duplicates", "error", "duplicated content", "duplicate"),
    _rule("AGP202", "exact-copy", "Two images are the same, pixel for pixel.", "image-quality", "error", "same file", "identical"),
    _rule("AGP203", "similar-viewing-angle", "Two images show the product from nearly the same angle.", "duplicates", "warning", "similar angle", "same view"),
    _rule("AGP204", "color-mismatch", "Two images show the product in different colors.", "muisc", "warning", "different color", "wrong color"),
    _rule("AGP205", "different-product", "Two images show different products.", "muisc", "warning", "wrong product", "another product"),
    _rule("AGP206", "enlarged-detail-repeated", "One image only repeats a part of the other, enlarged.", "duplicates", "warning", "repeated detail", "zoomed copy"),
    _rule("AGP207", "style-mismatch", "Two images differ so much in style that they do not belong together.", "muisc", "warning", "different style"),
    _rule("AGP208", "color-variant", "Two images are the same shot of the product in different colors.", "duplicates", "warning", "recolored", "color variant"),
    _rule("AGP301", "primary-not-whole-product", "The primary image does not show the whole product.", "muisc", "warning", "whole product", "whole picture"),
    _rule("AGP302", "improper-order", "The images stand in an order that does not introduce the product.", "muisc", "warning", "wrong order", "display order"),
    _rule("AGP303", "missing-view", "The sequence leaves out a side of the product that a buyer needs.", "muisc", "warning", "incomplete", "not enough views"),
    _rule("AGP304", "title-mismatch", "The sequence does not show what the title names.", "muisc", "warning", "does not match the title"),
    _rule("AGP305", "redundant-sequence", "All images say the same.", "muisc", "warning", "redundant", "repetitive"),
    _rule("AGP306", "details-only", "The sequence holds only details.", "muisc", "warning", "only details", "only close-ups"),
    _rule("AGP307", "inconsistent-background", "Backgrounds change through the sequence.", "muisc", "warning", "backgrounds differ"),
    _rule("AGP308", "primary-shows-back", "The primary image shows the back of the product.", "muisc", "warning", "back view first"),
    _rule("AGP901", "unreadable-image", "The image could not be read.", "engine", "error"),
    _rule("AGP902", "component-failed", "A component failed on this item.", "engine"),
    _rule("AGP903", "missing-fact", "A component was skipped, as a fact that it needs could not be computed.", "engine"),
    _rule("AGP904", "image-too-large", "The image is beyond the limit on pixels or bytes and was not decoded.", "engine", "error"),
    _rule("AGP905", "animated-image", "The image is animated; only its first frame was looked at.", "engine"),
)  # fmt: skip


class RuleSet:
    """All rules of a run, found by code or by name."""

    def __init__(self, rules: Iterable[Rule] = BUILTIN_RULES) -> None:
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
        """Return a catalog of the same rules and owners."""
        return self.with_severities({})

    def with_severities(self, severities: Mapping[str, Severity]) -> RuleSet:
        """Return a catalog in which the rules named, by code or name, have another severity."""
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

    def matches(entry: str) -> bool:
        return rule.code.startswith(entry.upper()) or rule.name == entry.lower()

    chosen = list(select)
    return (not chosen or any(matches(entry) for entry in chosen)) and not any(matches(entry) for entry in ignore)
