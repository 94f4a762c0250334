"""The built-in checkers keep the contracts that the kit hands to everyone else."""

from __future__ import annotations

from typing import ClassVar

import pytest

from agpis_sdk.testing import ImageCheckerContract, PairCheckerContract, SequenceCheckerContract


class TestMeasures(ImageCheckerContract):
    component: ClassVar[str] = "measures"


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
