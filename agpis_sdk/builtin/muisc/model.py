"""MUIsC, the Multi-modality Unified Image-sequence Classifier (paper section 3.4).

B sequences of K images with N = 1 + h*w tokens each (one global, then patches), T title tokens, D channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import GPT2Config, GPT2Model, PretrainedConfig, PreTrainedModel

IGNORED = -100


class MuiscConfig(PretrainedConfig):  # type: ignore[misc]
    """Sizes and vocabulary of a MUIsC; the defaults are those of the small model that ships."""

    model_type = "muisc"

    def __init__(
        self,
        *,
        token_channels: int = 320,
        global_channels: int = 1280,
        patches: int = 49,
        max_images: int = 8,
        width: int = 128,
        heads: int = 4,
        interaction_blocks: int = 1,
        decoder_blocks: int = 3,
        dropout: float = 0.2,
        vocabulary: int = 1500,
        title_tokens: int = 16,
        feedback_tokens: int = 40,
        classes: int = 45,
        nlg_weight: float = 0.1,
        mcc_weight: float = 1.0,
        mcc_temperature: float = 1.0,
        **kwargs: Any,
    ) -> None:
        self.token_channels, self.global_channels, self.patches = token_channels, global_channels, patches
        self.max_images, self.width, self.heads = max_images, width, heads
        self.interaction_blocks, self.decoder_blocks, self.dropout = interaction_blocks, decoder_blocks, dropout
        self.vocabulary, self.title_tokens, self.feedback_tokens = vocabulary, title_tokens, feedback_tokens
        self.classes, self.nlg_weight, self.mcc_weight = classes, nlg_weight, mcc_weight
        self.mcc_temperature = mcc_temperature
        super().__init__(**{"tie_word_embeddings": False, **kwargs})

    @classmethod
    def tiny(cls) -> MuiscConfig:
        """Return sizes for tests: no photo needs more."""
        return cls(
            token_channels=6, global_channels=10, patches=4, max_images=4, width=16, heads=2, decoder_blocks=2,
            dropout=0.0, vocabulary=300, title_tokens=6, feedback_tokens=10,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class MuiscOutput:
    """Class logits (B, classes), feedback logits (B, 1 + F, vocabulary), and the loss of Eq. 4 where labels are given."""

    class_logits: Tensor
    feedback_logits: Tensor
    loss: Tensor | None = None


class Muisc(PreTrainedModel):  # type: ignore[misc]
    """Encoder over all image tokens of a sequence, decoder over title, separator and feedback, two heads."""

    config_class = MuiscConfig
    base_model_prefix = "muisc"

    def __init__(self, config: MuiscConfig) -> None:
        super().__init__(config)
        width = config.width
        self.from_tokens = nn.Linear(config.token_channels, width)
        self.from_global = nn.Linear(config.global_channels, width)
        # A position over all K*N tokens, as image number plus place within the image: fewer numbers to learn.
        self.image_position = nn.Parameter(torch.zeros(config.max_images, 1, width))
        self.patch_position = nn.Parameter(torch.zeros(1 + config.patches, width))
        self.image_norm = nn.LayerNorm(width)
        self.image_dropout = nn.Dropout(config.dropout)
        block = nn.TransformerEncoderLayer(
            width, config.heads, 4 * width, config.dropout, activation="gelu", batch_first=True
        )
        self.interaction = nn.TransformerEncoder(block, config.interaction_blocks, enable_nested_tensor=False)
        decoder = GPT2Config(
            vocab_size=config.vocabulary, n_embd=width, n_layer=config.decoder_blocks, n_head=config.heads,
            n_positions=config.title_tokens + 1 + config.feedback_tokens, add_cross_attention=True,
            bos_token_id=None, eos_token_id=None, resid_pdrop=config.dropout, embd_pdrop=config.dropout, attn_pdrop=config.dropout,
        )  # fmt: skip
        self.decoder = GPT2Model(decoder)
        self.class_dropout = nn.Dropout(config.dropout)
        self.to_classes = nn.Linear(width, config.classes)
        self.post_init()
        nn.init.normal_(self.image_position, std=0.02)
        nn.init.normal_(self.patch_position, std=0.02)

    def _init_weights(self, module: nn.Module) -> None:
        # Each part initialises itself.
        del module

    def encode(self, tokens: Tensor, global_tokens: Tensor) -> Tensor:
        """Return the sequence feature F^e (B, K*N, D) from (B, K, N-1, C) and (B, K, G); paper section 3.4.1."""
        images = torch.cat([self.from_global(global_tokens).unsqueeze(2), self.from_tokens(tokens)], dim=2)
        images = images + self.image_position[: images.shape[1]] + self.patch_position  # (B, K, N, D)
        sequence = self.image_dropout(self.image_norm(images.flatten(1, 2)))  # (B, K*N, D)
        return self.interaction(sequence)  # type: ignore[no-any-return]

    def forward(
        self,
        tokens: Tensor,
        global_tokens: Tensor,
        words: Tensor,
        word_mask: Tensor,
        classes: Tensor | None = None,
    ) -> MuiscOutput:
        """Run the model.

        Args:
            tokens: (B, K, N-1, C) patch tokens of each image.
            global_tokens: (B, K, G) global token of each image.
            words: (B, T + 1 + F) title padded on the left, separator at T, feedback padded on the right.
            word_mask: (B, T + 1 + F) 1 for words, 0 for padding.
            classes: (B,) class of each sequence, 0 for qualified; with it the loss is returned.
        """
        title = self.config.title_tokens
        hidden = self.decode(self.encode(tokens, global_tokens), words, word_mask)  # (B, T+1+F, D)
        class_logits = self.to_classes(self.class_dropout(hidden[:, title]))
        feedback_logits = hidden[:, title:] @ self.decoder.wte.weight.T  # (B, 1 + F, vocabulary)
        if classes is None:
            return MuiscOutput(class_logits, feedback_logits)
        target = words[:, title + 1 :].masked_fill(word_mask[:, title + 1 :] == 0, IGNORED)  # (B, F)
        nlg = nn.functional.cross_entropy(feedback_logits[:, :-1].transpose(1, 2), target, reduction="none")
        # Eq. 2-3: the log-probability of a feedback is the sum over its words.
        nlg_loss = nlg.sum(1).mean()
        mcc_loss = nn.functional.cross_entropy(class_logits, classes)
        loss = self.config.nlg_weight * nlg_loss + self.config.mcc_weight * mcc_loss
        return MuiscOutput(class_logits, feedback_logits, loss)

    def decode(self, sequence: Tensor, words: Tensor, word_mask: Tensor) -> Tensor:
        """Return the decoder's hidden states H^d (B, words, D), masked to earlier words; paper section 3.4.2."""
        # Padding on the left takes no position: a short title stands where a long one begins.
        positions = (word_mask.cumsum(1) - 1).clamp(min=0)
        output = self.decoder(
            input_ids=words,
            attention_mask=word_mask,
            position_ids=positions,
            encoder_hidden_states=sequence,
            use_cache=False,
        )
        return output.last_hidden_state  # type: ignore[no-any-return]

    def p_qualified(self, class_logits: Tensor) -> Tensor:
        """Return the class probabilities (B, classes) at the calibrated temperature; column 0 is p^t."""
        return torch.softmax(class_logits / self.config.mcc_temperature, dim=1)

    @torch.inference_mode()
    def generate_feedback(self, sequence: Tensor, words: Tensor, word_mask: Tensor, end: int, length: int) -> Tensor:
        """Return greedily chosen feedback tokens (B, length) after title and separator; `end` fills up what is over."""
        finished = torch.zeros(words.shape[0], dtype=torch.bool, device=words.device)
        said: list[Tensor] = []
        step, cache = words, None
        for _ in range(length):
            positions = (word_mask.cumsum(1) - 1).clamp(min=0)[:, -step.shape[1] :]
            output = self.decoder(
                input_ids=step,
                attention_mask=word_mask,
                position_ids=positions,
                encoder_hidden_states=sequence,
                past_key_values=cache,
                use_cache=True,
            )
            cache = output.past_key_values
            scores = output.last_hidden_state[:, -1] @ self.decoder.wte.weight.T  # (B, vocabulary)
            following = scores.argmax(1).masked_fill(finished, end)
            finished = finished | (following == end)
            said.append(following)
            step = following[:, None]
            word_mask = torch.cat([word_mask, torch.ones_like(step)], dim=1)
        return torch.stack(said, dim=1) if said else words[:, :0]
