"""MUIsC, the Multi-modality Unified Image-sequence Classifier (paper section 3.4).

B sequences of K images with N = 1 + h*w tokens each (the global one first), T title words, F feedback words,
D channels. The words stand as title, separator s, feedback; the class is read at s, the feedback after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.utils import ModelOutput

from agpis_sdk.builtin.muisc.configuration import MuiscConfig
from agpis_sdk.builtin.muisc.decoder import BlockCache, DecoderBlock, causal_mask, word_positions
from agpis_sdk.builtin.muisc.matching import ImageMatching
from agpis_sdk.builtin.muisc.tower import build_tower, side_by_side

IGNORED = -100


@dataclass
class MuiscOutput(ModelOutput):  # type: ignore[misc]
    """Loss of Eq. 4 where labels are given, class logits (B, classes), word logits (B, T + 1 + F, vocabulary)."""

    loss: Tensor | None = None
    class_logits: Tensor | None = None
    word_logits: Tensor | None = None


@dataclass(frozen=True, eq=False)
class SequenceFeature:
    """The encoder's output F^e (B, K*N, D), and where it holds images: `mask` (B, K*N), false where K was filled up."""

    hidden: Tensor
    mask: Tensor


class Standardization(nn.Module):
    """Brings each channel of frozen features to mean 0 and deviation 1, by figures taken from the train split once."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("deviation", torch.ones(channels))

    def take_from(self, features: Tensor) -> None:
        """Measure mean and deviation of features (n, channels)."""
        self.mean.copy_(features.mean(0))
        # A channel that never changes stays zero, instead of becoming noise.
        self.deviation.copy_(features.std(0).clamp(min=1e-3))

    def forward(self, features: Tensor) -> Tensor:
        """Return features (..., channels), kept within +-8: an outlier in one channel must not drown the others."""
        return ((features - self.mean) / self.deviation).clamp(-8, 8)


class Muisc(PreTrainedModel):  # type: ignore[misc]
    """Encoder over all image tokens of a sequence, decoder over title, separator and feedback, two heads."""

    config_class = MuiscConfig
    base_model_prefix = "muisc"

    def __init__(self, config: MuiscConfig) -> None:
        super().__init__(config)
        width, tokens = config.width, 1 + config.patches
        self.tower = build_tower(config.tower, config.tower_size)
        projects = config.project_images
        self.standard_tokens = Standardization(config.token_channels) if projects else nn.Identity()
        self.standard_global = Standardization(config.global_channels) if projects else nn.Identity()
        self.from_tokens = nn.Linear(config.token_channels, width) if projects else nn.Identity()
        self.from_global = nn.Linear(config.global_channels, width) if projects else nn.Identity()
        self.matching = (
            ImageMatching(config.token_channels, config.global_channels, width) if config.match_images else None
        )
        # One position for each of the K*N image tokens; or, with fewer numbers to learn, image number plus place.
        images = config.max_images if config.fusion == "late" else 1
        self.image_position = nn.Parameter(torch.zeros(images, tokens if config.joint_positions else 1, width))
        self.place_position = nn.Parameter(torch.zeros(tokens, width)) if not config.joint_positions else None
        self.image_norm = nn.LayerNorm(width) if config.project_images else nn.Identity()
        self.image_dropout = nn.Dropout(config.dropout)
        block = nn.TransformerEncoderLayer(
            width, config.heads, 4 * width, config.dropout, activation="gelu",
            layer_norm_eps=config.layer_norm_epsilon, batch_first=True,
        )  # fmt: skip
        block.self_attn.dropout = config.attention_dropout
        self.interaction = nn.TransformerEncoder(block, config.interaction_blocks, enable_nested_tensor=False)
        if config.decoder_blocks:
            self._build_decoder(config)
        self.class_dropout = nn.Dropout(config.dropout)
        self.to_classes = nn.Linear(width, len(config.classes))
        self.post_init()

    def _build_decoder(self, config: MuiscConfig) -> None:
        width, chosen = config.width, config.cross_attention_blocks
        self.wte = nn.Embedding(config.vocabulary, width)
        self.wpe = nn.Embedding(config.word_positions, width)
        self.word_dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(
            DecoderBlock(config, sees_images=chosen is None or index in chosen)
            for index in range(config.decoder_blocks)
        )
        self.ln_f = nn.LayerNorm(width)
        self.language_head = None if config.tie_language_head else nn.Linear(width, config.vocabulary, bias=False)
        # GPT-2's own start: the released checkpoints assume it, and a large start makes the NLG loss explode.
        for embedding in (self.wte, self.wpe):
            nn.init.normal_(embedding.weight, std=0.02)

    def _init_weights(self, module: nn.Module) -> None:
        # Each part has initialized itself; only the positions begin as zeros.
        if module is self:
            # Beside projected features of unit size, positions as small as BERT's would not be seen for epochs.
            size = 0.3 if self.config.project_images else 0.02
            nn.init.normal_(self.image_position, std=size)
            if self.place_position is not None:
                nn.init.normal_(self.place_position, std=size)

    def standardize(self, tokens: Tensor, global_tokens: Tensor) -> None:
        """Take mean and deviation of frozen features from samples (n, C) and (n, G) of the train split."""
        for part, samples in ((self.standard_tokens, tokens), (self.standard_global, global_tokens)):
            if isinstance(part, Standardization):
                part.take_from(samples)

    def encode_pixels(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Run the tower: (B, K, 3, S, S) into patch tokens (B, K, N-1, C) and global tokens (B, K, G)."""
        if self.tower is None:
            raise ValueError("this model has no tower of its own: give it the shared backbone's features")
        if self.config.fusion == "early":
            pixels = side_by_side(pixels)
        tokens, global_tokens = self.tower(pixels.flatten(0, 1))
        return tokens.unflatten(0, pixels.shape[:2]), global_tokens.unflatten(0, pixels.shape[:2])

    def encode(self, tokens: Tensor, global_tokens: Tensor, image_mask: Tensor | None = None) -> SequenceFeature:
        """Return the sequence feature from (B, K, N-1, C) and (B, K, G); section 3.4.1.

        `image_mask` (B, K) is false where a sequence is shorter than the batch's longest; without it, none is.
        """
        tokens, global_tokens = self.standard_tokens(tokens), self.standard_global(global_tokens)
        images = torch.cat([self.from_global(global_tokens).unsqueeze(2), self.from_tokens(tokens)], dim=2)
        images = images + self.image_position[: images.shape[1]]  # (B, K, N, D)
        if self.place_position is not None:
            images = images + self.place_position
        if image_mask is None:
            image_mask = torch.ones(images.shape[:2], dtype=torch.bool, device=images.device)
        if self.matching is not None:
            images = images + self.matching(tokens, global_tokens, image_mask)
        mask = image_mask.bool().repeat_interleave(images.shape[2], dim=1)  # (B, K*N)
        sequence = self.image_dropout(self.image_norm(images.flatten(1, 2)))  # (B, K*N, D)
        return SequenceFeature(self.interaction(sequence, src_key_padding_mask=~mask), mask)

    def decode(
        self, sequence: SequenceFeature, words: Tensor, word_mask: Tensor, caches: list[BlockCache] | None = None
    ) -> Tensor:
        """Return the hidden states H^d (B, W, D) of the last W words; section 3.4.2.

        `word_mask` (B, earlier + W) covers all words so far; with `caches`, one a block, earlier ones are not read again.
        """
        steps = words.shape[1]
        positions = word_positions(word_mask)[:, -steps:]
        allowed, seen = causal_mask(word_mask, steps), sequence.mask[:, None, None, :]
        hidden = self.word_dropout(self.wte(words) + self.wpe(positions))
        for index, block in enumerate(self.blocks):
            hidden = block(hidden, allowed, sequence.hidden, seen, caches[index] if caches else None)
        return self.ln_f(hidden)  # type: ignore[no-any-return]

    def word_logits(self, hidden: Tensor) -> Tensor:
        """Return logits (B, W, vocabulary) of the word after each hidden state."""
        return hidden @ self.wte.weight.T if self.language_head is None else self.language_head(hidden)  # type: ignore[no-any-return]

    def class_logits(self, sequence: SequenceFeature, separator: Tensor | None) -> Tensor:
        """Return class logits (B, classes) from the hidden state (B, D) of s; without a decoder, from the images."""
        if separator is None:
            weight = sequence.mask.unsqueeze(2).to(sequence.hidden.dtype)
            # The global token of each image, filled-up ones left out.
            places = torch.arange(sequence.mask.shape[1], device=weight.device) % (1 + self.config.patches) == 0
            chosen = weight[:, places]
            separator = (sequence.hidden[:, places] * chosen).sum(1) / chosen.sum(1)
        return self.to_classes(self.class_dropout(separator))  # type: ignore[no-any-return]

    def forward(
        self,
        *,
        prompt: Tensor,
        prompt_mask: Tensor,
        tokens: Tensor | None = None,
        global_tokens: Tensor | None = None,
        pixels: Tensor | None = None,
        image_mask: Tensor | None = None,
        feedback: Tensor | None = None,
        feedback_mask: Tensor | None = None,
        labels: Tensor | None = None,
        **_: Any,
    ) -> MuiscOutput:
        """Run the model.

        Args:
            prompt: (B, T + 1) title padded on the left, then the separator.
            prompt_mask: (B, T + 1) 1 for words, 0 for padding.
            tokens: (B, K, N-1, C) patch tokens of each image; or give `pixels`.
            global_tokens: (B, K, G) global token of each image; or give `pixels`.
            pixels: (B, K, 3, S, S) normalized images for the model's own tower.
            image_mask: (B, K) 0 where a sequence has fewer images.
            feedback: (B, F) words after the separator, padded on the right.
            feedback_mask: (B, F) 1 for words, 0 for padding.
            labels: (B,) class of each sequence, 0 for qualified; with it the loss is returned.
        """
        if tokens is None or global_tokens is None:
            if pixels is None:
                raise ValueError("give either pixels, or tokens and global_tokens")
            tokens, global_tokens = self.encode_pixels(pixels)
            image_mask = image_mask if self.config.fusion == "late" else None
        sequence = self.encode(tokens, global_tokens, image_mask)
        if not self.config.decoder_blocks:
            logits = self.class_logits(sequence, None)
            loss = None if labels is None else nn.functional.cross_entropy(logits.float(), labels)
            return MuiscOutput(loss, logits)
        title = prompt.shape[1] - 1
        words = prompt if feedback is None else torch.cat([prompt, feedback], dim=1)
        word_mask = prompt_mask
        if feedback is not None:
            word_mask = torch.cat(
                [prompt_mask, torch.ones_like(feedback) if feedback_mask is None else feedback_mask], dim=1
            )
        hidden = self.decode(sequence, words, word_mask)  # (B, T + 1 + F, D)
        logits = self.class_logits(sequence, hidden[:, title])
        word_logits = self.word_logits(hidden)
        loss = None
        if labels is not None:
            loss = self.config.mcc_weight * nn.functional.cross_entropy(logits.float(), labels)
            if feedback is not None and self.config.nlg_weight:
                loss = loss + self.config.nlg_weight * self.nlg_loss(word_logits, words, word_mask, title)
        return MuiscOutput(loss, logits, word_logits)

    def nlg_loss(self, word_logits: Tensor, words: Tensor, word_mask: Tensor, title: int) -> Tensor:
        """Return the language loss of Eq. 3: the sum over a feedback's words, as log P is, averaged over the batch.

        Only words after s count, or the title's too with `predict_title`. "mean" averages over words instead.
        """
        counted = word_mask[:, 1:].bool().clone()
        if not self.config.predict_title:
            counted[:, :title] = False
        target = words[:, 1:].masked_fill(~counted, IGNORED)  # (B, T + F)
        loss = nn.functional.cross_entropy(word_logits[:, :-1].float().transpose(1, 2), target, reduction="none")
        if self.config.nlg_reduction == "mean":
            return loss.sum() / counted.sum().clamp(min=1)
        return loss.sum(1).mean()

    def probabilities(self, class_logits: Tensor) -> Tensor:
        """Return calibrated class probabilities (B, classes); column 0 is p^t."""
        shifted = class_logits.float() / self.config.mcc_temperature
        bias = torch.zeros_like(shifted)
        bias[:, 0] = self.config.mcc_qualified_bias
        return torch.softmax(shifted + bias, dim=1)

    @torch.inference_mode()
    def judge(self, sequence: SequenceFeature, prompt: Tensor, prompt_mask: Tensor) -> Tensor:
        """Return class logits (B, classes) of encoded sequences, without a word of feedback."""
        if not self.config.decoder_blocks:
            return self.class_logits(sequence, None)
        return self.class_logits(sequence, self.decode(sequence, prompt, prompt_mask)[:, -1])

    @torch.inference_mode()
    def generate_feedback(
        self,
        sequence: SequenceFeature,
        prompt: Tensor,
        prompt_mask: Tensor,
        *,
        end: int,
        length: int,
        never_first: Tensor | None = None,
        cached: bool = True,
    ) -> Tensor:
        """Return greedily chosen feedback words (B, <= length); `end` fills up what is over.

        `never_first` (B, vocabulary) is true for words that a feedback may not begin with.
        """
        words, mask = prompt, prompt_mask
        caches = [BlockCache() for _ in self.blocks] if cached else None
        finished = torch.zeros(len(prompt), dtype=torch.bool, device=prompt.device)
        said: list[Tensor] = []
        step = words
        while len(said) < length and not finished.all():
            logits = self.word_logits(self.decode(sequence, step, mask, caches)[:, -1])  # (B, vocabulary)
            if never_first is not None and not said:
                logits = logits.masked_fill(never_first, -torch.inf)
            following = logits.argmax(1).masked_fill(finished, end)
            finished = finished | (following == end)
            said.append(following)
            words = torch.cat([words, following[:, None]], dim=1)
            mask = torch.cat([mask, torch.ones_like(following)[:, None]], dim=1)
            step = following[:, None] if cached else words
        return torch.stack(said, dim=1) if said else prompt[:, :0]
