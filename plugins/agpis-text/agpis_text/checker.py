"""The checker: what the text in a picture says, and whether it is laid over the picture (TXT101 to TXT106)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agpis_sdk import MIN_REPORTED_SCORE, Context, DecodedImage, Foreground, Rule, image_finding
from agpis_sdk.records import Finding
from agpis_text.codes import code_score, find_codes
from agpis_text.config import TextConfig
from agpis_text.lines import FACT, TextLine
from agpis_text.matching import Kind, Matcher, names_product, passages
from agpis_text.overlay import beside_product, cues_of, from_log_odds, log_odds, overlay_score, product_hull
from agpis_text.rules import CODE, CONTACT, MARKETPLACE, OTHER, PRICE, PROMOTION

RULE_OF: dict[Kind, Rule] = {
    "promotion": PROMOTION,
    "printed_too": PROMOTION,
    "price": PRICE,
    "contact": CONTACT,
    "marketplace": MARKETPLACE,
}
WORDS = {
    PROMOTION: "promotional text",
    PRICE: "a price",
    CONTACT: "contact data",
    MARKETPLACE: "a marketplace's name",
    OTHER: "text",
}
MOST_QUOTED = 4
MOST_BESIDE = 0.1  # share of a line on the product that its hull may miss


@dataclass(frozen=True)
class Passage:
    """Lines that say something together, the rule that it breaks, and how surely: a score in 0..1."""

    lines: tuple[TextLine, ...]
    rule: Rule
    score: float

    @property
    def text(self) -> str:
        """What it says."""
        return " ".join(line.text for line in self.lines)


class TextChecker:
    """Reports text and codes laid over pictures; needs the facts "text.lines" and "foreground"."""

    def __init__(self, config: TextConfig) -> None:
        self._config = config
        self._matcher = Matcher(config)

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        """Yield one finding per picture and rule; its score is that of the passage that breaks the rule most surely."""
        for image in images:
            lines: tuple[TextLine, ...] = context.fact(image, FACT)
            foreground: Foreground | None = context.fact(image, "foreground")
            size = (image.pixels.shape[1], image.pixels.shape[0])
            hull = product_hull(foreground, lines, size)
            cues = {line: cues_of(image.pixels, line, hull) for line in lines}
            scores = {line: overlay_score(cues[line]) for line in lines}
            on_product = {line for line in lines if hull is not None and cues[line].beside < MOST_BESIDE}
            title = context.product(image.product_id).title
            yield from _text_findings(image, list(self.judged(lines, scores, title, on_product)))
            if self._config.codes:
                yield from _code_findings(image, hull, size)

    def judged(
        self,
        lines: Sequence[TextLine],
        scores: Mapping[TextLine, float],
        title: str = "",
        on_product: Collection[TextLine] = (),
    ) -> Iterator[Passage]:
        """Yield what lines say that a rule is about; `scores` are those of `overlay_score`.

        What is said is weighed by adding its strength to the log odds of the score. A line that says none of the kinds,
        by itself or with a neighbor, is other text, if it is more than one sign; `title` is the product's, `on_product`
        holds the lines that are known to stand on it.
        """
        strengths = self._config.strengths
        said: dict[TextLine, frozenset[Kind]] = {}
        for passage in passages(lines):
            kinds = self._matcher.kinds(" ".join(line.text for line in passage))
            new = kinds - frozenset[Kind]().union(*(said.get(line, frozenset()) for line in passage))
            odds = min(log_odds(scores[line]) for line in passage)
            for kind in sorted(new):
                yield Passage(passage, RULE_OF[kind], from_log_odds(odds + float(getattr(strengths, kind))))
            for line in passage:
                said[line] = said.get(line, frozenset()) | new
        for line in lines:
            if not said[line] and sum(sign.isalnum() for sign in line.text) > 1:
                label = strengths.product_name if names_product(line.text, title) else 0.0
                label += strengths.on_product if line in on_product else 0.0
                yield Passage((line,), OTHER, from_log_odds(log_odds(scores[line]) + strengths.other + label))


def _text_findings(image: DecodedImage, found: Sequence[Passage]) -> Iterator[Finding]:
    for rule, words in WORDS.items():
        told = sorted((one for one in found if one.rule is rule), key=lambda one: -one.score)
        if not told or told[0].score < MIN_REPORTED_SCORE:
            continue
        # What is far less sure than the surest is not what the finding is about.
        clear = [one for one in told if one.score >= min(0.5, told[0].score)]
        lines = list(dict.fromkeys(line for one in clear for line in one.lines))
        quoted = ", ".join(f'"{one.text}"' for one in clear[:MOST_QUOTED])
        more = f" and {len(clear) - MOST_QUOTED} more" if len(clear) > MOST_QUOTED else ""
        boxes = [image.original_box(*line.box) for line in lines]
        yield image_finding(image, rule, told[0].score, f"{words} in the picture: {quoted}{more}", boxes)


def _code_findings(image: DecodedImage, hull: NDArray[np.bool_] | None, size: tuple[int, int]) -> Iterator[Finding]:
    codes = find_codes(image.pixels)
    if codes:
        score = max(code_score(code, beside_product(code.box, hull, size)) for code in codes)
        words = ", ".join(f'{code.kind} "{code.content}"' if code.content else code.kind for code in codes)
        boxes = [image.original_box(*code.box) for code in codes]
        yield image_finding(image, CODE, score, f"{words} in the picture", boxes)
