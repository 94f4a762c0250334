"""Plain words for what outcomes say in codes: statuses, reasons, image states, rules."""

from __future__ import annotations

import re
from typing import Final

from agpis_sdk.records import Finding, ImageState, Status
from agpis_sdk.rules import Category, Rule, Severity
from agpis_sdk.wording import percent

STATUSES: Final[tuple[Status, ...]] = ("submit", "hold", "none", "failed")

STATUS_WORDS: Final[dict[Status, tuple[str, str]]] = {
    "submit": ("Submit", "A sequence that is likely to be accepted; it goes on to a reviewer."),
    "hold": ("Hold", "A sequence was built, but it is not likely enough to be accepted."),
    "none": ("No sequence", "The images leave nothing to build a sequence from."),
    "failed": ("Failed", "The product could not be processed."),
}

STATE_WORDS: Final[dict[ImageState, str]] = {
    "primary": "Primary",
    "selected": "Chosen",
    "kept": "Usable, not chosen",
    "removed": "Removed",
    "unreadable": "Could not be read",
}

REASON_WORDS: Final[dict[str, str]] = {
    "no-primary": "No image is good enough to come first, so no sequence was built.",
    "too-few-images": "Too few usable images are left to fill a sequence.",
    "not-judged": "A check that could have refused it failed, so nobody knows whether it may be submitted.",
    "no-images": "The product lists no images.",
    "no-readable-images": "None of the product's images could be read.",
    "invalid-record": "The product's record could not be read.",
    "component-failed": "A component of the run failed on this product.",
}

_EFFECT: Final[dict[tuple[Category, Severity], str]] = {
    ("single-image", "error"): "The image is removed.",
    ("single-image", "warning"): "This is a warning: it removes no image.",
    ("image-pair", "error"): "One of the two images is removed.",
    ("image-pair", "warning"): "This is a warning: it removes no image.",
    ("multi-image", "error"): "This concerns the sequence as a whole.",
    ("multi-image", "warning"): "This concerns the sequence as a whole.",
}

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def spoken(slug: str) -> str:
    """Return a kebab-case name as words.

    >>> spoken("duplicate-content")
    'Duplicate content'
    """
    words = slug.replace("-", " ").strip()
    return words[:1].upper() + words[1:]


def reason_in_words(reason: str | None) -> str:
    """Return a sentence for an outcome's reason; free text is returned as it stands.

    >>> reason_in_words("images-went-missing")
    'Images went missing.'
    """
    if not reason:
        return "The run does not say why."
    known = REASON_WORDS.get(reason)
    if known is not None:
        return known
    return f"{spoken(reason)}." if _SLUG.fullmatch(reason) else reason


def rule_explanation(finding: Finding, rule: Rule | None) -> str:
    """Return what a finding's rule means, what the rule does, and how sure its checker is."""
    by = f" by {finding.checker}" if finding.checker else ""
    if rule is not None and rule.category == "engine":
        return f"{rule.summary} Noted{by or ' by the engine'}."
    meaning = "A rule of a plugin." if rule is None else f"{rule.summary} {_EFFECT[rule.category, rule.severity]}"
    return f"{meaning} Found{by} with a score of {percent(finding.score)}."
