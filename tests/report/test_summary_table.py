"""The summary at the end of a run: counts, reasons, rules, speed."""

from __future__ import annotations

from io import StringIO

from rich.console import Console, RenderableType

from agpis_sdk.report.summary_table import summary_table


def text(renderable: RenderableType) -> str:
    console = Console(file=StringIO(), width=120)
    console.print(renderable)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def row(table: str, first: str) -> list[str]:
    return next(line.split() for line in table.splitlines() if line.startswith(first))


def test_products_are_counted_by_status() -> None:
    table = text(summary_table({"submit": 3, "hold": 1}, {}, 0))
    assert row(table, "Submit")[1:] == ["3", "75%"]
    assert row(table, "Failed")[1:] == ["0", "0%"]


def test_a_reason_stands_in_words_beside_its_status() -> None:
    table = text(summary_table({"none": 2}, {}, 0, reasons={"none": {"no-primary": 2}}))
    assert "2 × No image is good enough to come first" in table


def test_rules_have_names_and_the_most_frequent_comes_first() -> None:
    table = text(
        summary_table(
            {"submit": 1}, {"AGP103": 2, "AGP121": 9}, 0, names={"AGP103": "blurry-image", "AGP121": "watermark"}
        )
    )
    assert table.index("watermark") < table.index("blurry-image")


def test_a_plugin_s_rule_has_the_name_that_it_is_given() -> None:
    table = text(summary_table({"submit": 1}, {"SHY101": 2}, 0, names={"SHY101": "shiny-spot"}))
    assert "shiny-spot" in table


def test_rules_beyond_the_top_are_summed_up() -> None:
    table = text(summary_table({"submit": 1}, {"AGP103": 2, "AGP121": 9, "AGP111": 3}, 0, top=1))
    assert "2 more rules" in table
    assert "blurry-image" not in table


def test_the_speed_is_per_product_and_per_image() -> None:
    table = text(summary_table({"submit": 10}, {}, 4.0, images=50))
    assert "10 products, 50 images in 4.0 s  (2.50 products/s, 12.5 images/s)" in table


def test_the_components_that_took_most_of_the_time_are_named_with_their_shares() -> None:
    table = text(summary_table({"submit": 1}, {}, 4.0, components={"muisc (agpis-sdk 0.1.0)": 1.0, "duplicates": 3.0}))
    assert "time of components: duplicates 75%, muisc 25%" in table


def test_an_empty_run_has_a_summary_too() -> None:
    assert "0 products" in text(summary_table({}, {}, 0))


def test_markup_in_a_reason_or_a_name_stays_text() -> None:
    table = text(
        summary_table({"failed": 1}, {"X1": 1}, 0, reasons={"failed": {"[red]disk[/red]": 1}}, names={"X1": "[b]x[/b]"})
    )
    assert "[red]disk[/red]" in table
    assert "[b]x[/b]" in table


def test_without_reasons_there_is_no_column_for_them() -> None:
    assert "Why" not in text(summary_table({"submit": 3}, {}, 0))
    assert "Why" in text(summary_table({"none": 2}, {}, 0, reasons={"none": {"no-primary": 2}}))


def test_where_the_time_went_fits_a_line_of_a_terminal() -> None:
    components = {
        f"{name} (agpis-sdk 0.1.0)": 1.0 for name in ("duplicates", "efficientnet-lite0", "foreground", "muisc")
    }

    table = text(summary_table({"submit": 3}, {}, 2.0, images=20, components=components))

    assert max(map(len, table.splitlines())) <= 80
