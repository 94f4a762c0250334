"""Decoder blocks with GPT-2's layout and tensor names, cross-attention only where it is asked for (section 3.4.2).

B sequences, W words, S image tokens, D channels, H heads.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from agpis_sdk.builtin.muisc.configuration import MuiscConfig


@dataclass(eq=False)
class BlockCache:
    """Keys and values (B, H, *, D/H) of one block: of the words so far, and of the images."""

    words: tuple[Tensor, Tensor] | None = None
    images: tuple[Tensor, Tensor] | None = None


class SelfAttention(nn.Module):
    """Masked multi-head self-attention over words."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)

    def forward(self, hidden: Tensor, mask: Tensor, cache: BlockCache | None) -> Tensor:
        """Return (B, W, D); `mask` (B, 1, W, W + earlier) is true where a word may look."""
        query, key, value = (_heads(part, self.heads) for part in self.c_attn(hidden).chunk(3, dim=-1))
        if cache is not None:
            if cache.words is not None:
                key, value = torch.cat([cache.words[0], key], dim=2), torch.cat([cache.words[1], value], dim=2)
            cache.words = key, value
        mixed = scaled_dot_product_attention(
            query, key, value, attn_mask=mask, dropout_p=self.dropout if self.training else 0.0
        )
        return self.c_proj(_joined(mixed))  # type: ignore[no-any-return]


class CrossAttention(nn.Module):
    """Multi-head attention from words to the tokens of an image sequence."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.q_attn = nn.Linear(width, width)
        self.c_attn = nn.Linear(width, 2 * width)
        self.c_proj = nn.Linear(width, width)

    def forward(self, hidden: Tensor, sequence: Tensor, mask: Tensor, cache: BlockCache | None) -> Tensor:
        """Return (B, W, D) from words and the sequence feature F^e (B, S, D); `mask` (B, 1, 1, S) is true for images."""
        query = _heads(self.q_attn(hidden), self.heads)
        if cache is not None and cache.images is not None:
            key, value = cache.images
        else:
            key, value = (_heads(part, self.heads) for part in self.c_attn(sequence).chunk(2, dim=-1))
            if cache is not None:
                cache.images = key, value
        mixed = scaled_dot_product_attention(
            query, key, value, attn_mask=mask, dropout_p=self.dropout if self.training else 0.0
        )
        return self.c_proj(_joined(mixed))  # type: ignore[no-any-return]


class FeedForward(nn.Module):
    """Position-wise feed-forward network."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return (B, W, D)."""
        return self.c_proj(nn.functional.gelu(self.c_fc(hidden), approximate="tanh"))  # type: ignore[no-any-return]


class DecoderBlock(nn.Module):
    """One GPT-2 block: masked self-attention, cross-attention where asked for, feed-forward, each with a residual."""

    def __init__(self, config: MuiscConfig, *, sees_images: bool) -> None:
        super().__init__()
        width, heads, dropout = config.width, config.heads, config.attention_dropout
        self.ln_1 = nn.LayerNorm(width)
        self.attn = SelfAttention(width, heads, dropout)
        self.sees_images = sees_images
        if sees_images:
            self.ln_cross_attn = nn.LayerNorm(width)
            self.crossattention = CrossAttention(width, heads, dropout)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = FeedForward(width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, hidden: Tensor, word_mask: Tensor, sequence: Tensor, image_mask: Tensor, cache: BlockCache | None
    ) -> Tensor:
        """Return (B, W, D)."""
        hidden = hidden + self.dropout(self.attn(self.ln_1(hidden), word_mask, cache))
        if self.sees_images:
            seen = self.crossattention(self.ln_cross_attn(hidden), sequence, image_mask, cache)
            hidden = hidden + self.dropout(seen)
        return hidden + self.dropout(self.mlp(self.ln_2(hidden)))  # type: ignore[no-any-return]


def causal_mask(word_mask: Tensor, steps: int) -> Tensor:
    """Return where the last `steps` words may look, (B, 1, steps, W): at themselves and at earlier words, not at padding.

    A padding word may look at itself, as a row of nothing but masked places has no softmax.
    """
    width = word_mask.shape[1]
    causal = torch.ones(width, width, dtype=torch.bool, device=word_mask.device).tril()  # (W, W)
    own = torch.eye(width, dtype=torch.bool, device=word_mask.device)
    allowed = (causal & word_mask.bool()[:, None, :]) | own  # (B, W, W)
    return allowed[:, None, width - steps :]


def word_positions(word_mask: Tensor) -> Tensor:
    """Return positions (B, W) that count words only: padding on the left takes none."""
    return (word_mask.cumsum(1) - 1).clamp(min=0)


def _heads(hidden: Tensor, heads: int) -> Tensor:
    """Turn (B, W, D) into (B, H, W, D/H)."""
    return hidden.reshape(*hidden.shape[:2], heads, -1).transpose(1, 2)


def _joined(hidden: Tensor) -> Tensor:
    """Turn (B, H, W, D/H) into (B, W, D)."""
    return hidden.transpose(1, 2).flatten(2)
