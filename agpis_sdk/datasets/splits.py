"""Splits by product: no product, and no two products of one title, is on both sides."""

from __future__ import annotations

import hashlib
import re
from typing import Literal

from agpis_sdk.records import Product

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def split_key(product: Product) -> str:
    """Return what may not be torn apart: the title without case and punctuation, or the id where there is none.

    >>> split_key(Product(id="7", title="Nevada 3!", images=()))
    'nevada 3'
    """
    return " ".join(re.findall(r"\w+", product.title.lower())) or product.id


def split_of(product: Product, *, seed: int = 0, validation: float = 0.1, test: float = 0.2) -> Split:
    """Return a product's split from a hash of its key: the same everywhere, whatever else is in the data.

    `validation` and `test` are shares in 0..1 of all products.
    """
    digest = hashlib.sha256(f"{seed}:{split_key(product)}".encode()).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    if position < test:
        return "test"
    return "validation" if position < test + validation else "train"
