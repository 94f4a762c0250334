"""Puts the outcomes of a run up for review, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from agpis_sdk.config import ReviewSection
from agpis_sdk.records import Product
from agpis_sdk.review.ordering import Place, in_order
from agpis_sdk.review.outcomes import RunOutput
from agpis_sdk.review.store.database import Store
from agpis_sdk.review.store.tables import Assignment, Item, Queue


@dataclass(frozen=True)
class Versions:
    """Which models and settings the outcomes of a queue are from."""

    model: str
    config: str
    threshold: float


def add_queue(store: Store, run: RunOutput, settings: ReviewSection, versions: Versions, now: datetime) -> int:
    """Return the id of the queue of a run's outcomes; one that is there already stays as it is."""
    with store.writing() as session:
        known = session.scalar(select(Queue.id).where(Queue.digest == run.digest))
        if known is not None:
            return known
        queue = Queue(
            name=run.name,
            digest=run.digest,
            root=run.root,
            model_version=versions.model,
            config_version=versions.config,
            threshold=versions.threshold,
            created_at=now,
        )
        session.add(queue)
        session.flush()
        products = {pair.product.id: pair.product for pair in run.products}
        places = in_order([pair.outcome for pair in run.products], settings)
        if places:
            items = [_item(queue.id, place, products[place.outcome.product_id]) for place in places]
            ids = session.scalars(insert(Item).returning(Item.id, sort_by_parameter_order=True), items)
            session.execute(insert(Assignment), _assignments(queue.id, list(ids), places))
        return queue.id


def _item(queue_id: int, place: Place, product: Product) -> dict[str, object]:
    return {
        "queue_id": queue_id,
        "product_id": product.id,
        "category": product.category,
        "seller": str(product.attributes.get("seller", "")),
        "status": place.outcome.status,
        "probability": place.outcome.probability,
        "audit": place.audit,
        "product": product.model_dump_json(),
        "outcome": place.outcome.model_dump_json(),
    }


def _assignments(queue_id: int, item_ids: Sequence[int], places: Sequence[Place]) -> list[dict[str, object]]:
    return [
        {"queue_id": queue_id, "item_id": item_id, "number": number, "rank": place.rank, "decided": False}
        for item_id, place in zip(item_ids, places, strict=True)
        for number in range(1, place.reviews + 1)
    ]


def root_of(store: Store, queue_id: int) -> str:
    """Return the folder below which files of a queue's images must be; "" where the queue has none, or is not there."""
    with store.reading() as session:
        return session.scalar(select(Queue.root).where(Queue.id == queue_id)) or ""
