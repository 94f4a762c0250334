"""Sequences as reviewers see them: accepted ones, and ones with one violation of a known rule.

Single-image violations are drawn into an image, image-pair violations made of real variants, strangers and copies,
multi-image violations of order, completeness and title.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

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
# Where a product stands in its picture can be told on a plain ground only.
ON_PLAIN_GROUND = ("too-small", "cropped", "off-center")
HARMLESS_ALONE = ("mild recompression", "small change of light", "resized picture")
COLORFUL = 0.35
COLORS = ("black", "blue", "gray", "green", "orange", "purple", "red", "white", "yellow")
LOUD_GROUNDS = ((196, 40, 48), (30, 110, 190), (250, 205, 40), (40, 140, 80), (60, 60, 66), (230, 120, 170))


@dataclass(frozen=True)
class Draft:
    """A sequence under way: what its images show, their pixels, and what a reviewer says of it."""

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
class Desk:
    """Where one product's sequences are made: its gallery, the other galleries of its split, and the dice."""

    gallery: Gallery
    strangers: Sequence[Gallery]
    rng: np.random.Generator

    @property
    def pool(self) -> Split:
        """Which fonts, marks, wordings and layouts may be drawn: the test's own are never seen before it."""
        return "test" if self.gallery.split == "test" else "train"

    def chance(self, probability: float) -> bool:
        """Throw the dice."""
        return bool(self.rng.random() < probability)

    def one_of(self, items: Sequence[str]) -> str:
        """Choose one, each as likely as the next."""
        return items[int(self.rng.integers(len(items)))]


def drafts(desk: Desk, count: int, shares: Sequence[float] = TABLE_1) -> Iterator[Draft]:
    """Yield up to `count` sequences of one product; `shares` of accepted, single, pair and multi-image samples.

    A gallery with one photo gives sequences of one image, and no pairs.
    """
    makers = (_accepted, _single, _pair, _multi)
    for _ in range(count):
        maker = makers[int(desk.rng.choice(len(makers), p=np.asarray(shares) / sum(shares)))]
        draft = maker(desk)
        if draft is not None:
            yield _with_second(draft, desk) if draft.rules and desk.chance(TWO_RULES) else draft


def _clean(desk: Desk) -> Draft:
    """Put the main view first, then other views, all a little different in framing, light and sometimes color."""
    gallery, rng = desk.gallery, desk.rng
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
    if gallery.variants and desk.chance(0.5):
        pixels = tuple(augmentations.mirrored(image) for image in pixels)
    if gallery.variants and desk.chance(0.45):
        degrees = float(rng.uniform(40, 320))
        pixels = tuple(augmentations.recolored(image, degrees) for image in pixels)
    elif gallery.color and desk.chance(0.4):
        title = f"{title} {gallery.color}" if desk.chance(0.5) else f"{gallery.color} {title}"
    pixels = tuple(augmentations.retaken(image, rng) for image in pixels)
    category = "" if desk.chance(0.3) else gallery.product.category
    return Draft(names, tuple(gallery.views[name] for name in names), pixels, title, category)


def _accepted(desk: Desk) -> Draft:
    draft = _clean(desk)
    if desk.chance(0.25):
        position = int(desk.rng.integers(len(draft.pixels)))
        # Printed cloth is on one image and plain on the others only in a violation: one image alone may be dyed.
        fine, what = hard_negative(draft.pixels[position], desk.rng, split=desk.pool)
        if len(draft.pixels) == 1 or what in HARMLESS_ALONE:
            return _changed(draft, position, draft.names[position], fine)
    return draft


def _single(desk: Desk) -> Draft:
    draft = _clean(desk)
    if draft.views[-1] == "setting" and desk.chance(0.15):
        return _setting_first(draft, desk)
    position = int(desk.rng.integers(len(draft.pixels)))
    plain = augmentations.plain_ground(draft.pixels[position]) is not None
    kinds = [kind for kind in KINDS if plain or kind not in ON_PLAIN_GROUND]
    return _inject(draft, desk.one_of(kinds), position, desk)


def _inject(draft: Draft, kind: str, position: int, desk: Desk) -> Draft:
    count = min(3, len(desk.strangers))
    chosen = [desk.strangers[int(at)] for at in desk.rng.choice(len(desk.strangers), count, replace=False)]
    others = [stranger.photos[stranger.main] for stranger in chosen] or list(draft.pixels)
    violation = inject(kind, draft.pixels[position], desk.rng, split=desk.pool, others=others)
    feedback = about_one(violation.code, position, violation.thing, violation.place, desk.rng)
    changed = _changed(draft, position, draft.names[position], violation.pixels)
    return replace(changed, rules=(violation.code,), feedback=feedback, position=position, box=violation.box)


