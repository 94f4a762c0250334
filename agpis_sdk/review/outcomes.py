"""Outcomes of a run beside the products that they are about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from agpis_sdk.errors import RecordError, first_problem
from agpis_sdk.media.outcome_lines import outcome_lines, outcomes_digest
from agpis_sdk.media.products import RejectedRecord, read_products
from agpis_sdk.records import CandidateImage, Outcome, Product


@dataclass(frozen=True)
class RunProduct:
    """A product and what a run made of it."""

    product: Product
    outcome: Outcome


@dataclass(frozen=True)
class RunOutput:
    """The outcomes of a run: `digest` is that of the file, `root` the folder of the products, "" where it is not known."""

    name: str
    digest: str
    root: str
    products: tuple[RunProduct, ...]


def read_run(outcomes: Path, products: Path | None = None) -> RunOutput:
    """Read the outcomes of a run; `products` are those that it read, for titles, categories and complete addresses.

    Failed products are left out. Raises `InputFileError` for a file that cannot be read, and `RecordError` naming the
    line, or the product that is in one file and not in the other.
    """
    known = products_by_id(products) if products is not None else None
    pairs = tuple(
        RunProduct(_product_of(outcome, known, place), outcome)
        for place, outcome in read_outcomes(outcomes)
        if outcome.status != "failed"
    )
    root = str(products.resolve().parent) if products is not None else ""
    digest = outcomes_digest(outcomes)
    return RunOutput(outcomes.name, digest, root, pairs)


def read_outcomes(path: Path) -> Iterator[tuple[str, Outcome]]:
    """Yield each outcome of a file with its place; raises `InputFileError` or, naming the line, `RecordError`."""
    for place, line in outcome_lines(path):
        yield place, _parsed(line, place)


def _parsed(line: bytes, place: str) -> Outcome:
    try:
        return Outcome.model_validate_json(line)
    except ValidationError as error:
        raise RecordError(str(first_problem(error)), item=place, remedy="name the output of agpis run") from None


def products_by_id(path: Path) -> dict[str, Product]:
    """Return the products of a file by id; records that are no products are left out."""
    return {record.id: record for record in read_products(path) if not isinstance(record, RejectedRecord)}


def _product_of(outcome: Outcome, known: dict[str, Product] | None, place: str) -> Product:
    if known is None:
        images = tuple(CandidateImage(id=image.id, uri=image.uri or "") for image in outcome.images)
        return Product(id=outcome.product_id, images=images)
    product = known.get(outcome.product_id)
    listed = {image.id for image in product.images} if product is not None else set()
    if product is None or not {image.id for image in outcome.images} <= listed:
        what = "is not among the products" if product is None else "lists other images than its product"
        raise RecordError(what, item=f"{place}: {outcome.product_id}", remedy="name the file of products of this run")
    return product
