"""What the primary head reads of an image: its composition, its view, what is laid over it, and how like the other images it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.foreground import composition
from agpis_sdk.facts import VIEWS, View

IMAGE_FEATURES = (*composition.NAMES, *VIEWS, "whole", "overlay")
"""Names of what `features_of` gives."""
LIKENESS = ("likeness", "greatest likeness")
FEATURE_NAMES = (*IMAGE_FEATURES, *LIKENESS)
IMAGE_FACTS = frozenset({"composition", "view", "p_noncompliant"})
"""The facts that `features_of` reads."""
FACTS = IMAGE_FACTS | {"product_embedding"}
"""The facts that `features_in_gallery` reads."""
MAX_LOGIT = 4.0


def features_of(numbers: NDArray[np.float32], view: View, p_noncompliant: float) -> NDArray[np.float32]:
    """Return the features (len(IMAGE_FEATURES),) of an image: its composition, view probabilities and the logit of p_nc."""
    odds = (p_noncompliant + 1e-4) / (1 - p_noncompliant + 1e-4)
    overlay = float(np.clip(np.log(odds), -MAX_LOGIT, MAX_LOGIT))
    return np.concatenate([numbers, view.probabilities, [view.whole, overlay]]).astype(np.float32)


def likeness_of(embedding: NDArray[np.float32], others: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return how like the other images of its product an image is: the mean and the greatest cosine of `product_embedding`.

    An image alone is like itself.
    """
    cosines = [_cosine(embedding, other) for other in others] or [1.0]
    return np.array([sum(cosines) / len(cosines), max(cosines)], np.float32)


def features_in_gallery(facts: Mapping[str, Any], others: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the features (len(FEATURE_NAMES),) of an image by its `FACTS`, and by `product_embedding` of the product's other images."""
    own = features_of(facts["composition"], facts["view"], facts["p_noncompliant"])
    return np.concatenate([own, likeness_of(facts["product_embedding"], others)])


def _cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    length = float(np.linalg.norm(one)) * float(np.linalg.norm(other))
    return float(one @ other) / max(length, 1e-6)


_SMALL, _LARGE = "the product is small in the picture", "the product fills nearly all of the picture"
_CUT = "the picture's edge cuts the product"
_OFF_CENTER = "the product is off the middle"
_SEVERAL = "it shows several things"
# What nobody could act on is no reason: an unusual outline, or unusual colors.
_OUTLINE = _COLORS = ""
_TURNED = "the product is seen from the side or turned, not from the front"
_UNCLEAR = "the product hardly separates from its surroundings"
_NOT_PLAIN = "the background is not plain"
_CLUTTER = "the background is full of other things"
_CLOSE, _BUSY = "it shows little structure, as a close-up does", "it is full of detail"
_PERSON = "a person is in the picture"
_NOT_FRONT = "it does not seem to show the front"

REASONS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("area", "extent", "width", "height", "fill", "fill squared"), (_SMALL, _LARGE)),
    **dict.fromkeys(("box coverage", "hull coverage", "elongation", "upright"), (_OUTLINE, _OUTLINE)),
    **dict.fromkeys(("top width", "middle width", "bottom width", "picture aspect"), (_OUTLINE, _OUTLINE)),
    **dict.fromkeys(("sides cut", "side cut most", "left or right cut", "top cut", "bottom cut"), (_LARGE, _CUT)),
    **dict.fromkeys(("off-center across", "off-center down"), (_OFF_CENTER, _OFF_CENTER)),
    "parts": (_OUTLINE, _SEVERAL),
    "largest part": (_SEVERAL, _OUTLINE),
    "diagonal": (_OUTLINE, "the product is tilted"),
    **dict.fromkeys(("mask symmetry", "luma symmetry"), (_TURNED, _OUTLINE)),
    "uncertain": (_OUTLINE, _UNCLEAR),
    **dict.fromkeys(("ring plainness", "ring whiteness", "outside whiteness"), (_NOT_PLAIN, _SMALL)),
    "ring colors": (_COLORS, "the background is colored or mixed"),
    **dict.fromkeys(("outside scatter", "outside colors", "outside edges"), (_COLORS, _CLUTTER)),
    **dict.fromkeys(("inside edges", "all edges"), (_CLOSE, _BUSY)),
    **dict.fromkeys(("inside scatter", "inside colors", "inside lightness"), (_COLORS, _COLORS)),
    **dict.fromkeys(("skin", "skin above"), (_COLORS, _PERSON)),
    "contrast": (_UNCLEAR, _COLORS),
    "front": (_NOT_FRONT, _NOT_FRONT),
    "back": (_NOT_FRONT, "it seems to show the back"),
    "side": (_NOT_FRONT, _TURNED),
    "angle": (_NOT_FRONT, _TURNED),
    "detail": (_LARGE, "it seems to show a detail"),
    "lifestyle": (_COLORS, "it seems to show the product in use"),
    "model": (_COLORS, _PERSON),
    "packaging": (_COLORS, "it seems to show the package"),
    "group": (_COLORS, _SEVERAL),
    "text": (_COLORS, "it seems to show text or a chart"),
    "whole": ("it does not seem to show the whole product", _SMALL),
    "overlay": (_COLORS, "something seems to be laid over the picture"),
    **dict.fromkeys(LIKENESS, ("it is unlike the other images of the product", _COLORS)),
}
"""The reason given where a feature lowers an image's chance: at a low value, and at a high one; none where it is empty."""
