"""The groups in which a catalog's products are compared: category, seller, brand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agpis_sdk.records import Product

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "seller": ("seller", "vendor", "merchant"),
    "brand": ("brand", "manufacturer"),
}
"""A group, and the attributes that may name it, in any letter case; the first that a product has counts."""

GROUP_WORDS: Final[Mapping[str, str]] = {"category": "Category", "seller": "Seller", "brand": "Brand"}


def group_names(product: Product | None) -> dict[str, str]:
    """Return the name of each group that a product is in.

    >>> group_names(Product(id="1", category="Bags", images=(), attributes={"Vendor": "Acme", "brand": 7}))
    {'category': 'Bags', 'seller': 'Acme'}
    """
    if product is None:
        return {}
    texts = {key.lower(): value for key, value in product.attributes.items() if isinstance(value, str) and value}
    named = {"category": product.category}
    for group, attributes in GROUPS.items():
        named[group] = next((texts[attribute] for attribute in attributes if attribute in texts), "")
    return {group: name for group, name in named.items() if name}
