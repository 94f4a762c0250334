"""Synthetic reviews: accepted sequences, and sequences that violate a known rule.

Single-image violations are drawn into an image, image-pair violations made of real variants, strangers and copies,
multi-image violations of order, completeness and title.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.synthetic import augmentations
from agpis_sdk.synthetic.feedback import about_all, about_one, about_two, and_also
from agpis_sdk.synthetic.galleries import BACK_VIEWS, Gallery, Pixels
from agpis_sdk.synthetic.violations import KINDS, Split, hard_negative, inject

# Shares of accepted, single-image, image-pair and multi-image samples (paper Table 1).
TABLE_1 = (0.71, 0.12, 0.07, 0.10)
# Of the rejected samples, those with a second violation (paper section 4.1).
TWO_RULES = 0.047
ACCEPTED = "yes"
LONGEST = 4
# The position of a product in its picture can be measured on a plain background only.
ON_PLAIN_GROUND = ("too-small", "cropped", "off-center")
HARMLESS_ALONE = ("mild recompression", "small change of light", "resized picture")
COLORFUL = 0.35
COLORS = ("black", "blue", "gray", "green", "orange", "purple", "red", "white", "yellow")
LOUD_GROUNDS = ((196, 40, 48), (30, 110, 190), (250, 205, 40), (40, 140, 80), (60, 60, 66), (230, 120, 170))


def rows_as_in_table_1(qualified: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return rows of all accepted reviews, and of as many rejected ones, drawn by a fixed seed, as the paper's Table 1 has.

    What is trained on as many rejected as accepted reviews is calibrated and judged on these.
    """
    accepted, rejected = np.flatnonzero(qualified), np.flatnonzero(~qualified)
    count = round(len(accepted) * (1 - TABLE_1[0]) / TABLE_1[0])
    return np.sort(np.concatenate([accepted, np.random.default_rng(0).permutation(rejected)[:count]]))


@dataclass(frozen=True)
class SyntheticReview:
    """A sequence and its review: what the images show, their pixels, the broken rules and the reviewer's words."""

    names: tuple[str, ...]
    views: tuple[str, ...]
    pixels: tuple[Pixels, ...] = field(compare=False)
    title: str
    category: str
    rules: tuple[str, ...] = ()
    feedback: str = ACCEPTED
    position: int | None = None
    box: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, eq=False)
class SequenceSampler:
    """Draws the sequences of one product from its gallery, the other galleries of its split, and a random source."""

    gallery: Gallery
    strangers: Sequence[Gallery]
    rng: np.random.Generator

    @property
    def split(self) -> Split:
        """Which fonts, marks, phrases and layouts may be drawn: those of the test split occur in no other."""
        return "test" if self.gallery.split == "test" else "train"

    def chance(self, probability: float) -> bool:
        """Return True with the given probability."""
        return bool(self.rng.random() < probability)

    def choice(self, items: Sequence[str]) -> str:
        """Return one of the items, each as likely as the next."""
        return items[int(self.rng.integers(len(items)))]


def synthetic_reviews(
    sampler: SequenceSampler, count: int, shares: Sequence[float] = TABLE_1
) -> Iterator[SyntheticReview]:
    """Yield up to `count` sequences of one product; `shares` of accepted, single, pair and multi-image samples.

    A gallery with one photo gives sequences of one image, and no pairs.
    """
    makers = (_accepted, _single, _pair, _multi)
    for _ in range(count):
        maker = makers[int(sampler.rng.choice(len(makers), p=np.asarray(shares) / sum(shares)))]
        review = maker(sampler)
        if review is not None:
            yield _with_second(review, sampler) if review.rules and sampler.chance(TWO_RULES) else review


