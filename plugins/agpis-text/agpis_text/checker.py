"""The checker: reads pictures that may carry an overlay, and judges each line by its words and by where it seems to be."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agpis_sdk import Context, DecodedImage, Finding, Rule, image_finding
from agpis_text.config import TextConfig
from agpis_text.machine_codes import machine_codes
from agpis_text.placement import cues_of, overlay_logit, probability
from agpis_text.reader import TextLine, TextReader
from agpis_text.rules import MACHINE_CODE, OVERLAID_TEXT, RULE_OF_KIND
from agpis_text.wording import Wording, normalised

# Log odds that are added to those of the overlay. "SALE" is seldom printed on a product; words of the product's own title
# mostly are. As high as photos without an overlay allow: `benchmarks/text_in_images.py` counts those that are flagged.
WORDS_OF_A_KIND = 2.5
OTHER_WORDS = 1.0
WORDS_OF_THE_TITLE = -2.0
WORD = re.compile(r"[^\W\d_]{3,}|[\u4e00-\u9fff]+")
SPEAK_FROM = 0.05


@dataclass(frozen=True, eq=False)
class PlacedLine:
    """A line with the log odds that it was laid over the picture."""

    line: TextLine
    logit: float


class TextChecker:
    """Finds promotional words, prices, contact data, platform names, codes, and other text over the picture."""

    def __init__(self, config: TextConfig) -> None:
        self._config = config
        self._reader = TextReader(config.side)
        self._wording = Wording(config.languages, config.added)
        self._allowed = re.compile("|".join(config.allowed)) if config.allowed else None

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        """Provide the lines read of each image, () where it was not read, and yield findings with the text in quotes."""
        for image in images:
            p_noncompliant = float(context.fact(image, "p_noncompliant"))
            worth_reading = p_noncompliant >= self._config.read_from
            lines = self._reader.read(image.pixels) if worth_reading else ()
            context.provide(image, "text.lines", lines)
            if not worth_reading:
                continue
            product = context.product(image.product_id)
            own_words = words(f"{product.title} {product.attributes.get('brand', '')}")
            placed = [
                PlacedLine(line, overlay_logit(cues_of(image.pixels, line.corners, p_noncompliant)))
                for line in lines
                if line.confidence >= self._config.min_confidence and not self._is_allowed(line.text)
            ]
            yield from self._findings(image, placed, own_words)
            yield from self._codes(image)

    def _is_allowed(self, text: str) -> bool:
        return self._allowed is not None and self._allowed.search(normalised(text)) is not None

    def _findings(self, image: DecodedImage, placed: Sequence[PlacedLine], own: frozenset[str]) -> Iterator[Finding]:
        spoken_for: set[int] = set()
        for lines in [*([one] for one in placed), *_blocks(placed)]:
            kinds = self._wording.kinds_of(" ".join(one.line.text for one in lines))
            new = [kind for kind in kinds if len(lines) == 1 or not spoken_for & {id(one) for one in lines}]
            for kind in new:
                score = probability(sum(one.logit for one in lines) / len(lines) + WORDS_OF_A_KIND)
                yield from _finding(image, RULE_OF_KIND[kind], lines, score)
            if kinds:
                spoken_for |= {id(one) for one in lines}
        for one in placed:
            said = words(one.line.text)
            if said and id(one) not in spoken_for:
                malus = WORDS_OF_THE_TITLE if said & own else 0.0
                yield from _finding(image, OVERLAID_TEXT, [one], probability(one.logit + OTHER_WORDS + malus))

    @staticmethod
    def _codes(image: DecodedImage) -> Iterator[Finding]:
        for code in machine_codes(image.pixels):
            box = image.original_box(*code.box)
            yield image_finding(image, MACHINE_CODE, 1.0, f'a {code.kind} that says "{shortened(code.text)}"', [box])


def _finding(image: DecodedImage, rule: Rule, lines: Sequence[PlacedLine], score: float) -> Iterator[Finding]:
    if score < SPEAK_FROM:
        return
    text = " ".join(one.line.text for one in lines)
    where = "over the picture" if score >= 0.5 else "it may be printed on the product"
    boxes = [image.original_box(*one.line.box) for one in lines]
    yield image_finding(image, rule, score, f'"{shortened(text)}", {where}', boxes)


def _blocks(placed: Sequence[PlacedLine]) -> Iterator[list[PlacedLine]]:
    """Yield two lines that stand right below or beside one another: "1+1" and "FREE" are one badge."""
    for first, second in itertools.combinations(placed, 2):
        x, y, width, height = first.line.box
        other_x, other_y, other_width, other_height = second.line.box
        tall = max(height, other_height)
        down = max(0.0, other_y - (y + height), y - (other_y + other_height))
        across = max(0.0, other_x - (x + width), x - (other_x + other_width))
        if down < tall / 2 and across < tall:
            yield [first, second]


def words(text: str) -> frozenset[str]:
    """Return the words of a line, of three letters or more, as they are compared.

    >>> sorted(words("Alpro Soya 1l"))
    ['alpro', 'soya']
    """
    return frozenset(WORD.findall(normalised(text)))


def shortened(text: str, length: int = 60) -> str:
    """Return a text of at most `length` characters, cut with an ellipsis.

    >>> shortened("a long line", 6)
    'a lon…'
    """
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
