"""Results for notebooks: the outcomes of a run as a collection (agpis_sdk/report/results.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from agpis_sdk.pipeline.pipeline import Pipeline
from agpis_sdk.report import plugin as report_plugin
from agpis_sdk.report.results import Results
from tests.pipeline.fakes import Stand, product


@pytest.fixture
def results(gallery: Path) -> Results:
    pipeline = Stand().pipeline()
    pipeline.host.add(report_plugin, name="report")
    return Results.of(pipeline, [product(gallery, "abc", "P1"), product(gallery, "defg", "<P2>"), {"id": 1}])


def test_are_the_outcomes_in_input_order(results: Results) -> None:
    assert [outcome.product_id for outcome in results] == ["P1", "<P2>", "record-3"]
    assert len(results[:2]) == 2
    assert results[-1].status == "failed"
    assert repr(results) == "Results(2 submit, 1 failed)"


def test_are_made_into_a_data_frame_and_an_arrow_table_of_the_same_rows(results: Results) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")

    frame, table = results.to_pandas(), results.to_arrow()

    assert list(frame["product_id"]) == table.column("product_id").to_pylist() == ["P1", "<P2>", "record-3"]
    assert list(frame["sequence"][0]) == table.column("sequence").to_pylist()[0] == list(results[0].sequence)
    assert frame["uris"][0][0].endswith(f"{results[0].sequence[0]}.png")


def test_are_shown_with_the_chosen_pictures_and_names_escaped(results: Results) -> None:
    shown = results._repr_html_()

    assert shown.count("data:image/webp;base64,") == len(results[0].sequence) + len(results[1].sequence)
    assert "&lt;P2&gt;" in shown
    assert "<P2>" not in shown


def test_a_report_is_saved(results: Results, tmp_path: Path) -> None:
    path = results.save_report(tmp_path / "report.html")

    assert "P1" in path.read_text()
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


class TestWhatAPipelineIsGiven:
    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ("products.jsonl", r"not the name of a file: .* pass read_products\('products.jsonl'\)"),
            (Path("products.jsonl"), r"read_products\('products.jsonl'\)"),
            ({"id": "P1", "images": ["a.jpg"]}, r"put it in a list, \[product\]"),
            (7, "products are needed, not int"),
        ],
    )
    def test_is_refused_with_what_to_do_where_it_is_no_collection(self, given: object, message: str) -> None:
        with pytest.raises(TypeError, match=message):
            next(Stand().pipeline().run(given))  # type: ignore[arg-type]

    @pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
    def test_may_be_a_table(self, library: str, gallery: Path) -> None:
        module = pytest.importorskip(library)
        pytest.importorskip("pyarrow")
        columns = {
            "id": ["P1", "P2"],
            "images": [[str(gallery / f"{one}.png") for one in names] for names in ("abc", "def")],
        }
        make = {"pandas": "DataFrame", "polars": "DataFrame", "pyarrow": "table"}[library]

        outcomes = list(Stand().pipeline().run(getattr(module, make)(columns)))

        assert [(one.product_id, one.status, len(one.images)) for one in outcomes] == [
            ("P1", "submit", 3),
            ("P2", "submit", 3),
        ]


def test_a_pipeline_serves_a_thread_beside_a_notebooks_event_loop(gallery: Path) -> None:
    import asyncio

    pipeline: Pipeline = Stand().pipeline()

    async def cell() -> Results:
        return await asyncio.to_thread(Results.of, pipeline, [product(gallery, "abc", "P1")])

    assert [one.product_id for one in asyncio.run(cell())] == ["P1"]
