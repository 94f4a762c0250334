"""The built-in components keep the contracts that the kit hands to everyone else."""

from __future__ import annotations

from typing import ClassVar

import pytest

from agpis_sdk.testing import (
    AuditReporterContract,
    BackboneContract,
    ImageCheckerContract,
    OutcomeReporterContract,
    PairCheckerContract,
    PrimarySelectorContract,
    SequenceBuilderContract,
    SequenceCheckerContract,
)


class TestMeasures(ImageCheckerContract):
    component: ClassVar[str] = "image-quality"


class TestExactCopies(PairCheckerContract):
    component: ClassVar[str] = "exact-copies"


@pytest.mark.slow
class TestDuplicates(PairCheckerContract):
    component: ClassVar[str] = "duplicates"


@pytest.mark.slow
class TestNoncompliance(ImageCheckerContract):
    component: ClassVar[str] = "noncompliance"


@pytest.mark.slow
class TestMuisc(SequenceCheckerContract):
    component: ClassVar[str] = "muisc"


class TestFirst(PrimarySelectorContract):
    component: ClassVar[str] = "first"


@pytest.mark.slow
class TestLearned(PrimarySelectorContract):
    component: ClassVar[str] = "primary"


class TestListed(SequenceBuilderContract):
    component: ClassVar[str] = "listed"


class TestRandom(SequenceBuilderContract):
    component: ClassVar[str] = "random"


class TestSearch(SequenceBuilderContract):
    component: ClassVar[str] = "search"


class TestSearchByBeam(SequenceBuilderContract):
    component: ClassVar[str] = "search"
    settings: ClassVar[dict[str, int]] = {"exhaustive_up_to": 1, "beam_width": 2}


@pytest.mark.slow
class TestEfficientNetLite0(BackboneContract):
    component: ClassVar[str] = "efficientnet-lite0"


class TestHtml(OutcomeReporterContract):
    component: ClassVar[str] = "html"


class TestAuditText(AuditReporterContract):
    component: ClassVar[str] = "audit-text"


class TestAuditJson(AuditReporterContract):
    component: ClassVar[str] = "audit-json"


class TestAuditCsv(AuditReporterContract):
    component: ClassVar[str] = "audit-csv"


class TestAuditGithub(AuditReporterContract):
    component: ClassVar[str] = "audit-github"


class TestAuditSarif(AuditReporterContract):
    component: ClassVar[str] = "audit-sarif"
