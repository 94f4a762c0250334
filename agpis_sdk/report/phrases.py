"""Plain words for what outcomes say in codes: statuses, reasons, image states, rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from agpis_sdk.records import Finding, ImageOutcome, ImageState, Status
from agpis_sdk.rules import Category, Rule, Severity
from agpis_sdk.wording import percent

STATUSES: Final[tuple[Status, ...]] = ("submit", "hold", "none", "failed")

STATUS_WORDS: Final[dict[Status, tuple[str, str]]] = {
    "submit": ("Submit", "A sequence that is likely to be accepted; it goes on to a reviewer."),
    "hold": ("Hold", "A sequence was built, but it is not likely enough to be accepted."),
    "none": ("No sequence", "The images leave nothing to build a sequence from."),
    "failed": ("Failed", "The product could not be processed."),
}

LOST_STATES: Final[tuple[ImageState, ...]] = ("removed", "unreadable")

STATE_WORDS: Final[dict[ImageState, str]] = {
    "primary": "First image",
    "selected": "Chosen",
    "kept": "Usable, not chosen",
    "removed": "Taken out",
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

VIEW_WORDS: Final[dict[str, str]] = {
    "front": "the front",
    "back": "the back",
    "side": "a side",
    "angle": "the product at an angle",
    "detail": "a detail",
    "model": "the product worn",
    "lifestyle": "the product in use",
    "packaging": "the packaging",
    "group": "a group",
    "text": "a text or a table",
}

_REVIEWER_SAYS: Final[dict[Status, str]] = {
    "submit": "If a reviewer objects: ",
    "hold": "A reviewer would say: ",
    "none": "A reviewer would say: ",
    "failed": "A reviewer would say: ",
}
_EXPECTED_OBJECTION: Final = "the sequence model expects a reviewer to object: "
_SPELLINGS: Final = {
    "ai generated": "AI-generated",
    "qr or barcode": "QR code or barcode",
    "non compliant": "non-compliant",
    "off center": "off-center",
    "over exposed": "overexposed",
    "under exposed": "underexposed",
}
"""What a kebab-case name cannot say: capitals, and hyphens that stay."""
_PROBABILITY = re.compile(r"\s*\(p_nc [\d.]+\)")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@lru_cache(4096)
def spoken(slug: str) -> str:
    """Return a kebab-case name as words.

    >>> spoken("duplicate-content"), spoken("ai-generated-mark")
    ('Duplicate content', 'AI-generated mark')
    """
    words = slug.replace("-", " ").strip()
    for plain, written in _SPELLINGS.items():
        words = re.sub(rf"\b{plain}\b", written, words)
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


def rule_explanation(rule: Rule) -> str:
    """Return what a rule means and what it does."""
    if rule.category == "engine":
        return rule.summary
    return f"{rule.summary} {_EFFECT[rule.category, rule.severity]}"


def sureness_in_words(finding: Finding, rule: Rule | None) -> str:
    """Return how sure a finding's checker is of it, and which one it is."""
    if rule is not None and rule.category == "engine":
        return f"Noted by {finding.checker or 'the engine'}."
    by = f" by {finding.checker}" if finding.checker else ""
    return f"Found{by}; {percent(finding.score)} sure."


def message_in_words(message: str, status: Status) -> str:
    """Return a finding's message as a sentence that fits the decision, without the probability that it repeats.

    >>> message_in_words("a logo lies over the picture, left (p_nc 0.98)", "hold")
    'A logo lies over the picture, left.'
    >>> message_in_words("the sequence model expects a reviewer to object: Two images differ.", "submit")
    'If a reviewer objects: Two images differ.'
    """
    plain = _PROBABILITY.sub("", message).strip()
    if plain.startswith(_EXPECTED_OBJECTION):
        plain = f"{_REVIEWER_SAYS[status]}{plain.removeprefix(_EXPECTED_OBJECTION)}"
    return f"{plain[:1].upper()}{plain[1:]}{'' if plain.endswith(('.', '!', '?', '…')) else '.'}" if plain else ""


def probability_in_words(probability: float | None) -> str:
    """Return the acceptance probability (p^t) in plain words; "" where there is none."""
    return "" if probability is None else f"{percent(probability)} likely to be accepted"


def feedback_in_words(status: Status, feedback: str | None) -> str:
    """Return what a reviewer may say, never against the decision; "" where there is nothing to say.

    >>> feedback_in_words("submit", "the first image is cut")
    'If a reviewer objects: the first image is cut'
    >>> feedback_in_words("submit", "yes"), feedback_in_words("hold", "yes")
    ('', '')
    """
    said = (feedback or "").strip()
    if not said or said.lower() == "yes":
        return ""
    return f"{_REVIEWER_SAYS[status]}{said}"


def image_facts(image: ImageOutcome) -> Iterator[str]:
    """Yield what is known of an image in plain words, and why it does not come first where it does not."""
    if image.p_noncompliant is not None:
        yield f"looks acceptable: {percent(1.0 - image.p_noncompliant)}"
    if image.state in LOST_STATES:
        return  # what it would have been good for is beside the point
    if image.view is not None and image.p_view is not None:
        yield f"shows {VIEW_WORDS.get(image.view, image.view)}: {percent(image.p_view)}"
    if image.p_primary is not None:
        yield f"good as the first image: {percent(image.p_primary)}"
    if image.primary_reasons and image.state != "primary":
        yield f"not first, because {'; '.join(image.primary_reasons)}"
