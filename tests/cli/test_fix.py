"""`agpis fix` writes fixed copies and leaves every original as it is."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from agpis_sdk.cli.app import app
from agpis_sdk.errors import OutputError

RUNNER = CliRunner()


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """Return a catalog of a photo that lies on its side, one that is fine, and one that is broken."""
    exif = Image.Exif()
    exif[274] = 6
    Image.effect_noise((300, 220), 60).convert("RGB").save(tmp_path / "turned.jpg", exif=exif)
    Image.effect_noise((300, 220), 60).convert("RGB").save(tmp_path / "fine.jpg")
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    path = tmp_path / "products.jsonl"
    path.write_text(
        json.dumps({"id": "P1", "images": ["turned.jpg", "fine.jpg", "broken.jpg"]}) + "\n", encoding="utf-8"
    )
    return path


def test_copies_are_written_into_a_folder_and_named_on_stdout(catalog: Path, tmp_path: Path) -> None:
    before = (tmp_path / "turned.jpg").read_bytes()

    result = RUNNER.invoke(app, ["fix", str(catalog), "-o", str(tmp_path / "fixed"), "--no-plugins", "--json"])

    (written,) = [json.loads(line) for line in result.stdout.splitlines()]
    assert written["changes"] == ["turned upright, as its EXIF says"]
    with Image.open(written["path"]) as copy:
        assert copy.size == (220, 300)
    assert (tmp_path / "turned.jpg").read_bytes() == before
    assert [path.name for path in (tmp_path / "fixed").rglob("*.jpg")] == ["turned.jpg"]


def test_a_broken_image_is_named_and_the_others_go_on(catalog: Path) -> None:
    result = RUNNER.invoke(app, ["fix", str(catalog), "--no-plugins"])

    assert result.exit_code == 1
    assert "P1 broken" in result.stderr
    assert "1 of 3 images fixed, 1 failed" in result.stderr


def test_a_second_run_replaces_nothing(catalog: Path, tmp_path: Path) -> None:
    RUNNER.invoke(app, ["fix", str(catalog), "--no-plugins"])
    (tmp_path / "turned.fixed.jpg").write_bytes(b"mine now")

    result = RUNNER.invoke(app, ["fix", str(catalog), "--no-plugins"])

    assert "is there already and was left as it is" in result.stderr
    assert (tmp_path / "turned.fixed.jpg").read_bytes() == b"mine now"


def test_an_unknown_format_is_refused(catalog: Path) -> None:
    result = RUNNER.invoke(app, ["fix", str(catalog), "--format", "heic"])

    assert result.exit_code != 0
    assert not list(catalog.parent.glob("*.fixed.*"))


@pytest.mark.parametrize("place", ["fine.jpg", "fine.jpg/copies"])
def test_a_place_that_cannot_be_a_folder_is_refused_before_any_work(catalog: Path, tmp_path: Path, place: str) -> None:
    result = RUNNER.invoke(app, ["fix", str(catalog), "-o", str(tmp_path / place), "--no-plugins"])

    assert isinstance(result.exception, OutputError)
    assert f"{tmp_path / 'fine.jpg'}: is no folder (name a folder for the copies with -o)" in str(result.exception)
    assert result.stdout == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_refused_before_any_work(catalog: Path, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)

    result = RUNNER.invoke(app, ["fix", str(catalog), "-o", str(closed / "copies"), "--no-plugins"])

    assert isinstance(result.exception, OutputError)
    assert f"{closed}: cannot be written: Permission denied" in str(result.exception)


def test_a_folder_of_images_is_taken_too(catalog: Path, tmp_path: Path) -> None:
    arguments = [
        "fix",
        str(tmp_path),
        "--from",
        "folder",
        "-o",
        str(tmp_path.parent / "fixed"),
        "--no-plugins",
        "--json",
    ]

    result = RUNNER.invoke(app, arguments)

    assert [json.loads(line)["image"] for line in result.stdout.splitlines()] == ["turned"]


def test_an_audit_that_fixes_writes_the_same_copies_and_prints_the_same_findings(catalog: Path, tmp_path: Path) -> None:
    asked = ["audit", str(catalog), "--no-plugins", "--format", "json", "--select", "AGP1"]
    plain = RUNNER.invoke(app, asked)

    fixing = RUNNER.invoke(app, [*asked, "--fix"])

    assert fixing.stdout == plain.stdout
    assert fixing.exit_code == plain.exit_code == 1
    with Image.open(tmp_path / "turned.fixed.jpg") as copy:
        assert copy.size == (220, 300)
    assert "P1 turned: turned upright, as its EXIF says" in fixing.stderr
    assert "1 of 3 images fixed, 1 failed" in fixing.stderr
