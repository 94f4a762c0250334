"""The model against a plain re-derivation of the released layout, and against transformers' own GPT-2 and towers."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
import timm
import torch
from torch import Tensor
from torch.nn.functional import gelu, layer_norm
from transformers import GPT2Config, GPT2Model, ViTConfig, ViTModel

from agpis_sdk.builtin.muisc.checkpoints import load_pretrained_decoder, load_pretrained_tower
from agpis_sdk.builtin.muisc.model import Muisc, MuiscConfig
from agpis_sdk.builtin.muisc.tower import TransformersTower
from agpis_sdk.errors import ConfigError, WeightsError

SMALL = {
    "tower": "", "token_channels": 24, "global_channels": 24, "num_patches": 4, "hidden_size": 24, "num_attention_heads": 3, "vocab_size": 50,
    "title_tokens": 5, "feedback_tokens": 6,
}  # fmt: skip
Weights = dict[str, Tensor]


def linear(hidden: Tensor, weights: Weights, name: str) -> Tensor:
    return hidden @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def norm(hidden: Tensor, weights: Weights, name: str, epsilon: float) -> Tensor:
    return layer_norm(hidden, (hidden.shape[-1],), weights[f"{name}.weight"], weights[f"{name}.bias"], epsilon)


def attend(query: Tensor, key: Tensor, value: Tensor, heads: int, *, causal: bool) -> Tensor:
    """Attention one head at a time, as the formula has it; (words, D) from (words, D) and (places, D)."""
    size = query.shape[-1] // heads
    parts = []
    for head in range(heads):
        own = slice(head * size, (head + 1) * size)
        scores = query[:, own] @ key[:, own].T / math.sqrt(size)
        if causal:
            scores = scores.masked_fill(torch.ones_like(scores).triu(1).bool(), -math.inf)
        parts.append(scores.softmax(1) @ value[:, own])
    return torch.cat(parts, dim=1)


def released_by_hand(weights: Weights, images: Tensor, words: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    """Return class logits at s = the fourth word, and word logits; images (K*N, D), words (W,)."""
    # GPT-2 keeps the matrices of its linear layers as (inputs, outputs), torch as (outputs, inputs).
    gpt2_matrix = re.compile(r"decoder\..*(c_attn|q_attn|c_proj|c_fc)\.weight")
    weights = {name: tensor.T if gpt2_matrix.fullmatch(name) else tensor for name, tensor in weights.items()}
    layer = "encoder.layers.0"
    sequence = images + weights["image_position"].flatten(0, 1)[: len(images)]
    stacked = sequence @ weights[f"{layer}.self_attn.in_proj_weight"].T + weights[f"{layer}.self_attn.in_proj_bias"]
    mixed = linear(attend(*stacked.chunk(3, 1), heads, causal=False), weights, f"{layer}.self_attn.out_proj")
    sequence = norm(sequence + mixed, weights, f"{layer}.norm1", 1e-12)
    wide = linear(gelu(linear(sequence, weights, f"{layer}.linear1")), weights, f"{layer}.linear2")
    sequence = norm(sequence + wide, weights, f"{layer}.norm2", 1e-12)

    hidden = weights["wte.weight"][words] + weights["wpe.weight"][: len(words)]
    for block in ("decoder.0", "decoder.1", "decoder.2"):
        query, key, value = linear(norm(hidden, weights, f"{block}.ln_1", 1e-5), weights, f"{block}.attn.c_attn").chunk(
            3, 1
        )
        hidden = hidden + linear(attend(query, key, value, heads, causal=True), weights, f"{block}.attn.c_proj")
        if block == "decoder.2":
            cross = f"{block}.crossattention"
            query = linear(norm(hidden, weights, f"{block}.ln_cross_attn", 1e-5), weights, f"{cross}.q_attn")
            key, value = linear(sequence, weights, f"{cross}.c_attn").chunk(2, 1)
            hidden = hidden + linear(attend(query, key, value, heads, causal=False), weights, f"{cross}.c_proj")
        wide = linear(norm(hidden, weights, f"{block}.ln_2", 1e-5), weights, f"{block}.mlp.c_fc")
        hidden = hidden + linear(gelu(wide, approximate="tanh"), weights, f"{block}.mlp.c_proj")
    hidden = norm(hidden, weights, "ln_f", 1e-5)
    return linear(hidden[3], weights, "classifier"), hidden @ weights["wte.weight"].T


def test_the_released_layout_gives_the_logits_of_its_plain_derivation() -> None:
    torch.manual_seed(0)
    model = Muisc(MuiscConfig.released(**SMALL)).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    tokens, global_tokens = torch.randn(1, 3, 4, 24), torch.randn(1, 3, 24)
    words = torch.randint(0, 50, (1, 9))

    output = model(
        tokens=tokens, global_tokens=global_tokens, input_ids=words[:, :4], attention_mask=torch.ones(1, 4, dtype=torch.long),
        feedback_ids=words[:, 4:],
    )  # fmt: skip

    images = torch.cat([global_tokens[0].unsqueeze(1), tokens[0]], dim=1).flatten(0, 1)
    class_logits, word_logits = released_by_hand(dict(model.state_dict()), images, words[0], heads=3)
    assert torch.allclose(output.logits[0], class_logits, atol=1e-5)
    assert torch.allclose(output.lm_logits[0], word_logits, atol=1e-5)


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("gpt2")
    GPT2Model(
        GPT2Config(vocab_size=50, n_embd=24, n_layer=4, n_head=3, n_positions=40, bos_token_id=1, eos_token_id=1)
    ).save_pretrained(folder)
    return folder


def test_a_decoder_begun_from_gpt2_gives_its_hidden_states(gpt2: Path) -> None:
    model = Muisc(MuiscConfig.released(**SMALL)).eval()
    load_pretrained_decoder(model, str(gpt2))
    with torch.no_grad():
        # Without cross-attention a block is GPT-2's own.
        model.decoder[2].crossattention.c_proj.weight.zero_()
        model.decoder[2].crossattention.c_proj.bias.zero_()
    words = torch.randint(0, 50, (2, 9))

    hidden = model.decode(
        model.encode(torch.randn(2, 3, 4, 24), torch.randn(2, 3, 24)), words, torch.ones(2, 9, dtype=torch.long)
    )

    theirs = GPT2Model.from_pretrained(gpt2).eval()
    theirs.h = theirs.h[:3]
    assert torch.allclose(hidden, theirs(input_ids=words).last_hidden_state, atol=1e-5)


@pytest.mark.parametrize(
    "change", [{"hidden_size": 12, "token_channels": 12, "global_channels": 12}, {"vocab_size": 51}]
)
def test_a_gpt2_of_other_sizes_is_refused(gpt2: Path, change: dict[str, int]) -> None:
    model = Muisc(MuiscConfig.released(**{**SMALL, **change}))

    with pytest.raises(WeightsError, match="not"):
        load_pretrained_decoder(model, str(gpt2))


def test_a_gpt2_with_too_few_blocks_is_refused(gpt2: Path) -> None:
    model = Muisc(MuiscConfig.released(**SMALL, num_decoder_layers=5))

    with pytest.raises(WeightsError, match="fewer num_decoder_layers"):
        load_pretrained_decoder(model, str(gpt2))


def test_a_timm_tower_is_begun_from_its_checkpoint(tmp_path: Path) -> None:
    torch.manual_seed(0)
    source = timm.create_model("test_vit", num_classes=0).eval()
    torch.save(source.state_dict(), tmp_path / "vit.pth")
    channels = source.num_features
    config = MuiscConfig.tiny(
        tower="timm/test_vit", tower_size=160, token_channels=channels, global_channels=channels, num_patches=100
    )
    model = Muisc(config).eval()
    load_pretrained_tower(model, str(tmp_path / "vit.pth"))
    pixels = torch.randn(2, 3, 3, 160, 160)

    tokens, global_tokens = model.encode_pixels(pixels)

    features = source.forward_features(pixels[1])
    assert tokens.shape == (2, 3, 100, channels)
    assert torch.allclose(global_tokens[1], features[:, 0], atol=1e-5)
    assert torch.allclose(tokens[1], features[:, 1:], atol=1e-5)


def test_a_transformers_tower_is_begun_from_its_folder(tmp_path: Path) -> None:
    torch.manual_seed(0)
    sizes = ViTConfig(
        hidden_size=24, num_hidden_layers=1, num_attention_heads=3, intermediate_size=32, image_size=32, patch_size=8
    )
    source = ViTModel(sizes).eval()
    source.save_pretrained(tmp_path)
    pixels = torch.randn(2, 3, 32, 32)

    tokens, global_tokens = TransformersTower(str(tmp_path), pretrained=True).eval()(pixels)

    hidden = source(pixel_values=pixels).last_hidden_state
    assert torch.allclose(global_tokens, hidden[:, 0], atol=1e-5)
    assert torch.allclose(tokens, hidden[:, 1:], atol=1e-5)


def test_early_fusion_of_pixels_makes_one_image() -> None:
    config = MuiscConfig.tiny(
        tower="timm/test_vit", tower_size=160, token_channels=64, global_channels=64, num_patches=100, fusion="early"
    )

    tokens, _ = Muisc(config).eval().encode_pixels(torch.randn(2, 3, 3, 160, 160))

    assert tokens.shape[:2] == (2, 1)


@pytest.mark.parametrize("tower", ["timm/no_such_model", "elsewhere/vit"])
def test_a_tower_that_is_not_there_is_named(tower: str) -> None:
    with pytest.raises(ConfigError):
        Muisc(MuiscConfig.tiny(tower=tower))
