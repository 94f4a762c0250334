"""What one product's card shows, made from its outcome: plain data that the page only has to lay out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from agpis_sdk.records import Box, Finding, ImageOutcome, ImageState, Outcome, Product
from agpis_sdk.report.grouping import group_names
from agpis_sdk.report.phrases import (
    LOST_STATES,
    STATE_WORDS,
    STATUS_WORDS,
    feedback_in_words,
    image_facts,
    message_in_words,
    probability_in_words,
    reason_in_words,
    sureness_in_words,
)
from agpis_sdk.report.placement import Placement, place
from agpis_sdk.report.thumbnails import Thumbnail
from agpis_sdk.rules import Rule

BOX_COLORS = 6
LONGEST_URI = 2000


@dataclass(frozen=True)
class FindingView:
    """A finding in plain words; `color` is that of its boxes, None where it has none."""

    code: str
    message: str
    sureness: str
    remedy: str
    images: tuple[str, ...]
    color: int | None


@dataclass(frozen=True)
class BoxView:
    """A box in pixels of the original image; `finding` is the position of its finding on the card."""

    x: int
    y: int
    width: int
    height: int
    finding: int


@dataclass(frozen=True)
class PictureView:
    """One image: its picture (None where there is none to show), boxes, and the findings told under it.

    `uri` is where the original is, "" where a link is too long to be written down.
    """

    id: str
    state: ImageState
    state_words: str
    src: str | None
    placeholder: str
    width: int
    height: int
    facts: tuple[str, ...]
    boxes: tuple[BoxView, ...]
    findings: tuple[int, ...]
    uri: str


@dataclass(frozen=True)
class PairView:
    """Two images, and what was found about them together."""

    images: tuple[str, str]
    findings: tuple[int, ...]


@dataclass(frozen=True)
class CardView:
    """One product's card; `pictures` are in listed order, the other fields name them by id.

    `lost` are images that were removed or could not be read, but for those that a pair explains alone; `unused` are fit,
    but were not chosen. `whole` are findings about the product, `folded` those about pairs with an unused image.
    """

    product_id: str
    title: str
    status_words: str
    probability_words: str
    reason: str
    feedback: str
    pictures: tuple[PictureView, ...]
    findings: tuple[FindingView, ...]
    sequence: tuple[str, ...]
    pairs: tuple[PairView, ...]
    lost: tuple[str, ...]
    unused: tuple[str, ...]
    whole: tuple[int, ...]
    folded: tuple[int, ...]


@dataclass(frozen=True)
class RowView:
    """What filters, sorting and the CSV need of a product."""

    id: str
    title: str
    groups: Mapping[str, str]
    status: str
    probability: float | None
    codes: tuple[str, ...]
    sequence: tuple[str, ...]
    others: tuple[str, ...]
    reason: str


def row_view(product: Product | None, outcome: Outcome) -> RowView:
    """Return the product's row in the table behind the page."""
    return RowView(
        id=outcome.product_id,
        title=_title(product, outcome),
        groups=group_names(product),
        status=outcome.status,
        probability=outcome.probability,
        codes=tuple(sorted({finding.code for finding in outcome.findings})),
        sequence=outcome.sequence,
        others=tuple(image.id for image in outcome.images if image.id not in outcome.sequence),
        reason=_reason(outcome),
    )


def card_view(
    product: Product | None,
    outcome: Outcome,
    thumbnails: Mapping[str, Thumbnail],
    rules: Mapping[str, Rule],
) -> CardView:
    """Lay out one product: what was chosen, what was found, and what became of the other candidates."""
    images = _image_outcomes(product, outcome)
    states = {image_id: image.state for image_id, image in images.items()}
    placement = place(outcome.findings, states, outcome.sequence, rules)
    in_pairs = {image_id for pair in placement.pairs for image_id in pair}
    rest = [image for image in images.values() if image.id not in outcome.sequence]
    lost = [image.id for image in rest if image.state in LOST_STATES]
    return CardView(
        product_id=outcome.product_id,
        title=_title(product, outcome),
        status_words=STATUS_WORDS[outcome.status][0],
        probability_words=probability_in_words(outcome.probability),
        reason=_reason(outcome),
        feedback=feedback_in_words(outcome.status, outcome.feedback),
        pictures=tuple(_pictures(images, thumbnails, outcome.findings, placement)),
        findings=tuple(_finding_views(outcome, rules)),
        sequence=outcome.sequence,
        pairs=tuple(_pair_view(ids, numbers, outcome.sequence) for ids, numbers in placement.pairs.items()),
        lost=tuple(image_id for image_id in lost if image_id not in in_pairs or image_id in placement.under),
        unused=tuple(image.id for image in rest if image.state not in LOST_STATES),
        whole=tuple(placement.whole),
        folded=tuple(placement.folded),
    )


