"""Facts of images as batches of one fixed shape."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.components import Context, DecodedImage


def fact_batch(images: Sequence[DecodedImage], name: str, context: Context, size: int) -> NDArray[np.float32]:
    """Return a fact of at most `size` images as (size, …), filled up with zeros.

    Kernels are chosen by shape, so what a model says of an image does not depend on its company (DESIGN law 6).
    """
    facts = [np.asarray(context.fact(image, name)) for image in images]
    batch = np.zeros((size, *facts[0].shape), np.float32)
    batch[: len(facts)] = np.stack(facts)
    return batch
