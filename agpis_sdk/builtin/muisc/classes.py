"""The rules that a MUIsC tells apart: all image rules that can be seen."""

from __future__ import annotations

from agpis_sdk.rules import BUILTIN_RULES, Rule

# Read off the file, not seen in its pixels: there is nothing to learn, and a class would change the shipped head.
UNSEEN = ("format-mismatch", "ai-generated-mark")
RULES: tuple[Rule, ...] = tuple(rule for rule in BUILTIN_RULES if rule.category != "engine" and rule.name not in UNSEEN)
