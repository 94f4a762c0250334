"""What the plugin promises: its cases, and the contract that every checker keeps."""

from __future__ import annotations

from pathlib import Path

from agpis_sdk.testing import ImageCheckerContract, RuleCase, rule_cases

from agpis_shiny import plugin


@rule_cases(Path(__file__).parent / "cases.yml", plugins=[plugin])
def test_a_case_is_judged_as_expected(case: RuleCase) -> None:
    case.verify()


class TestContract(ImageCheckerContract):
    """Batches, order, repetition, broken files, JSON …: the tests are inherited."""

    plugins = (plugin,)
    component = "shiny"
