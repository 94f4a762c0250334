"""The installed plugin: found by its entry point, light to import, and at work in an audit and a run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from agpis_sdk.plugins import PluginHost


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One product whose main image is 480 px wide, on gray, and whose second ends in .png and is a JPEG."""
    folder = tmp_path_factory.mktemp("shop")
    for name, (size, background) in {"main.jpg": (480, "gray"), "other.png": (1600, "white")}.items():
        picture = Image.new("RGB", (size, size), background)
        picture.paste("navy", (size // 20, size // 20, size - size // 20, size - size // 20))
        picture.save(folder / name, format="JPEG")
    path = folder / "products.jsonl"
    path.write_text(json.dumps({"id": "P1", "images": ["main.jpg", "other.png"]}))
    return path


def agpis(*arguments: object) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "agpis_sdk.cli", *map(str, arguments)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    return finished.returncode, finished.stdout, finished.stderr


def found(audited: str) -> list[tuple[str, list[str], str]]:
    records: list[dict[str, Any]] = json.loads(audited)
    return [(one["code"], one["images"], one["severity"]) for record in records for one in record["findings"]]


def test_it_is_found_by_its_entry_point() -> None:
    (status,) = [status for status in PluginHost.load().statuses if status.distribution == "agpis-marketplaces"]

    assert (status.state, status.name) == ("active", "marketplaces")
    assert status.components == ("marketplaces", "marketplaces-gallery")
    assert {code[:3] for code in status.codes} == {"AMP"}


def test_plugin_py_imports_nothing_heavy() -> None:
    code = "import sys, agpis_marketplaces.plugin; print([n for n in ('numpy', 'cv2', 'torch', 'PIL') if n in sys.modules])"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_an_audit_of_a_grade_b_profile_warns_about_the_main_image(shop: Path) -> None:
    code, out, err = agpis("audit", shop, "--profile", "amazon-main", "--format", "json")

    assert code == 0, err
    assert found(out) == [("AMP151", ["main"], "warning"), ("AMP158", ["main"], "warning")]


def test_an_audit_of_official_numbers_blocks(shop: Path) -> None:
    code, out, err = agpis("audit", shop, "--profile", "walmart", "--select", "AMP1", "--format", "json")

    assert code == 1, err
    assert found(out) == [
        ("AMP101", ["main"], "error"), ("AMP158", ["main"], "warning"), ("AMP101", ["other"], "error"),
    ]  # fmt: skip


def test_the_day_is_a_setting(shop: Path) -> None:
    day = "components.marketplaces.date"
    before, after = (
        agpis("audit", shop, "--profile", "google", "--select", "AMP1", "--format", "json", "--set", f"{day}={date}")
        for date in ("2027-01-30", "2027-01-31")
    )

    assert ("AMP101", ["main"], "error") not in found(before[1])
    assert ("AMP101", ["main"], "error") in found(after[1])
    assert ("AMP106", ["other"], "error") in found(after[1])


def test_an_unknown_profile_is_bad_usage(shop: Path) -> None:
    code, _, err = agpis("audit", shop, "--profile", "amazon")

    assert code == 2
    assert 'did you mean "amazon-main"' in err
