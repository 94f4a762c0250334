"""What the plugin announces. Light: this file is imported by every `agpis` command, the components only by a run."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_sdk import ImageCheckerSpec, hookimpl
from agpis_text.config import TextConfig, TextReaderConfig
from agpis_text.lines import FACT
from agpis_text.rules import RULES


@hookimpl
def agpis_image_checkers() -> Iterable[ImageCheckerSpec]:
    """Announce the reader of text, and the check of what it says."""
    yield ImageCheckerSpec(
        name="text-reader",
        factory="agpis_text.reader:TextReader",
        config=TextReaderConfig,
        provides=frozenset({FACT}),
    )
    yield ImageCheckerSpec(
        name="text",
        factory="agpis_text.checker:TextChecker",
        rules=RULES,
        config=TextConfig,
        requires=frozenset({FACT, "foreground"}),
    )
