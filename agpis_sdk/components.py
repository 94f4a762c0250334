"""The protocols that a plugin's components implement, and the findings that they build.

Every protocol takes a batch and a context, so new data becomes an attribute, not an argument. What components see is in
`images.py`, how a plugin announces them in `specs.py`; both can be imported from here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple, Protocol, TextIO, runtime_checkable

from agpis_sdk.images import DecodedImage as DecodedImage
from agpis_sdk.images import FixablePicture as FixablePicture
from agpis_sdk.images import ImagePair as ImagePair
from agpis_sdk.images import ImageSequence as ImageSequence
from agpis_sdk.images import SequenceCandidates as SequenceCandidates
from agpis_sdk.records import Finding, GalleryAudit, Outcome, Product, SequenceVerdict, Unjudged
from agpis_sdk.rules import Rule, RuleSet
from agpis_sdk.specs import COMPONENT_NAME as COMPONENT_NAME
from agpis_sdk.specs import EVERY_RULE as EVERY_RULE
from agpis_sdk.specs import FACTORY as FACTORY
from agpis_sdk.specs import BackboneSpec as BackboneSpec
from agpis_sdk.specs import ComponentConfig as ComponentConfig
from agpis_sdk.specs import ComponentSpec as ComponentSpec
from agpis_sdk.specs import FixerSpec as FixerSpec
from agpis_sdk.specs import FormatSpec as FormatSpec
from agpis_sdk.specs import ImageCheckerSpec as ImageCheckerSpec
from agpis_sdk.specs import PairCheckerSpec as PairCheckerSpec
from agpis_sdk.specs import PrimarySelectorSpec as PrimarySelectorSpec
from agpis_sdk.specs import Profile as Profile
from agpis_sdk.specs import ReaderSpec as ReaderSpec
from agpis_sdk.specs import ReporterSpec as ReporterSpec
from agpis_sdk.specs import Reports as Reports
from agpis_sdk.specs import SequenceBuilderSpec as SequenceBuilderSpec
from agpis_sdk.specs import SequenceCheckerSpec as SequenceCheckerSpec
from agpis_sdk.specs import WriterSpec as WriterSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_REPORTED_SCORE: Final = 0.05
"""The score from which a checker reports a finding at all: far below any threshold, so that a config may lower them."""


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
    def sequence_fewest(self) -> int:
        """The fewest images that a target sequence may have; a builder may leave images out down to it."""
        ...

    @property
    def sequence_threshold(self) -> float:
        """The acceptance probability (p^t) from which on a sequence is submitted, 0..1."""
        ...

    @property
    def rules(self) -> RuleSet:
        """All rules of the run, of every plugin."""
        ...

    def selected(self, code: str) -> bool:
        """Return whether the config lets the rule of a code be reported: one that it does not need not be judged."""
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

    def facts_of_product(self, product_id: str, name: str) -> Mapping[str, Any]:
        """Return a fact about every image of a product that has it, by image id in listed order."""
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

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterable[Finding | Unjudged]:
        """Yield findings about the images of a batch, which may belong to several products.

        A finding names its image as `images=(image.id,)`; as ids repeat between products, build it with
        `image_finding(image, …)`, which keeps the product. What raises costs the image all its rules; `Unjudged` costs it one.
        """
        ...


@runtime_checkable
class PairChecker(Protocol):
    """Finds violations of image-pair rules (paper section 3.3.2)."""

    def check_pairs(self, pairs: Sequence[ImagePair], context: Context) -> Iterable[Finding | Unjudged]:
        """Yield findings about the pairs of a batch, built with `pair_finding(pair, …)`, or `Unjudged`."""
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
        """Yield a sequence of `length` images for each product; `len(others) >= length - 1` is guaranteed.

        A sequence may be shorter, down to `context.sequence_fewest`, where further images would make it worse.
        """
        ...


@runtime_checkable
class FeatureSource(Protocol):
    """Gives facts of images: a backbone its own, a run also what its image checkers measure."""

    def features(self, images: Sequence[DecodedImage]) -> Sequence[Mapping[str, Any]]:
        """Return the facts of each image, by name."""
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

    def preprocess(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the normalized, letterboxed (3, input_size, input_size) array of one image."""
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


