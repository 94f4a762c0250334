"""By which models and settings outcomes were made, as short names that a decision carries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from agpis_sdk.config import Config, flatten
from agpis_sdk.pipeline.checkpoint import FREE_SETTINGS
from agpis_sdk.pipeline.plan import make_plan
from agpis_sdk.pipeline.weights_digest import weights_of
from agpis_sdk.plugins import PluginHost
from agpis_sdk.review.store.queues import Versions

DIGITS = 10
NO_INFLUENCE = ("review.", *FREE_SETTINGS)


def versions_of(config: Config, host: PluginHost, model: str = "") -> Versions:
    """Return the versions of a run with these settings; without a name, `model` is a digest of all weights."""
    settings = {key: value for key, value in flatten(config).items() if not key.startswith(NO_INFLUENCE)}
    weights = model or _digest(weights_of(make_plan(host, config).components(), host, config))
    return Versions(model=weights, config=_digest(settings), threshold=config.sequence.threshold)


def _digest(known: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()[:DIGITS]
