"""Check images and galleries against requirements: measurement, miss, score and message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from agpis_marketplaces.data import MarketplaceProfile, Quantity, Requirement
from agpis_marketplaces.measures import product_fill, white_background_share
from agpis_marketplaces.rules import KINDS
from agpis_sdk import DecodedImage, Product, Rule
from agpis_sdk.facts import Foreground
from agpis_sdk.media.metadata import format_of_suffix, suffix_of

SAME_SHAPE = 0.01
UPPER_MB, LOWER_MB = 1_048_576, 1_000_000
DECODED_AS = {"MPO": "JPEG", "HEIF": "HEIC"}
KIND_OF: Mapping[tuple[str, str], str] = {
    ("longer-side", "at-least"): "too-few-pixels",
    ("shorter-side", "at-least"): "too-few-pixels",
    ("longer-side", "at-most"): "too-many-pixels",
    ("shorter-side", "at-most"): "too-many-pixels",
    ("megapixels", "at-most"): "too-many-pixels",
    ("file-size", "at-most"): "oversized-file",
    ("file-size", "at-least"): "undersized-file",
    ("format", "one-of"): "format-not-accepted",
    ("extension", "matches"): "extension-mismatch",
    ("frames", "at-most"): "animated-file",
    ("white-background", "at-least"): "background-not-white",
    ("fill", "at-least"): "product-fill",
    ("fill", "at-most"): "product-fill",
    ("aspect", "one-of"): "shape-not-accepted",
    ("count", "at-least"): "gallery-too-short",
    ("count", "at-most"): "gallery-too-long",
    ("role", "includes"): "role-missing",
}


@dataclass(frozen=True)
class Violation:
    """A requirement that is not met: its rule, a score in 0.5..1, and the message."""

    rule: Rule
    score: float
    message: str


@dataclass(frozen=True)
class Subject:
    """An image with its product and foreground, and from which value on a pixel is white."""

    image: DecodedImage
    foreground: Foreground | None
    product: Product
    white_from: int

    def measured(self, requirement: Requirement) -> _Miss | None:
        """Return how the image misses a requirement, None where it meets it or cannot be measured."""
        return _MEASURES[requirement.quantity](self, requirement)

    def concerns(self, requirement: Requirement) -> bool:
        """Return whether a requirement applies to images of this shape and products of this category."""
        if requirement.category and requirement.category.lower() not in self.product.category.lower():
            return False
        return not requirement.aspect or _has_shape(self.image, requirement.aspect)


@dataclass(frozen=True)
class _Miss:
    measured: str
    wanted: str
    score: float = 1.0


def image_violations(
    profile: MarketplaceProfile, requirements: Iterable[Requirement], subject: Subject
) -> Iterator[Violation]:
    """Yield the violations of an image, the first of each kind of requirement."""
    spoken: set[str] = set()
    for requirement in requirements:
        kind = KIND_OF[requirement.quantity, requirement.operator]
        if kind in spoken or not subject.concerns(requirement):
            continue
        miss = subject.measured(requirement)
        if miss is not None:
            spoken.add(kind)
            yield _violation(profile, requirement, miss)


def gallery_violations(
    profile: MarketplaceProfile, requirements: Iterable[Requirement], product: Product, images: Sequence[DecodedImage]
) -> Iterator[Violation]:
    """Yield what a gallery as a whole misses: its number of images, and roles where the product record knows them."""
    spoken: set[str] = set()
    for requirement in requirements:
        kind = KIND_OF[requirement.quantity, requirement.operator]
        miss = _count(requirement, images) if requirement.quantity == "count" else _roles(requirement, product, images)
        if kind not in spoken and miss is not None:
            spoken.add(kind)
            yield _violation(profile, requirement, miss)


def _violation(profile: MarketplaceProfile, requirement: Requirement, miss: _Miss) -> Violation:
    kind = KINDS[KIND_OF[requirement.quantity, requirement.operator]]
    verb = "asks for" if requirement.level == "hard" else "advises"
    message = f"{miss.measured}; {profile.title} {verb} {miss.wanted} ({profile.attribution(requirement)})"
    return Violation(kind.blocking if requirement.blocks else kind.warning, miss.score, message)


# ── Numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _against(requirement: Requirement, value: float, measured: str, unit: str) -> _Miss | None:
    limit = requirement.number
    if requirement.operator == "at-least":
        return _Miss(measured, f"at least {limit:,g}{unit}") if value < limit else None
    return _Miss(measured, f"at most {limit:,g}{unit}") if value > limit else None


def _longer_side(subject: Subject, requirement: Requirement) -> _Miss | None:
    side = max(subject.image.original_width, subject.image.original_height)
    return _against(requirement, side, f"{side:,} px on the longer side", " px")


def _shorter_side(subject: Subject, requirement: Requirement) -> _Miss | None:
    side = min(subject.image.original_width, subject.image.original_height)
    return _against(requirement, side, f"{side:,} px on the shorter side", " px")


def _megapixels(subject: Subject, requirement: Requirement) -> _Miss | None:
    megapixels = subject.image.original_width * subject.image.original_height / 1e6
    return _against(requirement, megapixels, f"{megapixels:.1f} megapixels", " megapixels")


def _file_size(subject: Subject, requirement: Requirement) -> _Miss | None:
    size = subject.image.byte_count
    unit = UPPER_MB if requirement.operator == "at-most" else LOWER_MB
    return _against(requirement, size / unit, f"a file of {size / unit:.2f} MB", " MB")


def _frames(subject: Subject, requirement: Requirement) -> _Miss | None:
    if subject.image.frame_count <= requirement.number:
        return None
    return _Miss(f"an animation of {subject.image.frame_count} frames", "a still picture")


# ── Words ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _format(subject: Subject, requirement: Requirement) -> _Miss | None:
    real = _real_format(subject.image)
    return None if real in requirement.words else _Miss(f"a {real} file", _either(requirement.words))


def _extension(subject: Subject, requirement: Requirement) -> _Miss | None:
    del requirement
    uri = next(image.uri for image in subject.product.images if image.id == subject.image.id)
    ending, real = suffix_of(uri), _real_format(subject.image)
    named = format_of_suffix(ending)
    if named is None or DECODED_AS.get(named, named) == real:
        return None
    return _Miss(f'a {real} file that ends in "{ending}"', "an ending that fits the format")


def _aspect(subject: Subject, requirement: Requirement) -> _Miss | None:
    image = subject.image
    if any(_has_shape(image, ratio) for ratio in requirement.words):
        return None
    ratio = image.original_width / image.original_height
    return _Miss(f"{image.original_width} x {image.original_height} px ({ratio:.2f}:1)", _either(requirement.words))


def _real_format(image: DecodedImage) -> str:
    return DECODED_AS.get(image.format, image.format)


def _has_shape(image: DecodedImage, ratio: str) -> bool:
    width, height = map(int, ratio.split(":"))
    wanted = Fraction(width, height)
    return abs(Fraction(image.original_width, image.original_height) / wanted - 1) <= SAME_SHAPE


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


# ── Pixels ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _white_background(subject: Subject, requirement: Requirement) -> _Miss | None:
    share, limit = (
        white_background_share(subject.image.pixels, subject.foreground, subject.white_from),
        requirement.number,
    )
    if share >= limit:
        return None
    measured = f"{share:.0%} of the background along the edge is white"
    return _Miss(measured, f"a white one (at least {limit:.0%})", _distance(share, limit))


def _fill(subject: Subject, requirement: Requirement) -> _Miss | None:
    fill, limit = product_fill(subject.foreground), requirement.number
    if fill is None:
        return None
    measured = f"the product fills {fill:.0%} of the picture"
    if requirement.operator == "at-least":
        return _Miss(measured, f"at least {limit:.0%}", _distance(fill, limit)) if fill < limit else None
    return _Miss(measured, f"at most {limit:.0%}", _distance(1 - fill, 1 - limit)) if fill > limit else None


def _distance(share: float, limit: float) -> float:
    """Return a score of 0.5 at the limit that rises to 1 where the share is 0."""
    return 1 - 0.5 * share / limit


# ── The gallery ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _count(requirement: Requirement, images: Sequence[DecodedImage]) -> _Miss | None:
    return _against(requirement, len(images), f"{len(images)} image{'s' * (len(images) != 1)}", "")


def _roles(requirement: Requirement, product: Product, images: Sequence[DecodedImage]) -> _Miss | None:
    roles = product.attributes.get("roles")
    if not isinstance(roles, Mapping):
        return None
    there = {roles[image.id] for image in images if image.id in roles}
    missing = [role for role in requirement.words if role not in there]
    if not missing:
        return None
    return _Miss(f"no image has the role {_either(missing)}", f"the roles {', '.join(requirement.words)}")


_MEASURES: Mapping[Quantity, Callable[[Subject, Requirement], _Miss | None]] = {
    "longer-side": _longer_side,
    "shorter-side": _shorter_side,
    "megapixels": _megapixels,
    "file-size": _file_size,
    "format": _format,
    "extension": _extension,
    "frames": _frames,
    "white-background": _white_background,
    "fill": _fill,
    "aspect": _aspect,
}
GALLERY_QUANTITIES = frozenset({"count", "role"})