def _setting_first(draft: Draft, desk: Desk) -> Draft:
    """A photo from the store stands where the product alone should be."""
    order = (len(draft.pixels) - 1, *range(1, len(draft.pixels) - 1), 0)
    feedback = about_one("AGP115", 0, "a store's shelf behind the product", "whole image", desk.rng)
    return replace(_ordered(draft, order), rules=("AGP115",), feedback=feedback, position=0)


def _with_second(draft: Draft, desk: Desk) -> Draft:
    """Add a second violation, in an image that has none."""
    free = [place for place in range(len(draft.pixels)) if place != draft.position]
    if not free:
        return draft
    position = free[int(desk.rng.integers(len(free)))]
    second = _inject(draft, desk.one_of(("banner", "watermark", "blur", "price-badge")), position, desk)
    return replace(
        draft,
        pixels=second.pixels,
        rules=(*draft.rules, *second.rules),
        feedback=and_also(draft.feedback, second.feedback, desk.rng),
    )


def _pair(desk: Desk) -> Draft | None:
    draft = _clean(desk)
    if len(draft.pixels) < 2 or not desk.strangers:
        return None
    position = int(desk.rng.integers(1, len(draft.pixels)))
    makers = tuple(PAIR_MAKERS)
    maker = makers[int(desk.rng.choice(len(makers), p=list(PAIR_MAKERS.values())))]
    return maker(draft, position, desk)


def _source(draft: Draft, position: int, desk: Desk) -> int:
    return int(desk.rng.choice([place for place in range(len(draft.pixels)) if place != position]))


def _copy(draft: Draft, position: int, desk: Desk) -> Draft:
    source = _source(draft, position, desk)
    pixels, how = augmentations.copied(draft.pixels[source], desk.rng)
    return _two(draft, "AGP201", source, position, pixels, f"the same photo, {how}", desk)


def _exact_copy(draft: Draft, position: int, desk: Desk) -> Draft:
    source = _source(draft, position, desk)
    return _two(draft, "AGP202", source, position, draft.pixels[source], "the same picture twice", desk)


def _similar_angle(draft: Draft, position: int, desk: Desk) -> Draft:
    source = _source(draft, position, desk)
    pixels = augmentations.from_nearly_the_same_angle(draft.pixels[source], desk.rng)
    return _two(draft, "AGP203", source, position, pixels, "nearly the same shot", desk)


def _repeated_detail(draft: Draft, position: int, desk: Desk) -> Draft:
    pixels = augmentations.close_up(draft.pixels[0], desk.rng)
    return _two(draft, "AGP206", 0, position, pixels, "a part of the first one, enlarged", desk)


def _other_color(draft: Draft, position: int, desk: Desk) -> Draft:
    """A real variant where there is one, else the same view in a hue that is plainly another."""
    gallery = desk.gallery
    if gallery.variants and (desk.chance(0.5) or augmentations.colorfulness(draft.pixels[position]) < COLORFUL):
        name = desk.one_of(gallery.variants)
        pixels = augmentations.retaken(gallery.photos[name], desk.rng)
        return _two(draft, "AGP204", 0, position, pixels, "the color is not the same", desk)
    if augmentations.colorfulness(draft.pixels[position]) < COLORFUL:
        return _other_product(draft, position, desk)
    pixels = augmentations.recolored(draft.pixels[position], float(desk.rng.uniform(70, 290)))
    return _two(draft, "AGP204", 0, position, pixels, "the color is not the same", desk)


def _other_product(draft: Draft, position: int, desk: Desk) -> Draft:
    stranger = desk.strangers[int(desk.rng.integers(len(desk.strangers)))]
    name = desk.one_of((stranger.main, *stranger.others))
    pixels = augmentations.retaken(stranger.photos[name], desk.rng)
    return _two(draft, "AGP205", 0, position, pixels, "they are not the same product", desk)


def _other_style(draft: Draft, position: int, desk: Desk) -> Draft:
    pixels, how = augmentations.in_other_style(draft.pixels[position], desk.rng)
    return _two(draft, "AGP207", 0, position, pixels, how, desk)


PairMaker = Callable[[Draft, int, Desk], Draft]
PAIR_MAKERS: Mapping[PairMaker, float] = {
    _copy: 0.26,
    _exact_copy: 0.06,
    _similar_angle: 0.1,
    _repeated_detail: 0.12,
    _other_color: 0.22,
    _other_product: 0.16,
    _other_style: 0.08,
}


