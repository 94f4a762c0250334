"""The protocols that a plugin's components implement, and the light specs by which it announces them.

A spec is registered without importing anything heavy; its `factory` string is imported only when a run needs it.
Every protocol takes a batch and a context, so new data becomes an attribute, not an argument.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TextIO, get_args, runtime_checkable

from pydantic import BaseModel, ConfigDict

from agpis_sdk.records import Finding, GalleryAudit, Outcome, Product, SequenceVerdict
from agpis_sdk.rules import Rule, RuleSet

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

COMPONENT_NAME = re.compile(r"^[a-z0-9][a-z0-9._-]*$")
EVERY_RULE: Final = ""
MIN_REPORTED_SCORE: Final = 0.05
"""The score from which a checker reports a finding at all: far below any threshold, so that a config may lower them."""
FACTORY = re.compile(r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")

Reports = Literal["outcomes", "audits"]


class ComponentConfig(BaseModel):
    """The base of every component's settings: frozen; an unknown key is an error, and so is a NaN or an infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


# ── What components see ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True, eq=False)
class DecodedImage:
    """A candidate image as components see it; it must not be changed.

    `pixels` is (height, width, 3) uint8 RGB at the working size, transparent parts composited over white.
    `original_width` and `original_height` are those of the file after EXIF rotation; `scale` turns a length in
    `pixels` into original pixels. `detail` is the (h, w) uint8 luma of the picture's middle at the finest size that was
    decoded, None where that is unknown, and `detail_scale` its scale. `suffix` is the ending of the file's name (".jpg"),
    `jpeg_quality` what a JPEG was last saved at, 1..100, and `digital_source_types` the IPTC terms in the metadata.
    """

    product_id: str
    id: str
    position: int
    pixels: NDArray[np.uint8]
    original_width: int
    original_height: int
    scale: float
    byte_count: int
    sha256: str
    format: str
    frame_count: int = 1
    suffix: str = ""
    jpeg_quality: int | None = None
    digital_source_types: tuple[str, ...] = ()
    detail: NDArray[np.uint8] | None = None
    detail_scale: float = 1.0

    @property
    def key(self) -> tuple[str, str]:
        """The image's identity in a run: product id and image id."""
        return (self.product_id, self.id)

    def original_box(self, x: float, y: float, width: float, height: float) -> tuple[int, int, int, int]:
        """Turn a box in working pixels into one in original pixels, clipped to the image."""
        left = min(max(round(x * self.scale), 0), self.original_width - 1)
        top = min(max(round(y * self.scale), 0), self.original_height - 1)
        right = min(max(round((x + width) * self.scale), left + 1), self.original_width)
        bottom = min(max(round((y + height) * self.scale), top + 1), self.original_height)
        return (left, top, right - left, bottom - top)


@dataclass(frozen=True, eq=False)
class ImagePair:
    """Two different images: of one product, in listed order, or of two products where a catalog index asks."""

    first: DecodedImage
    second: DecodedImage


