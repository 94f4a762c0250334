"""What MUIsC begins from: a config with its switches, pretrained parts, or a model that was trained before."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from agpis_sdk.builtin.muisc.checkpoints import load_muisc, load_pretrained_decoder, load_pretrained_tower
from agpis_sdk.builtin.muisc.model import Muisc, MuiscConfig
from agpis_sdk.builtin.muisc.text import QUALIFIED, MuiscText, label_space, split_words, title_with_category
from agpis_sdk.builtin.muisc.tower import build_tower
from agpis_sdk.datasets.review_features import LearnableReviews, ReviewFeatures
from agpis_sdk.errors import ConfigError, WeightsError, nearest
from agpis_sdk.rules import RuleSet

# Images from which mean and deviation of the features are taken: 50 times as many tokens are more than enough.
NORM_IMAGES = 2000


@dataclass(frozen=True)
class InitFrom:
    """What a model begins from: nothing, parts of others, or a whole model, which brings its config and tokenizer.

    Parts are pretrained tower weights, a GPT-2 (section 4.2) and a Hugging Face tokenizer. A whole model is a folder of
    `agpis train muisc`, a hub id, or "muisc-lite", the one that ships. Raises `ConfigError` where both are named.
    """

    tower: str | None = None
    decoder: str | None = None
    tokenizer: str | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        parts = {"tower": self.tower, "decoder": self.decoder, "tokenizer": self.tokenizer}
        named = [name for name, value in parts.items() if value]
        if self.model and named:
            raise ConfigError(
                f"comes with its own {' and '.join(named)}", item=self.model, remedy="name a whole model, or parts"
            )


def switched_config(size: str, switches: Sequence[str], rules: RuleSet | None = None) -> MuiscConfig:
    """Return a config by name ("lite", "paper", "released", "tiny") with "field=value" switches, values as in JSON.

    The model has a class for each of the `rules`, the shipped ones where none are given.

    Raises `ConfigError` for a field that there is not, or a value that is not JSON.
    """
    changes: dict[str, Any] = {"classes": label_space(rules)} if rules else {}
    fields = MuiscConfig().to_dict()
    for switch in switches:
        name, _, value = switch.partition("=")
        if name not in fields:
            raise ConfigError("MuiscConfig has no such field", item=name, remedy=nearest(name, list(fields)))
        try:
            changes[name] = json.loads(value)
        except json.JSONDecodeError:
            changes[name] = value
    config: MuiscConfig = getattr(MuiscConfig, size)(**changes)
    return config


def initial_config(begin: InitFrom, config: MuiscConfig | None, rules: RuleSet) -> MuiscConfig:
    """Return the config that training starts with: that of the whole model, else the one given, else the small one."""
    if begin.model:
        return load_muisc(begin.model)[0].config  # type: ignore[no-any-return]
    return config or MuiscConfig.lite(classes=label_space(rules))


def build_model(
    features: LearnableReviews, train: NDArray[np.int64], config: MuiscConfig, begin: InitFrom, title_products: int
) -> tuple[Muisc, MuiscText]:
    """Return the model that training starts from, with its tokenizer; of a whole model, `config` is not read.

    Title words of fewer than `title_products` products of the `train` rows are not read. Raises `WeightsError` where
    what it begins from does not fit.
    """
    if begin.model:
        return _adapted(begin.model, features, train, title_products)
    config = with_shared_title_words(config, features, train, title_products)
    text = _text(features, train, config, begin.tokenizer)
    config = config_for(features, config, text)
    model = Muisc(config)
    if isinstance(features, ReviewFeatures):
        images = sorted({image for row in train for image in features.reviews[row].images})[:NORM_IMAGES]
        sample = torch.from_numpy(features.tokens[images].astype(np.float32)).flatten(0, 1)
        global_sample = torch.from_numpy(features.global_tokens[images].astype(np.float32))
        model.additions.fit(sample, global_sample, torch.from_numpy(features.evidence[images]))
    if begin.tower:
        load_pretrained_tower(model, begin.tower)
    if begin.decoder:
        load_pretrained_decoder(model, begin.decoder)
    return model, text


def _adapted(
    name: str, features: LearnableReviews, train: NDArray[np.int64], title_products: int
) -> tuple[Muisc, MuiscText]:
    """Return a trained model, ready to learn on, which also reads the title words of the new shop."""
    model, text = load_muisc(name)
    known = model.config
    if config_for(features, known).to_dict() != known.to_dict():
        raise WeightsError(
            "was trained on features of another backbone", item=name, remedy="set backbone.name to the one it was"
        )
    if known.title_words:
        shared = with_shared_title_words(known, features, train, title_products).title_words
        model.config.title_words = sorted({*known.title_words, *shared}) if title_products > 1 else []
    return model.requires_grad_(True), text


def config_for(features: LearnableReviews, config: MuiscConfig, text: MuiscText | None = None) -> MuiscConfig:
    """Return the config with the sizes that the features, or else its own tower, and the tokenizer have."""
    changes: dict[str, Any] = {"vocab_size": text.vocab_size} if text else {}
    if isinstance(features, ReviewFeatures):
        _, changes["num_patches"], changes["token_channels"] = features.tokens.shape
        changes["global_channels"] = features.global_tokens.shape[1]
    elif (tower := build_tower(config.tower, config.tower_size)) is not None:
        with torch.inference_mode():
            tokens, global_tokens = tower.eval()(torch.zeros(1, 3, config.tower_size, config.tower_size))
        _, changes["num_patches"], changes["token_channels"] = tokens.shape
        changes["global_channels"] = global_tokens.shape[1]
    fitted: MuiscConfig = MuiscConfig.from_dict({**config.to_dict(), **changes})
    return fitted


def with_shared_title_words(
    config: MuiscConfig, features: LearnableReviews, rows: NDArray[np.int64], title_products: int
) -> MuiscConfig:
    """Return the config with the title words that at least so many products of some accepted reviews share.

    A rejected sequence may have been reviewed under another product's title.
    """
    if title_products < 2 or not config.use_title:
        return config
    products: dict[str, set[str]] = {}
    for review in (features.reviews[row] for row in rows if features.reviews[row].code == QUALIFIED):
        for word in split_words(title_with_category(review.title, review.category)):
            products.setdefault(word, set()).add(review.product)
    shared = [word for word, bearers in products.items() if len(bearers) >= title_products]
    changed: MuiscConfig = MuiscConfig.from_dict({**config.to_dict(), "title_words": shared})
    return changed


def _text(features: LearnableReviews, rows: NDArray[np.int64], config: MuiscConfig, tokenizer: str | None) -> MuiscText:
    """Return the tokenizer that is named, else train the default one on the words of the train split."""
    sizes = {"title_tokens": config.title_tokens, "feedback_tokens": config.feedback_tokens}
    if tokenizer:
        return MuiscText.load(tokenizer, **sizes, classes=config.class_token_names)
    reviews = [features.reviews[row] for row in rows]
    texts = [
        part for review in reviews for part in (config.title_input(review.title, review.category), review.feedback)
    ]
    return MuiscText.train(texts, vocab_size=config.vocab_size, **sizes, classes=config.class_token_names)
