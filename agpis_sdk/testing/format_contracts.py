"""What readers and writers of formats keep to: nothing of a file is lost without a word, and a writer leaves its source alone.

class TestSpreadsheet(ReaderContract):
    plugins = (agpis_shiny.plugin,)
    component = "shiny-xlsx"

    def example(self, folder):
        return write_sheet(folder / "shop.xlsx"), {"P1": 3, "P2": 1}
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from agpis_sdk.components import OutcomeWriter, ProductReader, ReaderSpec, WriterSpec
from agpis_sdk.config import MediaSection
from agpis_sdk.errors import AgpisError
from agpis_sdk.media.file_export import FileExport
from agpis_sdk.media.product_source import FileSource
from agpis_sdk.media.products import CheckedProducts, read_products
from agpis_sdk.records import ImageOutcome, Outcome, Product
from agpis_sdk.testing.contracts import ComponentContract

Galleries = Mapping[str, int]
FOREIGN = b"Dear reader,\nthis is a letter; nothing is for sale.\n"


class ReaderContract(ComponentContract):
    """A reader of products."""

    def example(self, folder: Path) -> tuple[Path, Galleries]:
        """Write a file of the format into a folder; return its path, and how many images each product in it has."""
        raise NotImplementedError("write an example file of the format")

    def read(self, path: Path, file_format: str = "") -> CheckedProducts:
        """Return the products of a file; without a format it is chosen by the content."""
        subject = self.under_test()
        return read_products(path, host=subject.host, tables=subject.tables, file_format=file_format)

    @property
    def format(self) -> str:
        """What users write after `--from`."""
        spec = self.under_test().spec
        assert isinstance(spec, ReaderSpec)
        return spec.format

    def test_it_is_a_reader_of_products(self) -> None:
        assert isinstance(self.under_test().instance, ProductReader)
        assert self.format

    def test_its_example_is_recognized_by_its_content(self, tmp_path: Path) -> None:
        path, _ = self.example(tmp_path)

        records = self.read(path)

        assert records.source is not None
        assert records.source.format == self.format

    def test_every_product_and_image_of_its_example_is_read(self, tmp_path: Path) -> None:
        path, expected = self.example(tmp_path)

        products = [record for record in self.read(path, self.format) if isinstance(record, Product)]

        assert {product.id: len(product.images) for product in products} == expected

    def test_it_reads_the_same_again(self, tmp_path: Path) -> None:
        path, _ = self.example(tmp_path)

        assert list(self.read(path, self.format)) == list(self.read(path, self.format))

    def test_it_does_not_take_a_letter_for_its_format(self, tmp_path: Path) -> None:
        path = tmp_path / "letter.txt"
        path.write_bytes(FOREIGN)

        assert not self.under_test().instance.recognizes(FileSource(path))

    def test_a_file_of_another_format_is_an_error_for_people(self, tmp_path: Path) -> None:
        path = tmp_path / "letter.txt"
        path.write_bytes(FOREIGN)

        with pytest.raises(AgpisError):
            list(self.read(path, self.format))

    def test_it_leaves_its_file_alone(self, tmp_path: Path) -> None:
        path, _ = self.example(tmp_path)
        before = _contents(tmp_path)

        list(self.read(path, self.format))

        assert _contents(tmp_path) == before


class WriterContract(ComponentContract):
    """A writer of decisions; one that rewrites needs `source`."""

    def source(self, folder: Path) -> Path | None:
        """Write the file that is written anew into a folder; None for a writer that needs none."""
        del folder
        return None

    def outcomes(self, folder: Path) -> list[Outcome]:
        """Return what to write: by default a submitted product of two images in a folder, the second listed first."""
        images = []
        for number, state in ((1, "selected"), (2, "primary")):
            path = folder / f"P1_{number}.jpg"
            path.write_bytes(b"picture %d" % number)
            images.append(ImageOutcome.model_validate({"id": path.stem, "state": state, "uri": str(path)}))
        sequence = ("P1_2", "P1_1")
        return [Outcome(product_id="P1", status="submit", sequence=sequence, probability=0.8, images=tuple(images))]

    def written(self, folder: Path, target: Path) -> FileExport:
        """Write the outcomes, with a writer made anew."""
        writer: OutcomeWriter = self.fresh().instance
        source = self.source(folder)
        export = FileExport(target, FileSource(source) if source else None, MediaSection())
        writer.write(self.outcomes(folder), export)
        return export

    def test_it_is_a_writer_of_outcomes(self) -> None:
        assert isinstance(self.under_test().instance, OutcomeWriter)
        assert isinstance(self.under_test().spec, WriterSpec)

    def test_everything_is_written_and_only_at_its_place(self, tmp_path: Path) -> None:
        (tmp_path / "in").mkdir()
        (tmp_path / "out").mkdir()

        export = self.written(tmp_path / "in", tmp_path / "out" / "export")

        assert [path.name for path in (tmp_path / "out").iterdir()] == ["export"]
        assert len(export.skipped) == 0, export.skipped.lines("not written")

    def test_what_it_reads_stays_as_it_is(self, tmp_path: Path) -> None:
        self.source(tmp_path)
        self.outcomes(tmp_path)
        before = _contents(tmp_path)

        self.written(tmp_path, tmp_path / "_written")

        assert {name: data for name, data in _contents(tmp_path).items() if not name.startswith("_written")} == before

    def test_it_writes_the_same_when_made_anew(self, tmp_path: Path) -> None:
        self.written(tmp_path, tmp_path / "first")
        self.written(tmp_path, tmp_path / "second")

        assert _contents(tmp_path / "first") == _contents(tmp_path / "second")


def _contents(top: Path) -> dict[str, bytes]:
    """Return the bytes of a file, or of every file below a folder."""
    if top.is_file():
        return {"": top.read_bytes()}
    return {path.relative_to(top).as_posix(): path.read_bytes() for path in sorted(top.rglob("*")) if path.is_file()}
