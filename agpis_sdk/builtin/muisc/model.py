"""MUIsC, the Multi-modality Unified Image-sequence Classifier (paper section 3.4), from config to heads in one file.

B sequences of K images with N = 1 + h*w tokens each (the global one first; one more with evidence), T title tokens, F
feedback tokens, D hidden channels. The decoder reads title, separator s, feedback; the class is read at s, the feedback after it. Read in order:
config · encoder (section 3.4.1) · decoder of GPT-2's blocks (3.4.2) · heads and loss (3.4.3). Image towers are in
`tower.py`; what the paper does not have is in `additions.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from transformers import DynamicCache, EncoderDecoderCache, GPT2Config, PretrainedConfig, PreTrainedModel
from transformers.models.gpt2.modeling_gpt2 import GPT2Block
from transformers.pytorch_utils import Conv1D
from transformers.utils import ModelOutput

from agpis_sdk.builtin.muisc.additions import ImageAdditions, position_size, side_by_side
from agpis_sdk.builtin.muisc.evidence import NAMES as EVIDENCE
from agpis_sdk.builtin.muisc.text import OTHER, label_space, title_input
from agpis_sdk.builtin.muisc.tower import build_tower
from agpis_sdk.plugins import shipped_rules

IGNORED = -100


# ── Config ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class MuiscConfig(PretrainedConfig):  # type: ignore[misc]
    """Everything that a MUIsC's weights depend on; the defaults are those of the small model, without evidence.

    `tower` names the image tower: "" takes features of the pipeline's shared backbone, "timm/NAME" and
    "transformers/FOLDER OR ID" are part of the model and trained with it. `fusion` "early" puts the images of a
    sequence side by side into one (section 4.3). With `num_decoder_layers` 0 the classifier reads the images' global
    tokens (Table 3). `cross_attention_layers` are the decoder layers that see the images; None means all.

    Additions: `project_images`, `compare_images`, `evidence` and `joint_positions` false (see `additions.py`); `evidence`
    names the numbers of stage 1 that each image has beside its tokens (see `evidence.py`), [] for none. With `class_words`
    feedback begins with a token for its class, so that the words cannot contradict the decision; `title_words` are the
    only words of a title that are read, [] for every word: a name that one product alone has can only be learned by
    heart. Below `objection_threshold` of p^t feedback is an objection; that, temperature and bias come from the
    validation split.
    """

    model_type = "muisc"

    def __init__(
        self,
        *,
        tower: str = "",
        tower_size: int = 224,
        tower_mean: tuple[float, float, float] = (0.5, 0.5, 0.5),
        tower_deviation: tuple[float, float, float] = (0.5, 0.5, 0.5),
        token_channels: int = 624,
        global_channels: int = 1280,
        num_patches: int = 49,
        max_images: int = 8,
        fusion: Literal["late", "early"] = "late",
        hidden_size: int = 160,
        num_attention_heads: int = 5,
        num_encoder_layers: int = 1,
        num_decoder_layers: int = 3,
        cross_attention_layers: list[int] | None = None,
        layer_norm_eps: float = 1e-5,
        dropout: float = 0.2,
        attention_dropout: float = 0.0,
        vocab_size: int = 1500,
        title_tokens: int = 24,
        feedback_tokens: int = 40,
        use_title: bool = True,
        use_category: bool = True,
        predict_title: bool = False,
        tie_lm_head: bool = True,
        classes: list[str] | None = None,
        nlg_weight: float = 0.1,
        mcc_weight: float = 1.0,
        nlg_reduction: Literal["sum", "mean"] = "sum",
        mcc_temperature: float = 1.0,
        mcc_qualified_bias: float = 0.0,
        project_images: bool = True,
        compare_images: bool = True,
        joint_positions: bool = False,
        evidence: list[str] | None = None,
        class_words: bool = True,
        title_words: list[str] | None = None,
        objection_threshold: float = 0.5,
        **kwargs: Any,
    ) -> None:
        fields = {name: value for name, value in locals().items() if name not in ("self", "kwargs", "__class__")}
        for name, value in fields.items():
            setattr(self, name, list(value) if isinstance(value, tuple) else value)
        self.title_words = sorted(title_words or [])
        self.evidence = list(evidence or [])
        self.classes = list(classes or label_space(shipped_rules()))
        super().__init__(**{"tie_word_embeddings": False, **kwargs})

    def title_input(self, title: str, category: str) -> str:
        """Return the text before the separator, as the switches ask."""
        return title_input(
            title, category, use_title=self.use_title, use_category=self.use_category, title_words=self.title_words
        )

    def class_of(self, code: str) -> int:
        """Return the class of "yes", of a rule, or of "other": what a rule has that this model does not know."""
        return self.classes.index(code) if code in self.classes else self.classes.index(OTHER)

    @property
    def image_tokens(self) -> int:
        """N, how many tokens an image has in the encoder."""
        return 1 + int(self.num_patches) + bool(self.evidence)

    @property
    def class_token_names(self) -> list[str]:
        """The classes that feedback begins with a token for."""
        return self.classes if self.class_words else []

    @classmethod
    def lite(cls, **changes: Any) -> MuiscConfig:
        """Return the small model over the shared backbone's features and what stage 1 measured: what `agpis run` uses."""
        return cls(**{"evidence": list(EVIDENCE), **changes})

    @classmethod
    def paper(cls, **changes: Any) -> MuiscConfig:
        """Return the paper's model: ViT-B/16-224, N^s = 1, N^d = 3, D = 768, trained end to end (section 4.2)."""
        sizes = {
            "tower": "timm/vit_base_patch16_224", "token_channels": 768, "global_channels": 768, "num_patches": 196,
            "max_images": 3, "hidden_size": 768, "num_attention_heads": 12, "project_images": False,
            "joint_positions": True, "compare_images": False,
            "class_words": False, "dropout": 0.1, "attention_dropout": 0.1, "vocab_size": 21128, "title_tokens": 64, "feedback_tokens": 63, "use_category": False,
        }  # fmt: skip
        return cls(**{**sizes, **changes})

    @classmethod
    def released(cls, **changes: Any) -> MuiscConfig:
        """Return the layout of the released reference: one post-norm BERT layer, cross-attention in block 2 alone.

        Source: https://github.com/efan3000/muisc, whose checkpoint was not released.
        """
        return cls.paper(**{"cross_attention_layers": [2], "layer_norm_eps": 1e-12, **changes})

    @classmethod
    def tiny(cls, **changes: Any) -> MuiscConfig:
        """Return sizes for tests: no photo needs more."""
        sizes = {
            "token_channels": 6, "global_channels": 10, "num_patches": 4, "max_images": 4, "hidden_size": 16,
            "num_attention_heads": 2, "num_decoder_layers": 2, "dropout": 0.0, "vocab_size": 300, "title_tokens": 6, "feedback_tokens": 10,
        }  # fmt: skip
        return cls(**{**sizes, **changes})


