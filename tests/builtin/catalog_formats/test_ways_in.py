"""Exports of shops in: products, images and their order are those of the file, counted by a reader of its own."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from agpis_sdk.errors import InputFileError
from agpis_sdk.media.products import CheckedProducts, RejectedRecord, read_products
from agpis_sdk.records import Product
from agpis_sdk.testing import isolated_host
from tests.builtin.catalog_formats import exports
from tests.builtin.catalog_formats.exports import EXPORTS

HOST = isolated_host()
Galleries = dict[str, list[str]]


def read(path: Path, **options: object) -> tuple[dict[str, Product], CheckedProducts]:
    records = read_products(path, host=HOST, **options)  # type: ignore[arg-type]
    products = [record for record in records if isinstance(record, Product)]
    return {product.id: product for product in products}, records


def write(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def galleries(products: dict[str, Product], folder: Path) -> Galleries:
    return {
        product_id: [str(image.uri).removeprefix(f"{folder}/") for image in product.images]
        for product_id, product in products.items()
    }


# ── Independent readers ──────────────────────────────────────────────────────────────────────────────────────────────


def rows_of(data: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def counted_shopify(data: bytes) -> Galleries:
    found: dict[str, list[tuple[int, str]]] = {}
    for row in rows_of(data):
        found.setdefault(row["Handle"], []).append((int(row["Image Position"]), row["Image Src"]))
    return {handle: [uri for _, uri in sorted(images)] for handle, images in found.items()}


def counted_woocommerce(data: bytes) -> Galleries:
    rows = rows_of(data)
    found = {
        row["SKU"]: [uri.replace("\\,", ",") for uri in re.split(r", (?=https)", row["Images"])]
        for row in rows
        if row["Type"] != "variation"
    }
    found["P001"].append(rows[-1]["Images"])  # the image of a variation that its product does not list
    return found


def counted_magento(data: bytes) -> Galleries:
    rows = [row for row in rows_of(data) if not row["store_view_code"]]
    found = {row["sku"]: [path.lstrip("/") for path in row["additional_images"].split(",")] for row in rows}
    found["P001"] += found.pop("P001-Red")
    return found


def counted_google(data: bytes) -> Galleries:
    rows = rows_of(data, "\t")
    return {row["id"]: [row["image link"], *row["additional image link"].split(",")] for row in rows}


def counted_google_xml(data: bytes) -> Galleries:
    space = "{http://base.google.com/ns/1.0}"
    return {
        item.findtext(f"{space}id", ""): [
            item.findtext(f"{space}image_link", ""),
            *(link.text or "" for link in item.iter(f"{space}additional_image_link")),
        ]
        for item in ElementTree.fromstring(data).iter("item")
    }


def counted_amazon(data: bytes) -> Galleries:
    rows = rows_of(data.split(b"\r\n", 2)[2], "\t")
    columns = ["main_image_url", *(f"other_image_url{number}" for number in range(1, 5))]
    return {row["item_sku"]: [row[name] for name in columns if row[name]] for row in rows if row["main_image_url"]}


COUNTED: dict[str, Callable[[bytes], Galleries]] = {
    "shopify": counted_shopify,
    "woocommerce": counted_woocommerce,
    "magento": counted_magento,
    "google": counted_google,
    "google-xml": counted_google_xml,
    "amazon": counted_amazon,
}


@pytest.mark.parametrize("file_format", EXPORTS)
class TestEveryExport:
    def test_gives_the_products_and_images_of_the_file_in_its_order(self, tmp_path: Path, file_format: str) -> None:
        name, make = EXPORTS[file_format]
        data = make()

        products, records = read(write(tmp_path, name, data))

        assert records.source is not None
        assert records.source.format == file_format
        assert len(products) == exports.COUNT
        assert galleries(products, tmp_path) == COUNTED[file_format](data)

    def test_keeps_the_titles(self, tmp_path: Path, file_format: str) -> None:
        name, make = EXPORTS[file_format]

        products, _ = read(write(tmp_path, name, make()))

        of_one_line = file_format in ("google", "amazon")
        more = " & more" if file_format == "google-xml" else ""
        expected = {exports.product_id(n): exports.title(n) + more for n in exports.NUMBERS}
        assert {one.id: one.title for one in products.values()} == {
            key: text.replace("\n", " ") if of_one_line else text for key, text in expected.items()
        }

    def test_is_known_by_its_content_whatever_its_name_and_packed_too(self, tmp_path: Path, file_format: str) -> None:
        _, make = EXPORTS[file_format]

        plain, _ = read(write(tmp_path, "catalog", make()))
        packed, records = read(write(tmp_path, "catalog.jsonl.gz", gzip.compress(make())))

        assert records.source is not None
        assert records.source.format == file_format
        assert packed == plain

    def test_every_image_has_an_id_of_its_own(self, tmp_path: Path, file_format: str) -> None:
        name, make = EXPORTS[file_format]

        products, _ = read(write(tmp_path, name, make()))

        assert all(len({image.id for image in one.images}) == len(one.images) for one in products.values())


class TestFactsThatAreKept:
    def test_of_shopify_alternative_texts_and_variants(self, tmp_path: Path) -> None:
        products, _ = read(write(tmp_path, "p.csv", exports.shopify()))

        first = products["P001"]
        assert first.images[0].attributes == {"alt": "view 1", "variant": {"Color": "Red", "Variant SKU": "P001-0"}}
        assert first.images[2].attributes == {"alt": "view 3"}
        assert [one["Color"] for one in first.attributes["variants"]] == ["Red", "Blue"]
        assert first.attributes["Vendor"] == "Luma"

    def test_of_shopify_the_sku_of_a_product_without_options(self, tmp_path: Path) -> None:
        head = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Image Src\n"
        rows = (
            "bag,Bag,Title,Default Title,BAG-1,9.50,https://shop.example/a.jpg\nbag,,,,,,https://shop.example/b.jpg\n"
        )

        products, _ = read(write(tmp_path, "p.csv", (head + rows).encode()))

        kept = products["bag"].attributes
        assert (kept["Variant SKU"], kept["Variant Price"]) == ("BAG-1", "9.50")

    def test_of_woocommerce_the_variation_that_an_image_shows(self, tmp_path: Path) -> None:
        products, _ = read(write(tmp_path, "p.csv", exports.woocommerce()))

        shown = [image.attributes.get("variant", {}).get("Color") for image in products["P001"].images]
        assert shown == [None, "Red", None, "Blue"]
        assert products["P002"].attributes["Color"] == "Red"

    def test_of_magento_labels_variants_and_additional_attributes(self, tmp_path: Path) -> None:
        products, _ = read(write(tmp_path, "p.csv", exports.magento()))

        first = products["P001"]
        assert [image.attributes.get("alt") for image in first.images] == ["view front", "view back", "view side", None]
        assert first.images[-1].attributes["variant"] == {"sku": "P001-Red", "color": "Red"}
        assert first.attributes["brand"] == "Luma"

    def test_of_google_the_color_and_the_group(self, tmp_path: Path) -> None:
        products, _ = read(write(tmp_path, "p.tsv", exports.google_tsv()))

        assert (products["P003"].attributes["color"], products["P003"].attributes["item_group_id"]) == ("Red", "G1")


class TestMagentoImages:
    def test_are_below_the_folder_or_url_that_a_setting_names(self, tmp_path: Path) -> None:
        tables = {"magento-reader": {"media": "https://shop.example/media/"}}

        products, _ = read(write(tmp_path, "p.csv", exports.magento()), tables=tables)

        assert products["P002"].images[0].uri == "https://shop.example/media/p/0/P002_front.jpg"


class TestATableOfNamedColumns:
    ROWS = "code,name,first,more,brand\nA1,Bag,a.jpg,b.jpg; c.jpg,Luma\nA2,Cup,d.jpg,,\nA1,,e.jpg,,\n"
    COLUMNS = {"id": ("code",), "title": ("name",), "images": ("first", "more")}  # noqa: RUF012

    def test_joins_the_rows_of_an_id_and_keeps_the_other_columns(self, tmp_path: Path) -> None:
        products, _ = read(write(tmp_path, "p.csv", self.ROWS), columns=self.COLUMNS)

        assert galleries(products, tmp_path) == {"A1": ["a.jpg", "b.jpg", "c.jpg", "e.jpg"], "A2": ["d.jpg"]}
        assert (products["A1"].title, products["A1"].attributes) == ("Bag", {"brand": "Luma"})

    @pytest.mark.parametrize(
        ("cell", "images"),
        [
            ("https://s.example/a.jpg,https://s.example/b.jpg", ["https://s.example/a.jpg", "https://s.example/b.jpg"]),
            ("https://s.example/w_80,h_60/a.jpg", ["https://s.example/w_80,h_60/a.jpg"]),
            ("a.jpg|b.jpg", ["a.jpg", "b.jpg"]),
            ('["a.jpg", "b,c.jpg"]', ["a.jpg", "b,c.jpg"]),
        ],
    )
    def test_a_cell_may_list_several_images(self, tmp_path: Path, cell: str, images: list[str]) -> None:
        products, _ = read(write(tmp_path, "p.tsv", f"id\ttitle\timages\nA1\tBag\t{cell}\n"))

        assert galleries(products, tmp_path) == {"A1": images}

    @pytest.mark.parametrize("delimiter", list("\t,;|"))
    def test_any_usual_delimiter_is_found(self, tmp_path: Path, delimiter: str) -> None:
        products, _ = read(write(tmp_path, "p.csv", delimiter.join(["id", "images"]) + "\nA1" + delimiter + "a.jpg\n"))

        assert galleries(products, tmp_path) == {"A1": ["a.jpg"]}

    def test_old_spreadsheets_write_windows_1252_which_is_said(self, tmp_path: Path) -> None:
        products, records = read(write(tmp_path, "p.csv", "id,images,title\nA1,a.jpg,Höhe\n".encode("cp1252")))

        assert products["A1"].title == "Höhe"
        assert records.notices == ["p.csv is not UTF-8: read as Windows-1252 (cp1252)"]

    def test_utf_16_with_a_mark_is_read(self, tmp_path: Path) -> None:
        products, _ = read(write(tmp_path, "p.csv", "id\timages\nA1\ta.jpg\n".encode("utf-16")))

        assert list(products) == ["A1"]


class TestWhatIsNotUnderstood:
    def test_is_said_once_for_each_reason_with_the_first_rows(self, tmp_path: Path) -> None:
        rows = "Handle,Title,Image Src\n" + ",No handle,a.jpg\n" * 5 + "bag,Bag,b.jpg,beyond\nbag,Bag,c.jpg\n"

        products, records = read(write(tmp_path, "p.csv", rows))

        assert galleries(products, tmp_path) == {"bag": ["c.jpg"]}
        assert records.notices == [
            "not read: row 2, row 3, row 4, … (5 in all): has no Handle",
            "not read: row 7: has 4 cells, the header has 3",
        ]

    def test_a_quotation_mark_that_is_never_closed_ends_in_a_record_without_images(self, tmp_path: Path) -> None:
        rows = 'Handle,Image Src\n"bag,a.jpg\nbag,b.jpg\n'

        (record,) = read_products(write(tmp_path, "p.csv", rows), host=HOST)

        assert isinstance(record, RejectedRecord)
        assert record.error.item.startswith("row 2, ")

    def test_a_file_of_the_wrong_format_is_refused_by_name(self, tmp_path: Path) -> None:
        with pytest.raises(InputFileError, match="has not the columns of a Shopify product export"):
            read_products(write(tmp_path, "p.csv", "a,b\n1,2\n"), host=HOST, file_format="shopify")


class TestXml:
    FEED = (
        '<rss xmlns:g="http://base.google.com/ns/1.0"><item><g:id>{}</g:id><g:image_link>a</g:image_link></item></rss>'
    )

    def test_entities_that_would_fill_the_memory_are_refused(self, tmp_path: Path) -> None:
        bomb = '<!DOCTYPE rss [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + self.FEED.format("&b;")

        with pytest.raises(InputFileError, match="is refused: EntitiesForbidden"):
            list(read_products(write(tmp_path, "p.xml", bomb), host=HOST))

    def test_a_feed_that_breaks_off_is_an_error_after_what_came_before(self, tmp_path: Path) -> None:
        feed = exports.google_xml()
        records = read_products(write(tmp_path, "p.xml", feed[:-400]), host=HOST)
        read_until_then = []

        with pytest.raises(InputFileError, match="is no XML"):  # noqa: PT012 - it is raised on the way
            for record in records:
                read_until_then.append(record)

        assert len(read_until_then) > exports.COUNT - 4


class TestFolders:
    def touch(self, folder: Path, *names: str) -> None:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()

    def test_each_folder_of_images_is_a_product(self, tmp_path: Path) -> None:
        self.touch(tmp_path, "men/MH01/10.jpg", "men/MH01/9.JPG", "WB02/front.png", "WB02/notes.txt", "WB02/.DS_Store")

        products, records = read(tmp_path)

        assert galleries(products, tmp_path) == {
            "men/MH01": ["men/MH01/9.JPG", "men/MH01/10.jpg"],
            "WB02": ["WB02/front.png"],
        }
        assert products["men/MH01"].category == "men"
        assert records.notices == ["not read: WB02/notes.txt: is no image"]

    def test_images_beside_each_other_belong_together_by_what_stands_before_the_last_underscore(
        self, tmp_path: Path
    ) -> None:
        self.touch(tmp_path, "MH_01_1.jpg", "MH_01_2.jpg", "MH_01_10.jpg", "WB02_front.webp", "alone.jpg")

        products, records = read(tmp_path)

        assert galleries(products, tmp_path) == {
            "MH_01": ["MH_01_1.jpg", "MH_01_2.jpg", "MH_01_10.jpg"],
            "WB02": ["WB02_front.webp"],
            "alone": ["alone.jpg"],
        }
        assert [one.partition(" in the name")[0].partition(" ")[2] for one in records.notices] == [
            'holds 1 image without "_"'
        ]

    def test_without_images_it_is_refused(self, tmp_path: Path) -> None:
        self.touch(tmp_path, "notes.txt")

        with pytest.raises(InputFileError, match="is a folder"):
            read_products(tmp_path, host=HOST)
