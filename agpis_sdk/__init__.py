"""AGPIS SDK: choose and order a product's images, and explain every rule that is broken.

The public names are imported lazily, so `import agpis_sdk` loads no torch, cv2, transformers, timm or faiss.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "agpis_sdk.builtin.muisc.model": ("Muisc", "MuiscConfig"),
    "agpis_sdk.builtin.muisc.processor": ("MuiscProcessor",),
    "agpis_sdk.components": (
        "AuditReporter", "Backbone", "BackboneSpec", "ComponentConfig", "Context", "DecodedImage", "FixablePicture", "Fixer", "FixerSpec", "ImageChecker", "ImageCheckerSpec",
        "ImagePair", "ImageSequence", "MIN_REPORTED_SCORE", "OutcomeReporter", "PairChecker", "PairCheckerSpec", "PrimarySelector", "PrimarySelectorSpec",
        "Profile", "ReporterSpec", "SequenceBuilder", "SequenceBuilderSpec", "SequenceCandidates", "SequenceChecker",
        "SequenceCheckerSpec", "image_finding", "pair_finding",
    ),
    "agpis_sdk.config": ("Config", "load_config"),
    "agpis_sdk.errors": ("AgpisError",),
    "agpis_sdk.facts": ("Background", "Foreground", "ColorHistogram", "View"),
    "agpis_sdk.hookspecs": ("hookimpl",),
    "agpis_sdk.pipeline.audit": ("Audit",),
    "agpis_sdk.pipeline.pipeline": ("Pipeline",),
    "agpis_sdk.records": (
        "AuditFinding", "CandidateImage", "Finding", "GalleryAudit", "ImageOutcome", "Outcome", "Product", "Region", "Review", "SequenceVerdict",
        "Unjudged",
    ),
    "agpis_sdk.rules": ("Rule", "RuleSet"),
}  # fmt: skip
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

if TYPE_CHECKING:
    from agpis_sdk.builtin.muisc.model import Muisc as Muisc
    from agpis_sdk.builtin.muisc.model import MuiscConfig as MuiscConfig
    from agpis_sdk.builtin.muisc.processor import MuiscProcessor as MuiscProcessor
    from agpis_sdk.components import MIN_REPORTED_SCORE as MIN_REPORTED_SCORE
    from agpis_sdk.components import AuditReporter as AuditReporter
    from agpis_sdk.components import Backbone as Backbone
    from agpis_sdk.components import BackboneSpec as BackboneSpec
    from agpis_sdk.components import ComponentConfig as ComponentConfig
    from agpis_sdk.components import Context as Context
    from agpis_sdk.components import DecodedImage as DecodedImage
    from agpis_sdk.components import FixablePicture as FixablePicture
    from agpis_sdk.components import Fixer as Fixer
    from agpis_sdk.components import FixerSpec as FixerSpec
    from agpis_sdk.components import ImageChecker as ImageChecker
    from agpis_sdk.components import ImageCheckerSpec as ImageCheckerSpec
    from agpis_sdk.components import ImagePair as ImagePair
    from agpis_sdk.components import ImageSequence as ImageSequence
    from agpis_sdk.components import OutcomeReporter as OutcomeReporter
    from agpis_sdk.components import PairChecker as PairChecker
    from agpis_sdk.components import PairCheckerSpec as PairCheckerSpec
    from agpis_sdk.components import PrimarySelector as PrimarySelector
    from agpis_sdk.components import PrimarySelectorSpec as PrimarySelectorSpec
    from agpis_sdk.components import Profile as Profile
    from agpis_sdk.components import ReporterSpec as ReporterSpec
    from agpis_sdk.components import SequenceBuilder as SequenceBuilder
    from agpis_sdk.components import SequenceBuilderSpec as SequenceBuilderSpec
    from agpis_sdk.components import SequenceCandidates as SequenceCandidates
    from agpis_sdk.components import SequenceChecker as SequenceChecker
    from agpis_sdk.components import SequenceCheckerSpec as SequenceCheckerSpec
    from agpis_sdk.components import image_finding as image_finding
    from agpis_sdk.components import pair_finding as pair_finding
    from agpis_sdk.config import Config as Config
    from agpis_sdk.config import load_config as load_config
    from agpis_sdk.errors import AgpisError as AgpisError
    from agpis_sdk.facts import Background as Background
    from agpis_sdk.facts import ColorHistogram as ColorHistogram
    from agpis_sdk.facts import Foreground as Foreground
    from agpis_sdk.facts import View as View
    from agpis_sdk.hookspecs import hookimpl as hookimpl
    from agpis_sdk.pipeline.audit import Audit as Audit
    from agpis_sdk.pipeline.pipeline import Pipeline as Pipeline
    from agpis_sdk.records import AuditFinding as AuditFinding
    from agpis_sdk.records import CandidateImage as CandidateImage
    from agpis_sdk.records import Finding as Finding
    from agpis_sdk.records import GalleryAudit as GalleryAudit
    from agpis_sdk.records import ImageOutcome as ImageOutcome
    from agpis_sdk.records import Outcome as Outcome
    from agpis_sdk.records import Product as Product
    from agpis_sdk.records import Region as Region
    from agpis_sdk.records import Review as Review
    from agpis_sdk.records import SequenceVerdict as SequenceVerdict
    from agpis_sdk.records import Unjudged as Unjudged
    from agpis_sdk.rules import Rule as Rule
    from agpis_sdk.rules import RuleSet as RuleSet

__all__ = ["__version__", *sorted(_HOME_OF)]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'agpis_sdk' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return __all__
