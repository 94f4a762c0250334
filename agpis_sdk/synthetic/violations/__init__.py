"""Rule violations drawn into clean product photos, for training and for judging.

`inject` draws one kind of violation, `hard_negative` something that only looks like one. The fonts come from the
packages of the extra `agpis-sdk[synthetic]` and are loaded when a text is first set.
"""

from agpis_sdk.synthetic.violations.registry import KINDS, hard_negative, inject
from agpis_sdk.synthetic.violations.types import Split, Violation

__all__ = ["KINDS", "Split", "Violation", "hard_negative", "inject"]
