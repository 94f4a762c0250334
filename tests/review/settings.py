"""What tests of the review share: settings, versions, a time and a password."""

from __future__ import annotations

from datetime import UTC, datetime

from agpis_sdk.config import ReviewSection
from agpis_sdk.review.store.queues import Versions

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
PASSWORD = "a quiet afternoon"
EACH_ONCE = ReviewSection(audit_share=0.0, double_share=0.0, order="probability")
VERSIONS = Versions(model="m1", config="c1", threshold=0.3)
