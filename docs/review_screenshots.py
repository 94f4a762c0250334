"""Takes the pictures of the review page for the docs: `python docs/review_screenshots.py`.

It runs the example catalog, serves the outcomes, and opens the page in Chromium (Debian: chromium).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
ASSETS = ROOT / "docs" / "assets"
PRODUCTS = ROOT / "examples" / "catalog" / "products.jsonl"
PASSWORD = "only for pictures"
WIDE = {"width": 1400, "height": 900}


def agpis(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "agpis_sdk.cli", *map(str, arguments)]


def main() -> None:
    chromium = shutil.which("chromium") or sys.exit("needs chromium")
    outcomes = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if outcomes is None:
            outcomes = folder / "outcomes.jsonl"
            subprocess.run(agpis("run", PRODUCTS, "-o", outcomes, "--quiet"), check=False)
        serve = agpis("review", "serve", outcomes, "--products", PRODUCTS, "--db", folder / "reviews.db", "--port", 0)
        server = subprocess.Popen([*serve, "--set", 'review.order="probability"'], stderr=subprocess.PIPE, text=True)
        try:
            address = next(found[0] for line in server.stderr if (found := re.search(r"http://\S+", line)))
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                take_pictures(browser.new_page(viewport=WIDE), address)
                browser.close()
        finally:
            server.terminate()
            server.wait()


def take_pictures(page: Page, address: str) -> None:
    page.set_default_timeout(120_000)
    page.goto(address)
    page.fill("[name=name]", "Ann")
    page.fill("[name=password]", PASSWORD)
    page.click("button.primary")
    picture(page, "review-page")
    page.keyboard.press("r")
    page.keyboard.type("water")
    page.keyboard.press("Enter")
    area = page.locator("#sequence .frame").nth(1).bounding_box()
    page.mouse.move(area["x"] + 0.3 * area["width"], area["y"] + 0.3 * area["height"])
    page.mouse.down()
    page.mouse.move(area["x"] + 0.7 * area["width"], area["y"] + 0.6 * area["height"], steps=3)
    page.mouse.up()
    picture(page, "review-reject")
    page.keyboard.press("Enter")
    page.wait_for_selector("body:not(.is-rejecting) #sequence .image")
    page.set_viewport_size({"width": 420, "height": 900})
    picture(page, "review-phone")


def picture(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")  # all pictures are there; the page's policy lets no condition be evaluated
    page.screenshot(path=ASSETS / f"{name}.png")


if __name__ == "__main__":
    main()
