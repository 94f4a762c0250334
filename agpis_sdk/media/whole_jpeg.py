"""JPEG files that nothing is wrong with, decoded in half of Pillow's time: to the bit the same pixels, from the same library.

All others are Pillow's, which knows color profiles, CMYK and what browsers forgive.
"""

from __future__ import annotations

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from agpis_sdk.media.color import conversion_to_srgb


def whole_jpeg(image: Image.Image, data: bytes) -> NDArray[np.uint8] | None:
    """Return (h, w, 3) sRGB of an opened, not yet loaded JPEG of the size that `Image.draft` has set.

    None where a color has to be converted, or the decoder finds anything amiss, however small.
    """
    if image.format != "JPEG" or image.mode != "RGB" or conversion_to_srgb(image) is not None:
        return None
    width, height = image.size
    try:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, "RGB", min_height=height, min_width=width)
    except ValueError:
        return None
    return pixels if pixels.shape == (height, width, 3) else None
