"""Reviews trained on as many rejected as accepted ones are judged with the shares of the paper's Table 1."""

from __future__ import annotations

import numpy as np

from agpis_sdk.synthetic.sequences import rows_as_in_table_1


def test_all_accepted_reviews_stay_and_71_in_a_hundred_are_accepted() -> None:
    qualified = np.arange(200) % 2 == 0

    rows = rows_as_in_table_1(qualified)

    assert qualified[rows].sum() == 100
    assert abs(qualified[rows].mean() - 0.71) < 0.01


def test_where_few_are_rejected_all_stay() -> None:
    qualified = np.arange(100) != 7

    assert rows_as_in_table_1(qualified).tolist() == list(range(100))
