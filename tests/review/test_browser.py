"""The whole loop in a real browser: run, serve, review by keyboard and mouse, export, train, compare, promote, run again."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from agpis_sdk.cli.app import main
from agpis_sdk.plugins import PluginHost

pytestmark = pytest.mark.slow
sync_api = pytest.importorskip("playwright.sync_api")
ROOT = Path(__file__).parents[2]
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
PRODUCTS = 24
Agpis = Callable[..., tuple[str, str]]
PASSWORD = "a quiet afternoon"
FAKES = """
    from tests.pipeline.fakes import Stand
    from tests.review.position_model import agpis_primary_selectors

    stand = Stand()
    stand.host()
    agpis_sequence_checkers = stand.agpis_sequence_checkers
    agpis_backbones = stand.agpis_backbones
"""
SETTINGS = """
    [backbone]
    name = "plain"
    [primary]
    selector = "position"
    [sequence]
    scorer = "steady"
    builder = "listed"
    [review]
    double_share = 0.0
    audit_share = 0.0
    [plugins]
    load = ["fakes_for_the_loop"]
    isolate = "none"  # the fakes are made in this process
    block = ["marketplaces", {block}]
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Return a folder with products of four drawn pictures each, and a config that loads no model."""
    builtin = [status.name for status in PluginHost.load(discover=False).statuses]
    block = ", ".join(json.dumps(name) for name in builtin if name not in ("builders", "report", "muisc"))
    (tmp_path / "agpis.toml").write_text(textwrap.dedent(SETTINGS).format(block=block))
    (tmp_path / "fakes_for_the_loop.py").write_text(textwrap.dedent(FAKES))
    with (tmp_path / "products.jsonl").open("w") as lines:
        for number in range(PRODUCTS):
            uris = [f"p{number}-{place}.png" for place in "abcd"]
            for place, uri in enumerate(uris):
                draw_product(number, place).save(tmp_path / uri)
            lines.write(json.dumps({"id": f"p{number}", "title": f"Product {number}", "images": uris}) + "\n")
    return tmp_path


def draw_product(number: int, place: int) -> Image.Image:
    picture = Image.new("RGB", (400, 300), "white")
    pen = ImageDraw.Draw(picture)
    color = (60 * place + 20, 10 * number % 255, 160 - 30 * place)
    pen.rounded_rectangle((90 + 20 * place, 60, 310 - 20 * place, 250), 30, fill=color)
    return picture


@pytest.fixture
def agpis(shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Agpis:
    """Return a function that runs `agpis` in the shop's folder, and returns what it wrote to stdout and stderr."""
    monkeypatch.chdir(shop)
    monkeypatch.syspath_prepend(shop)
    monkeypatch.delitem(sys.modules, "fakes_for_the_loop", raising=False)

    def run(*arguments: str) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["agpis", *arguments])
        capsys.readouterr()
        with contextlib.suppress(SystemExit):
            main()
        said = capsys.readouterr()
        assert "agpis: [E" not in said.err, said.err
        return said.out, said.err

    return run


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "agpis_sdk.cli", *arguments]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


@contextmanager
def served(shop: Path, *arguments: str) -> Iterator[str]:
    """Yield the address that `agpis review serve` prints."""
    process = subprocess.Popen(
        command("review", "serve", *arguments, "--port", "0"),
        cwd=shop, env=environment(), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        for line in process.stderr:
            found = re.search(r"http://\S+", line)
            if found:
                yield found[0]
                break
        else:
            raise AssertionError("the server ended")
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def browser_page() -> Iterator[sync_api.Page]:
    if CHROMIUM is None:
        pytest.skip("needs Chromium (Debian: chromium)")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(240_000)
        yield page
        browser.close()


def decided(page: sync_api.Page, *keys: str) -> None:
    """Press keys, and wait until the next product is there."""
    before = page.url
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_url(lambda url: url != before)
    page.wait_for_selector("body[data-ready]")


def drag_box(page: sync_api.Page, place: int) -> None:
    """Drag a box over the middle of an image of the sequence: from a quarter to three quarters of both sides."""
    area = page.locator("#sequence .image").nth(place).locator(".frame").bounding_box()
    assert area is not None
    page.mouse.move(area["x"] + area["width"] / 4, area["y"] + area["height"] / 4)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * 0.75, area["y"] + area["height"] * 0.75, steps=4)
    page.mouse.up()


