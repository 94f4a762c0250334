"""What components see: a decoded image, a pair of them, what stage 1 left of a product, a sequence, a picture to mend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agpis_sdk.records import Finding, Product

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class DecodedImage:
    """A candidate image as components see it; it must not be changed.

    `pixels` is (height, width, 3) uint8 RGB at the working size, transparent parts composited over white.
    `original_width` and `original_height` are those of the file after EXIF rotation; `scale` turns a length in
    `pixels` into original pixels. `detail` is the (h, w) uint8 luma of the picture's middle at the finest size that was
    decoded, None where that is unknown, and `detail_scale` its scale. `suffix` is the ending of the file's name (".jpg"),
    `jpeg_quality` what a JPEG was last saved at, 1..100, and `digital_source_types` the IPTC terms in the metadata.
    """

    product_id: str
    id: str
    position: int
    pixels: NDArray[np.uint8]
    original_width: int
    original_height: int
    scale: float
    byte_count: int
    sha256: str
    format: str
    frame_count: int = 1
    suffix: str = ""
    jpeg_quality: int | None = None
    digital_source_types: tuple[str, ...] = ()
    detail: NDArray[np.uint8] | None = None
    detail_scale: float = 1.0

    @property
    def key(self) -> tuple[str, str]:
        """The image's identity in a run: product id and image id."""
        return (self.product_id, self.id)

    def original_box(self, x: float, y: float, width: float, height: float) -> tuple[int, int, int, int]:
        """Turn a box in working pixels into one in original pixels, clipped to the image."""
        left = min(max(round(x * self.scale), 0), self.original_width - 1)
        top = min(max(round(y * self.scale), 0), self.original_height - 1)
        right = min(max(round((x + width) * self.scale), left + 1), self.original_width)
        bottom = min(max(round((y + height) * self.scale), top + 1), self.original_height)
        return (left, top, right - left, bottom - top)


@dataclass(frozen=True, eq=False)
class ImagePair:
    """Two different images: of one product, in listed order, or of two products where a catalog index asks."""

    first: DecodedImage
    second: DecodedImage


@dataclass(frozen=True, kw_only=True, eq=False)
class SequenceCandidates:
    """What stage 1 left of one product: its primary image, and the other usable images in listed order.

    `primary_alternatives` are those of the others that are about as good a primary image, by `primary.margin`: a sequence may
    begin with one of them instead. `findings` are those about two of these images, such as one shot in two colors.
    """

    product: Product
    primary: DecodedImage
    others: tuple[DecodedImage, ...]
    primary_alternatives: tuple[DecodedImage, ...] = ()
    findings: tuple[Finding, ...] = ()

    def excluding(self, first: DecodedImage) -> tuple[DecodedImage, ...]:
        """Return the images that may follow `first`, in listed order."""
        rest = [image for image in (self.primary, *self.others) if image is not first]
        return tuple(sorted(rest, key=lambda image: image.position))


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageSequence:
    """An ordered target sequence I^t of one product; the first image is the primary one."""

    product: Product
    images: tuple[DecodedImage, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The image ids in order."""
        return tuple(image.id for image in self.images)


@dataclass(frozen=True, eq=False)
class FixablePicture:
    """A picture in full size, upright and in sRGB, that is being mended: (height, width, 3) uint8 RGB.

    `left` and `top` are where its corner is in the original, so that boxes of findings still fit after a crop.
    """

    pixels: NDArray[np.uint8]
    left: int = 0
    top: int = 0

    @property
    def width(self) -> int:
        """The width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """The height in pixels."""
        return int(self.pixels.shape[0])

    def cropped(self, box: tuple[int, int, int, int]) -> FixablePicture:
        """Return the part of the picture in a box, (x, y, width, height) in pixels of the original."""
        left, top = max(0, box[0] - self.left), max(0, box[1] - self.top)
        right, bottom = box[0] - self.left + box[2], box[1] - self.top + box[3]
        return FixablePicture(self.pixels[top:bottom, left:right], self.left + left, self.top + top)

    def padded(self, width: int, height: int) -> FixablePicture:
        """Return the picture in the middle of a white one, of sides that are at least its own."""
        left, top = (width - self.width) // 2, (height - self.height) // 2
        margins = ((top, height - self.height - top), (left, width - self.width - left), (0, 0))
        import numpy as np

        return FixablePicture(np.pad(self.pixels, margins, constant_values=255), self.left - left, self.top - top)
