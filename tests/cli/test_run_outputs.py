"""`agpis run`: where it writes, what it refuses to overwrite, how it is interrupted and resumed, and its exit codes."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Agpis
from tests.pipeline.fakes import product

Plugin = Callable[..., tuple[str, str]]
SLOW = ("--no-plugins", "--set", "run.batch_size=1")


@pytest.fixture
def shop(tmp_path: Path, gallery: Path) -> Path:
    """Four products of three images each."""
    path = tmp_path / "products.jsonl"
    path.write_text("".join(json.dumps(product(gallery, "abc", f"P{number}")) + "\n" for number in range(4)))
    return path


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugin:
    """Return a function that makes a plugin with one image checker, and returns the option that loads it."""
    numbers = iter(range(100))

    def make(body: str, *, severity: str = "warning", head: str = "") -> tuple[str, str]:
        name = f"extra_plugin_{next(numbers)}"
        monkeypatch.delitem(sys.modules, name, raising=False)
        source = PLUGIN.format(name=name, severity=severity, head=head, body=textwrap.indent(body, " " * 8))
        (tmp_path / f"{name}.py").write_text(source)
        return "--set", f'plugins.load=["fakes_for_the_command_line", "{name}"]'

    return make


PLUGIN = """
import os, signal, sys, threading, time
from agpis_sdk import ImageCheckerSpec, Rule, hookimpl, image_finding
{head}
RULE = Rule(code="XTR101", name="extra", summary="Extra.", category="single-image", severity="{severity}")

@hookimpl
def agpis_image_checkers():
    yield ImageCheckerSpec(name="extra", factory="{name}:Extra", rules=(RULE,))

class Extra:
    def __init__(self, config): ...
    def check_images(self, images, context):
{body}
        return []
