"""Components that each break one clause of the contracts, and two that keep them all."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from agpis_sdk.components import (
    BackboneSpec,
    ComponentConfig,
    Context,
    DecodedImage,
    ImageCheckerSpec,
    ImagePair,
    ImageSequence,
    PairCheckerSpec,
    PrimarySelectorSpec,
    ReporterSpec,
    SequenceBuilderSpec,
    SequenceCandidates,
    SequenceCheckerSpec,
    image_finding,
    pair_finding,
)
from agpis_sdk.hookspecs import hookimpl
from agpis_sdk.records import Finding, GalleryAudit, Outcome, Product, SequenceVerdict
from agpis_sdk.rules import Rule

ODD = Rule(code="ODD101", name="odd-picture", summary="It is odd.", category="single-image")
UNEVEN = Rule(code="ODD201", name="uneven-pair", summary="They differ.", category="image-pair")
LONG = Rule(code="ODD301", name="long-sequence", summary="It is long.", category="multi-image")


class _Checker:
    def __init__(self, config: ComponentConfig) -> None:
        self.calls = 0


class Faithful(_Checker):
    """Flags pictures by their brightness."""

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        for image in images:
            yield image_finding(image, ODD, float(image.pixels.mean()) / 255, "bright")


class Comparing(_Checker):
    """Scores an image by its batch."""

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        for image in images:
            yield image_finding(image, ODD, 1 / len(images), "one of them")


class Remembering(_Checker):
    """Scores an image by how often it was asked."""

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        for image in images:
            self.calls += 1
            yield image_finding(image, ODD, 1 / self.calls, "again")


class Drawing(Faithful):
    """Changes the picture that it looks at, where it can."""

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        for image in images:
            image.pixels[:5] = 0
        yield from super().check_images(images, context)


class Undeclared(_Checker):
    """Raises a code that its spec does not declare."""

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        for image in images:
            yield image_finding(image, UNEVEN, 1.0, "not mine")


class NeedsTwo(_Checker):
    """Cannot cope with an empty batch."""

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> list[Finding]:
        return [image_finding(images[0], ODD, 1.0, "first")]


class Silent(_Checker):
    """Never finds anything."""

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> list[Finding]:
        return []


class OneSided(_Checker):
    """Looks at the first of a pair alone."""

    def check_pairs(self, pairs: Sequence[ImagePair], context: Context) -> Iterator[Finding]:
        for pair in pairs:
            yield pair_finding(pair, UNEVEN, float(pair.first.pixels.mean()) / 255, "uneven")


class Forgetful(_Checker):
    """Judges the first sequence of a batch alone."""

    def check_sequences(self, sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
        for sequence in sequences[:1]:
            yield SequenceVerdict(product_id=sequence.product.id, sequence=sequence.ids)


class Reading(_Checker):
    """Reads the product's title, which only a context that knows the product can tell."""

    def check_sequences(self, sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
        for sequence in sequences:
            length = len(context.product(sequence.product.id).title)
            finding = Finding(code="ODD301", images=sequence.ids, score=min(1.0, length / 100), message="long title")
            yield SequenceVerdict(product_id=sequence.product.id, sequence=sequence.ids, findings=(finding,))


class Ranking(_Checker):
    """Gives a batch's images scores by their rank in it."""

    def score_primary(self, images: Sequence[DecodedImage], context: Context) -> list[float]:
        return [1 / (rank + 1) for rank in range(len(images))]


class Counting(_Checker):
    """Gives the first image of a batch a score above 1."""

    def score_primary(self, images: Sequence[DecodedImage], context: Context) -> list[float]:
        return [float(len(images) + 1)] * len(images)


class PrimaryLast(_Checker):
    """Puts the primary image at the end."""

    def build(self, candidates: Sequence[SequenceCandidates], length: int, context: Context) -> Iterator[ImageSequence]:
        for one in candidates:
            yield ImageSequence(product=one.product, images=(*one.others[: length - 1], one.primary))


class Moody(_Checker):
    """Builds another sequence each time that it is asked."""

    def build(self, candidates: Sequence[SequenceCandidates], length: int, context: Context) -> Iterator[ImageSequence]:
        for one in candidates:
            self.calls += 1
            choices = list(itertools.permutations(one.others, length - 1))
            yield ImageSequence(product=one.product, images=(one.primary, *choices[self.calls % len(choices)]))


class SizeAware(_Checker):
    """A backbone whose map grows with the picture."""

    input_size = 8

    def preprocess(self, pixels: Any) -> Any:
        return pixels

    def features(self, images: Sequence[DecodedImage]) -> list[Mapping[str, Any]]:
        return [
            {"embedding": np.full(3, index, np.float32), "stride32": np.zeros((1, *image.pixels.shape[:2]), np.float32)}
            for index, image in enumerate(images)
        ]


class Terse(_Checker):
    """Writes nothing but the ids of products."""

    def start(self, stream: TextIO, products: str, rules: Sequence[Rule]) -> None:
        self.stream = stream

    def add(self, audit: GalleryAudit) -> None:
        self.stream.write(audit.product_id)

    def finish(self) -> None:
        """Write nothing."""


class Closing(Terse):
    """Closes the stream, which is not its own."""

    def finish(self) -> None:
        self.stream.close()


class Hasty(_Checker):
    """Writes its file before the run is over, and leaves it there."""

    def start(self, path: Path, title: str, rules: Sequence[Rule]) -> None:
        path.write_text(title)

    def add(self, product: Product | None, outcome: Outcome, images: Mapping[str, DecodedImage]) -> None:
        """Write nothing more."""

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write nothing more."""

    def discard(self) -> None:
        """Leave the file."""


class OddPlugin:
    """Announces every one of them under its class's name in lower case."""

    @hookimpl
    def agpis_image_checkers(self) -> Iterable[ImageCheckerSpec]:
        for kind in (Faithful, Comparing, Remembering, Drawing, Undeclared, NeedsTwo, Silent):
            yield ImageCheckerSpec(name=kind.__name__.lower(), factory=f"{__name__}:{kind.__name__}", rules=(ODD,))

    @hookimpl
    def agpis_pair_checkers(self) -> Iterable[PairCheckerSpec]:
        yield PairCheckerSpec(name="onesided", factory=f"{__name__}:OneSided", rules=(UNEVEN,))

    @hookimpl
    def agpis_sequence_checkers(self) -> Iterable[SequenceCheckerSpec]:
        for kind in (Forgetful, Reading):
            yield SequenceCheckerSpec(name=kind.__name__.lower(), factory=f"{__name__}:{kind.__name__}", rules=(LONG,))

    @hookimpl
    def agpis_primary_selectors(self) -> Iterable[PrimarySelectorSpec]:
        for kind in (Ranking, Counting):
            yield PrimarySelectorSpec(name=kind.__name__.lower(), factory=f"{__name__}:{kind.__name__}")

    @hookimpl
    def agpis_sequence_builders(self) -> Iterable[SequenceBuilderSpec]:
        for kind in (PrimaryLast, Moody):
            yield SequenceBuilderSpec(name=kind.__name__.lower(), factory=f"{__name__}:{kind.__name__}")

    @hookimpl
    def agpis_backbones(self) -> Iterable[BackboneSpec]:
        facts = frozenset({"embedding", "stride32"})
        yield BackboneSpec(name="sizeaware", factory=f"{__name__}:SizeAware", provides=facts)

    @hookimpl
    def agpis_reporters(self) -> Iterable[ReporterSpec]:
        yield ReporterSpec(name="terse", factory=f"{__name__}:Terse", reports="audits")
        yield ReporterSpec(name="closing", factory=f"{__name__}:Closing", reports="audits")
        yield ReporterSpec(name="hasty", factory=f"{__name__}:Hasty")


PLUGIN = OddPlugin()
