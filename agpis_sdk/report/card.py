"""What one product's card shows, made from its outcome: a view that the template only has to lay out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from agpis_sdk.records import Box, Finding, ImageOutcome, ImageState, Outcome, Product
from agpis_sdk.report.phrases import STATE_WORDS, STATUS_WORDS, reason_in_words, rule_explanation, spoken
from agpis_sdk.report.thumbnails import REST_SIDE, SEQUENCE_SIDE, Thumbnail, shrunk
from agpis_sdk.rules import Rule
from agpis_sdk.wording import percent

BOX_COLORS = 6
_REST_STATES: tuple[ImageState, ...] = ("primary", "selected", "removed", "unreadable", "kept")


@dataclass(frozen=True)
class FindingView:
    """A finding in plain words; `color` is that of its boxes, None where it has none."""

    number: int
    color: int | None
    code: str
    name: str
    message: str
    explanation: str
    images: tuple[str, ...]


@dataclass(frozen=True)
class BoxView:
    """A box in pixels of the original image, in the color of its finding."""

    x: int
    y: int
    width: int
    height: int
    color: int
    number: int
    label: str


@dataclass(frozen=True)
class ImageView:
    """One image: its picture (None where there is none to show), boxes, and what was found on it."""

    id: str
    state: ImageState
    state_words: str
    src: str | None
    placeholder: str
    width: int
    height: int
    boxes: tuple[BoxView, ...]
    facts: str
    findings: tuple[FindingView, ...]

    @property
    def ratio(self) -> float:
        """Return width over height."""
        return self.width / self.height


@dataclass(frozen=True)
class GroupView:
    """Candidates outside the sequence that share a fate; those with something to say stand in rows."""

    state: ImageState
    words: str
    rows: tuple[ImageView, ...]
    tiles: tuple[ImageView, ...]


@dataclass(frozen=True)
class CardView:
    """One product's card."""

    number: int
    product_id: str
    title: str
    category: str
    status: str
    status_words: str
    reason: str
    probability: float | None
    probability_words: str
    feedback: str
    sequence: tuple[ImageView, ...]
    findings: tuple[FindingView, ...]
    groups: tuple[GroupView, ...]
    codes: tuple[str, ...]
    search_text: str


def card_view(
    number: int,
    product: Product | None,
    outcome: Outcome,
    thumbnails: Mapping[str, Thumbnail],
    rules: Mapping[str, Rule],
) -> CardView:
    """Lay out one product: what was chosen, what was found, and what became of the other candidates."""
    findings = _finding_views(outcome.findings, rules)
    images = _image_outcomes(product, outcome)
    in_sequence = set(outcome.sequence)
    owners = [_owners(finding, images, in_sequence) for finding in outcome.findings]

    def view(image: ImageOutcome, side: int) -> ImageView:
        own = [finding for finding, owner in zip(findings, owners, strict=True) if image.id in owner]
        return _image_view(image, thumbnails.get(image.id), side, own, _boxes(image.id, outcome.findings, findings))

    title = product.title if product is not None else ""
    category = product.category if product is not None else ""
    searchable = (outcome.product_id, title, category, outcome.feedback or "", *images)
    return CardView(
        number=number,
        product_id=outcome.product_id,
        title=title or outcome.product_id,
        category=category,
        status=outcome.status,
        status_words=STATUS_WORDS[outcome.status][0],
        reason=reason_in_words(outcome.reason) if outcome.reason or outcome.status in ("none", "failed") else "",
        probability=outcome.probability,
        probability_words="" if outcome.probability is None else percent(outcome.probability),
        feedback=(outcome.feedback or "").strip(),
        sequence=tuple(view(images[image_id], SEQUENCE_SIDE) for image_id in outcome.sequence),
        findings=tuple(finding for finding, owner in zip(findings, owners, strict=True) if not owner),
        groups=_groups([view(image, REST_SIDE) for image in images.values() if image.id not in in_sequence]),
        codes=tuple(sorted({finding.code for finding in outcome.findings})),
        search_text=" ".join(searchable).lower(),
    )


