"""`agpis index`: data where it was asked for, words on stderr, and what to do when something is wrong."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from agpis_sdk.cli.app import app
from agpis_sdk.errors import AgpisError, IndexFolderError
from tests.index.shop import drawn, flipped

runner = CliRunner()
FAKES = """
    from tests.index.shop import colors
    from tests.pipeline.fakes import Stand

    FACTS = frozenset({"embedding", "stride16"})
    stand = Stand().backbone(colors, name="colors", provides=FACTS)
    stand.backbone(lambda images: colors(images, cells=2), name="coarse", provides=FACTS)
    agpis_backbones = stand.agpis_backbones
"""
SETTINGS = """
    backbone.name = "colors"
    index.min_similarity = -1.0
    plugins.load = ["fakes_for_the_index"]
    plugins.isolate = "none"  # the fakes are made in this process
"""


def agpis(*arguments: object) -> Result:
    return runner.invoke(app, ["index", *map(str, arguments), "--no-plugins"])


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with products.jsonl: P and Q show one picture, X another; and a config that names fakes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "fakes_for_the_index", raising=False)
    (tmp_path / "fakes_for_the_index.py").write_text(textwrap.dedent(FAKES))
    (tmp_path / "agpis.toml").write_text(textwrap.dedent(SETTINGS))
    for name, picture in (("p", drawn(1)), ("q", flipped(drawn(1))), ("x", drawn(2))):
        picture.save(tmp_path / f"{name}.png")
    lines = [json.dumps({"id": name.upper(), "images": [f"{name}.png"]}) for name in "pqx"]
    (tmp_path / "products.jsonl").write_text("\n".join(lines))
    return tmp_path


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def test_add_says_what_became_of_the_images(shop: Path) -> None:
    first = agpis("add", "shop.index", "products.jsonl")
    again = agpis("add", "shop.index", "products.jsonl")

    assert (first.exit_code, first.stdout) == (0, "")
    assert "3 products: 3 images added, 0 replaced, 0 unchanged" in first.stderr
    assert "3 products: 0 images added, 0 replaced, 3 unchanged" in again.stderr
    assert "shop.index: 3 products, 3 images, 3 different files" in again.stderr


def test_add_ends_with_1_and_names_what_it_could_not_take_in(shop: Path) -> None:
    (shop / "products.jsonl").write_text('rubbish\n{"id": "P", "images": ["p.png", "gone.png"]}')

    answer = agpis("add", "shop.index", "products.jsonl")

    assert answer.exit_code == 1
    assert "line 1: invalid JSON" in answer.stderr
    assert "agpis: P/gone: [E310]" in answer.stderr
    assert "1 images added" in answer.stderr


def test_report_prints_a_table(shop: Path) -> None:
    agpis("add", "shop.index", "products.jsonl")

    answer = agpis("report", "shop.index")

    assert answer.exit_code == 0, answer.output
    assert "AGP201" in answer.stdout
    assert "1 picture shared by 2 products" in answer.stdout


def test_report_writes_json_lines(shop: Path) -> None:
    agpis("add", "shop.index", "products.jsonl")

    to_stdout = agpis("report", "shop.index", "--json")
    to_a_file = agpis("report", "shop.index", "-o", "repeats.jsonl")

    (group,) = lines(to_stdout.stdout)
    assert [image["product_id"] for image in group["images"]] == ["P", "Q"]
    assert lines((shop / "repeats.jsonl").read_text()) == [group]
    assert to_a_file.stdout == ""
    assert "AGP201" in to_a_file.stderr


def test_report_ends_with_1_and_names_a_file_that_is_gone(shop: Path) -> None:
    agpis("add", "shop.index", "products.jsonl")
    (shop / "q.png").unlink()

    answer = agpis("report", "shop.index", "--json")

    assert (answer.exit_code, answer.stdout) == (1, "")
    assert "agpis: Q/q: [E310]" in answer.stderr
    assert "1 not compared, named above" in answer.stderr


def test_query_answers_for_each_image(shop: Path) -> None:
    agpis("add", "shop.index", "products.jsonl")

    answer = agpis("query", "shop.index", "products.jsonl", "--json")

    assert answer.exit_code == 0, answer.output
    found = {line["image"]["product_id"]: [image["product_id"] for image in line["images"]]
             for line in lines(answer.stdout)}  # fmt: skip
    assert found == {"P": ["Q"], "Q": ["P"], "X": []}


def test_query_takes_an_image_file(shop: Path) -> None:
    agpis("add", "shop.index", "products.jsonl")

    answer = agpis("query", "shop.index", "p.png")

    assert answer.exit_code == 0, answer.output
    assert "1 image found under other products" in answer.stdout
    assert "P/p" in answer.stdout
    assert "Q/q" in answer.stdout


def test_query_ends_with_1_where_an_image_cannot_be_read(shop: Path) -> None:
    agpis("add", "shop.index", "products.jsonl")
    (shop / "p.png").write_bytes(b"\x89PNG\r\n\x1a\n and no picture behind it")

    answer = agpis("query", "shop.index", "p.png", "--json")

    assert answer.exit_code == 1
    assert "is damaged" in lines(answer.stdout)[0]["reason"]


@pytest.mark.parametrize("command", [("add", "shop.index", "products.jsonl"), ("report", "shop.index")])
def test_another_backbone_is_refused(shop: Path, command: tuple[str, ...]) -> None:
    agpis("add", "shop.index", "products.jsonl")

    answer = agpis(*command, "--set", "backbone.name=coarse")

    assert isinstance(answer.exception, IndexFolderError)
    assert 'made with backbone "colors" (48 channels), not "coarse" (12)' in str(answer.exception)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "nowhere"], "nowhere: there is no index here (make one: agpis index add nowhere PRODUCTS)"),
        (["query", "nowhere", "products.jsonl"], "nowhere: there is no index here"),
        (["query", "nowhere", "gone.png"], "gone.png: no such file (check the path)"),
        (["add", "shop.index", "gone.jsonl"], "gone.jsonl: no such file"),
        (["add", "agpis.toml", "products.jsonl"], "agpis.toml: is no folder"),
        (["report", "nowhere", "-o", "gone/out.jsonl"], "the folder does not exist (make it first)"),
    ],
)
def test_what_was_asked_wrongly_is_answered_in_one_line(shop: Path, arguments: list[str], message: str) -> None:
    answer = agpis(*arguments)

    assert isinstance(answer.exception, AgpisError)
    assert message in str(answer.exception)
