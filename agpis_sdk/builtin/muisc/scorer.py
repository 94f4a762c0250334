"""The MUIsC scorer: p^t, a reviewer's words, and the rule that is most likely broken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from weakref import WeakKeyDictionary

import numpy as np

from agpis_sdk.batches import batches
from agpis_sdk.builtin.muisc import evidence
from agpis_sdk.builtin.muisc.config import MuiscScorerConfig
from agpis_sdk.builtin.muisc.features import REQUIRED_FACTS, image_tokens
from agpis_sdk.builtin.muisc.judge import Floats, Judged, load_judge
from agpis_sdk.builtin.muisc.saved_config import SHIPPED_FOLDER
from agpis_sdk.builtin.weights import check_shapes
from agpis_sdk.components import MIN_REPORTED_SCORE, Context, DecodedImage, ImageSequence
from agpis_sdk.errors import WeightsError
from agpis_sdk.records import Finding, SequenceVerdict
from agpis_sdk.rules import RuleSet

BATCH = 4  # a row costs the same in passes of 2 to 8; of 8 rows a third would be empty, on average


class MuiscScorer:
    """Judges sequences with a trained MUIsC (paper section 3.4)."""

    def __init__(self, config: MuiscScorerConfig, device: str = "cpu") -> None:
        self._folder = config.model or SHIPPED_FOLDER
        self._judge = load_judge(self._folder, device)
        self._config = self._judge.config
        evidence.check_names(self._config.evidence, item=str(self._folder))
        # What is computed once an image is kept as long as the image is.
        self._tokens: WeakKeyDictionary[DecodedImage, tuple[Floats, Floats]] = WeakKeyDictionary()
        self._measured: WeakKeyDictionary[DecodedImage, evidence.ImageEvidence] = WeakKeyDictionary()
        self._most_words = min(config.feedback_tokens, self._config.feedback_tokens)

    def check_backbone(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Raise `WeightsError` where the model was trained on features of other shapes."""
        config = self._config
        blank = {name: np.zeros(shapes[name], np.float32) for name in REQUIRED_FACTS}
        tokens, global_token = image_tokens(blank)
        check_shapes(
            {"tokens": (config.num_patches, config.token_channels), "embedding": (config.global_channels,)},
            {"tokens": tokens.shape, "embedding": global_token.shape},
            item=str(self._folder),
            setting="components.muisc.model",
        )

    def check_sequences(self, sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
        """Yield one verdict per sequence."""
        for chunk in _of_one_length(sequences):
            judged = self._judged(chunk, context)
            probabilities = judged.probabilities
            feedback = self._judge.feedback(judged, context.sequence_threshold, self._most_words)
            for row, sequence in enumerate(chunk):
                yield SequenceVerdict(
                    product_id=sequence.product.id,
                    sequence=sequence.ids,
                    p_qualified=round(float(probabilities[row, 0]), 6),
                    feedback=feedback[row] or None,
                    findings=tuple(self._findings(sequence, probabilities[row], context.rules)),
                )

    def score_sequences(self, sequences: Sequence[ImageSequence], context: Context) -> list[float]:
        """Return p^t of each sequence, in order, without writing feedback: what a search over sequences needs."""
        scores: dict[int, float] = {}
        for chunk in _of_one_length(sequences):
            p_qualified = self._judged(chunk, context).probabilities[:, 0].tolist()
            scores.update({id(sequence): round(p, 6) for sequence, p in zip(chunk, p_qualified, strict=False)})
        return [scores[id(sequence)] for sequence in sequences]

    def _judged(self, sequences: Sequence[ImageSequence], context: Context) -> Judged:
        # Every pass has one shape, whatever else is in the batch (DESIGN law 6).
        filled = [*sequences, *[sequences[-1]] * (BATCH - len(sequences))]
        tokens, global_tokens = self._image_tokens(filled, context)
        measured = self._evidence(filled, context) if self._config.evidence else None
        titles = [self._config.title_input(one.product.title, one.product.category) for one in filled]
        prompt, mask = self._judge.text.prompts(titles, full_width=True)
        return self._judge.judge(tokens, global_tokens, prompt, mask, measured)

    def _image_tokens(self, sequences: Sequence[ImageSequence], context: Context) -> tuple[Floats, Floats]:
        """Return patch tokens (B, K, h*w, C) and global tokens (B, K, G)."""
        length = len(sequences[0].images)
        if length > self._config.max_images:
            raise WeightsError(
                f"knows sequences of at most {self._config.max_images} images, not {length}",
                item=str(self._folder),
                remedy="set a smaller sequence.length, or train with more",
            )
        rows = [[self._tokens_of(image, context) for image in sequence.images] for sequence in sequences]
        tokens = np.array([[tokens for tokens, _ in row] for row in rows])
        return tokens, np.array([[global_token for _, global_token in row] for row in rows])

    def _evidence(self, sequences: Sequence[ImageSequence], context: Context) -> Floats:
        """Return the evidence (B, K, E) of sequences of one length."""
        rows = [[self._evidence_of(image, context) for image in sequence.images] for sequence in sequences]
        return np.stack([evidence.sequence_evidence(row) for row in rows])

    def _tokens_of(self, image: DecodedImage, context: Context) -> tuple[Floats, Floats]:
        """Return an image's tokens; a search asks for them many times."""
        if image not in self._tokens:
            facts = {name: context.fact(image, name) for name in sorted(REQUIRED_FACTS)}
            self._tokens[image] = image_tokens(facts)
        return self._tokens[image]

    def _evidence_of(self, image: DecodedImage, context: Context) -> evidence.ImageEvidence:
        if image not in self._measured:
            facts = {name: context.fact(image, name) for name in sorted(evidence.REQUIRED_FACTS)}
            self._measured[image] = evidence.ImageEvidence.of(facts)
        return self._measured[image]

    def _findings(self, sequence: ImageSequence, probabilities: Floats, rules: RuleSet) -> Iterator[Finding]:
        """Yield a finding for each class of rule that is worth a word; it is about the sequence as a whole."""
        for index in np.flatnonzero(probabilities >= MIN_REPORTED_SCORE):
            code = self._config.classes[index]
            if code in rules:
                rule = rules[code]
                score = float(probabilities[index])
                message = f"the sequence model expects a reviewer to object: {rule.summary}"
                yield Finding(code=code, name=rule.name, images=sequence.ids, score=score, message=message)


def _of_one_length(sequences: Sequence[ImageSequence]) -> Iterator[Sequence[ImageSequence]]:
    """Yield passes of at most `BATCH` sequences of one length, so that none is filled up."""
    for length in sorted({len(sequence.images) for sequence in sequences}):
        alike = [sequence for sequence in sequences if len(sequence.images) == length]
        yield from batches(alike, BATCH)
