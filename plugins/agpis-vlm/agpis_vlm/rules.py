"""The rules that users write in their config, as rules of the run."""

from __future__ import annotations

from collections.abc import Mapping

from agpis_sdk import Rule
from agpis_sdk.rules import Category
from agpis_vlm.config import AppliesTo, SentenceRule, VlmConfig

CATEGORIES: Mapping[AppliesTo, Category] = {"image": "single-image", "pair": "image-pair", "sequence": "multi-image"}
SUBJECTS: Mapping[AppliesTo, str] = {
    "image": "each picture",
    "pair": "each pair of a product's pictures",
    "sequence": "the chosen sequence of pictures",
}
MEASURED = {
    "model": "A vision-language model is asked; its score is the finding's: 1 says that the rule is surely broken.",
    "head": "A logistic regression on the backbone's embedding, learned from earlier answers; its probability is the score.",
}
KNOWN_PROBLEMS = {
    "model": "A model may be wrong, and another version may answer otherwise. `agpis evaluate vlm REVIEWS --component vlm` "
    "compares its answers with your reviewers' decisions.",
    "head": "The head knows what the answers showed that it was learned from; small things in a picture are lost in an "
    "embedding. It gives no place.",
}


def image_rules(settings: VlmConfig) -> list[Rule]:
    """Return the rules of single images that the model judges."""
    return _rules(settings.rules_for("image"))


def pair_rules(settings: VlmConfig) -> list[Rule]:
    """Return the rules of image pairs."""
    return _rules(settings.rules_for("pair"))


def sequence_rules(settings: VlmConfig) -> list[Rule]:
    """Return the rules of sequences."""
    return _rules(settings.rules_for("sequence"))


def head_rules(settings: VlmConfig) -> list[Rule]:
    """Return the rules of single images that a local head judges."""
    return _rules(settings.rules_for("image", "head"))


def _rules(sentences: Mapping[str, SentenceRule]) -> list[Rule]:
    return [
        Rule(
            code=code,
            name=sentence.name,
            summary=sentence.text,
            category=CATEGORIES[sentence.applies_to],
            severity=sentence.severity,
            threshold=sentence.threshold,
            aliases=sentence.aliases,
            explanation=page(code, sentence),
        )
        for code, sentence in sentences.items()
    ]


def page(code: str, sentence: SentenceRule) -> str:
    """Return a rule's page in Markdown, under the headings that every rule's page has."""
    examples = [f"Complies: `{path}`." for path in sentence.passes]
    examples += [f"Violates: `{path}`." for path in sentence.fails]
    sections = {
        "What it checks": f"Whether {SUBJECTS[sentence.applies_to]} keeps this rule:\n\n> {sentence.text}",
        "Why it matters": f"It was written for this shop, under `[components.vlm.rules.{code}]`.",
        "How it is measured": MEASURED[sentence.judge],
        "Known problems": KNOWN_PROBLEMS[sentence.judge],
        "Example": " ".join(examples) or "The config names no example pictures.",
    }
    return f"# {code} {sentence.name}\n" + "".join(f"\n## {title}\n\n{text}\n" for title, text in sections.items())
