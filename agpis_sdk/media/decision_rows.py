"""Outcomes as rows of a table, a product each: for Parquet, Arrow and data frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agpis_sdk.errors import ConfigError
from agpis_sdk.media.gallery_order import chosen_images
from agpis_sdk.records import Outcome

TEXTS = ("product_id", "status", "reason", "detail", "feedback")
LISTS = ("sequence", "uris", "findings")


def decision_row(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as a row: its decision, the ids and uris of its chosen images, and the codes of its findings."""
    return {
        **{name: getattr(outcome, name) for name in TEXTS},
        "probability": outcome.probability,
        "sequence": list(outcome.sequence),
        "uris": [image.uri for image in chosen_images(outcome)],
        "findings": list(dict.fromkeys(finding.code for finding in outcome.findings)),
    }


def decision_table(outcomes: Sequence[Outcome]) -> Any:
    """Return outcomes as a `pyarrow.Table`; raises `ConfigError` where pyarrow is missing."""
    try:
        import pyarrow
    except ImportError:
        raise ConfigError(
            "needs pyarrow", item="a table of outcomes", remedy="pip install 'agpis-sdk[parquet]'"
        ) from None
    texts = [(name, pyarrow.string()) for name in TEXTS]
    lists = [(name, pyarrow.list_(pyarrow.string())) for name in LISTS]
    schema = pyarrow.schema([*texts, ("probability", pyarrow.float64()), *lists])
    return pyarrow.Table.from_pylist([decision_row(outcome) for outcome in outcomes], schema)
