"""What a seller has suppressed is neither reported by a run nor does it remove an image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agpis_sdk.pipeline.pipeline import Pipeline
from tests.pipeline.fakes import BAD, Stand, codes, configured, flag, product, states


def ignoring(gallery: Path, *entries: dict[str, Any]) -> dict[str, Any]:
    return {**product(gallery), "attributes": {"agpis_ignore": list(entries)}}


def test_a_suppressed_error_removes_no_image(gallery: Path) -> None:
    stand = Stand().image_checker(flag({"b": 1.0}))
    entry = {"rule": BAD.code, "images": ["b"], "reason": "meant so"}

    outcome = stand.run_one(ignoring(gallery, entry))

    assert codes(outcome) == []
    assert states(outcome)["b"] != "removed"


def test_another_image_s_finding_of_the_same_rule_stands(gallery: Path) -> None:
    stand = Stand().image_checker(flag({"b": 1.0, "c": 1.0}))
    entry = {"rule": BAD.name, "images": ["b"], "reason": "meant so"}

    outcome = stand.run_one(ignoring(gallery, entry))

    assert [finding.images for finding in outcome.findings] == [("c",)]
    assert states(outcome)["c"] == "removed"


def test_a_suppression_without_a_reason_suppresses_nothing_and_is_named(gallery: Path) -> None:
    pipeline = Pipeline(configured({}), host=Stand().image_checker(flag({"b": 1.0})).host())

    (outcome,) = pipeline.run([ignoring(gallery, {"rule": BAD.code})])

    assert codes(outcome) == [BAD.code]
    assert any("agpis_ignore.0.reason" in notice and "P1" in notice for notice in pipeline.summary.notices)
    assert pipeline.summary.failed
