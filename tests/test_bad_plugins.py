"""Five bad plugins installed together: the run finishes, each is named, and the exit code says that it is incomplete."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from agpis_sdk.testing import make_product

ROOT = Path(__file__).parents[1]
BAD = {
    "agpis-crash": """
        raise ImportError("libgloss.so: cannot open shared object file")
    """,
    "agpis-raise": """
        from agpis_sdk import hookimpl

        @hookimpl
        def agpis_image_checkers():
            raise RuntimeError("no license")
    """,
    "agpis-wrong": """
        from agpis_sdk import hookimpl

        @hookimpl
        def agpis_image_checkers():
            return ["agpis_wrong:Checker"]
    """,
    "agpis-endless": """
        from agpis_sdk import ImageCheckerSpec, Rule, hookimpl, image_finding

        RULE = Rule(code="END101", name="endless", summary="It never ends.", category="single-image")

        @hookimpl
        def agpis_image_checkers():
            yield ImageCheckerSpec(name="endless", factory="agpis_endless:Endless", rules=(RULE,))

        class Endless:
            def __init__(self, config): ...

            def check_images(self, images, context):
                while True:
                    yield image_finding(images[0], RULE, 1.0, "again")
    """,
    "agpis-misspelled": """
        from agpis_sdk import hookimpl

        @hookimpl
        def agpis_image_chekers():
            return []
    """,
}
NOT_LOADED = {
    "agpis-crash 1.4.0 (crash)": "ImportError: libgloss.so: cannot open shared object file",
    "agpis-raise 1.4.0 (raise)": "RuntimeError: no license",
    "agpis-wrong 1.4.0 (wrong)": "agpis_image_checkers yielded str, not ImageCheckerSpec",
    "agpis-misspelled 1.4.0 (misspelled)": "unknown hook 'agpis_image_chekers'",
}
SETTINGS = """
    [primary]
    selector = "first"
    [sequence]
    scorer = "none"
    builder = "listed"
    [plugins]
    block = ["duplicates", "muisc", "noncompliance"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the five, as an installer leaves them, a product, and settings that load no model."""
    for distribution, source in BAD.items():
        module = distribution.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(source))
        info = tmp_path / f"{module}-1.4.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.4.0\n")
        (info / "entry_points.txt").write_text(f"[agpis]\n{distribution.removeprefix('agpis-')} = {module}\n")
    product = make_product(tmp_path, "plain", "highlight", "blur", "gray")
    (tmp_path / "products.jsonl").write_text(product.model_dump_json() + "\n")
    (tmp_path / "agpis.toml").write_text(textwrap.dedent(SETTINGS))
    return tmp_path


def agpis(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    command = [sys.executable, "-m", "agpis_sdk.cli", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_run_finishes_and_names_each_of_them(folder: Path) -> None:
    done = agpis(folder, "run", "products.jsonl")

    (outcome,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1, done.stderr
    assert outcome["status"] == "submit"
    assert ("AGP103", ["blur"]) in [(finding["code"], finding["images"]) for finding in outcome["findings"]]
    for owner, cause in NOT_LOADED.items():
        name = owner.partition("(")[2].rstrip(")")
        (line,) = [line for line in done.stderr.splitlines() if line.startswith(f"agpis: plugin {owner}")]
        assert cause in line
        assert f'upgrade it, or set plugins.block = ["{name}"]' in line
    failed = [finding["message"] for finding in outcome["findings"] if finding["code"] == "AGP902"]
    assert len(failed) == 4
    assert failed[0].startswith("endless (agpis-endless 1.4.0) failed: ComponentError: [E202] yielded more than 1000")
    assert "an endless generator?" in failed[0]


def test_agpis_plugins_lists_what_became_of_each(folder: Path) -> None:
    done = agpis(folder, "plugins", "list", "--json")

    assert done.returncode == 0, done.stderr
    states = {one["distribution"]: one["state"] for one in json.loads(done.stdout) if one["distribution"] in BAD}
    assert states == {
        "agpis-crash": "failed",
        "agpis-endless": "active",
        "agpis-misspelled": "failed",
        "agpis-raise": "failed",
        "agpis-wrong": "failed",
    }


def test_none_of_them_is_in_the_way_once_they_are_blocked(folder: Path) -> None:
    block = [*BAD, "duplicates", "muisc", "noncompliance"]

    done = agpis(folder, "run", "products.jsonl", "--set", f"plugins.block={json.dumps(block)}")

    assert (done.returncode, "was not loaded" in done.stderr) == (0, False), done.stderr


def test_none_of_them_is_in_the_way_without_plugins(folder: Path) -> None:
    done = agpis(folder, "run", "products.jsonl", "--no-plugins")

    assert done.returncode == 0, done.stderr


def test_in_strict_mode_nothing_is_run(folder: Path) -> None:
    done = agpis(folder, "run", "products.jsonl", "--set", "plugins.strict=true")

    assert (done.returncode, done.stdout) == (2, "")
    assert "[E200] agpis-crash 1.4.0 (crash): ImportError: libgloss.so" in done.stderr
