"""What an operator watches: `--trace`, `--metrics`, and `agpis cache`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from agpis_sdk.pipeline.trace import Trace
from tests.cli.conftest import Agpis
from tests.pipeline.fakes import product


@pytest.fixture
def shop(tmp_path: Path, gallery: Path) -> Path:
    path = tmp_path / "products.jsonl"
    path.write_text("\n".join(json.dumps(product(gallery, letters, letters)) for letters in ("abc", "ab")))
    return path


class TestTrace:
    def test_has_a_span_for_each_batch_each_component_and_each_image(
        self, agpis: Agpis, shop: Path, tmp_path: Path
    ) -> None:
        answer = agpis(
            "run", shop, "-o", "out.jsonl", "--trace", "trace.json", "--no-plugins", "--set=run.batch_size=1"
        )

        assert answer.code == 0, answer.err
        spans = [event for event in json.loads((tmp_path / "trace.json").read_text()) if event["ph"] == "X"]
        names = [span["name"] for span in spans]
        assert (names.count("batch"), names.count("decode")) == (2, 5)
        assert {"first", "steady", "listed", "wait for images"} <= set(names)
        assert all(span["dur"] >= 0 and span["ts"] > 0 for span in spans)

    def test_of_a_scorer_is_within_the_batch(self, agpis: Agpis, shop: Path, tmp_path: Path) -> None:
        agpis("run", shop, "-o", "out.jsonl", "--trace", "trace.json", "--no-plugins")

        spans = {event["name"]: event for event in json.loads((tmp_path / "trace.json").read_text())}
        scorer, batch = spans["steady"], spans["batch"]
        assert scorer["tid"] == batch["tid"]
        assert batch["ts"] <= scorer["ts"] <= scorer["ts"] + scorer["dur"] <= batch["ts"] + batch["dur"]

    def test_of_a_killed_run_can_be_read(self, tmp_path: Path) -> None:
        trace = Trace(tmp_path / "trace.json")
        trace.span("batch", 1.0)
        trace._stream.flush()

        text = (tmp_path / "trace.json").read_text()

        assert json.loads(text.rstrip().rstrip(",") + "]")[-1]["name"] == "batch"  # as its readers close it

    def test_that_cannot_be_written_is_refused_before_the_run(self, agpis: Agpis, shop: Path) -> None:
        answer = agpis("run", shop, "-o", "out.jsonl", "--trace", "nowhere/trace.json", "--no-plugins")

        assert answer.code == 2
        assert "nowhere/trace.json: the folder does not exist" in answer.err


class TestMetrics:
    def test_count_products_findings_and_components(self, agpis: Agpis, shop: Path, tmp_path: Path) -> None:
        pytest.importorskip("prometheus_client")

        answer = agpis("run", shop, "-o", "out.jsonl", "--metrics", "agpis.prom", "--no-plugins")

        assert answer.code == 0, answer.err
        lines = (tmp_path / "agpis.prom").read_text().splitlines()
        assert 'agpis_run_products{status="submit"} 1.0' in lines
        assert "agpis_run_images 5.0" in lines
        assert any(line.startswith('agpis_run_component_items{component="first') for line in lines)

    def test_without_their_library_are_refused_with_the_extra(
        self, agpis: Agpis, shop: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "prometheus_client", None)

        answer = agpis("run", shop, "-o", "out.jsonl", "--metrics", "agpis.prom", "--no-plugins")

        assert answer.code == 2
        assert "agpis-sdk[metrics]" in answer.err


class TestCache:
    def test_is_filled_by_a_run_and_emptied_by_clear(self, agpis: Agpis, shop: Path, tmp_path: Path) -> None:
        setting = "--set=run.cache=kept"
        agpis("run", shop, "-o", "out.jsonl", "--no-plugins", setting)

        info = json.loads(agpis("cache", "info", "--json", "--no-plugins", setting).out)
        cleared = agpis("cache", "clear", "--no-plugins", setting)

        assert info["entries"] == 3  # what is known of each file; the fakes have no version
        assert cleared.out.startswith("freed ")
        assert json.loads(agpis("cache", "info", "--json", "--no-plugins", setting).out)["entries"] == 0

    def test_is_off_unless_it_is_set(self, agpis: Agpis) -> None:
        assert "runs do not use it" in agpis("cache", "info", "--no-plugins").out

    def test_that_is_none_is_told_with_the_remedy(self, agpis: Agpis, tmp_path: Path) -> None:
        (tmp_path / "kept").mkdir()
        (tmp_path / "kept" / "results-1.sqlite").write_bytes(b"a letter" * 1000)

        answer = agpis("cache", "info", "--no-plugins", "--set=run.cache=kept")

        assert answer.code == 2
        assert "agpis cache clear" in answer.err
