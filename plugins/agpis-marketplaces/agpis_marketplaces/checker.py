"""The checkers: what holds for every image, and what holds for the main image, the others and the gallery.

The main image is the first of the sequence: in an audit the first that the shop lists, in a run the chosen primary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agpis_marketplaces.config import MarketplacesConfig
from agpis_marketplaces.requirements import GALLERY_QUANTITIES, Subject, gallery_violations, image_violations
from agpis_sdk import Context, DecodedImage, Finding, ImageSequence, SequenceVerdict, image_finding


class ImageRequirementsChecker:
    """Holds each image against the requirements that are about all images."""

    def __init__(self, config: MarketplacesConfig) -> None:
        self._white_from = config.white_from
        self._profile, requirements = config.requirements()
        self._requirements = [
            requirement
            for requirement in requirements
            if requirement.images == "all" and requirement.quantity not in GALLERY_QUANTITIES
        ]

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        """Yield a finding for each kind of requirement that an image misses."""
        if self._profile is None:
            return
        for image in images:
            subject = Subject(
                image, context.fact(image, "foreground"), context.product(image.product_id), self._white_from
            )
            for violation in image_violations(self._profile, self._requirements, subject):
                yield image_finding(image, violation.rule, violation.score, violation.message)


class GalleryRequirementsChecker:
    """Holds the main image, the others, and the gallery as a whole against the requirements about them."""

    def __init__(self, config: MarketplacesConfig) -> None:
        self._white_from = config.white_from
        self._profile, requirements = config.requirements()
        self._gallery = [one for one in requirements if one.quantity in GALLERY_QUANTITIES]
        self._main = [one for one in requirements if one.images == "main"]
        self._others = [one for one in requirements if one.images == "others"]

    def check_sequences(self, sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
        """Yield one verdict per gallery."""
        for sequence in sequences:
            findings = tuple(self._findings(sequence, context))
            yield SequenceVerdict(product_id=sequence.product.id, sequence=sequence.ids, findings=findings)

    def _findings(self, sequence: ImageSequence, context: Context) -> Iterator[Finding]:
        if self._profile is None:
            return
        for position, image in enumerate(sequence.images):
            requirements = self._others if position else self._main
            subject = Subject(image, context.fact(image, "foreground"), sequence.product, self._white_from)
            for violation in image_violations(self._profile, requirements, subject):
                yield image_finding(image, violation.rule, violation.score, violation.message)
        for violation in gallery_violations(self._profile, self._gallery, sequence.product, sequence.images):
            # About no image in particular: the finding stays the same when images come and go.
            yield Finding(code=violation.rule.code, images=(), score=violation.score, message=violation.message)
