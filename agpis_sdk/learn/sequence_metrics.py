"""What a sequence model is worth: the paper's metrics (section 4.1), from scikit-learn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.builtin.muisc.text import QUALIFIED

PRECISIONS = (0.8, 0.85, 0.9)
CATEGORIES = {"single": "AGP1", "pair": "AGP2", "multi": "AGP3"}


def sequence_metrics(codes: NDArray[np.str_], p_qualified: NDArray[np.float32]) -> dict[str, float]:
    """Return ROC AUC, recall at precision, and the AUC against each category of rules alone.

    `codes` (n,) holds "yes" or the violated rule, `p_qualified` (n,) is p^t. A category's AUC is taken against all
    qualified samples: unlike the paper's balanced subsets this draws nothing at random, and has the same expectation.
    """
    from sklearn.metrics import precision_recall_curve, roc_auc_score

    qualified = codes == QUALIFIED
    metrics = {"auc": float(roc_auc_score(qualified, p_qualified))}
    precision, recall, _ = precision_recall_curve(qualified, p_qualified)
    for level in PRECISIONS:
        metrics[f"recall_at_precision_{level:g}"] = float(recall[precision >= level].max(initial=0.0))
    for name, prefix in CATEGORIES.items():
        chosen = qualified | np.char.startswith(codes, prefix)
        if (chosen & ~qualified).any():
            metrics[f"auc_{name}"] = float(roc_auc_score(qualified[chosen], p_qualified[chosen]))
    return {name: round(value, 4) for name, value in metrics.items()}


def expected_calibration_error(qualified: NDArray[np.bool_], p_qualified: NDArray[np.float32], bins: int = 10) -> float:
    """Return the mean distance between p^t and the share that is qualified, over bins of equal width."""
    places = np.minimum((p_qualified * bins).astype(int), bins - 1)
    gaps = [
        (places == place).mean() * abs(p_qualified[places == place].mean() - qualified[places == place].mean())
        for place in np.unique(places)
    ]
    return round(float(np.sum(gaps)), 4)
