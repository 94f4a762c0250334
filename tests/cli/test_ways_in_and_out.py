"""`agpis import`, `agpis apply` and `agpis run --export`: a shop's file in, and the decisions back into it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Agpis

HEAD = "Handle,Title,Image Src,Image Position,Status\n"


@pytest.fixture
def export(tmp_path: Path, gallery: Path) -> Path:
    """A Shopify export of two products, of three images and of two; the first image of the second cannot be read."""
    rows = [f"bag,{'Bag' if n == 1 else ''},gallery/{one}.png,{n},active\n" for n, one in enumerate("abc", start=1)]
    rows += [
        f"cup,{'Cup' if n == 1 else ''},gallery/{one}.png,{n},active\n"
        for n, one in enumerate(("broken", "d", "e", "f"), start=1)
    ]
    path = tmp_path / "products_export.csv"
    path.write_text(HEAD + "".join(rows))
    return path


def listed(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    with path.open(newline="") as stream:
        for row in csv.DictReader(stream):
            found.setdefault(row["Handle"], []).append(Path(row["Image Src"]).stem)
    return found


class TestImport:
    def test_writes_the_products_and_says_what_was_understood(self, agpis: Agpis, export: Path, tmp_path: Path) -> None:
        export.write_text(export.read_text() + ",No handle,x.png,1,draft\n")

        answer = agpis("import", export, "-o", "products.jsonl", "--no-plugins")

        products = [json.loads(line) for line in (tmp_path / "products.jsonl").read_text().splitlines()]
        assert answer.code == 0
        assert [(one["id"], len(one["images"])) for one in products] == [("bag", 3), ("cup", 4)]
        assert products[0]["images"][0]["uri"] == "gallery/a.png"
        assert answer.err.splitlines() == [
            "products_export.csv: Shopify product export, 2 products with 7 images",
            "kept in attributes: Status (2)",
            "agpis: not read: row 9: has no Handle",
        ]

    def test_what_it_wrote_is_read_back_as_the_same_products(self, agpis: Agpis, export: Path) -> None:
        agpis("import", export, "-o", "products.jsonl", "--no-plugins")

        from_export = agpis("run", export, "--no-plugins", "--quiet")
        from_lines = agpis("run", "products.jsonl", "--no-plugins", "--quiet")

        assert from_lines.out == from_export.out

    def test_a_record_that_is_no_product_is_named_and_ends_it_with_1(self, agpis: Agpis, export: Path) -> None:
        export.write_text(HEAD + "bag,Bag,gallery/a.png,1,active\ncup,Cup,,,active\n")

        answer = agpis("import", export, "--no-plugins")

        assert answer.code == 1
        assert [json.loads(line)["id"] for line in answer.out.splitlines()] == ["bag"]
        assert 'not written: [E300] row 3, product "cup": has no candidate images' in answer.err


class TestExport:
    def test_a_run_writes_a_folder_of_the_chosen_images_beside_the_outcomes(
        self, agpis: Agpis, export: Path, tmp_path: Path
    ) -> None:
        answer = agpis("run", export, "-o", "out.jsonl", "--export", "folder", "--no-plugins")

        written = sorted(
            path.relative_to(tmp_path / "out-images").as_posix() for path in (tmp_path / "out-images").rglob("*.png")
        )
        assert answer.code == 0
        assert written == [
            f"{one}/0{n}_{name}.png"
            for one, names in (("bag", "abc"), ("cup", "def"))
            for n, name in enumerate(names, start=1)
        ]
        assert "folder of the chosen images in order: out-images, from 2 products" in answer.err

    def test_a_second_run_renews_its_own_folder_and_keeps_what_others_put_there(
        self, agpis: Agpis, export: Path, tmp_path: Path
    ) -> None:
        command = ("run", export, "-o", "out.jsonl", "--export", "folder", "--no-plugins")
        agpis(*command)
        folder = tmp_path / "out-images"
        before = set(folder.rglob("*.png"))
        (folder / "bag" / "notes.txt").write_text("mine")
        export.write_text(HEAD + "bag,Bag,gallery/a.png,1,active\nbag,,gallery/c.png,2,active\n")

        answer = agpis(*command, "--set", "sequence.length=2")

        after = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*") if path.name[0] != "."}
        assert answer.code == 0
        assert len(before) > 2
        assert after == {"bag/01_a.png", "bag/02_c.png", "bag/notes.txt"}
        assert "in place of the earlier one" in answer.err

    def test_a_folder_in_which_another_file_is_in_the_way_stays_as_it_is(
        self, agpis: Agpis, export: Path, tmp_path: Path
    ) -> None:
        command = ("run", export, "-o", "out.jsonl", "--export", "folder", "--no-plugins")
        agpis(*command)
        folder = tmp_path / "out-images"
        foreign = folder / "new" / "01_d.png"
        foreign.parent.mkdir()
        foreign.write_text("mine")
        before = sorted(folder.rglob("*"))
        export.write_text(HEAD + "".join(f"new,New,gallery/{one}.png,{n},active\n" for n, one in enumerate("def", 1)))

        answer = agpis(*command)

        assert answer.code == 2
        assert "01_d.png: is in the way: agpis did not write it (move it away)" in answer.err
        assert sorted(folder.rglob("*")) == before
        assert foreign.read_text() == "mine"

    def test_a_run_writes_the_shops_file_anew_with_unreadable_images_last(
        self, agpis: Agpis, export: Path, tmp_path: Path
    ) -> None:
        before = export.read_bytes()

        agpis("run", export, "-o", "out.jsonl", "--export", "shopify", "--no-plugins")

        assert listed(tmp_path / "out.shopify.csv") == {"bag": ["a", "b", "c"], "cup": ["d", "e", "f", "broken"]}
        assert export.read_bytes() == before

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--export", "folder"), "--export folder: needs outcomes in a file (name one with -o)"),
            (
                ("-o", "out.jsonl", "--export", "foldr"),
                '--export = "foldr": no plugin announces it (did you mean "folder"?)',
            ),
        ],
    )
    def test_is_refused_before_any_product_is_looked_at(
        self, agpis: Agpis, export: Path, arguments: tuple[str, ...], message: str
    ) -> None:
        answer = agpis("run", export, *arguments, "--no-plugins")

        assert answer.code == 2
        assert message in answer.err


class TestApply:
    @pytest.fixture
    def outcomes(self, agpis: Agpis, export: Path, tmp_path: Path) -> Path:
        agpis("run", export, "-o", "out.jsonl", "--no-plugins", "--quiet")
        return tmp_path / "out.jsonl"

    def test_takes_the_format_from_the_shops_file(
        self, agpis: Agpis, outcomes: Path, export: Path, tmp_path: Path
    ) -> None:
        answer = agpis("apply", outcomes, export, "--no-plugins")

        assert answer.code == 0
        assert listed(tmp_path / "out.shopify.csv")["cup"] == ["d", "e", "f", "broken"]

    def test_a_dry_run_prints_what_would_change_and_writes_nothing(
        self, agpis: Agpis, outcomes: Path, export: Path, tmp_path: Path
    ) -> None:
        before = sorted(tmp_path.iterdir())

        answer = agpis("apply", outcomes, export, "--dry-run", "--no-plugins")

        assert answer.out == "cup: d, e, f, broken (was broken, d, e, f)\n"
        assert sorted(tmp_path.iterdir()) == before

    def test_an_earlier_table_gives_way_only_when_that_is_asked_for(
        self, agpis: Agpis, outcomes: Path, export: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "own.csv").write_text("mine")

        refused = agpis("apply", outcomes, export, "-o", "own.csv", "--no-plugins")
        kept = (tmp_path / "own.csv").read_text()
        forced = agpis("apply", outcomes, export, "-o", "own.csv", "--force", "--no-plugins")

        assert (refused.code, kept) == (2, "mine")
        assert "own.csv: is there already (--force replaces it; -o names another one)" in refused.err
        assert forced.code == 0
        assert "(in place of the earlier one)" in forced.err

    def test_held_products_stay_as_they_are_unless_asked_for(
        self, agpis: Agpis, outcomes: Path, export: Path, tmp_path: Path
    ) -> None:
        outcomes.write_text(outcomes.read_text().replace('"status":"submit"', '"status":"hold"'))

        without = agpis("apply", outcomes, export, "-o", "without.csv", "--no-plugins")
        agpis("apply", outcomes, export, "-o", "with.csv", "--held", "--no-plugins")

        assert (tmp_path / "without.csv").read_bytes() == export.read_bytes()
        assert "left as they were, not submitted: 2 hold" in without.err
        assert listed(tmp_path / "with.csv")["cup"] == ["d", "e", "f", "broken"]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("out.jsonl",), "--to: is needed"),
            (("out.jsonl", "--to", "shopify"), "the products: are written anew, so their file is needed"),
            (("out.jsonl", "products_export.csv", "-o", "products_export.csv", "--force"), "is the file that is read"),
            (("products_export.csv", "--to", "csv"), "products_export.csv, line 1: is no outcome"),
            (("gone.jsonl", "--to", "csv"), "gone.jsonl: cannot be read: No such file"),
            (("out.jsonl", "--to", "csv", "-o", "gone/out.csv"), "gone/out.csv: the folder does not exist"),
            (("out.jsonl", "--to", "folder", "-o", "gallery"), "gallery: is there already, and agpis did not write it"),
        ],
    )
    def test_what_was_asked_wrongly_is_answered_in_one_line(
        self, agpis: Agpis, outcomes: Path, export: Path, arguments: tuple[str, ...], message: str
    ) -> None:
        before = export.read_bytes()

        answer = agpis("apply", *arguments, "--no-plugins")

        assert answer.code == 2
        assert message in answer.err
        assert export.read_bytes() == before
