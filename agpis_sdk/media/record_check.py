"""One record at a time: a product with an id of its own, or a rejection that names place, fault and remedy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agpis_sdk.errors import RecordError, nearest
from agpis_sdk.media.record_notices import RecordNotices
from agpis_sdk.media.sources import resolve
from agpis_sdk.records import CandidateImage, Product, entry_fault, unknown_fields, well_formed
from agpis_sdk.wording import shortened

MAX_DEPTH = 100
ONE_OBJECT_A_LINE = "one JSON object a line"


@dataclass(frozen=True)
class RejectedRecord:
    """A record that is no product: its place, the best name for it, and why."""

    product_id: str
    error: RecordError


class RecordCheck:
    """Turns records into products, remembers which ids have been seen, and notes what was read otherwise than written."""

    def __init__(self, base: Path | str | None) -> None:
        self.notices = RecordNotices()
        self._base = base
        self._first_place: dict[str, str] = {}

    def __call__(self, data: Any, place: str) -> Product | RejectedRecord:
        """Return the product that some data is, or its rejection; `place` names where it was read."""
        if isinstance(data, Product):
            return self._accept(data, f'{place}, product "{shortened(data.id)}"', data.images)
        if not isinstance(data, Mapping):
            return reject(place, f"is {_kind(data)}, not an object", ONE_OBJECT_A_LINE)
        name = data["id"] if isinstance(data.get("id"), str) and data["id"] else _name_of(place)
        place = f'{place}, product "{shortened(name)}"'
        values = _Values()
        try:
            data = values.read(data)
            product = Product.model_validate(data)
        except RecordError as error:
            return reject(place, error.what, error.remedy, name=name)
        except ValidationError as error:
            return reject(place, *_worded(error, data), name=name)
        record = self._accept(product, place, data["images"])
        if isinstance(record, Product):
            self._note(data, values, place)
        return record

    def _accept(self, product: Product, place: str, entries: Sequence[Any]) -> Product | RejectedRecord:
        """Refuse an id that has been seen and a product of whose images none names a file; resolve relative uris."""
        if product.id in self._first_place:
            first = self._first_place[product.id]
            what = f"the id stands twice, first on {first}"
            return reject(place, what, "give every product its own id", name=product.id)
        self._first_place[product.id] = place.split(",")[0]
        if not product.images:
            return reject(place, "has no candidate images", 'list some under "images"', name=product.id)
        if not any(image.uri for image in product.images):
            what = f'entry 1 of "images" {entry_fault(entries[0])}, and no other names a file'
            return reject(place, what, 'an image is a text, or an object with "id" and "uri"', name=product.id)
        images = tuple(
            image.model_copy(update={"uri": resolve(image.uri, self._base)}) if image.uri else image
            for image in product.images
        )
        return product.model_copy(update={"images": images})

    def _note(self, data: Mapping[str, Any], values: _Values, place: str) -> None:
        for name in unknown_fields(Product, data):
            self.notices.keep("product", name)
        for position, entry in enumerate(data["images"], start=1):
            if fault := entry_fault(entry):
                self.notices.replace("nameless", f"{place}, entry {position} {fault}")
            elif isinstance(entry, Mapping):
                for name in unknown_fields(CandidateImage, entry):
                    self.notices.keep("image", name)
        for path in values.non_finite:
            self.notices.replace("non-finite", f'{place}, "{shortened(path)}"')
        if values.half_pair:
            self.notices.replace("half-pair", place)


def reject(place: str, what: str, remedy: str, *, name: str = "") -> RejectedRecord:
    """Return a rejection; without a name of its own the record is named by its place."""
    return RejectedRecord(well_formed(name or _name_of(place)), RecordError(what, item=place, remedy=remedy))


class _Values:
    """Reads the values of one record: NaN and infinities as null, text as it is; both are noted."""

    def __init__(self) -> None:
        self.non_finite: list[str] = []
        self.half_pair = False

    def read(self, value: Any, path: str = "", depth: int = 0) -> Any:
        """Return a value without NaN and infinities; raises `RecordError` beyond `MAX_DEPTH` levels."""
        if depth > MAX_DEPTH:
            raise RecordError(f"is nested deeper than {MAX_DEPTH} levels", remedy="flatten it")
        if isinstance(value, str):
            self.half_pair = self.half_pair or well_formed(value) != value
        elif isinstance(value, float) and not math.isfinite(value):
            self.non_finite.append(path)
            return None
        elif isinstance(value, Mapping):
            below = f"{path}." if path else ""
            return {self.read(key): self.read(one, f"{below}{key}", depth + 1) for key, one in value.items()}
        elif isinstance(value, list | tuple):
            return [self.read(one, f"{path}.{place}", depth + 1) for place, one in enumerate(value)]
        return value


def _name_of(place: str) -> str:
    return place.replace(" ", "-")


def _worded(error: ValidationError, data: Mapping[str, Any]) -> tuple[str, str]:
    """Return what is wrong with a record and what to write."""
    first = error.errors()[0]
    field, value = shortened(".".join(str(part) for part in first["loc"])) or "record", first["input"]
    if first["type"] == "missing":
        return f'"{field}" is missing', _nearest_unknown(field, data) or 'only "id" and "images" must be there'
    if first["type"] == "string_type":
        remedy = f'write "{_digits(value)}", in quotes' if _is_number(value) else "write a text in quotes"
        return f'"{field}" is {_shown(value)}, not a text', remedy
    if first["type"] == "string_too_short":
        return f'"{field}" is empty', "give every product its own id"
    if first["type"] == "tuple_type":
        remedy = f"write [{_shown(value)}]" if isinstance(value, str) else "write [] around the images"
        return f'"{field}" is {_shown(value)}, not a list', remedy
    if first["type"] == "dict_type":
        return f'"{field}" is {_shown(value)}, not an object', "write {}, or leave it out"
    return f'"{field}": {first["msg"].removeprefix("Value error, ")}', "see the input format in the docs"


def _nearest_unknown(field: str, data: Mapping[str, Any]) -> str:
    """Return whether a field that the format does not know may be the missing one, misspelt."""
    unknown = {name: nearest(name, [field]) for name in unknown_fields(Product, data)}
    close = next((name for name, remedy in unknown.items() if remedy.startswith("did you mean")), None)
    return f'there is "{shortened(close)}": did you mean "{field}"?' if close else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _digits(number: float) -> str:
    """Return a number as an id is written: 4711.0, as tables export whole numbers, is 4711."""
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)


def _shown(value: object) -> str:
    if _is_number(value):
        return f"the number {value}"
    return f'"{shortened(value)}"' if isinstance(value, str) else _kind(value)


def _kind(value: object) -> str:
    kinds = {"NoneType": "null", "bool": "a boolean", "list": "a list", "dict": "an object", "str": "a text"}
    return "a number" if _is_number(value) else kinds.get(type(value).__name__, type(value).__name__)