def _pair_view(ids: tuple[str, str], findings: Sequence[int], sequence: Sequence[str]) -> PairView:
    """Return a pair, the one that comes first in the sequence first."""
    first, second = ids
    if second in sequence and (first not in sequence or sequence.index(second) < sequence.index(first)):
        first, second = second, first
    return PairView((first, second), tuple(findings))


def _title(product: Product | None, outcome: Outcome) -> str:
    return (product.title if product is not None else "") or outcome.product_id


def _reason(outcome: Outcome) -> str:
    if not outcome.reason and outcome.status not in ("none", "failed"):
        return ""
    return reason_in_words(outcome.reason)


def _finding_views(outcome: Outcome, rules: Mapping[str, Rule]) -> Iterator[FindingView]:
    colored = 0
    for finding in outcome.findings:
        color = colored % BOX_COLORS if finding.regions else None
        colored += bool(finding.regions)
        yield FindingView(
            code=finding.code,
            message=message_in_words(finding.message, outcome.status),
            sureness=sureness_in_words(finding, rules.get(finding.code)),
            remedy=finding.remedy,
            images=finding.images,
            color=color,
        )


def _image_outcomes(product: Product | None, outcome: Outcome) -> dict[str, ImageOutcome]:
    """Return every image of the outcome by id, one of the sequence that the outcome does not describe included."""
    images = {image.id: image for image in outcome.images}
    for position, image_id in enumerate(outcome.sequence):
        images.setdefault(image_id, ImageOutcome(id=image_id, state="selected" if position else "primary"))
    if product is not None:
        listed = [image.id for image in product.images if image.id in images]
        images = {image_id: images[image_id] for image_id in dict.fromkeys([*listed, *images])}
    return images


def _pictures(
    images: Mapping[str, ImageOutcome],
    thumbnails: Mapping[str, Thumbnail],
    findings: Sequence[Finding],
    placement: Placement,
) -> Iterator[PictureView]:
    for image in images.values():
        thumbnail = thumbnails.get(image.id)
        width = max(1, thumbnail.original_width) if thumbnail is not None else 1
        height = max(1, thumbnail.original_height) if thumbnail is not None else 1
        boxes = [] if thumbnail is None else _boxes(image.id, findings, width, height)
        yield PictureView(
            id=image.id,
            state=image.state,
            state_words=STATE_WORDS[image.state],
            src=thumbnail.data_uri() if thumbnail is not None else None,
            placeholder="could not be read" if image.state == "unreadable" else "no preview",
            width=width,
            height=height,
            facts=tuple(image_facts(image)),
            boxes=tuple(boxes),
            findings=tuple(placement.under.get(image.id, ())),
            uri=image.uri if image.uri is not None and len(image.uri) <= LONGEST_URI else "",
        )


def _boxes(image_id: str, findings: Sequence[Finding], width: int, height: int) -> Iterable[BoxView]:
    for number, finding in enumerate(findings):
        for region in finding.regions:
            view = _box_view(region.box, number, width, height)
            if region.image == image_id and view is not None:
                yield view


def _box_view(box: Box, finding: int, width: int, height: int) -> BoxView | None:
    """Return the part of a box that is in the image, None where no part is."""
    left, top = max(0, box[0]), max(0, box[1])
    right, bottom = min(width, box[0] + box[2]), min(height, box[1] + box[3])
    if right <= left or bottom <= top:
        return None
    return BoxView(left, top, right - left, bottom - top, finding)