"""


class TestResuming:
    def test_an_interrupted_run_says_how_to_go_on_and_the_resumed_one_ends_as_if_nothing_had_been(
        self, agpis: Agpis, shop: Path, tmp_path: Path, plugin: Plugin
    ) -> None:
        interrupting = plugin(
            """if images[0].product_id == "P1" and os.path.exists("interrupt"):
    os.kill(os.getpid(), signal.SIGINT)"""
        )
        agpis("run", shop, "-o", "whole.jsonl", *SLOW, *interrupting)
        (tmp_path / "interrupt").touch()

        stopped = agpis("run", shop, "-o", "out.jsonl", "--report", "out.html", *SLOW, *interrupting)
        files = {path.name for path in tmp_path.iterdir()}
        (tmp_path / "interrupt").unlink()
        resumed = agpis("run", shop, "-o", "out.jsonl", "--report", "out.html", *SLOW, *interrupting, "--resume")

        assert stopped.code == 130
        assert "agpis: SIGINT after 2 products" in stopped.err
        assert "agpis: to continue: agpis run" in stopped.err
        assert "out.jsonl.partial" in files
        assert not {"out.jsonl", "out.html"} & files
        assert resumed.code == 0, resumed.err
        assert "4 products" in resumed.err
        assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
        assert (tmp_path / "out.html").read_text().count("data:image/") >= 12

    def test_sigterm_ends_with_143(self, agpis: Agpis, shop: Path, plugin: Plugin) -> None:
        answer = agpis("run", shop, *SLOW, *plugin("os.kill(os.getpid(), signal.SIGTERM)"))

        assert answer.code == 143
        assert len(answer.out.splitlines()) == 1
        assert "this run cannot be resumed; one with -o FILE can" in answer.err

    def test_with_nothing_to_resume_it_begins_anew(self, agpis: Agpis, shop: Path, tmp_path: Path) -> None:
        assert agpis("run", shop, "-o", "out.jsonl", "--resume", "--no-plugins").code == 0
        assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 4

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (("--set", "run.seed=7"), "settings: run.seed was 0, is 7"),
            (("--limit", "3"), "input: limit was null, is 3"),
        ],
    )
    def test_another_config_is_refused(
        self, agpis: Agpis, shop: Path, plugin: Plugin, change: tuple[str, ...], message: str
    ) -> None:
        stop = plugin("os.kill(os.getpid(), signal.SIGTERM)")
        agpis("run", shop, "-o", "out.jsonl", *SLOW, *stop)

        answer = agpis("run", shop, "-o", "out.jsonl", *SLOW, *stop, "--resume", *change)

        assert answer.code == 2
        assert message in answer.err

    def test_another_input_is_refused(self, agpis: Agpis, shop: Path, plugin: Plugin) -> None:
        stop = plugin("os.kill(os.getpid(), signal.SIGTERM)")
        agpis("run", shop, "-o", "out.jsonl", *SLOW, *stop)
        shop.write_text(shop.read_text() + "\n")

        answer = agpis("run", shop, "-o", "out.jsonl", *SLOW, *stop, "--resume")

        assert answer.code == 2
        assert "input: bytes was" in answer.err
        assert "input: sha256 was" in answer.err

    def test_without_a_file_there_is_nothing_to_resume(self, agpis: Agpis, shop: Path) -> None:
        answer = agpis("run", shop, "--resume", "--no-plugins")

        assert (answer.code, "cannot be resumed (name a file with -o)" in answer.err) == (2, True)

    def test_an_input_that_breaks_off_leaves_what_came_before_in_the_partial_file(
        self, agpis: Agpis, shop: Path, tmp_path: Path
    ) -> None:
        data = gzip.compress(
            shop.read_bytes()
        )  # its last 8 bytes are length and checksum: all products are before them
        (tmp_path / "cut.jsonl.gz").write_bytes(data[:-8])

        answer = agpis("run", "cut.jsonl.gz", "-o", "out.jsonl", "--no-plugins")

        assert answer.code == 2
        assert "the outcomes until there are in" in answer.err
        assert not (tmp_path / "out.jsonl").exists()
        assert (tmp_path / "out.jsonl.partial").read_text().count('"product_id":"P') == 4


class TestWhatItRefusesToWrite:
    def test_the_input_under_another_name(self, agpis: Agpis, shop: Path, tmp_path: Path) -> None:
        (tmp_path / "hard.jsonl").hardlink_to(shop)
        (tmp_path / "soft.jsonl").symlink_to(shop)

        for name in ("hard.jsonl", "soft.jsonl"):
            answer = agpis("run", shop, "-o", name, "--no-plugins")
            assert (answer.code, "is the input itself" in answer.err) == (2, True)
        assert agpis("run", shop, "--report", "hard.jsonl", "--no-plugins").code == 2

    def test_one_file_for_both(self, agpis: Agpis, shop: Path) -> None:
        answer = agpis("run", shop, "-o", "x.html", "--report", "./x.html", "--no-plugins")

        assert (answer.code, "is named for two outputs" in answer.err) == (2, True)

    @pytest.mark.parametrize("option", ["--log-json", "--metrics", "--trace"])
    def test_figures_over_the_input_or_the_outcomes_or_into_a_folder(
        self, agpis: Agpis, shop: Path, tmp_path: Path, option: str
    ) -> None:
        before = shop.read_bytes()

        for place, message in [
            (shop, "is the input itself"),
            ("o.jsonl", "is named for two outputs"),
            (".", "is a folder"),
        ]:
            answer = agpis("run", shop, "-o", "o.jsonl", option, place, "--no-plugins")
            assert (answer.code, message in answer.err) == (2, True), answer.err

        assert shop.read_bytes() == before
        assert not (tmp_path / "o.jsonl").exists()

    @pytest.mark.parametrize("source", ["file", "stdin"])
    def test_an_image_of_the_products(
        self, agpis: Agpis, shop: Path, gallery: Path, tmp_path: Path, source: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        picture = tmp_path / "picture.png"
        picture.write_bytes((gallery / "a.png").read_bytes())
        shop.write_text(json.dumps({"id": "P1", "images": ["picture.png", str(gallery / "b.png")]}) + "\n")
        if source == "stdin":
            monkeypatch.setattr("sys.stdin", shop.open())

        answer = agpis("run", shop if source == "file" else "-", "-o", "picture.png", "--no-plugins")

        assert answer.code == 2
        assert "picture.png: is listed as an image of the products" in answer.err
        assert picture.read_bytes() == (gallery / "a.png").read_bytes()

    def test_a_folder(self, agpis: Agpis, shop: Path, tmp_path: Path) -> None:
        (tmp_path / "folder").mkdir()

        answer = agpis("run", shop, "-o", "folder", "--no-plugins")

        assert (answer.code, "[E320] folder: is a folder (name a file in it)" in answer.err) == (2, True)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_that_is_not_ours(self, agpis: Agpis, shop: Path, tmp_path: Path) -> None:
        (tmp_path / "closed").mkdir(mode=0o500)

        answer = agpis("run", shop, "-o", "closed/out.jsonl", "--no-plugins")

        assert (answer.code, "[E320] closed/out.jsonl: cannot be written" in answer.err) == (2, True)

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
    def test_a_full_disk_is_named(self, agpis: Agpis, shop: Path) -> None:
        answer = agpis("run", shop, "-o", "/dev/full", "--no-plugins")

        assert answer.code == 2
        assert "[E320] /dev/full: cannot be written: No space left on device (free some space)" in answer.err
        assert "Traceback" not in answer.err


class TestExitCodes:
    def test_a_dropped_component_is_named_loudly_and_ends_with_3(
        self, agpis: Agpis, shop: Path, plugin: Plugin
    ) -> None:
        answer = agpis("run", shop, "--no-plugins", "--quiet", "--set", "run.max_failures=2", *plugin("1 / 0"))

        assert answer.code == 3
        assert "agpis: DROPPED: extra (extra_plugin_0 local) failed too often" in answer.err

    def test_a_component_that_fails_now_and_then_ends_with_1(self, agpis: Agpis, shop: Path, plugin: Plugin) -> None:
        assert (
            agpis(
                "run", shop, "--no-plugins", *plugin("if any(image.product_id == 'P1' for image in images): 1 / 0")
            ).code
            == 1
        )

    def test_a_report_that_fails_costs_the_report_alone(
        self, agpis: Agpis, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def add(*arguments: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("agpis_sdk.report.html.HtmlReporter.add", add)

        answer = agpis("run", shop, "-o", "out.jsonl", "--report", "out.html", "--no-plugins")

        assert answer.code == 2
        assert "out.html: cannot be written: No space left on device" in answer.err
        assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 4
        assert not (tmp_path / "out.html").exists()

    def test_an_audit_with_a_dropped_component_ends_with_3(self, agpis: Agpis, shop: Path, plugin: Plugin) -> None:
        answer = agpis("audit", shop, "--no-plugins", "--set", "run.max_failures=2", *plugin("1 / 0"))

        assert (answer.code, "agpis: DROPPED: extra" in answer.err) == (3, True)


class TestAuditsThatBreakOff:
    @pytest.mark.parametrize("name", ["json", "sarif"])
    def test_what_is_printed_stays_whole_and_says_so(
        self, agpis: Agpis, shop: Path, tmp_path: Path, plugin: Plugin, name: str
    ) -> None:
        (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(shop.read_bytes())[:-9])

        answer = agpis("audit", "cut.jsonl.gz", "--format", name, "--no-plugins", *plugin("pass"))

        assert answer.code == 2
        assert "cannot be read" in json.dumps(answer.json)
        if name == "sarif":
            assert answer.json["runs"][0]["invocations"][0]["executionSuccessful"] is False

    def test_an_interrupted_one_is_whole_too(self, agpis: Agpis, shop: Path, plugin: Plugin) -> None:
        stop = plugin("os.kill(os.getpid(), signal.SIGINT)")

        answer = agpis("audit", shop, "--format", "json", *SLOW, *stop)

        assert answer.code == 130
        assert "interrupted by SIGINT" in answer.json[-1]["error"]


# ── As processes of their own ────────────────────────────────────────────────────────────────────────────────────────


def started(folder: Path, *arguments: object, **options: object) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(Path(__file__).parents[2])])}
    command = [sys.executable, "-m", "agpis_sdk.cli", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen(command, cwd=folder, env=environment, **pipes)  # type: ignore[call-overload,no-any-return]


@pytest.mark.slow
@pytest.mark.usefixtures("agpis")
class TestProcesses:
    def test_prints_of_plugins_and_of_machine_code_are_no_outcomes(
        self, shop: Path, tmp_path: Path, plugin: Plugin
    ) -> None:
        noisy = plugin('print("from Python"); os.write(1, b"from C")', head='print("while imported")')

        out, err = started(tmp_path, "run", shop, "--no-plugins", *noisy).communicate()

        assert [json.loads(line)["product_id"] for line in out.splitlines()] == ["P0", "P1", "P2", "P3"]
        assert all(words in err for words in (b"from Python", b"from C", b"while imported"))

    def test_threads_that_a_plugin_leaves_running_do_not_keep_it_alive(
        self, shop: Path, tmp_path: Path, plugin: Plugin
    ) -> None:
        lingering = plugin('threading.Thread(target=time.sleep, args=(600,), name="lingering").start()')

        process = started(tmp_path, "run", shop, "--no-plugins", *lingering)
        out, err = process.communicate(timeout=60)

        assert process.returncode == 0, err
        assert len(out.splitlines()) == 4
        assert b"ended although threads were still running: lingering" in err

    def test_dev_stdout_is_standard_output(self, shop: Path, tmp_path: Path) -> None:
        out, _ = started(tmp_path, "run", shop, "-o", "/dev/stdout", "--no-plugins").communicate()

        assert len(out.splitlines()) == 4

    def test_a_closed_pipe_is_named(self, shop: Path, tmp_path: Path) -> None:
        reader, writer = os.pipe()
        os.close(reader)

        process = started(tmp_path, "run", shop, "--no-plugins", stdout=writer)
        _, err = process.communicate()

        assert process.returncode == 2
        assert b"[E320] standard output: cannot be written: Broken pipe (whoever read it has gone)" in err
        assert b"Traceback" not in err
        assert b"Exception ignored" not in err


class TestEmptyStandardInput:
    @pytest.fixture(autouse=True)
    def empty(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "empty").touch()
        monkeypatch.setattr("sys.stdin", (tmp_path / "empty").open())

    def test_leaves_nothing_behind(self, agpis: Agpis, tmp_path: Path) -> None:
        answer = agpis("run", "-", "-o", "out.jsonl", "--no-plugins")

        assert answer.code == 2
        assert list(tmp_path.glob("*out.jsonl*")) == []

    def test_is_told_once(self, agpis: Agpis) -> None:
        answer = agpis("audit", "-", "--no-plugins")

        assert (answer.code, answer.out) == (2, "")
        assert answer.err.count("is empty: it holds no products") == 1


def test_a_long_run_in_one_process_tells_of_the_idle_cores(
    agpis: Agpis, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agpis_sdk.cli.run.available_cores", lambda: 8)

    short = agpis("run", shop)
    monkeypatch.setattr("agpis_sdk.cli.run.LONG", 0.0)
    long = agpis("run", shop)
    quiet = agpis("run", shop, "--quiet")

    assert "run.workers" not in short.err + quiet.err
    assert "--set run.workers=0 shares a run among the 8 cores of this machine" in long.err
