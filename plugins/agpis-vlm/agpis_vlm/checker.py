"""The checkers of images, pairs and sequences: they turn the model's verdicts into findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from agpis_sdk import (
    MIN_REPORTED_SCORE,
    Context,
    DecodedImage,
    Finding,
    ImagePair,
    ImageSequence,
    Region,
    SequenceVerdict,
    Unjudged,
)
from agpis_sdk.components import AttributedFinding
from agpis_vlm.answers import Judgment, Verdict
from agpis_vlm.config import AppliesTo, VlmConfig
from agpis_vlm.judge import Judge
from agpis_vlm.plugin import VERDICTS
from agpis_vlm.questions import Question, groups_of

Images = tuple[DecodedImage, ...]


@dataclass(frozen=True)
class ImageVerdicts:
    """The fact "vlm.verdicts": what the model says of an image by rule, and what the answers have cost.

    A rule that could not be judged is left out.
    """

    verdicts: Mapping[str, Verdict]
    tokens: int
    cost: float


class _Sentences:
    """What the three checkers share: the rules of their kind, and how the model is asked about items."""

    applies_to: ClassVar[AppliesTo]

    def __init__(self, config: VlmConfig) -> None:
        self._config = config
        self._rules = config.rules_for(self.applies_to)
        self._judge = Judge(config)

    def _judgments(self, items: Sequence[Images], context: Context) -> list[list[Judgment]]:
        """Return for each item its judgments, one a group of rules; what the config does not select is not asked."""
        selected = {code: rule for code, rule in self._rules.items() if context.selected(code)}
        groups = groups_of(selected, self._config.rules_per_call)
        questions = [Question(images, group, self._title(images, context)) for images in items for group in groups]
        judged = self._judge.judge(questions)
        return [judged[place * len(groups) : (place + 1) * len(groups)] for place in range(len(items))]

    def _title(self, images: Images, context: Context) -> str:
        return context.product(images[0].product_id).title if self._config.send_title else ""

    def _findings(
        self, images: Images, judgments: Sequence[Judgment], asked: Images = ()
    ) -> Iterator[AttributedFinding]:
        """Yield what was found about images; `asked` are the same ones as the model saw them, in its order."""
        for judgment in judgments:
            for code, verdict in judgment.verdicts.items():
                if verdict.score >= MIN_REPORTED_SCORE:
                    rule = self._rules[code]
                    yield AttributedFinding(
                        product_id=images[0].product_id,
                        code=code,
                        name=rule.name,
                        images=tuple(image.id for image in images),
                        score=verdict.score,
                        message=verdict.reason or f"breaks the rule: {rule.text}",
                        regions=_regions(asked or images, verdict),
                    )

    @staticmethod
    def _unjudged(images: Images, judgments: Sequence[Judgment]) -> Iterator[Unjudged]:
        ids = tuple(image.id for image in images)
        for judgment in judgments:
            for code, reason in judgment.faults.items():
                yield Unjudged(product_id=images[0].product_id, code=code, images=ids, reason=reason)


class ImageSentences(_Sentences):
    """Judges single images, and provides what the model says of them as a fact."""

    applies_to = "image"

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[Finding | Unjudged]:
        """Yield a finding for each rule that the model thinks broken, and name the rules that were not judged."""
        judged = self._judgments([(image,) for image in images], context)
        for image, judgments in zip(images, judged, strict=True):
            context.provide(image, VERDICTS, self._fact(judgments))
            yield from self._findings((image,), judgments)
            yield from self._unjudged((image,), judgments)

    def _fact(self, judgments: Sequence[Judgment]) -> ImageVerdicts:
        verdicts = {code: verdict for judgment in judgments for code, verdict in judgment.verdicts.items()}
        usages = [judgment.usage for judgment in judgments]
        cost = sum(self._config.cost(usage.input_tokens, usage.output_tokens) for usage in usages)
        return ImageVerdicts(verdicts, sum(usage.tokens for usage in usages), cost)


class PairSentences(_Sentences):
    """Judges pairs of a product's images."""

    applies_to = "pair"

    def check_pairs(self, pairs: Sequence[ImagePair], context: Context) -> Iterator[Finding | Unjudged]:
        """Yield a finding for each rule that the model thinks broken, and name the rules that were not judged."""
        # The model always sees the same one first, so that its answer does not depend on the order within a pair.
        asked = [tuple(sorted((pair.first, pair.second), key=lambda image: (image.sha256, image.id))) for pair in pairs]
        for pair, shown, judgments in zip(pairs, asked, self._judgments(asked, context), strict=True):
            images = (pair.first, pair.second)
            yield from self._findings(images, judgments, shown)
            yield from self._unjudged(images, judgments)


class SequenceSentences(_Sentences):
    """Judges the chosen sequences."""

    applies_to = "sequence"

    def check_sequences(self, sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
        """Yield one verdict per sequence, without a probability."""
        items = [sequence.images for sequence in sequences]
        for sequence, judgments in zip(sequences, self._judgments(items, context), strict=True):
            findings = self._findings(sequence.images, judgments)
            yield SequenceVerdict(
                product_id=sequence.product.id,
                sequence=sequence.ids,
                findings=tuple(Finding(**finding.model_dump(exclude={"product_id"})) for finding in findings),
                unjudged=tuple(self._unjudged(sequence.images, judgments)),
            )


def _regions(images: Images, verdict: Verdict) -> tuple[Region, ...]:
    """Return the place that a verdict names, in pixels of the original image."""
    if verdict.box is None or verdict.picture is None:
        return ()
    image = images[verdict.picture]
    height, width = image.pixels.shape[:2]
    x, y, box_width, box_height = verdict.box
    box = image.original_box(x * width, y * height, box_width * width, box_height * height)
    return (Region(image=image.id, box=box),)