@runtime_checkable
class Fixer(Protocol):
    """Mends a picture where an operation on it does that without inventing what it shows (`agpis fix`)."""

    def fix(self, picture: FixablePicture, finding: Finding) -> FixablePicture | None:
        """Return the picture as it should be; None where this cannot mend what the finding says.

        The finding's boxes are in pixels of the original; `picture` may have been cropped by another fixer already.
        """
        ...


# ── Formats of shops, in and out ─────────────────────────────────────────────────────────────────────────────────────


class ReadRecord(NamedTuple):
    """The fields of a product as a reader has found them, and where: "row 7", "item 3"."""

    place: str
    fields: Mapping[str, Any]


class ProductSource(Protocol):
    """What a reader is given: a file or a folder, and where to say what it has not taken."""

    @property
    def path(self) -> Path:
        """The file or folder; relative uris of images are resolved against it, or against the file's folder."""
        ...

    @property
    def head(self) -> bytes:
        """The first bytes of the file, unpacked where it is packed with gzip; empty for a folder."""
        ...

    @property
    def columns(self) -> Mapping[str, Sequence[str]]:
        """Which columns the user has named for a field (`--map`); empty where none."""
        ...

    def open(self) -> AbstractContextManager[BinaryIO]:
        """Open the file, unpacked where it is packed with gzip."""
        ...

    def text(self) -> AbstractContextManager[TextIO]:
        """Open the file as text in its own encoding, ends of lines as they are."""
        ...

    def note(self, notice: str) -> None:
        """Say something about the whole file that the user should know; a line for people."""
        ...

    def skip(self, place: str, why: str) -> None:
        """Say what was not understood, such as ("row 7", "has no id"); it is counted, and the first few are shown."""
        ...


@runtime_checkable
class ProductReader(Protocol):
    """Reads products from a format of shops (`agpis run --from`)."""

    def recognizes(self, source: ProductSource) -> bool:
        """Tell from a file's head, or a folder's content, whether it is of the format."""
        ...

    def read(self, source: ProductSource) -> Iterable[ReadRecord]:
        """Yield the products in the file's order, the fields of each as a line of products.jsonl has them.

        Raises `InputFileError` where the file as a whole is not of the format.
        """
        ...


class Export(Protocol):
    """What a writer is given beside the outcomes."""

    @property
    def path(self) -> Path:
        """Where to write: a file, or a folder that does not exist yet; it appears under its name once it is whole."""
        ...

    @property
    def source(self) -> ProductSource | None:
        """The file that the products were read from; None where the user has named none."""
        ...

    def read_image(self, uri: str) -> bytes:
        """Return the bytes of an image; raises `ImageReadError`."""
        ...

    def skip(self, place: str, why: str) -> None:
        """Say what was not written, such as ('product "P1"', "is not in the file")."""
        ...


@runtime_checkable
class OutcomeWriter(Protocol):
    """Brings the decisions of a run back into a shop, or on to another tool (`agpis apply --to`)."""

    def write(self, outcomes: Iterable[Outcome], export: Export) -> None:
        """Write all outcomes to `export.path`; raises `InputFileError` where the source is not of the format."""
        ...


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
    remedy: str = "",
) -> AttributedFinding:
    """Build a finding about one image; `boxes` are in original pixels, `remedy` says what to do where the rule's is too general."""
    regions = tuple({"image": image.id, "box": box} for box in boxes)
    return AttributedFinding.model_validate(
        {
            "product_id": image.product_id,
            "code": rule.code,
            "name": rule.name,
            "images": (image.id,),
            "score": score,
            "message": message,
            "remedy": remedy,
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