# ── Model ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class MuiscOutput(ModelOutput):  # type: ignore[misc]
    """Loss of Eq. 4 where labels are given, class logits (B, classes), language logits (B, T + 1 + F, vocab_size)."""

    loss: Tensor | None = None
    logits: Tensor | None = None
    lm_logits: Tensor | None = None


@dataclass(frozen=True, eq=False)
class SequenceFeature:
    """The encoder's output F^e (B, K*N, D), and where it holds images: `mask` (B, K*N), false where K was filled up."""

    hidden: Tensor
    mask: Tensor


class Muisc(PreTrainedModel):  # type: ignore[misc]
    """Encoder over all image tokens of a sequence, decoder over title, separator and feedback, two heads."""

    config_class = MuiscConfig
    base_model_prefix = "muisc"

    def __init__(self, config: MuiscConfig) -> None:
        super().__init__(config)
        hidden_size, tokens = config.hidden_size, config.image_tokens
        self.tower = build_tower(config.tower, config.tower_size)
        self.additions = ImageAdditions(config)
        # One position for each of the K*N image tokens; or, with fewer numbers to learn, for each of the K images.
        images = config.max_images if config.fusion == "late" else 1
        self.image_position = nn.Parameter(torch.zeros(images, tokens if config.joint_positions else 1, hidden_size))
        self.image_norm = nn.LayerNorm(hidden_size) if config.project_images else nn.Identity()
        self.image_dropout = nn.Dropout(config.dropout)
        block = nn.TransformerEncoderLayer(
            hidden_size, config.num_attention_heads, 4 * hidden_size, config.dropout, activation="gelu",
            layer_norm_eps=config.layer_norm_eps, batch_first=True,
        )  # fmt: skip
        block.self_attn.dropout = config.attention_dropout
        self.encoder = nn.TransformerEncoder(block, config.num_encoder_layers, enable_nested_tensor=False)
        if config.num_decoder_layers:
            self._build_decoder(config)
        self.class_dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(hidden_size, len(config.classes))
        self.post_init()

    def _build_decoder(self, config: MuiscConfig) -> None:
        hidden_size, chosen = config.hidden_size, config.cross_attention_layers
        self.wte = nn.Embedding(config.vocab_size, hidden_size)
        self.wpe = nn.Embedding(config.title_tokens + 1 + config.feedback_tokens, hidden_size)
        self.token_dropout = nn.Dropout(config.dropout)
        self.decoder = nn.ModuleList()
        for index in range(config.num_decoder_layers):
            block = GPT2Config(
                n_embd=hidden_size, n_head=config.num_attention_heads, resid_pdrop=config.dropout, attn_pdrop=config.attention_dropout,
                add_cross_attention=chosen is None or index in chosen, attn_implementation="sdpa",
            )  # fmt: skip
            self.decoder.append(GPT2Block(block, layer_idx=index))
        self.ln_f = nn.LayerNorm(hidden_size)
        self.lm_head = None if config.tie_lm_head else nn.Linear(hidden_size, config.vocab_size, bias=False)
        # GPT-2's own start: the released checkpoints assume it, and a large start makes the NLG loss explode.
        for embedding in (self.wte, self.wpe):
            nn.init.normal_(embedding.weight, std=0.02)

    def _init_weights(self, module: nn.Module) -> None:
        # Each part has initialized itself but for the positions. GPT-2's linear layers begin as torch's, as the encoder's do.
        if isinstance(module, Conv1D):
            bound = len(module.weight) ** -0.5
            nn.init.uniform_(module.weight, -bound, bound)
            nn.init.uniform_(module.bias, -bound, bound)
        elif module is self:
            nn.init.normal_(self.image_position, std=position_size(self.config))

    def encode_pixels(self, pixels: Tensor | None) -> tuple[Tensor, Tensor]:
        """Run the tower: (B, K, 3, S, S) into patch tokens (B, K, N-1, C) and global tokens (B, K, G)."""
        if self.tower is None or pixels is None:
            raise ValueError("give pixels to a model with a tower of its own, else tokens and global_tokens")
        if self.config.fusion == "early":
            pixels = side_by_side(pixels)
        tokens, global_tokens = self.tower(pixels.flatten(0, 1))
        return tokens.unflatten(0, pixels.shape[:2]), global_tokens.unflatten(0, pixels.shape[:2])

    def encode(
        self, tokens: Tensor, global_tokens: Tensor, image_mask: Tensor | None = None, evidence: Tensor | None = None
    ) -> SequenceFeature:
        """Return the sequence feature from (B, K, h*w, C) and (B, K, G), and evidence (B, K, E) where the config has it.

        `image_mask` (B, K) is false where a sequence is shorter than the batch's longest; without it, none is. Section 3.4.1.
        """
        if image_mask is None:
            image_mask = torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
        images = self.additions(tokens, global_tokens, image_mask, evidence)  # (B, K, N, D)
        images = images + self.image_position[: images.shape[1]]
        mask = image_mask.bool().repeat_interleave(images.shape[2], dim=1)  # (B, K*N)
        sequence = self.image_dropout(self.image_norm(images.flatten(1, 2)))  # (B, K*N, D)
        return SequenceFeature(self.encoder(sequence, src_key_padding_mask=~mask), mask)

    def decode(
        self,
        sequence: SequenceFeature,
        input_ids: Tensor,
        attention_mask: Tensor,
        cache: EncoderDecoderCache | None = None,
    ) -> Tensor:
        """Return the hidden states H^d (B, W, D) of the last W tokens; section 3.4.2.

        `attention_mask` (B, earlier + W) covers all tokens so far; with `cache` earlier ones are not read again.
        """
        steps = input_ids.shape[1]
        # Positions count tokens only: padding on the left takes none.
        positions = (attention_mask.cumsum(1) - 1).clamp(min=0)[:, -steps:]
        hidden = self.token_dropout(self.wte(input_ids) + self.wpe(positions))
        allowed, seen = causal_mask(attention_mask, steps), sequence.mask[:, None, None, :]
        for block in self.decoder:
            hidden = block(
                hidden, past_key_values=cache, attention_mask=allowed, encoder_attention_mask=seen,
                encoder_hidden_states=sequence.hidden if hasattr(block, "crossattention") else None,
            )  # fmt: skip
        return self.ln_f(hidden)  # type: ignore[no-any-return]

    def language_logits(self, hidden: Tensor) -> Tensor:
        """Return logits (B, W, vocab_size) of the token after each hidden state."""
        return hidden @ self.wte.weight.T if self.lm_head is None else self.lm_head(hidden)  # type: ignore[no-any-return]

    def _class_logits(self, sequence: SequenceFeature, separator: Tensor | None) -> Tensor:
        """Return class logits (B, classes) from the hidden state (B, D) of s; without a decoder, from the images."""
        if separator is None:
            # The mean of the images' global tokens, filled-up ones left out.
            tokens = self.config.image_tokens
            weight = sequence.mask[:, ::tokens, None].to(sequence.hidden.dtype)  # (B, K, 1)
            separator = (sequence.hidden[:, ::tokens] * weight).sum(1) / weight.sum(1)
        return self.classifier(self.class_dropout(separator))  # type: ignore[no-any-return]

    def forward(
        self,
        *,
        input_ids: Tensor,
        attention_mask: Tensor,
        tokens: Tensor | None = None,
        global_tokens: Tensor | None = None,
        pixels: Tensor | None = None,
        evidence: Tensor | None = None,
        image_mask: Tensor | None = None,
        feedback_ids: Tensor | None = None,
        feedback_mask: Tensor | None = None,
        labels: Tensor | None = None,
        **_: Any,
    ) -> MuiscOutput:
        """Run the model; with `labels` the loss of Eq. 4 is returned.

        Args:
            input_ids: (B, T + 1) title padded on the left, then the separator.
            attention_mask: (B, T + 1) 1 for tokens, 0 for padding.
            tokens: (B, K, h*w, C) patch tokens of each image; or give `pixels`.
            global_tokens: (B, K, G) global token of each image; or give `pixels`.
            pixels: (B, K, 3, S, S) normalized images for the model's own tower.
            evidence: (B, K, E) what stage 1 measured of each image, where the config names it.
            image_mask: (B, K) 0 where a sequence has fewer images.
            feedback_ids: (B, F) tokens after the separator, padded on the right.
            feedback_mask: (B, F) 1 for tokens, 0 for padding.
            labels: (B,) class of each sequence, 0 for qualified.
        """
        if tokens is None or global_tokens is None:
            tokens, global_tokens = self.encode_pixels(pixels)
            image_mask = image_mask if self.config.fusion == "late" else None
        sequence = self.encode(tokens, global_tokens, image_mask, evidence)
        if not self.config.num_decoder_layers:
            logits = self._class_logits(sequence, None)
            loss = None if labels is None else nn.functional.cross_entropy(logits.float(), labels)
            return MuiscOutput(loss, logits)
        title = input_ids.shape[1] - 1
        if feedback_ids is not None:
            given = torch.ones_like(feedback_ids) if feedback_mask is None else feedback_mask
            input_ids = torch.cat([input_ids, feedback_ids], dim=1)
            attention_mask = torch.cat([attention_mask, given], dim=1)
        hidden = self.decode(sequence, input_ids, attention_mask)  # (B, T + 1 + F, D)
        logits = self._class_logits(sequence, hidden[:, title])
        lm_logits = self.language_logits(hidden)
        loss = None
        if labels is not None:
            loss = self.config.mcc_weight * nn.functional.cross_entropy(logits.float(), labels)
            if feedback_ids is not None and self.config.nlg_weight:
                loss = loss + self.config.nlg_weight * self.nlg_loss(lm_logits, input_ids, attention_mask, title)
        return MuiscOutput(loss, logits, lm_logits)

    def nlg_loss(self, lm_logits: Tensor, input_ids: Tensor, attention_mask: Tensor, title: int) -> Tensor:
        """Return the language loss of Eq. 3: the sum over a feedback's words, as log P is, averaged over the batch.

        Only words after s count, or the title's too with `predict_title`. "mean" averages over words instead.
        """
        counted = attention_mask[:, 1:].bool().clone()
        if not self.config.predict_title:
            counted[:, :title] = False
        target = input_ids[:, 1:].masked_fill(~counted, IGNORED)  # (B, T + F)
        loss = nn.functional.cross_entropy(lm_logits[:, :-1].float().transpose(1, 2), target, reduction="none")
        if self.config.nlg_reduction == "mean":
            return loss.sum() / counted.sum().clamp(min=1)
        return loss.sum(1).mean()

    def probabilities(self, logits: Tensor) -> Tensor:
        """Return calibrated class probabilities (B, classes); column 0 is p^t."""
        shifted = logits.float() / self.config.mcc_temperature
        shifted[:, 0] += self.config.mcc_qualified_bias
        return torch.softmax(shifted, dim=1)

    @torch.inference_mode()
    def classify(self, sequence: SequenceFeature, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return class logits (B, classes) of encoded sequences, without any feedback."""
        if not self.config.num_decoder_layers:
            return self._class_logits(sequence, None)
        return self._class_logits(sequence, self.decode(sequence, input_ids, attention_mask)[:, -1])

    @torch.inference_mode()
    def generate_feedback(
        self,
        sequence: SequenceFeature,
        input_ids: Tensor,
        attention_mask: Tensor,
        *,
        eos_token_id: int,
        max_new_tokens: int,
        forbidden_first_tokens: Tensor | None = None,
    ) -> Tensor:
        """Return greedily chosen feedback tokens (B, <= max_new_tokens), filled up with `eos_token_id`.

        `forbidden_first_tokens` (B, vocab_size) is true for tokens that a feedback may not begin with.
        """
        # Not `GenerationMixin.generate`: it takes `logits` for those of words, where Trainer and we take them for those of
        # classes, and encodes the images anew, which have been encoded for the class already.
        cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
        finished = torch.zeros(len(input_ids), 1, dtype=torch.bool, device=input_ids.device)
        step, generated = input_ids, input_ids[:, :0]
        while generated.shape[1] < max_new_tokens and not finished.all():
            logits = self.language_logits(
                self.decode(sequence, step, attention_mask, cache)[:, -1:]
            )  # (B, 1, vocab_size)
            if forbidden_first_tokens is not None and not generated.shape[1]:
                logits = logits.masked_fill(forbidden_first_tokens[:, None], -torch.inf)
            step = logits.argmax(2).masked_fill(finished, eos_token_id)  # (B, 1)
            finished = finished | (step == eos_token_id)
            generated = torch.cat([generated, step], dim=1)
            attention_mask = torch.cat([attention_mask, torch.ones_like(step)], dim=1)
        return generated


def causal_mask(attention_mask: Tensor, steps: int) -> Tensor:
    """Return where the last `steps` tokens may look, (B, 1, steps, W): at themselves and at earlier ones, not at padding.

    A padding token may look at itself, as a row of nothing but masked places has no softmax.
    """
    total = attention_mask.shape[1]
    own = torch.eye(total, dtype=torch.bool, device=attention_mask.device)
    causal = torch.ones_like(own).tril()  # (W, W)
    allowed = (causal & attention_mask.bool()[:, None, :]) | own  # (B, W, W)
    return allowed[:, None, total - steps :]
