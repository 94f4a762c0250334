"""An image that an earlier run has decoded: everything about it but its pixels, which are decoded when first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from agpis_sdk.images import DecodedImage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OF_PIXELS = ("pixels", "detail")
OF_PLACE = ("product_id", "id", "position")
_NAMES = tuple(one.name for one in fields(DecodedImage))


class UndecodedImage(DecodedImage):
    """A `DecodedImage` whose pixels cost nothing until a component looks at them."""

    @classmethod
    def of(cls, known: Mapping[str, Any], decode: Callable[[], DecodedImage]) -> UndecodedImage:
        """Return an image given all its fields but the pixels, and what decodes it."""
        image = object.__new__(cls)
        image.__dict__.update(known, _decode=decode)
        return image

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:  # type: ignore[override]
        """The pixels at the working size."""
        return self._decoded.pixels

    @cached_property
    def detail(self) -> NDArray[np.uint8] | None:  # type: ignore[override]
        """The luma of the picture's middle."""
        return self._decoded.detail

    @cached_property
    def _decoded(self) -> DecodedImage:
        decode: Callable[[], DecodedImage] = self.__dict__["_decode"]
        return decode()

    def __reduce__(self) -> tuple[Any, ...]:
        return _decoded_image, ({name: getattr(self, name) for name in _NAMES},)


def description(image: DecodedImage) -> dict[str, Any]:
    """Return what is known of an image beside its pixels and where it stands."""
    return {name: getattr(image, name) for name in _NAMES if name not in (*OF_PIXELS, *OF_PLACE)}


def _decoded_image(known: dict[str, Any]) -> DecodedImage:
    return DecodedImage(**known)
