"""What the plugin promises: its cases, and the contract that every checker keeps."""

from __future__ import annotations

from pathlib import Path

import pytest
from agpis_sdk.testing import ImageCheckerContract, RuleCase, check, make_image, rule_cases

from agpis_shiny import plugin


@rule_cases(Path(__file__).parent / "cases.yml", plugins=[plugin])
def test_a_case_is_judged_as_expected(case: RuleCase) -> None:
    case.verify()


class TestContract(ImageCheckerContract):
    """Batches, order, repetition, broken files, JSON …: the tests are inherited."""

    plugins = (plugin,)
    component = "shiny"


def test_the_score_is_a_half_at_the_limit() -> None:
    image = make_image("highlight")
    share = check("SHY101", image, config={"max_share": 1.0}, plugins=[plugin]).score * 2

    result = check("SHY101", image, config={"max_share": share}, plugins=[plugin])

    assert result.score == pytest.approx(0.5)
