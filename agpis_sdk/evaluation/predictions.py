"""What a model said of reviewed sequences beside what their reviewers said: all that measuring needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.muisc.text import QUALIFIED


@dataclass(frozen=True, eq=False)
class JudgedReviews:
    """A model's judgment of n reviewed sequences over C classes.

    `codes` (n,) holds "yes", the first violated rule or "other"; `probabilities` (n, C) in 0..1 stand in the order of
    `classes`, column 0 is p^t; `feedback_said` is generated ("" by a model without words), `feedback_written` is the
    reviewer's; `products` (n,) are product ids. Raises `ValueError` when these do not fit together.
    """

    codes: NDArray[np.str_]
    probabilities: NDArray[np.float64]
    feedback_said: Sequence[str]
    feedback_written: Sequence[str]
    products: NDArray[np.str_]
    classes: Sequence[str]

    def __post_init__(self) -> None:
        lengths = {
            "probabilities": len(self.probabilities),
            "feedback_said": len(self.feedback_said),
            "feedback_written": len(self.feedback_written),
            "products": len(self.products),
        }
        for name, length in lengths.items():
            if length != len(self.codes):
                raise ValueError(f"{name}: {length} for {len(self.codes)} codes")
        if self.probabilities.shape != (len(self.codes), len(self.classes)):
            raise ValueError(f"probabilities: shape {self.probabilities.shape} for {len(self.classes)} classes")
        if not ((self.probabilities >= 0) & (self.probabilities <= 1)).all():
            raise ValueError("probabilities: not all in 0..1")
        unknown = sorted(set(self.codes.tolist()) - set(self.classes))
        if unknown:
            raise ValueError(f'codes: "{unknown[0]}" is no class of the model')

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def qualified(self) -> NDArray[np.bool_]:
        """Which reviews (n,) accepted their sequence."""
        return np.asarray(self.codes == QUALIFIED, dtype=bool)

    @property
    def p_qualified(self) -> NDArray[np.float64]:
        """The probability p^t (n,) of acceptance."""
        return np.asarray(self.probabilities[:, 0], dtype=np.float64)

    @property
    def most_likely(self) -> NDArray[np.str_]:
        """The most likely class (n,)."""
        return np.asarray(np.array(self.classes)[self.probabilities.argmax(1)], dtype=np.str_)

    @property
    def most_likely_objection(self) -> NDArray[np.str_]:
        """The most likely class (n,) among those of rejected sequences."""
        return np.asarray(np.array(self.classes)[1 + self.probabilities[:, 1:].argmax(1)], dtype=np.str_)