@dataclass(frozen=True, kw_only=True, eq=False)
class SequenceCandidates:
    """What stage 1 left of one product: its primary image, and the other usable images in listed order.

    `primary_alternatives` are those of the others that are about as good a primary image, by `primary.margin`: a sequence may
    begin with one of them instead.
    """

    product: Product
    primary: DecodedImage
    others: tuple[DecodedImage, ...]
    primary_alternatives: tuple[DecodedImage, ...] = ()

    def excluding(self, first: DecodedImage) -> tuple[DecodedImage, ...]:
        """Return the images that may follow `first`, in listed order."""
        rest = [image for image in (self.primary, *self.others) if image is not first]
        return tuple(sorted(rest, key=lambda image: image.position))


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageSequence:
    """An ordered target sequence I^t of one product; the first image is the primary one."""

    product: Product
    images: tuple[DecodedImage, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The image ids in order."""
        return tuple(image.id for image in self.images)


class Context(Protocol):
    """What a component may ask of the run.

    Facts are computed once per image, whoever asks. `embedding` is (channels,) float32 and `stride16` is
    (channels, height, width) float32, both of the configured backbone on the letterboxed image.
    """

    @property
    def seed(self) -> int:
        """The run's seed; mix it with a product id for a seed per product."""
        ...

    @property
    def device(self) -> str:
        """The torch device on which models run, such as "cpu" or "cuda"."""
        ...

    @property
    def sequence_length(self) -> int:
        """K^t, the number of images in a target sequence."""
        ...

    @property
    def rules(self) -> RuleSet:
        """All rules of the run, of every plugin."""
        ...

    @property
    def backbone(self) -> Backbone:
        """The configured backbone."""
        ...

    def product(self, product_id: str) -> Product:
        """Return the product that an image belongs to."""
        ...

    def fact(self, image: DecodedImage, name: str) -> Any:
        """Return a fact about an image; raises `KeyError` naming the fact when nothing has provided it."""
        ...

    def provide(self, image: DecodedImage, name: str, value: Any) -> None:
        """Record a fact that the component's spec lists under `provides`."""
        ...

    def p_qualified(self, sequences: Sequence[ImageSequence]) -> Sequence[float]:
        """Return the configured scorer's p^t of each sequence, in order; for builders announced with `needs_scorer`."""
        ...


# ── Protocols ────────────────────────────────────────────────────────────────────────────────────────────────────────


@runtime_checkable
class ImageChecker(Protocol):
    """Finds violations of single-image rules (paper section 3.3.1)."""

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterable[Finding]:
        """Yield findings about the images of a batch, which may belong to several products.

        A finding names its image as `images=(image.id,)`; as ids repeat between products, build it with
        `image_finding(image, …)`, which keeps the product.
        """
        ...


@runtime_checkable
class PairChecker(Protocol):
    """Finds violations of image-pair rules (paper section 3.3.2)."""

    def check_pairs(self, pairs: Sequence[ImagePair], context: Context) -> Iterable[Finding]:
        """Yield findings about the pairs of a batch, built with `pair_finding(pair, …)`."""
        ...


@runtime_checkable
class SequenceChecker(Protocol):
    """Judges whole sequences (paper section 3.4); the configured scorer's `p_qualified` is p^t."""

    def check_sequences(self, sequences: Sequence[ImageSequence], context: Context) -> Iterable[SequenceVerdict]:
        """Yield one verdict per sequence, in any order; it is matched by product id and image ids."""
        ...


@runtime_checkable
class SequenceScorer(SequenceChecker, Protocol):
    """A scorer that can give p^t alone, which is quicker than a verdict with feedback: what a search asks for."""

    def score_sequences(self, sequences: Sequence[ImageSequence], context: Context) -> Sequence[float]:
        """Return p^t of each sequence, in the order given; the same as `check_sequences` would give."""
        ...


@runtime_checkable
class PrimarySelector(Protocol):
    """Scores how likely an image is the primary one (p_primary, paper Eq. 1)."""

    def score_primary(self, images: Sequence[DecodedImage], context: Context) -> Sequence[float]:
        """Return one probability in 0..1 per image, in the order given."""
        ...


@runtime_checkable
class SequenceBuilder(Protocol):
    """Builds target sequences from what stage 1 left (end of paper section 3.3.2)."""

    def build(self, candidates: Sequence[SequenceCandidates], length: int, context: Context) -> Iterable[ImageSequence]:
        """Yield a sequence of `length` images for each product; `len(others) >= length - 1` is guaranteed."""
        ...


@runtime_checkable
class Backbone(Protocol):
    """Turns pixels into features, one pass for everyone who asks."""

    @property
    def input_size(self) -> int:
        """The side of the square input in pixels."""
        ...

    def features(self, images: Sequence[DecodedImage]) -> Sequence[Mapping[str, NDArray[np.float32]]]:
        """Return for each image its facts: "embedding" (channels,) and three maps (channels, h, w).

        They are named by how many input pixels a cell spans, as timm names reductions: "stride32" is the last, semantic
        map, regions are cut from "stride16", and "stride8" is the finest. A model of a single stride gives its own map
        under all three names.
        """
        ...

    def preprocess(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        """Return the normalized, letterboxed (3, input_size, input_size) float32 tensor of one image."""
        ...


@runtime_checkable
class TrainedOnBackbone(Protocol):
    """A component whose weights were trained on one backbone's facts: it is asked before the first product."""

    def check_backbone(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Raise `WeightsError` where the configured backbone's facts, shapes by name, are not what it was trained on."""
        ...


@runtime_checkable
class OutcomeReporter(Protocol):
    """Turns the outcomes of a run into one file (`agpis run --report`)."""

    def start(self, path: Path, title: str, rules: Sequence[Rule]) -> None:
        """Begin a report; nothing appears at `path` before `finish`."""
        ...

    def add(self, product: Product | None, outcome: Outcome, images: Mapping[str, DecodedImage]) -> None:
        """Take in one outcome, in input order; `product` is None where a record was no product."""
        ...

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write the report; `summary` holds seconds, images and the threshold on p^t."""
        ...

    def discard(self) -> None:
        """Give the report up without a trace: the run was broken off."""
        ...


@runtime_checkable
class AuditReporter(Protocol):
    """Writes the galleries of an audit to a stream as they come (`agpis audit --format`)."""

    def start(self, stream: TextIO, products: str, rules: Sequence[Rule]) -> None:
        """Begin; `products` is the path of the audited file, or "stdin", and `rules` are all that the audit can raise."""
        ...

    def add(self, audit: GalleryAudit) -> None:
        """Write what was found in one gallery, in input order; `audit.error` is set where a record was no product."""
        ...

    def finish(self) -> None:
        """Write what comes last; the stream stays open."""
        ...


# ── Specs ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class ComponentSpec:
    """What a plugin announces about one component without importing it.

    `factory` is `"package.module:Class"`, called with the validated config, and with `device=run.device` where it has a
    parameter of that name. `aliases` are further names by which a config may call the component. `rules` are the rules that it declares and
    raises; `also_raises` are codes, or prefixes of codes, of rules that other components declare (`EVERY_RULE` for a
    model that learns rules from reviews). `rules_from` is `"package.module:function"` of a light function that takes
    the component's settings and returns further rules, for rules that users write in their config. `requires` and `provides` name facts. `trainer` and `evaluator` are
    `"package.module:function"` of `agpis train NAME` and `agpis evaluate` (see `agpis_sdk.training.request`), and
    `trainer_config` the trainer's options.
    """

    name: str
    factory: str
    aliases: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    rules_from: str = ""
    also_raises: tuple[str, ...] = ()
    config: type[ComponentConfig] = ComponentConfig
    requires: frozenset[str] = field(default_factory=frozenset)
    provides: frozenset[str] = field(default_factory=frozenset)
    batch_size: int = 32
    trainer: str = ""
    trainer_config: type[ComponentConfig] = ComponentConfig
    evaluator: str = ""

    def __post_init__(self) -> None:
        if not COMPONENT_NAME.match(self.name):
            raise ValueError(f'component name "{self.name}": use lower-case letters, digits, ".", "_" and "-"')
        if not FACTORY.match(self.factory):
            raise ValueError(f'component "{self.name}": factory "{self.factory}" is not "package.module:Class"')
        for role in ("rules_from", "trainer", "evaluator"):
            reference = getattr(self, role)
            if reference and not FACTORY.match(reference):
                raise ValueError(f'component "{self.name}": {role} "{reference}" is not "package.module:function"')
        if self.batch_size < 1:
            raise ValueError(f'component "{self.name}": batch_size must be at least 1')

    def raises(self, code: str) -> bool:
        """Return whether the component may raise the rule of a code."""
        return code.startswith(self.also_raises) or any(rule.code == code for rule in self.rules)


class ImageCheckerSpec(ComponentSpec):
    """Announces an `ImageChecker`."""


class PairCheckerSpec(ComponentSpec):
    """Announces a `PairChecker`."""


@dataclass(frozen=True, kw_only=True)
class SequenceCheckerSpec(ComponentSpec):
    """Announces a `SequenceChecker`.

    One that `gives_probability` is a scorer: it runs only when `sequence.scorer` names it. The others always run.
    """

    gives_probability: bool = False


class PrimarySelectorSpec(ComponentSpec):
    """Announces a `PrimarySelector`."""


@dataclass(frozen=True, kw_only=True)
class SequenceBuilderSpec(ComponentSpec):
    """Announces a `SequenceBuilder`.

    One that `needs_scorer` asks the context for p^t; it is refused where `sequence.scorer` is "none".
    """

    needs_scorer: bool = False


class BackboneSpec(ComponentSpec):
    """Announces a `Backbone`; `name` is what `backbone.name` in the config selects."""


@dataclass(frozen=True, kw_only=True)
class ReporterSpec(ComponentSpec):
    """Announces an `OutcomeReporter` or, with `reports="audits"`, an `AuditReporter`.

    `format` is what users write: the ending of `--report FILE`, or the name after `--format`. It is the component's name
    unless it is given; two reporters may share a format where one reports outcomes and the other audits.
    """

    reports: Reports = "outcomes"
    format: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.reports not in get_args(Reports):
            raise ValueError(f'component "{self.name}": reports "{self.reports}" is not "outcomes" or "audits"')
        if not self.format:
            object.__setattr__(self, "format", self.name)
        if not COMPONENT_NAME.match(self.format):
            raise ValueError(f'component "{self.name}": format "{self.format}" is not a name such as "csv"')


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A named set of settings that lies between the defaults and the user's own config."""

    name: str
    summary: str
    settings: Mapping[str, Any]


# ── Findings that remember their product ─────────────────────────────────────────────────────────────────────────────


class AttributedFinding(Finding):
    """A finding together with the product it is about; the engine takes the product off again."""

    product_id: str


def image_finding(
    image: DecodedImage,
    rule: Rule,
    score: float,
    message: str,
    boxes: Iterable[tuple[int, int, int, int]] = (),
) -> AttributedFinding:
    """Build a finding about one image; `boxes` are in original pixels."""
    regions = tuple({"image": image.id, "box": box} for box in boxes)
    return AttributedFinding.model_validate(
        {
            "product_id": image.product_id,
            "code": rule.code,
            "name": rule.name,
            "images": (image.id,),
            "score": score,
            "message": message,
            "regions": regions,
        }
    )


def pair_finding(
    pair: ImagePair,
    rule: Rule,
    score: float,
    message: str,
    boxes: tuple[tuple[int, int, int, int], tuple[int, int, int, int]] | None = None,
) -> AttributedFinding:
    """Build a finding about a pair; `boxes` are the matched boxes in the first and the second image."""
    ids = (pair.first.id, pair.second.id)
    regions = tuple({"image": image_id, "box": box} for image_id, box in zip(ids, boxes or (), strict=False))
    return AttributedFinding.model_validate(
        {
            "product_id": pair.first.product_id,
            "code": rule.code,
            "name": rule.name,
            "images": ids,
            "score": score,
            "message": message,
            "regions": regions,
        }
    )


Factory = Callable[[ComponentConfig], object]