def _clean(sampler: SequenceSampler) -> SyntheticReview:
    """Return a clean review: the main view first, then others, jittered in framing, light and sometimes color."""
    gallery, rng = sampler.gallery, sampler.rng
    lengths = range(1, min(gallery.length, LONGEST) + 1)
    weights = np.array([0.12, 0.28, 0.5, 0.1])[: len(lengths)]
    if gallery.length > 1:
        weights[0] *= 0.5
    length = int(rng.choice(lengths, p=weights / weights.sum()))
    others = [str(name) for name in rng.permutation(np.array(gallery.others, dtype=object))[: length - 1]]
    names = (gallery.main, *others)
    pixels = tuple(gallery.photos[name] for name in names)
    title = gallery.product.title
    # Print on a carton must stay readable, so only what comes in several colors is mirrored or dyed.
    if gallery.variants and sampler.chance(0.5):
        pixels = tuple(augmentations.mirrored(image) for image in pixels)
    if gallery.variants and sampler.chance(0.45):
        degrees = float(rng.uniform(40, 320))
        pixels = tuple(augmentations.recolored(image, degrees) for image in pixels)
    elif gallery.color and sampler.chance(0.4):
        title = f"{title} {gallery.color}" if sampler.chance(0.5) else f"{gallery.color} {title}"
    pixels = tuple(augmentations.retaken(image, rng) for image in pixels)
    category = "" if sampler.chance(0.3) else gallery.product.category
    return SyntheticReview(names, tuple(gallery.views[name] for name in names), pixels, title, category)


def _accepted(sampler: SequenceSampler) -> SyntheticReview:
    review = _clean(sampler)
    if sampler.chance(0.25):
        position = int(sampler.rng.integers(len(review.pixels)))
        # Printed cloth is on one image and plain on the others only in a violation: one image alone may be dyed.
        fine, what = hard_negative(review.pixels[position], sampler.rng, split=sampler.split)
        if len(review.pixels) == 1 or what in HARMLESS_ALONE:
            return _changed(review, position, review.names[position], fine)
    return review


def _single(sampler: SequenceSampler) -> SyntheticReview:
    review = _clean(sampler)
    if review.views[-1] == "setting" and sampler.chance(0.15):
        return _setting_first(review, sampler)
    position = int(sampler.rng.integers(len(review.pixels)))
    plain = augmentations.plain_ground(review.pixels[position]) is not None
    kinds = [kind for kind in KINDS if plain or kind not in ON_PLAIN_GROUND]
    return _inject(review, sampler.choice(kinds), position, sampler)


def _inject(review: SyntheticReview, kind: str, position: int, sampler: SequenceSampler) -> SyntheticReview:
    count = min(3, len(sampler.strangers))
    chosen = [sampler.strangers[int(at)] for at in sampler.rng.choice(len(sampler.strangers), count, replace=False)]
    others = [stranger.photos[stranger.main] for stranger in chosen] or list(review.pixels)
    violation = inject(kind, review.pixels[position], sampler.rng, split=sampler.split, others=others)
    feedback = about_one(violation.code, position, violation.thing, violation.place, sampler.rng)
    changed = _changed(review, position, review.names[position], violation.pixels)
    return replace(changed, rules=(violation.code,), feedback=feedback, position=position, box=violation.box)


def _setting_first(review: SyntheticReview, sampler: SequenceSampler) -> SyntheticReview:
    """Put an in-store photo first, where the product alone should be."""
    order = (len(review.pixels) - 1, *range(1, len(review.pixels) - 1), 0)
    feedback = about_one("AGP115", 0, "a store's shelf behind the product", "whole image", sampler.rng)
    return replace(_ordered(review, order), rules=("AGP115",), feedback=feedback, position=0)


def _with_second(review: SyntheticReview, sampler: SequenceSampler) -> SyntheticReview:
    """Add a second violation, in an image that has none."""
    free = [place for place in range(len(review.pixels)) if place != review.position]
    if not free:
        return review
    position = free[int(sampler.rng.integers(len(free)))]
    second = _inject(review, sampler.choice(("banner", "watermark", "blur", "price-badge")), position, sampler)
    return replace(
        review,
        pixels=second.pixels,
        rules=(*review.rules, *second.rules),
        feedback=and_also(review.feedback, second.feedback, sampler.rng),
    )


