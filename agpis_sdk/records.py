"""What crosses every border: products in, outcomes out, reviews to learn from (DESIGN section 5).

Boxes are `(x, y, width, height)` in pixels of the original image after EXIF rotation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Box = tuple[int, int, int, int]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Status = Literal["submit", "hold", "none", "failed"]
ImageState = Literal["primary", "selected", "kept", "removed", "unreadable"]


class Record(BaseModel):
    """A frozen record that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CandidateImage(Record):
    """One candidate image of a product: an id, unique within the product, and where its bytes are."""

    id: str = Field(min_length=1)
    uri: str = Field(min_length=1)


class Product(Record):
    """A product with its candidate images I^c in the order in which the shop lists them (paper section 3.1)."""

    id: str = Field(min_length=1)
    title: str = ""
    category: str = ""
    description: str = ""
    images: tuple[CandidateImage, ...]
    attributes: Mapping[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _name_plain_images(cls, data: Any) -> Any:
        """Give an image that is a plain string its file's stem as id, made unique by its position if need be."""
        if not isinstance(data, Mapping) or not isinstance(data.get("images"), list | tuple):
            return data
        taken = {
            image["id"] for image in data["images"] if isinstance(image, Mapping) and isinstance(image.get("id"), str)
        }
        named = []
        for position, image in enumerate(data["images"]):
            if isinstance(image, str):
                stem = image_id_from_uri(image) or f"image-{position + 1}"
                image_id = stem if stem not in taken else f"{stem}-{position + 1}"
                while image_id in taken:
                    image_id += "x"
                taken.add(image_id)
                image = {"id": image_id, "uri": image}
            named.append(image)
        return {**data, "images": named}

    @field_validator("images")
    @classmethod
    def _image_ids_are_unique(cls, images: tuple[CandidateImage, ...]) -> tuple[CandidateImage, ...]:
        seen: set[str] = set()
        for image in images:
            if image.id in seen:
                raise ValueError(f'image id "{image.id}" stands twice; give every image of a product its own id')
            seen.add(image.id)
        return images


class Region(Record):
    """A place in an image."""

    image: str
    box: Box


class Finding(Record):
    """One rule's verdict on one image, pair or sequence: `score` 1 means that the rule is surely violated."""

    code: str
    name: str = ""
    images: tuple[str, ...]
    score: Probability
    message: str
    regions: tuple[Region, ...] = ()
    checker: str = ""


class ImageOutcome(Record):
    """What became of one candidate image; `primary_reasons` say what lowers p_primary, the weightiest first."""

    id: str
    state: ImageState
    p_primary: Probability | None = None
    p_noncompliant: Probability | None = None
    primary_reasons: tuple[str, ...] = ()


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


class Review(Record):
    """A reviewer's decision on a sequence in the reviewer's own words: the training data of `agpis train`.

    Where `rules` is empty they are read off the feedback; the first one is the class (paper section 4.1).
    """

    product: Product
    sequence: tuple[str, ...] = Field(min_length=1)
    decision: Literal["accepted", "rejected"]
    feedback: str = ""
    rules: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _sequence_names_known_images(self) -> Review:
        known = {image.id for image in self.product.images}
        missing = [image_id for image_id in self.sequence if image_id not in known]
        if missing:
            raise ValueError(f"the sequence names images that the product does not list: {', '.join(missing)}")
        return self


def image_id_from_uri(uri: str) -> str:
    """Return the stem of the file that a path or URL names.

    >>> image_id_from_uri("https://shop.example/a/b.jpg?width=800")
    'b'
    """
    path = urlsplit(uri).path if "://" in uri else uri
    return PurePosixPath(path.replace("\\", "/")).stem
