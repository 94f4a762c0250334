"""Decisions back into the shop: every image where it was decided, and nothing else in the file has changed."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from agpis_sdk.components import OutcomeWriter
from agpis_sdk.config import MediaSection
from agpis_sdk.media.file_export import FileExport
from agpis_sdk.media.own_folder import LIST
from agpis_sdk.media.product_source import FileSource
from agpis_sdk.records import Finding, ImageOutcome, Outcome, Product
from tests.builtin.catalog_formats import exports
from tests.builtin.catalog_formats.exports import EXPORTS
from tests.builtin.catalog_formats.test_ways_in import COUNTED, HOST, galleries, read, rows_of, write

TABLES = ("shopify", "woocommerce", "magento", "google", "amazon")


def decided(product: Product, *chosen: int) -> Outcome:
    """Return an outcome whose sequence is the images at some listed positions; the last listed one breaks a rule."""
    ids = [image.id for image in product.images]
    sequence = tuple(ids[position] for position in chosen)
    images = []
    for position, image in enumerate(product.images):
        state = "selected" if position in chosen else "kept"
        state = "primary" if chosen and position == chosen[0] else state
        images.append(ImageOutcome.model_validate({"id": image.id, "state": state, "uri": str(image.uri)}))
    return Outcome(product_id=product.id, status="submit", sequence=sequence, probability=0.8, images=tuple(images))


def apply(file_format: str, outcomes: list[Outcome], source: Path | None, target: Path, **tables: Any) -> FileExport:
    owned = HOST.of_format("writers", file_format, setting="--to")
    writer: OutcomeWriter = HOST.create(owned, tables)
    export = FileExport(target, FileSource(source) if source else None, MediaSection())
    writer.write(outcomes, export)
    return export


@pytest.mark.parametrize("file_format", EXPORTS)
class TestAShopsFile:
    def test_is_the_same_byte_for_byte_where_nothing_is_decided_or_the_order_stays(
        self, tmp_path: Path, file_format: str
    ) -> None:
        name, make = EXPORTS[file_format]
        source = write(tmp_path, name, make())
        products, _ = read(source)

        apply(file_format, [], source, tmp_path / "nothing")
        apply(file_format, [decided(one, 0, 1) for one in products.values()], source, tmp_path / "as listed")

        assert (tmp_path / "nothing").read_bytes() == make()
        assert (tmp_path / "as listed").read_bytes() == make()

    def test_lists_the_images_as_decided_and_loses_none(self, tmp_path: Path, file_format: str) -> None:
        name, make = EXPORTS[file_format]
        source = write(tmp_path, name, make())
        products, _ = read(source)

        export = apply(file_format, [decided(one, 1, 0) for one in products.values()], source, tmp_path / "new")

        before, after = COUNTED[file_format](make()), COUNTED[file_format]((tmp_path / "new").read_bytes())
        assert after == {one: [uris[1], uris[0], *uris[2:]] for one, uris in before.items()}
        assert len(export.skipped) == 0

    def test_is_as_before_when_the_order_is_taken_back(self, tmp_path: Path, file_format: str) -> None:
        """Every cell; a row that was changed twice may have lost quotation marks that it does not need."""
        name, make = EXPORTS[file_format]
        source = write(tmp_path, name, make())
        products, _ = read(source)
        apply(file_format, [decided(one, 1, 0) for one in products.values()], source, tmp_path / "new")
        again, _ = read(tmp_path / "new")

        apply(file_format, [decided(one, 1, 0) for one in again.values()], tmp_path / "new", tmp_path / "back")

        if file_format in TABLES:
            assert cells(tmp_path / "back", file_format) == cells(source, file_format)
        else:
            assert (tmp_path / "back").read_bytes() == make()

    def test_a_product_that_is_not_in_it_or_has_other_images_is_named_and_left_alone(
        self, tmp_path: Path, file_format: str
    ) -> None:
        name, make = EXPORTS[file_format]
        source = write(tmp_path, name, make())
        products, _ = read(source)
        fewer = products["P003"].model_copy(update={"images": products["P003"].images[:2]})
        unknown = products["P004"].model_copy(update={"id": "P999"})

        export = apply(file_format, [decided(fewer, 1, 0), decided(unknown, 1, 0)], source, tmp_path / "new")

        assert (tmp_path / "new").read_bytes() == make()
        assert export.skipped.lines("not written") == [
            'not written: product "P003": has other images in the file than in the outcomes',
            'not written: product "P999": is not in the file',
        ]


def cells(path: Path, file_format: str) -> list[list[str]]:
    delimiter = "\t" if file_format in ("google", "amazon") else ","
    return list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""), delimiter=delimiter))


class TestWhatElseChanges:
    def changed(self, tmp_path: Path, file_format: str) -> set[str]:
        """Return the names of the columns in which any cell has changed, by an independent reader."""
        name, make = EXPORTS[file_format]
        source = write(tmp_path, name, make())
        products, _ = read(source)
        apply(file_format, [decided(one, 1, 0) for one in products.values()], source, tmp_path / "new")
        old, new = cells(source, file_format), cells(tmp_path / "new", file_format)
        names = old[2] if file_format == "amazon" else old[0]
        assert [len(row) for row in old] == [len(row) for row in new]
        return {
            names[column]
            for was, now in zip(old, new, strict=True)
            for column, (before, after) in enumerate(zip(was, now, strict=True))
            if before != after
        }

    @pytest.mark.parametrize(
        ("file_format", "columns"),
        [
            ("shopify", {"Image Src", "Image Alt Text"}),
            ("woocommerce", {"Images"}),
            ("google", {"image link", "additional image link"}),
            ("amazon", {"main_image_url", "other_image_url1"}),
            (
                "magento",
                {"base_image", "base_image_label", "small_image", "thumbnail_image", "additional_images"}
                | {"additional_image_labels"},
            ),
        ],
    )
    def test_only_the_columns_of_images(self, tmp_path: Path, file_format: str, columns: set[str]) -> None:
        assert self.changed(tmp_path, file_format) == columns

    def test_the_alternative_text_goes_with_its_image(self, tmp_path: Path) -> None:
        source = write(tmp_path, "p.csv", exports.shopify())
        products, _ = read(source)

        apply("shopify", [decided(products["P001"], 2, 0)], source, tmp_path / "new.csv")

        rows = [row for row in rows_of((tmp_path / "new.csv").read_bytes()) if row["Handle"] == "P001"]
        texts = {row["Image Src"].rpartition("/")[2].partition(".")[0]: row["Image Alt Text"] for row in rows}
        assert texts == {"side": "view 3", "front": "view 1", "back": ""}

    def test_in_xml_nothing_but_the_links(self, tmp_path: Path) -> None:
        source = write(tmp_path, "p.xml", exports.google_xml())
        products, _ = read(source)

        apply("google-xml", [decided(one, 1, 0) for one in products.values()], source, tmp_path / "new.xml")

        link = re.compile(rb"(<g:(?:additional_)?image_link>).*?(</g)")
        assert link.sub(rb"\1\2", (tmp_path / "new.xml").read_bytes()) == link.sub(rb"\1\2", source.read_bytes())


class TestAFolderOfImages:
    @pytest.fixture
    def outcomes(self, tmp_path: Path) -> list[Outcome]:
        (tmp_path / "shop").mkdir()
        for name in ("P1_1.png", "P1_2.png", "P1_3.png", "P2_1.png"):
            Image.new("RGB", (4, 4), (len(name), 0, int(name[3]))).save(tmp_path / "shop" / name)
        products, _ = read(tmp_path / "shop")
        return [decided(products["P1"], 2, 0), decided(products["P2"])]

    def test_holds_the_chosen_ones_numbered_in_their_order(self, tmp_path: Path, outcomes: list[Outcome]) -> None:
        apply("folder", outcomes, None, tmp_path / "out")

        written = {path.relative_to(tmp_path / "out").as_posix(): path for path in (tmp_path / "out").rglob("*.png")}
        assert set(written) == {"P1/01_P1_3.png", "P1/02_P1_1.png"}
        assert written["P1/01_P1_3.png"].read_bytes() == (tmp_path / "shop" / "P1_3.png").read_bytes()

    def test_links_where_that_is_set(self, tmp_path: Path, outcomes: list[Outcome]) -> None:
        apply("folder", outcomes, None, tmp_path / "out", **{"folder-writer": {"link": True}})

        assert (tmp_path / "out" / "P1" / "01_P1_3.png").samefile(tmp_path / "shop" / "P1_3.png")

    def test_read_again_it_lists_the_images_in_that_order(self, tmp_path: Path, outcomes: list[Outcome]) -> None:
        apply("folder", outcomes, None, tmp_path / "out")

        products, _ = read(tmp_path / "out")

        assert galleries(products, tmp_path / "out") == {"P1": ["P1/01_P1_3.png", "P1/02_P1_1.png"]}

    def test_an_image_that_is_gone_is_named_and_the_others_are_written(
        self, tmp_path: Path, outcomes: list[Outcome]
    ) -> None:
        (tmp_path / "shop" / "P1_3.png").unlink()

        export = apply("folder", outcomes, None, tmp_path / "out")

        assert [path.name for path in (tmp_path / "out" / "P1").iterdir()] == ["02_P1_1.png"]
        assert 'product "P1", image "P1_3"' in export.skipped.lines("not written")[0]

    @pytest.mark.parametrize("product_id", ["../../out", "/etc/passwd", "..", "a/../../b"])
    def test_no_id_of_a_product_leads_out_of_it(self, tmp_path: Path, outcomes: list[Outcome], product_id: str) -> None:
        hostile = outcomes[0].model_copy(update={"product_id": product_id})
        (tmp_path / "below").mkdir()

        apply("folder", [hostile], None, tmp_path / "below" / "out")

        written = list(tmp_path.rglob("01_*.png"))
        assert len(written) == 1
        assert written[0].is_relative_to(tmp_path / "below" / "out")

    def test_with_nothing_to_write_it_is_empty(self, tmp_path: Path, outcomes: list[Outcome]) -> None:
        apply("folder", outcomes[1:], None, tmp_path / "out")

        assert [path.name for path in (tmp_path / "out").iterdir()] == [LIST]  # which says that it is ours


class TestDecisionsForOtherTools:
    @pytest.fixture
    def outcomes(self, tmp_path: Path) -> list[Outcome]:
        products, _ = read(write(tmp_path, "p.csv", exports.shopify()))
        flagged = Finding(code="AGP103", images=("back",), score=0.9, message="it is blurred")
        first = decided(products["P001"], 2, 0).model_copy(update={"findings": (flagged,)})
        return [first, decided(products["P002"], 0).model_copy(update={"status": "hold"})]

    def test_a_table_has_a_row_for_every_image_in_order(self, tmp_path: Path, outcomes: list[Outcome]) -> None:
        apply("csv", outcomes, None, tmp_path / "out.csv")

        rows = [row for row in rows_of((tmp_path / "out.csv").read_bytes()) if row["product_id"] == "P001"]
        assert [(row["position"], row["image"], row["findings"]) for row in rows] == [
            ("1", "side", ""),
            ("2", "front", ""),
            ("", "back", "AGP103"),
        ]
        assert rows[0]["uri"] == exports.uris(1)[2]

    def test_parquet_has_a_row_for_every_product(self, tmp_path: Path, outcomes: list[Outcome]) -> None:
        parquet = pytest.importorskip("pyarrow.parquet")

        apply("parquet", outcomes, None, tmp_path / "out.parquet")

        first, second = parquet.read_table(tmp_path / "out.parquet").to_pylist()
        assert (first["product_id"], first["sequence"], first["findings"]) == ("P001", ["side", "front"], ["AGP103"])
        assert first["uris"] == [exports.uris(1)[2], exports.uris(1)[0]]
        assert second["status"] == "hold"

    def test_label_studio_has_a_task_for_every_product_with_the_decision_as_a_prediction(
        self, tmp_path: Path, outcomes: list[Outcome]
    ) -> None:
        apply("label-studio", outcomes, None, tmp_path / "out.json")

        first, second = json.loads((tmp_path / "out.json").read_text())
        assert first["data"]["images"] == [exports.uris(1)[2], exports.uris(1)[0]]
        choices = [task["predictions"][0]["result"][0]["value"]["choices"] for task in (first, second)]
        assert choices == [["accepted"], ["rejected"]]

    def test_fiftyone_has_a_sample_for_every_local_image(self, tmp_path: Path, outcomes: list[Outcome]) -> None:
        local = outcomes[0].images[0].model_copy(update={"uri": "/shop/front.jpg"})
        mixed = outcomes[0].model_copy(update={"images": (local, *outcomes[0].images[1:])})

        export = apply("fiftyone", [mixed], None, tmp_path / "out.json")

        (sample,) = json.loads((tmp_path / "out.json").read_text())
        assert (sample["filepath"], sample["position"], sample["tags"]) == ("/shop/front.jpg", 2, ["selected"])
        assert len(export.skipped) == 2
