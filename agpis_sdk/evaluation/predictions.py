"""A model's predictions on reviewed sequences beside the reviewers' decisions: the input of every metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.muisc.text import QUALIFIED


@dataclass(frozen=True, eq=False)
class Predictions:
    """A model's predictions for n reviewed sequences over C classes.

    `codes` (n,) are the labels: "yes", the first violated rule or "other". `probabilities` (n, C) in 0..1 are in the
    order of `classes`; column 0 is p^t. `generated_feedback` is the model's ("" from a model without a decoder),
    `reviewer_feedback` the reviewer's; `products` (n,) are product ids. Raises `ValueError` where lengths, shapes or
    labels do not match.
    """

    codes: NDArray[np.str_]
    probabilities: NDArray[np.float64]
    generated_feedback: Sequence[str]
    reviewer_feedback: Sequence[str]
    products: NDArray[np.str_]
    classes: Sequence[str]

    def __post_init__(self) -> None:
        lengths = {
            "probabilities": len(self.probabilities),
            "generated_feedback": len(self.generated_feedback),
            "reviewer_feedback": len(self.reviewer_feedback),
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
            raise ValueError(f'codes: "{unknown[0]}" is not a class of the model')

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def qualified(self) -> NDArray[np.bool_]:
        """Mask (n,) of accepted sequences."""
        return np.asarray(self.codes == QUALIFIED, dtype=bool)

    @property
    def p_qualified(self) -> NDArray[np.float64]:
        """Acceptance probability p^t (n,)."""
        return np.asarray(self.probabilities[:, 0], dtype=np.float64)

    @property
    def most_likely(self) -> NDArray[np.str_]:
        """Most likely class (n,)."""
        return np.asarray(np.array(self.classes)[self.probabilities.argmax(1)], dtype=np.str_)

    @property
    def most_likely_objection(self) -> NDArray[np.str_]:
        """Most likely class (n,) other than acceptance."""
        return np.asarray(np.array(self.classes)[1 + self.probabilities[:, 1:].argmax(1)], dtype=np.str_)
