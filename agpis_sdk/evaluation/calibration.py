"""Calibration of p^t: a temperature and a bias on the qualified class, fitted on the validation split.

Temperature scaling is that of Guo et al., "On Calibration of Modern Neural Networks" (2017); the bias makes up for a
share of qualified reviews that differs from the one in training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_expit, logsumexp, softmax
from sklearn.metrics import roc_curve

from agpis_sdk.errors import TrainingDataError

Logits = NDArray[np.floating]

TEMPERATURES = (0.05, 20.0)
BIASES = (-10.0, 10.0)
PRIOR_WIDTHS = (0.5, 1.0)
"""Standard deviations of the logarithm of the temperature and of the bias around those of a prior."""


@dataclass(frozen=True)
class Calibration:
    """Divide all class logits by `temperature` (> 0), then add `bias` to the qualified one."""

    temperature: float = 1.0
    bias: float = 0.0


def fit_calibration(logits: Logits, qualified: NDArray[np.bool_], prior: Calibration | None = None) -> Calibration:
    """Return the calibration under which the decisions (n,) are most probable, given class logits (n, C).

    Only qualified or not is fitted, as p^t alone decides. The search is deterministic, bounded by `TEMPERATURES` and
    `BIASES`, and without a prior never returns a worse loss than no calibration. With one, a few decisions move it little
    and many decide alone: the logarithm of the temperature and the bias are normal around it, as wide as `PRIOR_WIDTHS`.
    Raises `TrainingDataError` where one decision is missing.
    """
    if len(set(qualified.tolist())) < 2:
        raise TrainingDataError(
            "calibration needs accepted and rejected reviews", item="validation", remedy="add reviews of more products"
        )

    start = np.zeros(2) if prior is None else np.array([np.log(prior.temperature), prior.bias])

    def loss(point: NDArray[np.float64]) -> float:
        fit = decision_loss(logits, qualified, Calibration(float(np.exp(point[0])), float(point[1])))
        distance = 0.0 if prior is None else float((((point - start) / PRIOR_WIDTHS) ** 2).sum() / 2)
        return fit + distance / len(qualified)

    bounds = [tuple(np.log(TEMPERATURES)), BIASES]
    found = minimize(loss, start, method="L-BFGS-B", bounds=bounds)
    if not found.fun < loss(start):
        return prior or Calibration()
    return Calibration(float(np.exp(found.x[0])), float(found.x[1]))


def objection_limit(p_qualified: NDArray[np.float64], qualified: NDArray[np.bool_]) -> float:
    """Return the p^t below which the model generates an objection: the threshold of Youden's J (1950).

    That is the largest sensitivity + specificity, given calibrated p^t (n,) and decisions (n,) of both kinds.

    >>> objection_limit(np.array([0.9, 0.7, 0.6, 0.2]), np.array([True, True, False, False]))
    0.7
    """
    false_alarms, hits, thresholds = roc_curve(qualified, p_qualified)
    # The first threshold of scikit-learn's curve is infinite: nothing is accepted.
    best = 1 + int(np.argmax((hits - false_alarms)[1:]))
    return float(thresholds[best])


def decision_loss(logits: Logits, qualified: NDArray[np.bool_], calibration: Calibration) -> float:
    """Return the mean negative log-likelihood of the decisions (n,) under calibrated class logits (n, C).

    >>> round(decision_loss(np.array([[2.0, 0.0], [0.0, 1.0]]), np.array([True, False]), Calibration()), 4)
    0.2201
    """
    shifted = _shifted(logits, calibration)
    margin = shifted[:, 0] - logsumexp(shifted[:, 1:], axis=1)  # the log odds of p^t
    return float(-log_expit(np.where(qualified, margin, -margin)).mean())


def calibrated(logits: Logits, calibration: Calibration) -> NDArray[np.float64]:
    """Return the calibrated class probabilities (n, C) of class logits (n, C).

    >>> calibrated(np.array([[2.0, 0.0]]), Calibration(temperature=2.0, bias=-1.0))
    array([[0.5, 0.5]])
    """
    return np.asarray(softmax(_shifted(logits, calibration), axis=1))


def _shifted(logits: Logits, calibration: Calibration) -> NDArray[np.float64]:
    shifted = np.asarray(logits, dtype=np.float64) / calibration.temperature
    shifted[:, 0] += calibration.bias
    return shifted