def _two(draft: Draft, code: str, first: int, position: int, pixels: Pixels, thing: str, desk: Desk) -> Draft:
    low, high = sorted((first, position))
    feedback = about_two(code, low, high, thing, desk.rng)
    changed = _changed(draft, position, "replaced", pixels)
    return replace(changed, rules=(code,), feedback=feedback, position=position)


def _multi(desk: Desk) -> Draft | None:
    draft = _clean(desk)
    if len(draft.pixels) < 2 or desk.chance(0.3):
        return _wrong_title(draft, desk)
    choice = desk.rng.random()
    if choice < 0.55:
        return _wrong_first(draft, desk)
    if choice < 0.72:
        pixels = tuple(augmentations.close_up(image, desk.rng) for image in draft.pixels)
        return _whole(replace(draft, pixels=pixels), "AGP306", "every image is a close-up", desk)
    if choice < 0.86 and len(draft.pixels) > 2:
        copies = (augmentations.copied(draft.pixels[0], desk.rng)[0] for _ in draft.pixels[1:])
        return _whole(replace(draft, pixels=(draft.pixels[0], *copies)), "AGP305", "all images show one view", desk)
    return _loud_grounds(draft, desk)


def _wrong_title(draft: Draft, desk: Desk) -> Draft | None:
    """The title and category of another product, or the title in another color."""
    gallery = desk.gallery
    if gallery.color in COLORS and desk.chance(0.4) and draft.title != gallery.product.title:
        wrong = desk.one_of([color for color in COLORS if color != gallery.color])
        title = draft.title.replace(gallery.color, wrong)
        return _whole(replace(draft, title=title), "AGP304", "the title names another color", desk)
    top = gallery.product.category.split("/")[:2]
    foreign = [other for other in desk.strangers if other.product.category.split("/")[:2] != top]
    if not foreign:
        return None
    other = foreign[int(desk.rng.integers(len(foreign)))].product
    category = other.category if draft.category else ""
    return _whole(
        replace(draft, title=other.title, category=category), "AGP304", "the title names another product", desk
    )


def _wrong_first(draft: Draft, desk: Desk) -> Draft | None:
    """Let another view, or a detail, stand first."""
    place = int(desk.rng.integers(1, len(draft.pixels)))
    view = draft.views[place]
    if view == "setting":
        return _setting_first(draft, desk)
    if desk.chance(0.35):
        detail = augmentations.close_up(draft.pixels[0], desk.rng)
        draft = _changed(draft, 0, "detail", detail)
        return _first(draft, "AGP301", "look at the first image, it does not show the whole product", desk)
    swapped = _ordered(draft, (place, *(at for at in range(len(draft.pixels)) if at != place)))
    if view in BACK_VIEWS:
        return _first(swapped, "AGP308", "look at the first image, it shows the back", desk)
    thing = "the sole stands first" if view == "outsole" else "the main view should be the first image"
    return _first(swapped, "AGP302", thing, desk)


def _loud_grounds(draft: Draft, desk: Desk) -> Draft | None:
    """Put one product photo before a color of its own, while the others stand on theirs."""
    place = int(desk.rng.integers(len(draft.pixels)))
    if augmentations.plain_ground(draft.pixels[place]) is None:
        return None
    color = LOUD_GROUNDS[int(desk.rng.integers(len(LOUD_GROUNDS)))]
    draft = _changed(draft, place, draft.names[place], augmentations.on_ground(draft.pixels[place], color))
    return _whole(draft, "AGP307", "one image has a background of its own", desk)


def _first(draft: Draft, code: str, thing: str, desk: Desk) -> Draft:
    return replace(_whole(draft, code, thing, desk), position=0)


def _whole(draft: Draft, code: str, thing: str, desk: Desk) -> Draft:
    return replace(draft, rules=(code,), feedback=about_all(code, thing, desk.rng))


def _ordered(draft: Draft, order: Sequence[int]) -> Draft:
    return replace(
        draft,
        names=tuple(draft.names[at] for at in order),
        views=tuple(draft.views[at] for at in order),
        pixels=tuple(draft.pixels[at] for at in order),
    )


def _changed(draft: Draft, position: int, name: str, pixels: Pixels) -> Draft:
    names = tuple(name if at == position else old for at, old in enumerate(draft.names))
    images = tuple(pixels if at == position else old for at, old in enumerate(draft.pixels))
    return replace(draft, names=names, pixels=images)
