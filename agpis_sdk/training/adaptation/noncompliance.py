"""Sets the p_nc threshold for a stated rate of false alarms on a shop's own photos."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.training.adaptation.request import Adaptation, AdaptationRequest

MOST_FLAGGED = 0.2
"""Share of a shop's photos above which they cannot all be taken for false alarms."""
LARGEST_THRESHOLD = 0.95
FEWEST_IMAGES = 20


class ThresholdAdapter:
    """Adapts `noncompliance.threshold`: most of what a shop shows itself is fine."""

    facts = frozenset({"p_noncompliant"})
    quick = True

    def adapt(self, request: AdaptationRequest) -> Adaptation:
        """Raise the threshold until the shop's own photos are refused no more often than stated; never lower it."""
        p_nc = np.array([facts["p_noncompliant"] for one in request.products for facts in one.images.values()])
        now = request.config.noncompliance.threshold
        flagged = float((p_nc >= now).mean()) if len(p_nc) else 0.0
        threshold = threshold_for(p_nc, request.false_alarms, now)
        reason = _reason_against(p_nc, flagged, request.false_alarms)
        return Adaptation(
            part="p_nc threshold",
            measure="own photos refused",
            examples=len(p_nc),
            before=flagged,
            after=held_out_rate(p_nc, request.false_alarms, now, request.seed) if not reason else None,
            adopted=not reason,
            reason=reason or f"{now:g} becomes {threshold:g}, for at most {request.false_alarms:.0%} of its own photos",
            settings={} if reason else {"noncompliance": {"threshold": threshold}},
        )


def threshold_for(p_nc: NDArray[np.float64], rate: float, now: float) -> float:
    """Return the smallest threshold from `now` on that at most a share `rate` of p_nc (n,) reaches, with two digits."""
    if not len(p_nc):
        return now
    above = float(np.quantile(p_nc, 1 - rate, method="higher"))
    return min(max(now, float(np.ceil(above * 100 + 1e-9) / 100)), LARGEST_THRESHOLD)


def held_out_rate(p_nc: NDArray[np.float64], rate: float, now: float, seed: int) -> float:
    """Return the share of photos refused at a threshold that the other half of the photos set, the mean of both halves."""
    half = np.random.default_rng(seed).permutation(len(p_nc)) % 2 == 0
    return float(np.mean([(p_nc[part] >= threshold_for(p_nc[~part], rate, now)).mean() for part in (half, ~half)]))


def _reason_against(p_nc: NDArray[np.float64], flagged: float, rate: float) -> str:
    if len(p_nc) < FEWEST_IMAGES:
        return f"needs {FEWEST_IMAGES} readable images"
    if flagged <= rate:
        return f"{flagged:.0%} of its own photos are refused, no more than the {rate:.0%} allowed"
    if flagged > MOST_FLAGGED:
        return f"{flagged:.0%} of its photos look non-compliant, too many to be false alarms: see `agpis audit`"
    return ""
