"""What crosses every border: products in, outcomes out, reviews to learn from (DESIGN section 5).

Records are read as exports of shops hold them: a null field is a missing field, a field that is not of the format is kept
in `attributes`, and half of a surrogate pair, which neither JSON nor UTF-8 can carry, becomes U+FFFD.

Boxes are `(x, y, width, height)` in pixels of the original image after EXIF rotation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)

from agpis_sdk.held_images import HeldImage, uri_of, uri_of_struct
from agpis_sdk.record_html import Markup, Picture, html_pictures, html_table
from agpis_sdk.wording import percent, shortened


def _with_its_bytes(uri: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """Check a uri, and keep the bytes that one of an image in memory carries."""
    checked = check(uri)
    return uri if isinstance(uri, HeldImage) else checked


LONGEST_ID = 1_000
"""Characters of a product's or an image's id: messages and reports repeat them."""

Box = tuple[int, int, int, int]
Uri = Annotated[str, WrapValidator(_with_its_bytes)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Status = Literal["submit", "hold", "none", "failed"]
ImageState = Literal["primary", "selected", "kept", "removed", "unreadable"]


class Record(BaseModel):
    """A frozen record that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _make_well_formed(cls, data: Any) -> Any:
        return well_formed(data)


class InputRecord(Record):
    """A record as shops export it: a null is read as a missing field, and what is not of the format is kept.

    A field that the format does not know goes to `attributes`; where that holds the name already, as "top_level.NAME".
    """

    @model_validator(mode="before")
    @classmethod
    def _keep_unknown_fields(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        fields = {key: value for key, value in data.items() if value is not None}
        unknown = unknown_fields(cls, fields)
        attributes = fields.get("attributes", {})
        if not unknown or not isinstance(attributes, Mapping):
            return fields
        kept = dict(attributes)
        for name in unknown:
            key = name
            while key in kept:
                key = f"top_level.{key}"
            kept[key] = fields.pop(name)
        return {**fields, "attributes": kept}


class CandidateImage(InputRecord):
    """One candidate image of a product: an id, unique within the product, and where its bytes are.

    The `uri` is empty where an entry of the product's "images" names no file; such an image cannot be read.
    """

    id: str = Field(min_length=1, max_length=LONGEST_ID)
    uri: Uri
    attributes: Mapping[str, Any] = Field(default_factory=dict)


class Product(InputRecord):
    """A product with its candidate images I^c in the order in which the shop lists them (paper section 3.1).

    In Python an image may also be a `Path`, bytes of an image file, a PIL image or an array (height, width, 3) of uint8:
    `Product(id="P1", images=["front.jpg", picture])`.
    """

    id: str = Field(min_length=1, max_length=LONGEST_ID)
    title: str = ""
    category: str = ""
    description: str = ""
    images: tuple[CandidateImage, ...]
    attributes: Mapping[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _name_plain_images(cls, data: Any) -> Any:
        """Give an image without an id its file's stem as id, made unique by its position if need be."""
        if not isinstance(data, Mapping) or not isinstance(data.get("images"), list | tuple):
            return data
        entries = [entry if isinstance(entry, CandidateImage) else _image_entry(entry) for entry in data["images"]]
        ids = [entry.id if isinstance(entry, CandidateImage) else entry.get("id") for entry in entries]
        taken = {image_id for image_id in ids if isinstance(image_id, str)}
        for position, entry in enumerate(entries, start=1):
            if isinstance(entry, dict) and "id" not in entry:
                # Cut, so that what makes it unique still fits.
                stem = image_id_from_uri(entry["uri"])[: LONGEST_ID - 10] or f"image-{position}"
                image_id = stem if stem not in taken else f"{stem}-{position}"
                while image_id in taken:
                    image_id += "x"
                taken.add(image_id)
                entry["id"] = image_id
        return {**data, "images": entries}

    def _repr_html_(self) -> str:
        pictures = html_pictures(Picture(image.uri, image.id) for image in self.images)
        return html_table((self.id, self.title), [("images", pictures), ("category", self.category)])

    @field_validator("images")
    @classmethod
    def _image_ids_are_unique(cls, images: tuple[CandidateImage, ...]) -> tuple[CandidateImage, ...]:
        seen: set[str] = set()
        for image in images:
            if image.id in seen:
                raise ValueError(
                    f'image id "{shortened(image.id)}" stands twice; give every image of a product its own id'
                )
            seen.add(image.id)
        return images


class Region(Record):
    """A place in an image."""

    image: str
    box: Box


class Finding(Record):
    """One rule's verdict on one image, pair or sequence: `score` 1 means that the rule is surely violated.

    `remedy` says what to do about it; where a checker says nothing of its own, it is the rule's.
    """

    code: str
    name: str = ""
    images: tuple[str, ...]
    score: Probability
    message: str
    remedy: str = ""
    regions: tuple[Region, ...] = ()
    checker: str = ""


class Unjudged(Record):
    """A rule that a checker could not judge on an image, a pair or a sequence, and why.

    Checkers of images and pairs yield it in place of a finding, those of sequences list it in their verdict.
    """

    product_id: str
    code: str
    images: tuple[str, ...]
    reason: str


class ImageOutcome(Record):
    """What became of one candidate image; `primary_reasons` say what lowers p_primary, the weightiest first.

    `uri` is where its bytes are, passwords and tokens masked; None where the record names no file. `view` is what
    the image most probably shows ("front", "back", "detail", …), `p_view` how probable that is.
    """

    id: str
    state: ImageState
    uri: str | None = None
    p_primary: Probability | None = None
    p_noncompliant: Probability | None = None
    primary_reasons: tuple[str, ...] = ()
    view: str | None = None
    p_view: Probability | None = None


class Outcome(Record):
    """What became of one product: its target sequence I^t, p^t and every finding with where and why.

    `reason` is "no-primary" or "too-few-images" where `status` is "none", "not-judged" where it is "hold" because a check
    that could have refused the product failed, and says what failed where it is "failed";
    `detail` puts a reason into words, also the reason why a sequence is shorter than wanted.
    """

    product_id: str
    status: Status
    reason: str | None = None
    detail: str | None = None
    sequence: tuple[str, ...] = ()
    probability: Probability | None = None
    feedback: str | None = None
    images: tuple[ImageOutcome, ...] = ()
    findings: tuple[Finding, ...] = ()

    def _repr_html_(self) -> str:
        return html_table(OUTCOME_HEADINGS, [outcome_row(self, {})])


OUTCOME_HEADINGS = ("product", "status", "acceptance probability (p^t)", "chosen images", "findings")


def outcome_row(outcome: Outcome, sources: Mapping[str, str]) -> tuple[object, ...]:
    """Return an outcome as a row of `html_table`; `sources` has by image id what a browser can show in place of the uri."""
    uris = {image.id: image.uri or "" for image in outcome.images}
    pictures = [Picture(sources.get(one, uris.get(one, "")), one) for one in outcome.sequence]
    findings = [f"{finding.code} {finding.name}: {finding.message}" for finding in outcome.findings]
    listed = html_table((), [(finding,) for finding in findings])
    probability = "" if outcome.probability is None else percent(outcome.probability)
    status = outcome.status if outcome.reason is None else f"{outcome.status} ({outcome.reason})"
    return (outcome.product_id, status, probability, html_pictures(pictures), Markup(listed))


class AuditFinding(Finding):
    """A finding as an audit reports it; of severity "error" it blocks.

    `suppressed` is the reason that the product record gives for living with it. `fingerprint` is the same for the same
    product, rule and images, in whatever order the gallery lists them.
    """

    severity: Literal["error", "warning"]
    fingerprint: str
    suppressed: str | None = None


class GalleryAudit(Record):
    """What an audit has found in one product's gallery as it stands.

    `error` says what is wrong with the record itself: it is no product, or a suppression in it cannot be understood.
    """

    product_id: str
    title: str = ""
    category: str = ""
    seller: str = ""
    images: tuple[CandidateImage, ...] = ()
    error: str | None = None
    findings: tuple[AuditFinding, ...] = ()

    def keep(self, wanted: Callable[[AuditFinding], bool]) -> GalleryAudit:
        """Return the audit with only the findings that are wanted."""
        return self.model_copy(update={"findings": tuple(finding for finding in self.findings if wanted(finding))})


class SequenceVerdict(Record):
    """A sequence checker's verdict on one sequence; the scorer's `p_qualified` is p^t (paper section 3.4.3)."""

    product_id: str
    sequence: tuple[str, ...]
    p_qualified: Probability | None = None
    feedback: str | None = None
    findings: tuple[Finding, ...] = ()
    unjudged: tuple[Unjudged, ...] = ()


class Mark(Record):
    """What a reviewer pointed at: an image, where in it, and the code of the rule; without a box it is the whole image."""

    image: str
    box: Box | None = None
    rule: str = ""


class Review(Record):
    """A reviewer's decision on a sequence in the reviewer's own words: the training data of `agpis train`.

    Where `rules` is empty they are read off the feedback; the first one is the class (paper section 4.1). `marks` are
    what the reviewer pointed at. `proposed` is the run's own sequence where the reviewer put together another one.
    """

    product: Product
    sequence: tuple[str, ...] = Field(min_length=1)
    decision: Literal["accepted", "rejected"]
    feedback: str = ""
    rules: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    proposed: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _names_known_images(self) -> Review:
        known = {image.id for image in self.product.images}
        named = {
            "the sequence": self.sequence,
            "a mark": [mark.image for mark in self.marks],
            "the proposed sequence": self.proposed,
        }
        for place, image_ids in named.items():
            missing = [image_id for image_id in image_ids if image_id not in known]
            if missing:
                raise ValueError(f"{place} names images that the product does not list: {', '.join(missing)}")
        return self


def image_id_from_uri(uri: str) -> str:
    """Return the stem of the file that a path or URL names; "" where there is none, as in a data: uri.

    >>> image_id_from_uri("https://shop.example/a/b.jpg?width=800")
    'b'
    """
    if uri[:5].lower() == "data:" or isinstance(uri, HeldImage):
        return ""
    try:
        path = urlsplit(uri).path if "://" in uri else uri
    except ValueError:  # "http://[": reading the image says what is wrong with it
        return ""
    return PurePosixPath(path.replace("\\", "/")).stem


def entry_fault(entry: object) -> str:
    """Return why an entry of a product's "images" names no file; "" where it does.

    >>> entry_fault("front.jpg"), entry_fault(" "), entry_fault({"id": "front"})
    ('', 'is empty', 'has no "uri"')
    """
    if isinstance(entry, CandidateImage):
        return "" if entry.uri else 'has no "uri"'
    if entry is None:
        return "is null"
    if isinstance(entry, str):
        return "" if entry.strip() else "is empty"
    if not isinstance(entry, Mapping):
        known = uri_of(entry) is not None
        return "" if known else f"is {shortened(repr(entry))}, neither a string nor an object"
    uri = entry.get("uri", uri_of_struct(entry))
    if uri is None:
        return 'has no "uri"'
    if not isinstance(uri, str):
        return "" if uri_of(uri) is not None else f'has the "uri" {shortened(repr(uri))}, which is no string'
    return "" if uri.strip() else 'has an empty "uri"'


def unknown_fields(record: type[InputRecord], data: Mapping[Any, Any]) -> list[str]:
    """Return the fields of some data that a record does not know, those that are null left out."""
    return [
        key
        for key, value in data.items()
        if isinstance(key, str) and key not in record.model_fields and value is not None
    ]


def well_formed(value: Any) -> Any:
    """Return a value whose texts, however deep, can be written as UTF-8: half of a surrogate pair becomes U+FFFD."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return value
    if isinstance(value, Mapping):
        return {well_formed(key): well_formed(below) for key, below in value.items()}
    if isinstance(value, list):
        return [well_formed(below) for below in value]
    if isinstance(value, tuple):
        return tuple(well_formed(below) for below in value)
    return value


def _image_entry(entry: Any) -> dict[Any, Any]:
    """Return an entry of "images" as the fields of an image; a missing id stays missing, a missing uri is empty."""
    if not isinstance(entry, Mapping):
        return {"uri": "" if entry_fault(entry) else uri_of(entry)}
    fields = {key: value for key, value in entry.items() if value is not None and (key, value) != ("id", "")}
    if (of_struct := uri_of_struct(entry)) is not None:
        fields = {key: value for key, value in fields.items() if key not in ("bytes", "path")} | {"uri": of_struct}
    return {**fields, "uri": "" if entry_fault(entry) else uri_of(fields["uri"])}
