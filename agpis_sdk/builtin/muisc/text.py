"""Words in and out: the tokenizer, and the layout that the decoder reads (paper section 3.4.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from agpis_sdk.errors import WeightsError
from agpis_sdk.rules import RuleSet

PAD, SEPARATOR, END = "<pad>", "<separator>", "<end>"
SPECIAL = (PAD, SEPARATOR, END)
QUALIFIED = "yes"
OTHER = "other"


class MuiscText:
    """Turns titles and feedback into the decoder's words, and words back into feedback."""

    def __init__(
        self, tokenizer: Tokenizer, *, title_tokens: int, feedback_tokens: int, classes: Sequence[str] = ()
    ) -> None:
        """Take a tokenizer; the special tokens that it lacks are added to it.

        With `classes`, the qualified one first, feedback begins with a word for its class: what "yes" is for accepted
        sequences (section 3.4.2), one word for each rule is for the others.
        """
        class_words = [f"<{code}>" for code in classes[1:]]
        tokenizer.add_special_tokens([AddedToken(token, special=True) for token in (*SPECIAL, *class_words)])
        self.tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, pad_token=PAD, sep_token=SEPARATOR, eos_token=END
        )
        self._title_tokens = title_tokens
        self._feedback_tokens = feedback_tokens
        self.pad, self.separator, self.end = self.tokenizer.convert_tokens_to_ids(list(SPECIAL))
        (self.qualified,) = self._encode([QUALIFIED])
        self._class_words = self.tokenizer.convert_tokens_to_ids(class_words)

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        *,
        vocab_size: int,
        title_tokens: int,
        feedback_tokens: int,
        classes: Sequence[str] = (),
    ) -> MuiscText:
        """Train a byte-level BPE on texts: any language works, as bytes are the smallest tokens."""
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            special_tokens=list(SPECIAL),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator((text.lower() for text in texts), trainer)
        return cls(tokenizer, title_tokens=title_tokens, feedback_tokens=feedback_tokens, classes=classes)

    @classmethod
    def load(
        cls, name: Path | str, *, title_tokens: int, feedback_tokens: int, classes: Sequence[str] = ()
    ) -> MuiscText:
        """Take the fast tokenizer of a folder or a hub id; raises `WeightsError` where none loads."""
        # A folder's tokenizer.json is read as it is; the auto class also asks for a config that it knows.
        own = (Path(name) / "tokenizer.json").is_file()
        try:
            kind = PreTrainedTokenizerFast if own else AutoTokenizer
            tokenizer = kind.from_pretrained(name, trust_remote_code=False).backend_tokenizer
        except (OSError, ValueError, AttributeError) as error:
            raise WeightsError(
                f"no tokenizer loads: {str(error).splitlines()[0]}",
                item=str(name),
                remedy="is the folder complete? else name a hub id",
            ) from error
        return cls(tokenizer, title_tokens=title_tokens, feedback_tokens=feedback_tokens, classes=classes)

    def save(self, folder: Path) -> None:
        """Write the tokenizer into a folder, where `AutoTokenizer` finds it too."""
        self.tokenizer.save_pretrained(folder)

    @property
    def vocab_size(self) -> int:
        """How many tokens there are."""
        return len(self.tokenizer)

    def prompts(self, titles: Sequence[str], *, full_width: bool = False) -> tuple[Tensor, Tensor]:
        """Return words and mask (B, T + 1): each title padded on the left, then the separator s.

        T is the longest of the titles; with `full_width` the most that there may be, whatever else is in the batch.
        """
        rows = [[*ids[: self._title_tokens], self.separator] for ids in self._encode(titles)]
        return self._padded(rows, "left", self._title_tokens + 1 if full_width else None)

    def feedback(self, texts: Sequence[str], labels: Sequence[int] | None = None) -> tuple[Tensor, Tensor]:
        """Return words and mask (B, F): each feedback and its end, padded on the right to the longest.

        `labels` (B,) are the classes that the first words name, where feedback begins with one.
        """
        begins = [self._class_word(label) for label in labels] if labels is not None else [[]] * len(texts)
        rows = [
            [*[*begin, *ids][: self._feedback_tokens - 1], self.end]
            for begin, ids in zip(begins, self._encode(texts), strict=True)
        ]
        return self._padded(rows, "right")

    def _class_word(self, label: int) -> list[int]:
        """Return the word of a class; the qualified one's is its feedback."""
        return [self._class_words[label - 1]] if label and self._class_words else []

    def forbidden_first_tokens(self, probabilities: Tensor, *, objection_threshold: float = 0.5) -> Tensor:
        """Return which words (B, vocabulary) a feedback may not begin with, given class probabilities (B, classes).

        Feedback must not contradict the class: it is "yes" from `objection_threshold` of p^t on, and only there; below it,
        the objection is about the rule that is most likely violated.
        """
        accepted = torch.zeros(self.vocab_size, dtype=torch.bool, device=probabilities.device)
        accepted[self.qualified[0]] = True
        if self._class_words:
            objection = torch.tensor(self._class_words, device=probabilities.device)[probabilities[:, 1:].argmax(1)]
            rejected = torch.arange(self.vocab_size, device=probabilities.device) == objection[:, None]
        else:
            rejected = (~accepted).expand(len(probabilities), -1)
        return ~torch.where((probabilities[:, 0] >= objection_threshold)[:, None], accepted, rejected)

    def read(self, ids: Sequence[int]) -> str:
        """Return the text of generated tokens up to the end."""
        kept = list(ids)
        if self.end in kept:
            kept = kept[: kept.index(self.end)]
        return str(self.tokenizer.decode(kept, skip_special_tokens=True, clean_up_tokenization_spaces=False)).strip()

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        lowered = [text.lower() for text in texts]
        return self.tokenizer(lowered, add_special_tokens=False)["input_ids"] if lowered else []

    def _padded(self, rows: list[list[int]], side: str, length: int | None = None) -> tuple[Tensor, Tensor]:
        """Return words and mask, (B, longest) or (B, length)."""
        padding = "longest" if length is None else "max_length"
        batch = self.tokenizer.pad(
            {"input_ids": rows}, padding=padding, max_length=length, padding_side=side, return_tensors="pt"
        )
        return batch["input_ids"], batch["attention_mask"]


def label_space(rules: RuleSet) -> tuple[str, ...]:
    """Return the classes of a model that learns the rules of a run: "yes", one for each image rule, "other"."""
    return (QUALIFIED, *(rule.code for rule in rules if rule.category != "engine"), OTHER)


def split_words(text: str) -> list[str]:
    """Return the words of a text in lower case.

    >>> split_words("Nevada 3, outdoor tents")
    ['nevada', '3', 'outdoor', 'tents']
    """
    return re.findall(r"\w+", text.lower())


def only_words(text: str, words: Iterable[str]) -> str:
    """Return the words of a text that are among `words`, in order.

    >>> only_words("Nevada 3, outdoor tents", ["tents", "outdoor"])
    'outdoor tents'
    """
    known = set(words)
    return " ".join(word for word in split_words(text) if word in known)


def title_with_category(title: str, category: str) -> str:
    """Return the words for the title switch "product category": the category's own words after the title.

    >>> title_with_category("Nevada 3", "outdoor/tents")
    'Nevada 3, outdoor tents'
    """
    words = category.replace("/", " ").strip()
    return f"{title}, {words}" if words else title
