"""Loads a MUIsC, and begins one from the pretrained parts that the paper begins from (section 4.2)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from transformers import GPT2Model
from transformers.utils.logging import disable_progress_bar

from agpis_sdk.builtin.muisc.model import Muisc, MuiscConfig
from agpis_sdk.builtin.muisc.text import MuiscText
from agpis_sdk.builtin.muisc.tower import TimmTower, TransformersTower
from agpis_sdk.builtin.weights import refuse_non_finite
from agpis_sdk.errors import WeightsError

SHIPPED = "muisc-lite"
SHIPPED_FOLDER = Path(__file__).parent / "weights"
TRAIN_AGAIN = "if an older version wrote it, train the model again; else: is the folder complete?"
# Fields of the config that only older versions wrote.
OLD_FIELDS = frozenset(
    {"width", "heads", "interaction_blocks", "decoder_blocks", "vocabulary", "layer_norm_epsilon", "match_images"}
)


def load_muisc(model: Path | str) -> tuple[Muisc, MuiscText]:
    """Read a model and its tokenizer from a folder, by hub id, or "muisc-lite", the one that ships.

    Raises `WeightsError` for missing, unexpected or misshapen tensors: nothing is filled in silently.
    """
    # A run's own progress is on stderr; a bar per weight file does not belong there.
    disable_progress_bar()
    folder = _folder(model)
    config, text = load_text(model)
    try:
        # Misshapen tensors are let through here and refused below, by name.
        loaded, report = Muisc.from_pretrained(
            folder,
            config=config,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
        )
    except (OSError, ValueError, RuntimeError, TypeError) as error:
        raise WeightsError(str(error).splitlines()[0], item=str(model), remedy="is the folder complete?") from error
    wrong = {name: report[name] for name in ("missing_keys", "unexpected_keys", "mismatched_keys") if report[name]}
    if wrong:
        listed = "; ".join(f"{name.replace('_', ' ')}: {_names(keys)}" for name, keys in wrong.items())
        raise WeightsError(listed, item=str(model), remedy=TRAIN_AGAIN)
    refuse_non_finite(loaded, str(model))
    return loaded.eval().requires_grad_(False), text


def _names(keys: Iterable[str | tuple[Any, ...]]) -> str:
    """Return the first names of a report's tensors; a misshapen one is listed with its shapes."""
    names = sorted(key if isinstance(key, str) else str(key[0]) for key in keys)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def load_text(model: Path | str) -> tuple[MuiscConfig, MuiscText]:
    """Read a model's config and tokenizer, named as for `load_muisc`; raises `WeightsError` where they do not fit."""
    folder = _folder(model)
    try:
        config: MuiscConfig = MuiscConfig.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise WeightsError(str(error).splitlines()[0], item=str(model), remedy="is the folder complete?") from error
    if old := sorted(OLD_FIELDS & config.to_dict().keys()):
        raise WeightsError(
            f"written by an older version (it has {', '.join(old)})", item=str(model), remedy="train the model again"
        )
    text = MuiscText.load(
        folder,
        title_tokens=config.title_tokens,
        feedback_tokens=config.feedback_tokens,
        classes=config.class_token_names,
    )
    if text.vocab_size != config.vocab_size:
        raise WeightsError(
            f"the tokenizer has {text.vocab_size} words where the model has {config.vocab_size}",
            item=str(model),
            remedy="do both come from one training?",
        )
    return config, text


def _folder(model: Path | str) -> Path:
    if Path(model).exists() or isinstance(model, Path):
        return Path(model)
    if model == SHIPPED:
        return SHIPPED_FOLDER
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        return Path(snapshot_download(model))
    except (OSError, ValueError, HfHubHTTPError, HFValidationError) as error:
        raise WeightsError(
            textwrap.shorten(str(error), 300), item=model, remedy="name a local folder, or a hub id with a network"
        ) from error


def load_pretrained_decoder(model: Muisc, gpt2: str) -> None:
    """Copy words, positions and the first N^d blocks of a GPT-2 checkpoint (folder or hub id) into a model.

    Cross-attention has no pretrained counterpart and keeps its initial weights. Raises `WeightsError` when the
    checkpoint is no GPT-2, has too few blocks, or is of another width or vocabulary.
    """
    try:
        source = GPT2Model.from_pretrained(gpt2, use_safetensors=True).state_dict()
    except (OSError, ValueError) as error:
        raise WeightsError(
            textwrap.shorten(str(error), 300), item=gpt2, remedy="name a GPT-2 folder or hub id"
        ) from error
    own = model.state_dict()
    for name, tensor in own.items():
        if not name.startswith(("wte.", "wpe.", "ln_f.", "decoder.")) or "cross" in name:
            continue
        theirs = source.get(name.replace("decoder.", "h.", 1))
        if theirs is None:
            raise WeightsError(f"has no {name}", item=gpt2, remedy="set fewer num_decoder_layers")
        if name == "wpe.weight" and len(theirs) >= len(tensor):
            theirs = theirs[: len(tensor)]
        if theirs.shape != tensor.shape:
            raise WeightsError(
                f"{name} is {tuple(theirs.shape)}, not {tuple(tensor.shape)}",
                item=gpt2,
                remedy="set the config's hidden_size, num_attention_heads and vocab_size to the checkpoint's",
            )
        own[name] = theirs.clone()
    model.load_state_dict(own)


def load_pretrained_tower(model: Muisc, checkpoint: str) -> None:
    """Load pretrained weights into a model's own tower: a timm checkpoint file, or a transformers folder or hub id.

    Raises `WeightsError` where they do not fit.
    """
    name = model.config.tower
    if not name:
        raise WeightsError("this model has no tower of its own", item=checkpoint, remedy="set the config's tower")
    kind, _, architecture = name.partition("/")
    if kind == "timm":
        model.tower = TimmTower(architecture, model.config.tower_size, Path(checkpoint))
    else:
        model.tower = TransformersTower(checkpoint, pretrained=True)
