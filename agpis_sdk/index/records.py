"""Records of a catalog index: images, and why two of them show the same picture."""

from __future__ import annotations

from pydantic import Field

from agpis_sdk.records import Box, Probability, Record


class IndexedImage(Record):
    """An image of a product, where its bytes are, and the SHA-256 by which they are known again."""

    product_id: str
    id: str
    uri: str
    sha256: str

    @property
    def name(self) -> str:
        """What the image is called where those of several products are spoken of."""
        return f"{self.product_id}/{self.id}"


class RepeatedImage(Record):
    """One side of a repeat; `box` holds what both pictures show, None where the checker gave no place."""

    product_id: str
    id: str
    box: Box | None = None


class Repeat(Record):
    """Two images of different products that show the same picture, and the rule that found them.

    `similarity` is the cosine by which the pair was proposed; `score` is the verdict on the pixels.
    """

    first: RepeatedImage
    second: RepeatedImage
    code: str
    name: str
    score: Probability
    similarity: float = Field(ge=-1.0, le=1.0)
    message: str


class RepeatGroup(Record):
    """One picture under several products: every image that shows it, and the repeats that tie them together.

    Images of one `sha256` are the same file; a repeat names one of them for all.
    """

    images: tuple[IndexedImage, ...]
    repeats: tuple[Repeat, ...]

    @property
    def products(self) -> list[str]:
        """The ids of the products that show the picture, sorted."""
        return sorted({image.product_id for image in self.images})


class QueryAnswer(Record):
    """Under which products the index holds the picture of `image`, which is not added.

    `reason` says why it could not be looked up.
    """

    image: IndexedImage
    images: tuple[IndexedImage, ...] = ()
    repeats: tuple[Repeat, ...] = ()
    reason: str | None = None
