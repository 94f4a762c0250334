"""Sizes, layout and switches of a MUIsC."""

from __future__ import annotations

from typing import Any, Literal

from transformers import PretrainedConfig

from agpis_sdk.builtin.muisc.text import OTHER, label_space, split_words, title_with_category
from agpis_sdk.plugins import shipped_rules


class MuiscConfig(PretrainedConfig):  # type: ignore[misc]
    """Everything that a MUIsC's weights depend on.

    `tower` names the image tower: "" takes features of the pipeline's shared backbone, "timm/NAME" and
    "transformers/FOLDER OR ID" are part of the model and trained with it. `fusion` "early" puts the images of a
    sequence side by side into one (section 4.3). `match_images` tells each patch what it shares with the other images.
    `decoder_blocks` 0 leaves the decoder out: the classifier then reads the images' global tokens (Table 3).
    `cross_attention_blocks` are the blocks that see the images; None means all. With `class_words` feedback begins with
    a word for its class, so that what is said cannot contradict what is decided. `title_words` are all words of a title
    that are read, [] for every word: a name that one product alone bears can only be learned by heart. Below
    `objects_below` of p^t feedback is an objection; that, temperature and bias come from the validation split.
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
        patches: int = 49,
        max_images: int = 8,
        fusion: Literal["late", "early"] = "late",
        width: int = 160,
        heads: int = 5,
        project_images: bool = True,
        joint_positions: bool = False,
        match_images: bool = True,
        interaction_blocks: int = 1,
        decoder_blocks: int = 3,
        cross_attention_blocks: list[int] | None = None,
        layer_norm_epsilon: float = 1e-5,
        dropout: float = 0.2,
        attention_dropout: float = 0.0,
        vocabulary: int = 1500,
        title_tokens: int = 24,
        feedback_tokens: int = 40,
        use_title: bool = True,
        use_category: bool = True,
        title_words: list[str] | None = None,
        predict_title: bool = False,
        class_words: bool = True,
        tie_language_head: bool = True,
        classes: list[str] | None = None,
        nlg_weight: float = 0.1,
        mcc_weight: float = 1.0,
        nlg_reduction: Literal["sum", "mean"] = "sum",
        mcc_temperature: float = 1.0,
        mcc_qualified_bias: float = 0.0,
        objects_below: float = 0.5,
        **kwargs: Any,
    ) -> None:
        self.tower, self.tower_size = tower, tower_size
        self.tower_mean, self.tower_deviation = list(tower_mean), list(tower_deviation)
        self.token_channels, self.global_channels, self.patches = token_channels, global_channels, patches
        self.max_images, self.fusion = max_images, fusion
        self.width, self.heads, self.dropout = width, heads, dropout
        self.attention_dropout = attention_dropout
        self.project_images, self.joint_positions = project_images, joint_positions
        self.match_images = match_images
        self.interaction_blocks, self.decoder_blocks = interaction_blocks, decoder_blocks
        self.cross_attention_blocks, self.layer_norm_epsilon = cross_attention_blocks, layer_norm_epsilon
        self.vocabulary, self.title_tokens, self.feedback_tokens = vocabulary, title_tokens, feedback_tokens
        self.use_title, self.use_category, self.predict_title = use_title, use_category, predict_title
        self.title_words = sorted(title_words or [])
        self.class_words, self.tie_language_head = class_words, tie_language_head
        self.classes = list(classes or label_space(shipped_rules()))
        self.nlg_weight, self.mcc_weight, self.nlg_reduction = nlg_weight, mcc_weight, nlg_reduction
        self.mcc_temperature, self.mcc_qualified_bias = mcc_temperature, mcc_qualified_bias
        self.objects_below = objects_below
        super().__init__(**{"tie_word_embeddings": False, **kwargs})

    def words_of(self, title: str, category: str) -> str:
        """Return the words that stand before the separator, as the switches want them."""
        if not self.use_title:
            return ""
        words = title_with_category(title, category) if self.use_category else title
        if not self.title_words:
            return words
        known = set(self.title_words)
        return " ".join(word for word in split_words(words) if word in known)

    def class_of(self, code: str) -> int:
        """Return the class of "yes", of a rule, or of "other": what a rule has that this model does not know."""
        return self.classes.index(code) if code in self.classes else self.classes.index(OTHER)

    @property
    def spoken_classes(self) -> list[str]:
        """The classes that feedback begins with a word for."""
        return self.classes if self.class_words else []

    @property
    def word_positions(self) -> int:
        """The longest word sequence: title, separator and feedback."""
        return int(self.title_tokens + 1 + self.feedback_tokens)

    @classmethod
    def lite(cls, **changes: Any) -> MuiscConfig:
        """Return the small model over the shared backbone's features: what `agpis run` uses."""
        return cls(**changes)

    @classmethod
    def paper(cls, **changes: Any) -> MuiscConfig:
        """Return the paper's model: ViT-B/16-224, N^s = 1, N^d = 3, D = 768, trained end to end (section 4.2)."""
        sizes = {
            "tower": "timm/vit_base_patch16_224", "token_channels": 768, "global_channels": 768, "patches": 196,
            "max_images": 3, "width": 768, "heads": 12, "project_images": False, "joint_positions": True, "match_images": False,
            "class_words": False, "dropout": 0.1, "attention_dropout": 0.1, "vocabulary": 21128, "title_tokens": 64, "feedback_tokens": 63, "use_category": False,
        }  # fmt: skip
        return cls(**{**sizes, **changes})

    @classmethod
    def released(cls, **changes: Any) -> MuiscConfig:
        """Return the layout of the released reference: one post-norm BERT layer, cross-attention in block 2 alone.

        Source: https://github.com/efan3000/muisc, whose checkpoint was not released.
        """
        return cls.paper(**{"cross_attention_blocks": [2], "layer_norm_epsilon": 1e-12, **changes})

    @classmethod
    def tiny(cls, **changes: Any) -> MuiscConfig:
        """Return sizes for tests: no photo needs more."""
        sizes = {
            "token_channels": 6, "global_channels": 10, "patches": 4, "max_images": 4, "width": 16, "heads": 2,
            "decoder_blocks": 2, "dropout": 0.0, "vocabulary": 300, "title_tokens": 6, "feedback_tokens": 10,
        }  # fmt: skip
        return cls(**{**sizes, **changes})
