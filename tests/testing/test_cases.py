"""Cases in YAML: each is one test, and a rule is tested from all sides."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from agpis_sdk.errors import AgpisError
from agpis_sdk.testing import RuleCase, image_bytes, load_cases, rule_cases
from tests.testing.odd_checkers import PLUGIN

GOOD = """
    AGP101:
      pass:
        - image: plain
        - name: a small one where small ones are welcome
          image: {fault: plain, size: [150, 150]}
          config: {min_side: 100}
      fail:
        - image: tiny.png
        - image: plain
          config: {min_side: 900}
      skip:
        - image: unreadable
    exact-copy:
      pass:
        - images: [plain, {fault: plain, seed: 1}]
      fail:
        - images: [plain, plain]
      skip:
        - images: [plain, unreadable]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "cases.yml"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def test_every_case_of_a_file_holds(tmp_path: Path) -> None:
    (tmp_path / "tiny.png").write_bytes(image_bytes("tiny"))

    cases = load_cases(write(tmp_path, GOOD))

    assert [str(case) for case in cases] == [
        "AGP101-pass-plain",
        "AGP101-pass-a small one where small ones are welcome",
        "AGP101-fail-tiny",
        "AGP101-fail-plain",
        "AGP101-skip-unreadable",
        "exact-copy-pass-plain plain",
        "exact-copy-fail-plain plain",
        "exact-copy-skip-plain unreadable",
    ]
    for case in cases:
        case.verify()


def test_a_case_that_does_not_hold_says_what_the_rule_said(tmp_path: Path) -> None:
    cases = load_cases(write(tmp_path, GOOD.replace("min_side: 900", "min_side: 90")))

    with pytest.raises(AssertionError, match=r'"plain": expected fail, got AGP101 low-resolution: pass .score 0\.00'):
        cases[3].verify()


def test_a_plugin_s_rules_are_tested_without_installing_it(tmp_path: Path) -> None:
    text = "ODD201: {pass: [{images: [dark, plain]}], fail: [{images: [plain, dark]}], skip: [{image: unreadable}]}"

    for case in load_cases(write(tmp_path, text), plugins=[PLUGIN]):
        case.verify()


class TestTheMark:
    FOLDER = Path(__file__).parent

    @rule_cases(FOLDER / "image_quality.yml")
    def test_runs_a_test_once_for_each_case(self, case: RuleCase) -> None:
        case.verify()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no cases"),
        ("a: [", "cannot be read"),
        (
            "AGP101: {pass: [{image: plain}]}",
            r"AGP101: has no case that is to fail or skip .*- image: unreadable will do",
        ),
        ("AGP101: {passes: []}", "AGP101: cases stand under pass, fail and skip"),
        ("AGP101: {pass: [{}], fail: [{}], skip: [{}]}", r"pass\.1: .*give either image or images"),
        (
            "AGP101: {pass: [{image: {falt: blur}}], fail: [{}], skip: [{}]}",
            r"pass\.1\.image\.falt: is no known field",
        ),
    ],
)
def test_a_file_that_is_not_understood_names_the_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(AgpisError, match=message):
        load_cases(write(tmp_path, text))


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(AgpisError, match=r"gone\.yml: cannot be read"):
        load_cases(tmp_path / "gone.yml")
