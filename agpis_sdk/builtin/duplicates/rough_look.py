"""A rough look at a pair that is laid over each other: can it be one shot at all?

Most alignments that keypoints propose between unlike pictures fail at half the size already, at a tenth of what a comparison
costs.
"""

from __future__ import annotations

import cv2
import numpy as np

from agpis_sdk.builtin.duplicates.affine import Transform, rescaled
from agpis_sdk.builtin.duplicates.superposition import INSIDE, SHOWN, View, blurred_for
from agpis_sdk.builtin.duplicates.verification import larger_first, local_correlation, mean_correlation

WINDOW = 5  # pixels; side of the window of local statistics
FEWEST_PIXELS = WINDOW**2  # that both share; fewer show nothing


def rough_structure(first: View, second: View, transform: Transform) -> float:
    """Return the mean local correlation of two views at half their size, as they are: no exposure or overlay is made up for.

    The transform is from the first's pixels to the second's. 0 where nothing is shared.
    """
    (one, other), over, _ = larger_first(first, second, transform)
    over = rescaled(over, 0.5)
    there, size = other.halved, other.halved.shape[1::-1]
    drawn = np.asarray(cv2.warpAffine(blurred_for(one.halved, over), over, size, flags=cv2.INTER_LINEAR), np.float32)
    shared = (drawn[:, :, 2] > INSIDE) & ((drawn[:, :, 1] > SHOWN) | (there[:, :, 1] > SHOWN))
    if np.count_nonzero(shared) < FEWEST_PIXELS:
        return 0.0
    return mean_correlation(*local_correlation(drawn[:, :, 0], there[:, :, 0], shared, WINDOW), shared)
