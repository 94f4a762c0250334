"""How far two reviewers agree on the products that both have judged."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from sklearn.metrics import cohen_kappa_score

from agpis_sdk.review.metrics.rates import Reviewed


@dataclass(frozen=True)
class Agreement:
    """On `products` judged twice, the share with the same decision, and Cohen's kappa (None where it is not defined)."""

    products: int
    same: float | None
    kappa: float | None
    disagreements: tuple[int, ...]


def agreement(rows: Sequence[Reviewed]) -> Agreement:
    """Return the agreement on accepting or refusing; the first two judgments of a product count."""
    by_item: dict[int, list[Reviewed]] = {}
    for row in rows:
        by_item.setdefault(row.item_id, []).append(row)
    pairs = [(item, group[0].refused, group[1].refused) for item, group in by_item.items() if len(group) > 1]
    if not pairs:
        return Agreement(0, None, None, ())
    first, second = [one for _, one, _ in pairs], [two for _, _, two in pairs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one decision only: kappa is not defined, which we say ourselves
        kappa = float(cohen_kappa_score(first, second))
    same = sum(one == two for _, one, two in pairs) / len(pairs)
    defined = len({*first, *second}) > 1
    return Agreement(
        len(pairs), same, kappa if defined else None, tuple(item for item, one, two in pairs if one != two)
    )