def _pair(sampler: SequenceSampler) -> SyntheticReview | None:
    review = _clean(sampler)
    if len(review.pixels) < 2 or not sampler.strangers:
        return None
    position = int(sampler.rng.integers(1, len(review.pixels)))
    makers = tuple(PAIR_MAKERS)
    maker = makers[int(sampler.rng.choice(len(makers), p=list(PAIR_MAKERS.values())))]
    return maker(review, position, sampler)


def _source(review: SyntheticReview, position: int, sampler: SequenceSampler) -> int:
    return int(sampler.rng.choice([place for place in range(len(review.pixels)) if place != position]))


def _copy(review: SyntheticReview, position: int, sampler: SequenceSampler) -> SyntheticReview:
    source = _source(review, position, sampler)
    pixels, how = augmentations.copied(review.pixels[source], sampler.rng)
    return _two(review, "AGP201", source, position, pixels, f"the same photo, {how}", sampler)


def _exact_copy(review: SyntheticReview, position: int, sampler: SequenceSampler) -> SyntheticReview:
    source = _source(review, position, sampler)
    return _two(review, "AGP202", source, position, review.pixels[source], "the same picture twice", sampler)


def _similar_angle(review: SyntheticReview, position: int, sampler: SequenceSampler) -> SyntheticReview:
    source = _source(review, position, sampler)
    pixels = augmentations.from_nearly_the_same_angle(review.pixels[source], sampler.rng)
    return _two(review, "AGP203", source, position, pixels, "nearly the same shot", sampler)


def _repeated_detail(review: SyntheticReview, position: int, sampler: SequenceSampler) -> SyntheticReview:
    pixels = augmentations.close_up(review.pixels[0], sampler.rng)
    return _two(review, "AGP206", 0, position, pixels, "a part of the first one, enlarged", sampler)


def _other_color(review: SyntheticReview, position: int, sampler: SequenceSampler) -> SyntheticReview:
    """A real variant where there is one, else the same view in a hue that is plainly another."""
    gallery = sampler.gallery
    if gallery.variants and (sampler.chance(0.5) or augmentations.colorfulness(review.pixels[position]) < COLORFUL):
        name = sampler.choice(gallery.variants)
        pixels = augmentations.retaken(gallery.photos[name], sampler.rng)
        return _two(review, "AGP204", 0, position, pixels, "the color is not the same", sampler)
    if augmentations.colorfulness(review.pixels[position]) < COLORFUL:
        return _other_product(review, position, sampler)
    pixels = augmentations.recolored(review.pixels[position], float(sampler.rng.uniform(70, 290)))
    return _two(review, "AGP204", 0, position, pixels, "the color is not the same", sampler)


def _other_product(review: SyntheticReview, position: int, sampler: SequenceSampler) -> SyntheticReview:
    stranger = sampler.strangers[int(sampler.rng.integers(len(sampler.strangers)))]
    name = sampler.choice((stranger.main, *stranger.others))
    pixels = augmentations.retaken(stranger.photos[name], sampler.rng)
    return _two(review, "AGP205", 0, position, pixels, "they are not the same product", sampler)


def _other_style(review: SyntheticReview, position: int, sampler: SequenceSampler) -> SyntheticReview:
    pixels, how = augmentations.in_other_style(review.pixels[position], sampler.rng)
    return _two(review, "AGP207", 0, position, pixels, how, sampler)


PairMaker = Callable[[SyntheticReview, int, SequenceSampler], SyntheticReview]
PAIR_MAKERS: Mapping[PairMaker, float] = {
    _copy: 0.26,
    _exact_copy: 0.06,
    _similar_angle: 0.1,
    _repeated_detail: 0.12,
    _other_color: 0.22,
    _other_product: 0.16,
    _other_style: 0.08,
}


def _two(
    review: SyntheticReview, code: str, first: int, position: int, pixels: Pixels, thing: str, sampler: SequenceSampler
) -> SyntheticReview:
    low, high = sorted((first, position))
    feedback = about_two(code, low, high, thing, sampler.rng)
    changed = _changed(review, position, "replaced", pixels)
    return replace(changed, rules=(code,), feedback=feedback, position=position)


