"""The MUIsC scorer: p^t, a reviewer's words, and the rule that is most likely broken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers.utils.logging import disable_progress_bar

from agpis_sdk.builtin.muisc.config import MuiscScorerConfig
from agpis_sdk.builtin.muisc.model import Muisc, MuiscConfig
from agpis_sdk.builtin.muisc.text import CLASSES, END, MuiscText
from agpis_sdk.components import Context, ImageSequence
from agpis_sdk.errors import WeightsError
from agpis_sdk.records import Finding, SequenceVerdict
from agpis_sdk.rules import BUILTIN_RULES

SHIPPED = Path(__file__).parent / "weights"
BATCH = 16
SPEAK_FROM = 0.05
RULE_BY_CODE = {rule.code: rule for rule in BUILTIN_RULES}


def load_muisc(folder: Path) -> tuple[Muisc, MuiscText]:
    """Read a model and its tokenizer; raises `WeightsError` for missing, unexpected or misshapen tensors."""
    # A run's own progress is on stderr; a bar per weight file does not belong there.
    disable_progress_bar()
    try:
        config = MuiscConfig.from_pretrained(folder, local_files_only=True)
        model, report = Muisc.from_pretrained(folder, config=config, local_files_only=True, output_loading_info=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise WeightsError(str(error).splitlines()[0], item=str(folder), remedy="is the folder complete?") from error
    wrong = {name: report[name] for name in ("missing_keys", "unexpected_keys", "mismatched_keys") if report[name]}
    if wrong:
        said = "; ".join(f"{name.replace('_', ' ')}: {sorted(map(str, keys))}" for name, keys in wrong.items())
        raise WeightsError(said, item=str(folder), remedy="was it made by another version?")
    text = MuiscText.load(folder, title_tokens=config.title_tokens, feedback_tokens=config.feedback_tokens)
    return model.eval().requires_grad_(False), text


class MuiscScorer:
    """Judges sequences with a trained MUIsC (paper section 3.4)."""

    def __init__(self, config: MuiscScorerConfig) -> None:
        self._folder = config.model or SHIPPED
        self._feedback_tokens = config.feedback_tokens
        self._device = config.device
        model, self._text = load_muisc(self._folder)
        self._model = model.to(config.device)
        self._feedback_tokens = min(config.feedback_tokens, model.config.feedback_tokens)

    def check_sequences(self, sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
        """Yield one verdict per sequence; a pass holds sequences of one length, so that none is filled up."""
        for length in sorted({len(sequence.images) for sequence in sequences}):
            alike = [sequence for sequence in sequences if len(sequence.images) == length]
            for start in range(0, len(alike), BATCH):
                yield from self._check_batch(alike[start : start + BATCH], context)

    @torch.inference_mode()
    def _check_batch(self, sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
        tokens, global_tokens = self._image_tokens(sequences, context)
        # Every pass has one shape, whatever else is in the batch (DESIGN law 6).
        titles = [sequence.product.title for sequence in sequences] + [""] * (BATCH - len(sequences))
        words, mask = (part.to(self._device) for part in self._text.prompts(titles))
        feature = self._model.encode(tokens, global_tokens)
        hidden = self._model.decode(feature, words, mask)[:, -1]  # (B, D)
        probabilities = self._model.p_qualified(self._model.to_classes(hidden)).cpu().numpy()  # (B, classes)
        feedback = self._model.generate_feedback(feature, words, mask, END, self._feedback_tokens).tolist()
        for row, sequence in enumerate(sequences):
            said = self._text.read(feedback[row]) or None
            yield SequenceVerdict(
                product_id=sequence.product.id,
                sequence=sequence.ids,
                p_qualified=round(float(probabilities[row, 0]), 6),
                feedback=said,
                findings=tuple(_findings(sequence, probabilities[row])),
            )

    def _image_tokens(self, sequences: Sequence[ImageSequence], context: Context) -> tuple[Tensor, Tensor]:
        """Return patch tokens (B, K, h*w, C) and global tokens (B, K, G), filled up with zeros to `BATCH`."""
        config: MuiscConfig = self._model.config
        length = len(sequences[0].images)
        if length > config.max_images:
            raise WeightsError(
                f"knows sequences of at most {config.max_images} images, not {length}",
                item=str(self._folder),
                remedy="set a smaller sequence.length, or train with more",
            )
        tokens = np.zeros((BATCH, length, config.patches, config.token_channels), np.float32)
        global_tokens = np.zeros((BATCH, length, config.global_channels), np.float32)
        for row, sequence in enumerate(sequences):
            for place, image in enumerate(sequence.images):
                grid = context.fact(image, "tokens")  # (C, h, w)
                embedding = context.fact(image, "embedding")
                if grid.shape[0] * grid[0].size != tokens[0, 0].size or embedding.size != config.global_channels:
                    raise WeightsError(
                        f"was not trained on a backbone with tokens {grid.shape} and embedding {embedding.shape}",
                        item=str(self._folder),
                        remedy="set components.muisc.model, or backbone.name back to the default",
                    )
                tokens[row, place] = grid.reshape(grid.shape[0], -1).T
                global_tokens[row, place] = embedding
        return torch.from_numpy(tokens).to(self._device), torch.from_numpy(global_tokens).to(self._device)


def _findings(
    sequence: ImageSequence, probabilities: np.ndarray[tuple[int], np.dtype[np.float32]]
) -> Iterator[Finding]:
    """Yield a finding for each class of rule that is worth a word; it is about the sequence as a whole."""
    for index in np.flatnonzero(probabilities >= SPEAK_FROM):
        code = CLASSES[index]
        if code in RULE_BY_CODE:
            rule = RULE_BY_CODE[code]
            score = float(probabilities[index])
            message = f"the sequence model expects a reviewer to object: {rule.summary}"
            yield Finding(code=code, name=rule.name, images=sequence.ids, score=score, message=message)
