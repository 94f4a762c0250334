"""The plugin author's kit: pictures with a chosen fault, one rule checked at a time, and contracts to inherit.

The names are imported lazily, so that the pytest plugin loads no cv2 and no torch where no test asks for them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOMES = {
    "agpis_sdk.testing.cases": ("RuleCase", "load_cases", "rule_cases"),
    "agpis_sdk.testing.checking": ("RuleResult", "check"),
    "agpis_sdk.testing.choice_contracts": ("BackboneContract", "PrimarySelectorContract", "SequenceBuilderContract"),
    "agpis_sdk.testing.contracts": ("ImageCheckerContract", "PairCheckerContract", "SequenceCheckerContract"),
    "agpis_sdk.testing.format_contracts": ("ReaderContract", "WriterContract"),
    "agpis_sdk.testing.hosts": ("isolated_host",),
    "agpis_sdk.testing.images": ("FAULTS", "image_bytes", "make_image", "make_product"),
    "agpis_sdk.testing.light_import": ("assert_light_import",),
    "agpis_sdk.testing.reporter_contracts": ("AuditReporterContract", "OutcomeReporterContract"),
    "agpis_sdk.testing.recorder": ("HookCall", "HookRecorder"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

if TYPE_CHECKING:
    from agpis_sdk.testing.cases import RuleCase as RuleCase
    from agpis_sdk.testing.cases import load_cases as load_cases
    from agpis_sdk.testing.cases import rule_cases as rule_cases
    from agpis_sdk.testing.checking import RuleResult as RuleResult
    from agpis_sdk.testing.checking import check as check
    from agpis_sdk.testing.choice_contracts import BackboneContract as BackboneContract
    from agpis_sdk.testing.choice_contracts import PrimarySelectorContract as PrimarySelectorContract
    from agpis_sdk.testing.choice_contracts import SequenceBuilderContract as SequenceBuilderContract
    from agpis_sdk.testing.contracts import ImageCheckerContract as ImageCheckerContract
    from agpis_sdk.testing.contracts import PairCheckerContract as PairCheckerContract
    from agpis_sdk.testing.contracts import SequenceCheckerContract as SequenceCheckerContract
    from agpis_sdk.testing.format_contracts import ReaderContract as ReaderContract
    from agpis_sdk.testing.format_contracts import WriterContract as WriterContract
    from agpis_sdk.testing.hosts import isolated_host as isolated_host
    from agpis_sdk.testing.images import FAULTS as FAULTS
    from agpis_sdk.testing.images import image_bytes as image_bytes
    from agpis_sdk.testing.images import make_image as make_image
    from agpis_sdk.testing.images import make_product as make_product
    from agpis_sdk.testing.light_import import assert_light_import as assert_light_import
    from agpis_sdk.testing.recorder import HookCall as HookCall
    from agpis_sdk.testing.recorder import HookRecorder as HookRecorder
    from agpis_sdk.testing.reporter_contracts import AuditReporterContract as AuditReporterContract
    from agpis_sdk.testing.reporter_contracts import OutcomeReporterContract as OutcomeReporterContract

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'agpis_sdk.testing' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return __all__