def _multi(sampler: SequenceSampler) -> SyntheticReview | None:
    review = _clean(sampler)
    if len(review.pixels) < 2 or sampler.chance(0.3):
        return _wrong_title(review, sampler)
    choice = sampler.rng.random()
    if choice < 0.55:
        return _wrong_first(review, sampler)
    if choice < 0.72:
        pixels = tuple(augmentations.close_up(image, sampler.rng) for image in review.pixels)
        return _whole(replace(review, pixels=pixels), "AGP306", "every image is a close-up", sampler)
    if choice < 0.86 and len(review.pixels) > 2:
        copies = (augmentations.copied(review.pixels[0], sampler.rng)[0] for _ in review.pixels[1:])
        return _whole(
            replace(review, pixels=(review.pixels[0], *copies)), "AGP305", "all images show one view", sampler
        )
    return _loud_grounds(review, sampler)


def _wrong_title(review: SyntheticReview, sampler: SequenceSampler) -> SyntheticReview | None:
    """The title and category of another product, or the title in another color."""
    gallery = sampler.gallery
    if gallery.color in COLORS and sampler.chance(0.4) and review.title != gallery.product.title:
        wrong = sampler.choice([color for color in COLORS if color != gallery.color])
        title = review.title.replace(gallery.color, wrong)
        return _whole(replace(review, title=title), "AGP304", "the title names another color", sampler)
    top = gallery.product.category.split("/")[:2]
    foreign = [other for other in sampler.strangers if other.product.category.split("/")[:2] != top]
    if not foreign:
        return None
    other = foreign[int(sampler.rng.integers(len(foreign)))].product
    category = other.category if review.category else ""
    return _whole(
        replace(review, title=other.title, category=category), "AGP304", "the title names another product", sampler
    )


def _wrong_first(review: SyntheticReview, sampler: SequenceSampler) -> SyntheticReview | None:
    """Put another view, or a detail, first."""
    place = int(sampler.rng.integers(1, len(review.pixels)))
    view = review.views[place]
    if view == "setting":
        return _setting_first(review, sampler)
    if sampler.chance(0.35):
        detail = augmentations.close_up(review.pixels[0], sampler.rng)
        review = _changed(review, 0, "detail", detail)
        return _first(review, "AGP301", "look at the first image, it does not show the whole product", sampler)
    swapped = _ordered(review, (place, *(at for at in range(len(review.pixels)) if at != place)))
    if view in BACK_VIEWS:
        return _first(swapped, "AGP308", "look at the first image, it shows the back", sampler)
    thing = "the sole stands first" if view == "outsole" else "the main view should be the first image"
    return _first(swapped, "AGP302", thing, sampler)


def _loud_grounds(review: SyntheticReview, sampler: SequenceSampler) -> SyntheticReview | None:
    """Give one photo a loud background, while the others keep theirs."""
    place = int(sampler.rng.integers(len(review.pixels)))
    if augmentations.plain_ground(review.pixels[place]) is None:
        return None
    color = LOUD_GROUNDS[int(sampler.rng.integers(len(LOUD_GROUNDS)))]
    review = _changed(review, place, review.names[place], augmentations.on_ground(review.pixels[place], color))
    return _whole(review, "AGP307", "one image has a background of its own", sampler)


def _first(review: SyntheticReview, code: str, thing: str, sampler: SequenceSampler) -> SyntheticReview:
    return replace(_whole(review, code, thing, sampler), position=0)


def _whole(review: SyntheticReview, code: str, thing: str, sampler: SequenceSampler) -> SyntheticReview:
    return replace(review, rules=(code,), feedback=about_all(code, thing, sampler.rng))


def _ordered(review: SyntheticReview, order: Sequence[int]) -> SyntheticReview:
    return replace(
        review,
        names=tuple(review.names[at] for at in order),
        views=tuple(review.views[at] for at in order),
        pixels=tuple(review.pixels[at] for at in order),
    )


def _changed(review: SyntheticReview, position: int, name: str, pixels: Pixels) -> SyntheticReview:
    names = tuple(name if at == position else old for at, old in enumerate(review.names))
    images = tuple(pixels if at == position else old for at, old in enumerate(review.pixels))
    return replace(review, names=names, pixels=images)
