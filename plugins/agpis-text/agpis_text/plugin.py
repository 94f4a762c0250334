"""What the plugin announces. Light: this file is imported by every `agpis` command, the reader only by a run."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_sdk import ImageCheckerSpec, hookimpl
from agpis_text.config import TextConfig
from agpis_text.rules import RULES


@hookimpl
def agpis_image_checkers() -> Iterable[ImageCheckerSpec]:
    """Announce the reader; whoever requires the fact "text.lines" gets what it read."""
    yield ImageCheckerSpec(
        name="text",
        factory="agpis_text.checker:TextChecker",
        rules=RULES,
        config=TextConfig,
        requires=frozenset({"p_noncompliant"}),
        provides=frozenset({"text.lines"}),
    )