def _finding_views(findings: Sequence[Finding], rules: Mapping[str, Rule]) -> list[FindingView]:
    views = []
    colored = 0
    for number, finding in enumerate(findings):
        color = colored % BOX_COLORS if finding.regions else None
        colored += bool(finding.regions)
        rule = rules.get(finding.code)
        name = finding.name or (rule.name if rule is not None else "")
        views.append(
            FindingView(
                number=number,
                color=color,
                code=finding.code,
                name=spoken(name),
                message=finding.message,
                explanation=rule_explanation(finding, rule),
                images=finding.images,
            )
        )
    return views


def _image_outcomes(product: Product | None, outcome: Outcome) -> dict[str, ImageOutcome]:
    """Return every image of the outcome by id, one of the sequence that the outcome does not describe included."""
    images = {image.id: image for image in outcome.images}
    for position, image_id in enumerate(outcome.sequence):
        images.setdefault(image_id, ImageOutcome(id=image_id, state="selected" if position else "primary"))
    if product is not None:
        listed = [image.id for image in product.images if image.id in images]
        images = {image_id: images[image_id] for image_id in dict.fromkeys([*listed, *images])}
    return images


def _owners(finding: Finding, images: Mapping[str, ImageOutcome], in_sequence: set[str]) -> set[str]:
    """Return the images beside which a finding is told: those it cost, else other candidates, else none.

    A finding without an owner is told once, below the sequence.
    """
    outside = {image_id for image_id in finding.images if image_id in images and image_id not in in_sequence}
    lost = {image_id for image_id in outside if images[image_id].state in ("removed", "unreadable")}
    return lost or (outside if outside == set(finding.images) else set())


def _image_view(
    image: ImageOutcome,
    thumbnail: Thumbnail | None,
    side: int,
    findings: Iterable[FindingView],
    boxes: Iterable[tuple[Box, FindingView]],
) -> ImageView:
    width = max(1, thumbnail.original_width) if thumbnail is not None else 1
    height = max(1, thumbnail.original_height) if thumbnail is not None else 1
    clipped = [] if thumbnail is None else [_box_view(box, finding, width, height) for box, finding in boxes]
    return ImageView(
        id=image.id,
        state=image.state,
        state_words=STATE_WORDS[image.state],
        src=shrunk(thumbnail, side).data_uri() if thumbnail is not None else None,
        placeholder="could not be read" if image.state == "unreadable" else "no preview",
        width=width,
        height=height,
        boxes=tuple(box for box in clipped if box is not None),
        facts=" · ".join(_facts(image)),
        findings=tuple(findings),
    )


def _facts(image: ImageOutcome) -> Iterator[str]:
    """Yield what is known of an image: its probabilities, and what speaks against it as the first where it is not."""
    for name, value in (("first image", image.p_primary), ("non-compliant", image.p_noncompliant)):
        if value is not None:
            yield f"{name} {percent(value)}"
    if image.view is not None and image.p_view is not None:
        yield f"shows {image.view} {percent(image.p_view)}"
    if image.primary_reasons and image.state != "primary":
        yield f"not first: {'; '.join(image.primary_reasons)}"


def _boxes(
    image_id: str, findings: Iterable[Finding], views: Iterable[FindingView]
) -> Iterable[tuple[Box, FindingView]]:
    for finding, view in zip(findings, views, strict=True):
        for region in finding.regions:
            if region.image == image_id:
                yield region.box, view


def _box_view(box: Box, finding: FindingView, width: int, height: int) -> BoxView | None:
    """Return the part of a box that lies in the image, None where no part does."""
    left, top = max(0, box[0]), max(0, box[1])
    right, bottom = min(width, box[0] + box[2]), min(height, box[1] + box[3])
    if right <= left or bottom <= top:
        return None
    label = f"{finding.code} {finding.name}".strip()
    return BoxView(left, top, right - left, bottom - top, finding.color or 0, finding.number, label)


def _groups(images: Sequence[ImageView]) -> tuple[GroupView, ...]:
    groups = []
    for state in _REST_STATES:
        members = [image for image in images if image.state == state]
        if members:
            in_rows = [image for image in members if image.findings or state in ("removed", "unreadable")]
            tiles = [image for image in members if image not in in_rows]
            groups.append(GroupView(state, STATE_WORDS[state], tuple(in_rows), tuple(tiles)))
    return tuple(groups)