@pytest.mark.timeout(1800)
def test_from_a_run_to_a_better_model(shop: Path, agpis: Agpis, browser_page: sync_api.Page) -> None:
    page = browser_page
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    agpis("run", "products.jsonl", "-o", "outcomes.jsonl", "--report", "report.html", "--quiet")

    with served(shop, "outcomes.jsonl", "--products", "products.jsonl") as address:
        page.goto(address)
        page.fill("[name=name]", "Ann")
        page.fill("[name=password]", PASSWORD)
        page.click("button.primary")
        page.wait_for_selector("body[data-ready]")
        review_twenty(page)
        page.goto(address.partition("/setup")[0] + "/queue")
        assert page.locator(".figures").inner_text().split()[1:4] == ["20", "of", str(PRODUCTS)]

    assert faults == []
    _, said = agpis("review", "export", "-o", "reviews.jsonl")
    reviews = [json.loads(line) for line in (shop / "reviews.jsonl").read_text().splitlines()]
    assert "20 reviews written" in said
    assert [sum(review["decision"] == one for review in reviews) for one in ("accepted", "rejected")] == [17, 3]
    assert sum(bool(review["proposed"]) for review in reviews) == 14
    rejected = [review for review in reviews if review["decision"] == "rejected"]
    assert {rule for review in rejected for rule in review["rules"]} == {"AGP108"}
    assert [mark["box"] for mark in rejected[0]["marks"]] == [None]
    (x, y, width, height) = rejected[1]["marks"][0]["box"]
    assert (x, y, width, height) == pytest.approx((100, 75, 200, 150), abs=4)

    agpis("train", "all", "reviews.jsonl", "-o", "trained")
    agpis("models", "add", "trained/position", "--reviews", "reviews.jsonl")
    models = ("position", "reviews.jsonl", "--component", "position", "--compare", "trained/position")
    compared, _ = agpis("evaluate", *models, "--json")
    assert json.loads(compared)["new_is_worse"] is False
    agpis("models", "promote", "position", "1", "--test", "reviews.jsonl")
    agpis("run", "products.jsonl", "-o", "again.jsonl", "--shop", "models", "--quiet")

    firsts = [json.loads(line)["sequence"][0][-1] for line in (shop / "again.jsonl").read_text().splitlines()]
    assert set(firsts) == {"c"}


def review_twenty(page: sync_api.Page) -> None:
    """Judge twenty products: three accepted, fourteen corrected, three rejected, one of them taken back before."""
    decided(page, "a")
    decided(page, "u")
    decided(page, "a")
    decided(page, "a")
    decided(page, "a")
    for _ in range(13):  # the third image comes first
        decided(page, "3", "ArrowLeft", "ArrowLeft", "a")
    page.locator("#sequence .image").nth(2).click()  # and once by mouse: its place is taken by another
    page.locator("#others .image").first.click()
    page.keyboard.press("3")
    decided(page, "ArrowLeft", "ArrowLeft", "a")
    page.keyboard.press("r")
    page.keyboard.type("nois")
    page.keyboard.press("Enter")
    page.locator("#sequence .image").nth(1).click()
    assert "second image" in page.input_value("#words")
    decided(page, "Enter")
    page.keyboard.press("r")
    page.keyboard.type("nois")
    page.keyboard.press("Enter")
    drag_box(page, 0)
    decided(page, "Enter")
    page.keyboard.press("r")
    page.keyboard.type("nois")
    page.keyboard.press("Enter")
    decided(page, "1", "Enter")
