"""Words in and out: a byte-level BPE, so that any language works, and the layout that the decoder reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor

from agpis_sdk.errors import WeightsError
from agpis_sdk.rules import BUILTIN_RULES

PAD, SEPARATOR, END = 0, 1, 2
SPECIAL = ["<pad>", "<separator>", "<end>"]
FILE = "tokenizer.json"
QUALIFIED = "yes"
CLASSES = (QUALIFIED, *(rule.code for rule in BUILTIN_RULES if rule.category != "engine"), "other")


class MuiscText:
    """Turns titles and feedback into the decoder's words, and words back into feedback."""

    def __init__(self, tokenizer: Tokenizer, title_tokens: int, feedback_tokens: int) -> None:
        self._tokenizer = tokenizer
        self._title_tokens = title_tokens
        self._feedback_tokens = feedback_tokens

    @classmethod
    def train(cls, texts: Iterable[str], *, vocabulary: int, title_tokens: int, feedback_tokens: int) -> MuiscText:
        """Train a byte-level BPE on texts."""
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=SPECIAL,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator((text.lower() for text in texts), trainer)
        return cls(tokenizer, title_tokens, feedback_tokens)

    @classmethod
    def load(cls, folder: Path, *, title_tokens: int, feedback_tokens: int) -> MuiscText:
        """Read the tokenizer beside a model's weights."""
        path = folder / FILE
        if not path.is_file():
            raise WeightsError("no tokenizer beside the weights", item=str(path), remedy="is the folder complete?")
        return cls(Tokenizer.from_file(str(path)), title_tokens, feedback_tokens)

    def save(self, folder: Path) -> None:
        """Write the tokenizer into a folder."""
        self._tokenizer.save(str(folder / FILE))

    @property
    def vocabulary(self) -> int:
        """How many tokens there are."""
        return int(self._tokenizer.get_vocab_size())

    def prompts(self, titles: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Return words and mask (B, T + 1): the title padded on the left, then the separator."""
        rows = [self._encode(title)[: self._title_tokens] for title in titles]
        words = torch.full((len(rows), self._title_tokens + 1), PAD)
        for row, ids in enumerate(rows):
            words[row, self._title_tokens - len(ids) :] = torch.tensor([*ids, SEPARATOR])
        return words, (words != PAD).long()

    def with_feedback(self, titles: Sequence[str], feedback: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Return words and mask (B, T + 1 + F) for training: prompts, then feedback and its end."""
        words, mask = self.prompts(titles)
        tail = torch.full((len(feedback), self._feedback_tokens), PAD)
        for row, text in enumerate(feedback):
            ids = [*self._encode(text)[: self._feedback_tokens - 1], END]
            tail[row, : len(ids)] = torch.tensor(ids)
        return torch.cat([words, tail], dim=1), torch.cat([mask, (tail != PAD).long()], dim=1)

    def read(self, ids: Sequence[int]) -> str:
        """Return the text of generated tokens up to the end."""
        kept = []
        for token in ids:
            if token == END:
                break
            kept.append(token)
        return str(self._tokenizer.decode(kept)).strip()

    def _encode(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text.lower()).ids)
