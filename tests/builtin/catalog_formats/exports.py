"""Exports of 24 products a format, as the shop systems write them, made by plain string work: no code of ours is used.

Product number n has n % 4 + 2 images; titles hold commas, quotation marks and line breaks.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

COUNT = 24
NUMBERS = range(1, COUNT + 1)


def product_id(number: int) -> str:
    return f"P{number:03d}"


def title(number: int) -> str:
    return f'Bag, "no {number}"' + ("\nlarge" if number % 5 == 0 else "")


def uris(number: int) -> list[str]:
    return [f"https://shop.example/{product_id(number)}/{view}.jpg?v={number}" for view in views(number)]


def views(number: int) -> list[str]:
    return ["front", "back", "side", "detail", "top"][: number % 4 + 2]


def table(names: Sequence[str], rows: Iterable[Sequence[str]], *, delimiter: str = ",", end: str = "\r\n") -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(names)
    writer.writerows(rows)
    return text.getvalue().encode()


def shopify() -> bytes:
    """Rows of one handle: an image a row, positions not in the order of rows, a variant in each of the first two."""
    names = ("Handle", "Title", "Body (HTML)", "Vendor", "Option1 Name", "Option1 Value", "Variant SKU", "Image Src",
             "Image Position", "Image Alt Text", "Variant Image", "Status")  # fmt: skip
    rows = []
    for number in NUMBERS:
        found = list(enumerate(uris(number), start=1))
        rotated = found[1:] + found[:1] if number % 3 == 0 else found
        for row, (position, uri) in enumerate(rotated):
            head = (title(number), "<p>Warm, soft</p>", "Luma", "Color") if row == 0 else ("", "", "", "")
            variant = (("Red", "Blue")[row], f"{product_id(number)}-{row}") if row < 2 else ("", "")
            shown = uri if row < 2 else ""
            alt = f"view {position}" if position != 2 else ""
            rows.append((product_id(number), *head, *variant, uri, str(position), alt, shown, "active"))
    return b"\xef\xbb\xbf" + table(names, rows)


def woocommerce() -> bytes:
    """A row a product, and after all of them two variations of the first one, one with an image of its own."""
    names = ("ID", "Type", "SKU", "Name", "Description", "Categories", "Images", "Parent", "Attribute 1 name",
             "Attribute 1 value(s)")  # fmt: skip
    rows = [
        (str(100 + n), "variable" if n == 1 else "simple", product_id(n), title(n), "Warm", "Bags > Small",
         ", ".join(uris(n)).replace("/P002/", "/w_80\\,h_60/P002/"), "", "Color", "Red, Blue" if n == 1 else "Red")
        for n in NUMBERS
    ]  # fmt: skip
    rows.append(("200", "variation", "P001-R", "", "", "", uris(1)[1], "id:101", "Color", "Red"))
    rows.append(
        ("201", "variation", "P001-B", "", "", "", "https://shop.example/P001/blue.jpg", "P001", "Color", "Blue")
    )
    return table(names, rows, end="\n")


def magento() -> bytes:
    """Children before their configurable product; the gallery lists the base image too, as Magento's export does."""
    names = ("sku", "store_view_code", "product_type", "categories", "name", "description", "visibility", "base_image",
             "base_image_label", "small_image", "thumbnail_image", "additional_images", "additional_image_labels",
             "additional_attributes", "configurable_variations")  # fmt: skip
    rows = [
        ("P001-Red", "", "simple", "", "Red bag", "", "Not Visible Individually", "/p/0/red.jpg", "", "/p/0/red.jpg",
         "/p/0/red.jpg", "/p/0/red.jpg", "", "color=Red", "")
    ]  # fmt: skip
    for n in NUMBERS:
        paths = [f"/p/0/{product_id(n)}_{view}.jpg" for view in views(n)]
        labels = ",".join(f"view {view}" for view in views(n))
        variations = "sku=P001-Red,color=Red" if n == 1 else ""
        rows.append(
            (product_id(n), "", "configurable" if n == 1 else "simple", "Default/Bags,Default/Small", title(n), "Warm",
             "Catalog, Search", paths[0], "view front", paths[0], paths[0] if n % 2 else "/p/0/other.jpg", ",".join(paths),
             labels, "color=Red,brand=Luma", variations)
        )  # fmt: skip
    rows.append(("P002", "de", "", "", "Tasche", "", "", "", "", "", "", "", "", "", ""))
    return table(names, rows)


def google_tsv() -> bytes:
    names = ("id", "title", "description", "link", "image link", "additional image link", "item group id", "color")
    rows = [
        (product_id(n), title(n).replace("\n", " "), "Warm", "https://shop.example/", uris(n)[0], ",".join(uris(n)[1:]),
         f"G{n // 2}", "Red")
        for n in NUMBERS
    ]  # fmt: skip
    return table(names, rows, delimiter="\t", end="\n")


def google_xml() -> bytes:
    """A feed with comments, CDATA, entities and several elements of additional links, in front of the main one at times."""
    items = []
    for n in NUMBERS:
        first, *others = (escape(uri) for uri in uris(n))
        main = f"<g:image_link>{first}</g:image_link>"
        more = [f"<g:additional_image_link><![CDATA[{uri}]]></g:additional_image_link>" for uri in others]
        links = [*more, main] if n % 4 == 0 else [main, *more]
        items.append(
            f"  <item><!-- {n} -->\n    <g:id>{product_id(n)}</g:id><title>{escape(title(n))} &amp; more</title>\n"
            + "".join(f"    {link}\n" for link in links)
            + "    <g:shipping><g:price>1 EUR</g:price></g:shipping>\n  </item>\n"
        )
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0">\n<channel>\n'
    return (head + "".join(items) + "</channel>\n</rss>\n").encode()


def amazon() -> bytes:
    names = ("feed_product_type", "item_sku", "item_name", "parent_child", "main_image_url",
             *(f"other_image_url{number}" for number in range(1, 5)), "color_name")  # fmt: skip
    rows = [("bag", "PARENT", "All bags", "parent", "", "", "", "", "", "")]
    for n in NUMBERS:
        images = uris(n) + [""] * (5 - len(uris(n)))
        rows.append(("bag", product_id(n), title(n).replace("\n", " "), "child", *images, "Red"))
    head = b"TemplateType=fptcustom\tVersion=2024.1\r\nProduct Type\tSeller SKU\tProduct Name\r\n"
    return head + table(names, rows, delimiter="\t")


EXPORTS = {
    "shopify": ("products_export.csv", shopify),
    "woocommerce": ("wc-product-export.csv", woocommerce),
    "magento": ("export_catalog_product.csv", magento),
    "google": ("feed.tsv", google_tsv),
    "google-xml": ("feed.xml", google_xml),
    "amazon": ("flat_file.txt", amazon),
}
