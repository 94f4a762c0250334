"""Does the reject rate fall? The rounds of several runs of `agpis review simulate` in one table, in Markdown.

    agpis review simulate --labels SHOPS -o DIR0 --seed 0 …; agpis review simulate --labels SHOPS -o DIR1 --seed 1 …
    python benchmarks/simulated_rounds.py DIR0 DIR1 …

Each DIR is the folder of one run: its own draw of which products are unseen. Rates are of all runs together. A product may be
unseen in several of them, so that intervals (95 %) come from a bootstrap over products; the change is over the first round,
with the same products drawn for both. AUC is that of p^t on the unseen proposals.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.evaluation.bootstrap import WeightedMetrics, bootstrap_weights, confidence_interval

RESAMPLES = 2000
HEADINGS = (
    "round",
    "reviews",
    "submitted",
    "reject rate",
    "change",
    "of all proposals",
    "AUC",
    "promoted",
    "not promoted",
)


@dataclass(frozen=True, eq=False)
class Proposals:
    """Proposals of one round: of which product (n,), submitted or not, rejected or not, and p^t; not a number without a scorer."""

    products: NDArray[np.str_]
    submitted: NDArray[np.bool_]
    rejected: NDArray[np.bool_]
    p_t: NDArray[np.float64]

    @classmethod
    def of(cls, folders: Sequence[Path], number: int) -> Proposals:
        """Return the proposals of a round of all runs."""
        rows = [
            json.loads(line)
            for folder in folders
            for line in (folder / f"measured-{number}.jsonl").open(encoding="utf-8")
        ]
        return cls(
            np.array([row["product"] for row in rows]),
            np.array([row["submitted"] for row in rows], dtype=bool),
            np.array([bool(row["rules"]) for row in rows]),
            np.array([row["probability"] for row in rows], dtype=np.float64),
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    folders = parser.parse_args().folders
    played = [json.loads((folder / "rounds.json").read_text(encoding="utf-8")) for folder in folders]
    first = Proposals.of(folders, 1)
    print("| " + " | ".join(HEADINGS) + " |\n|" + "---|" * len(HEADINGS))
    for place in range(min(map(len, played))):
        known = Proposals.of(folders, place + 1)
        rounds = [rounds[place] for rounds in played]
        submitted = with_interval(*drawn_rates(known, known.submitted, first, first.submitted)[:2])
        change = with_interval(*changed(known, known.submitted, first, first.submitted)) if place else "–"
        proposed = with_interval(*drawn_rates(known, np.ones_like(known.submitted), first, first.submitted)[:2])
        cells = (
            str(place + 1),
            str(sum(one["reviews"] for one in rounds)),
            str(int(known.submitted.sum())),
            submitted,
            change,
            f"{proposed} of {len(known.products)}",
            f"{auc(known):.2f}",
            *("; ".join(candidates(rounds, promoted=promoted)) for promoted in (True, False)),
        )
        print("| " + " | ".join(cells) + " |")


def drawn_rates(
    known: Proposals, chosen: NDArray[np.bool_], first: Proposals, chosen_first: NDArray[np.bool_]
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Return the reject rate of the chosen proposals, and over draws of products that of theirs and of the first round's."""
    products = np.concatenate([known.products, first.products])
    rejected = np.concatenate([known.rejected, first.rejected])
    own = np.concatenate([chosen, np.zeros_like(chosen_first)])
    others = np.concatenate([np.zeros_like(chosen), chosen_first])
    draws = np.concatenate(list(bootstrap_weights(products, RESAMPLES, seed=0)))
    rates = [(draws[:, part] @ rejected[part]) / draws[:, part].sum(axis=1) for part in (own, others)]
    return float(rejected[own].mean()), rates[0], rates[1]


def changed(
    known: Proposals, chosen: NDArray[np.bool_], first: Proposals, chosen_first: NDArray[np.bool_]
) -> tuple[float, NDArray[np.float64]]:
    """Return by how much the reject rate is above that of the first round, and the same over draws of products."""
    rate, drawn, drawn_first = drawn_rates(known, chosen, first, chosen_first)
    return rate - float(first.rejected[chosen_first].mean()), drawn - drawn_first


def with_interval(value: float, draws: NDArray[np.float64]) -> str:
    """Return a share in percent with its interval."""
    low, high = confidence_interval(draws) or (np.nan, np.nan)
    return f"{100 * value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def auc(known: Proposals) -> float:
    """Return the ROC AUC of p^t, accepted against rejected."""
    return float(WeightedMetrics.unweighted(~known.rejected, known.p_t).area_under_roc(known.rejected)[0])


def candidates(rounds: Sequence[dict[str, Any]], *, promoted: bool) -> list[str]:
    """Return the candidates of all runs that were promoted, or were not, with their figures on the frozen products."""
    found = [one for played in rounds for one in played["candidates"] if one["promoted"] is promoted]
    return [
        f"{one['component']} {one['headline']} {one['old']:.2f} → {one['new']:.2f}"
        if one["old"] is not None
        else f"{one['component']} (not compared)"
        for one in found
    ]


if __name__ == "__main__":
    main()
