"""The command line: data on stdout, words on stderr, exit codes 0, 1 and 2 (DESIGN section 6)."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import jsonschema
import pytest

from agpis_sdk.records import Outcome
from tests.cli.conftest import Agpis
from tests.pipeline.fakes import product


@pytest.fixture
def shop(tmp_path: Path, gallery: Path) -> Path:
    """Two products, one of which has too few images."""
    path = tmp_path / "products.jsonl"
    path.write_text("\n".join(json.dumps(product(gallery, letters, letters)) for letters in ("abc", "ab")))
    return path


def outcomes(text: str) -> list[Outcome]:
    return [Outcome.model_validate_json(line) for line in text.splitlines()]


class TestRun:
    def test_writes_one_outcome_a_line_to_stdout_and_the_summary_to_stderr(self, agpis: Agpis, shop: Path) -> None:
        answer = agpis("run", shop, "--no-plugins")

        assert answer.code == 0, answer.err
        assert [(outcome.product_id, outcome.status) for outcome in outcomes(answer.out)] == [
            ("abc", "submit"),
            ("ab", "none"),
        ]
        assert "2 products, 5 images" in answer.err

    def test_quiet_says_nothing_but_data(self, agpis: Agpis, shop: Path) -> None:
        assert agpis("run", shop, "--quiet", "--no-plugins").err == ""

    def test_writes_to_a_file(self, agpis: Agpis, shop: Path, tmp_path: Path) -> None:
        answer = agpis("run", shop, "-o", "out.jsonl", "--no-plugins")

        assert answer.out == ""
        assert len(outcomes((tmp_path / "out.jsonl").read_text())) == 2

    def test_writes_a_report(self, agpis: Agpis, shop: Path, tmp_path: Path) -> None:
        answer = agpis("run", shop, "-o", "out.jsonl", "--report", "report.html", "--no-plugins")

        assert answer.code == 0, answer.err
        assert "report: report.html" in answer.err
        assert "<html" in (tmp_path / "report.html").read_text()

    def test_writes_seconds_and_items_by_component_as_json(self, agpis: Agpis, shop: Path, tmp_path: Path) -> None:
        answer = agpis("run", shop, "-o", "out.jsonl", "--log-json", "log.json", "--no-plugins")

        log = json.loads((tmp_path / "log.json").read_text())
        assert answer.code == 0, answer.err
        assert log["products"] == 2
        assert log["statuses"] == {"submit": 1, "none": 1}
        assert log["component_seconds"].keys() == log["component_items"].keys()
        assert all(items > 0 for items in log["component_items"].values())

    def test_looks_at_the_first_products_only(self, agpis: Agpis, shop: Path) -> None:
        assert len(outcomes(agpis("run", shop, "--limit", 1, "--no-plugins").out)) == 1

    def test_takes_settings_from_the_line(self, agpis: Agpis, shop: Path) -> None:
        answer = agpis("run", shop, "--set", "sequence.length=2", "--no-plugins")

        assert [outcome.sequence for outcome in outcomes(answer.out)] == [("a", "b"), ("a", "b")]

    def test_ends_with_1_when_some_record_failed_and_the_others_come_out(self, agpis: Agpis, shop: Path) -> None:
        shop.write_text("rubbish\n" + shop.read_text())

        answer = agpis("run", shop, "--no-plugins")

        assert answer.code == 1
        assert [outcome.status for outcome in outcomes(answer.out)] == ["failed", "submit", "none"]

    def test_what_was_read_otherwise_than_written_is_reported_once(
        self, agpis: Agpis, shop: Path, gallery: Path
    ) -> None:
        records = [{**product(gallery, "abc", name), "color": "red"} for name in ("P1", "P2")]
        records[0]["images"] = [*records[0]["images"], ""]
        shop.write_text("\n".join(map(json.dumps, records)))

        answer = agpis("run", shop, "--no-plugins")

        assert 'fields that the format does not know are kept in the product\'s attributes: "color" (2×)' in answer.err
        assert 'that names no file, reported as AGP901: line 1, product "P1", entry 4' in answer.err
        (finding,) = [one for one in outcomes(answer.out)[0].findings if one.code == "AGP901"]
        assert finding.message == 'the entry of "images": names no file (write a path or a URL, or remove it)'

    def test_half_an_emoji_ends_no_run(self, agpis: Agpis, shop: Path, gallery: Path) -> None:
        shop.write_text("\n".join(json.dumps(product(gallery, "abc", name)) for name in ("A \ud83d", "B")))

        answer = agpis("run", shop, "--no-plugins")

        assert answer.code == 0
        assert [outcome.product_id for outcome in outcomes(answer.out)] == ["A \ufffd", "B"]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["gone.jsonl"], "agpis: [E301] gone.jsonl: no such file (check the path)"),
            (["agpis.toml"], "agpis: [E301] agpis.toml: is no JSON"),
            (["products.jsonl", "--set", "sequence.lenght=4"], 'sequence.lenght: unknown key (did you mean "length"?)'),
            (["products.jsonl", "--set", "primary.selector=frist"], 'no plugin announces it (did you mean "first"?)'),
            (["products.jsonl", "--config", "gone.toml"], "gone.toml: cannot be read"),
            (["products.jsonl", "--profile", "gone"], "gone: no such profile"),
            (["products.jsonl", "-o", "gone/out.jsonl"], "the folder does not exist (make it first)"),
            (["products.jsonl", "-o", "products.jsonl"], "is the input itself (name another file)"),
            (
                ["products.jsonl", "--set", "plugins.require=['agpis-gone']"],
                "agpis-gone: required, but it is not active",
            ),
            (["products.jsonl", "--report", "report.pdf"], '--report = "pdf": no plugin announces it (known: html)'),
            (["products.jsonl", "--limit", "0"], "--limit"),
            (["empty.jsonl"], "agpis: [E301] empty.jsonl: is empty: it holds no products"),
            (
                ["table.csv"],
                "agpis: [E301] table.csv: is a table (CSV or TSV) that no reader knows (name its columns: --map",
            ),
            (["table.csv", "--from", "shopfy"], '--from = "shopfy": no plugin announces it (did you mean "shopify"?)'),
            (["table.csv", "--map", "id"], "--map id: is not FIELD=COLUMN"),
            (["table.csv", "--map", "id=Cod,images=Image"], 'has no column "Cod" (did you mean "Code"?)'),
            ([], "Missing argument"),
        ],
    )
    def test_ends_with_2_and_one_line_when_it_was_asked_wrongly(
        self, agpis: Agpis, shop: Path, arguments: list[str], message: str
    ) -> None:
        (shop.parent / "empty.jsonl").touch()
        (shop.parent / "table.csv").write_text("Code,Image\nP1,a.png\n")

        answer = agpis("run", *arguments, "--no-plugins")

        assert answer.code == 2
        assert message in answer.err
        assert "Traceback" not in answer.err
        assert answer.out == ""

    def test_reads_stdin(self, shop: Path, tmp_path: Path, agpis: Agpis) -> None:
        folders = [str(tmp_path), str(Path(__file__).parents[1])]
        code = f"import sys; sys.path[:0] = {folders}; from agpis_sdk.cli.app import main; main()"

        done = subprocess.run(
            [sys.executable, "-c", code, "run", "-", "--no-plugins"],
            input=shop.read_bytes(),
            capture_output=True,
            cwd=tmp_path,
            check=False,
        )

        assert done.returncode == 0, done.stderr
        assert len(outcomes(done.stdout.decode())) == 2


# The test's own config blocks most built-in plugins, and their rules with them.
UNBLOCKED = ("--set", "plugins.block=[]")


class TestRules:
    def test_lists_every_rule(self, agpis: Agpis) -> None:
        answer = agpis("rules", "--no-plugins", *UNBLOCKED)

        assert answer.code == 0
        assert any(line.startswith("AGP119  banner") for line in answer.out.splitlines())

    def test_as_json_lists_the_same(self, agpis: Agpis) -> None:
        rules = agpis("rules", "--no-plugins", *UNBLOCKED, "--json").json

        assert len([rule for rule in rules if rule["owner"].startswith("agpis-sdk")]) == 53
        assert set(rules[0]) >= {"code", "name", "summary", "category", "severity", "threshold", "owner"}

    @pytest.mark.parametrize("key", ["AGP119", "banner", "agp119"])
    def test_explains_one_by_code_or_by_name(self, agpis: Agpis, key: str) -> None:
        answer = agpis("rules", "--no-plugins", *UNBLOCKED, key)

        assert answer.code == 0, answer.err
        assert "What it checks" in answer.out
        assert "Category: single-image · severity: error" in answer.out

    def test_shows_the_threshold_in_force(self, agpis: Agpis) -> None:
        assert (
            agpis("rules", *UNBLOCKED, "banner", "--set", "rules.thresholds.banner=0.9", "--json").json["threshold"]
            == 0.9
        )

    def test_names_the_components_that_can_raise_one(self, agpis: Agpis) -> None:
        assert agpis("rules", *UNBLOCKED, "exact-copy", "--json").json["found_by"] == ["exact-copies", "muisc"]
        assert agpis("rules", *UNBLOCKED, "AGP103", "--json").json["found_by"][:2] == ["image-quality", "noncompliance"]
        assert agpis("rules", *UNBLOCKED, "AGP902", "--json").json["found_by"] == []

    def test_an_unknown_one_suggests_the_nearest(self, agpis: Agpis) -> None:
        answer = agpis("rules", "--no-plugins", *UNBLOCKED, "baner")

        assert answer.code == 2
        assert 'agpis: [E101] baner: no such rule (did you mean "banner"?)' in answer.err


class TestPlugins:
    def test_lists_what_became_of_each(self, agpis: Agpis) -> None:
        answer = agpis("plugins")

        assert answer.code == 0
        assert "builders  agpis-sdk" in answer.out
        assert "reason: named in plugins.block" in answer.out

    def test_as_json(self, agpis: Agpis) -> None:
        statuses = {status["name"]: status for status in agpis("plugins", "--json").json}

        assert statuses["builders"]["state"] == "active"
        assert statuses["builders"]["components"] == ["listed", "random", "search"]
        assert statuses["image-quality"]["state"] == "blocked"

    def test_list_says_the_same(self, agpis: Agpis) -> None:
        names = [status["name"] for status in agpis("plugins", "list", "--json").json]

        assert names == [status["name"] for status in agpis("plugins", "--json").json]

    def test_an_option_in_front_of_the_subcommand_is_not_swallowed(self, agpis: Agpis) -> None:
        answer = agpis("plugins", "--json", "list")

        assert answer.code == 2
        assert "options come last: agpis plugins list --json" in answer.err

    def test_a_module_in_the_current_folder_needs_no_packaging(self, tmp_path: Path) -> None:
        source = """
            from agpis_sdk import Profile, hookimpl

            @hookimpl
            def agpis_profiles():
                yield Profile(name="house", summary="Our own.", settings={})
        """
        (tmp_path / "house_rules.py").write_text(textwrap.dedent(source))
        (tmp_path / "agpis.toml").write_text('[plugins]\nload = ["house_rules"]\n')
        # As the installed command does it: the current folder is not on the path.
        code = "import sys; sys.path = [p for p in sys.path if p]; from agpis_sdk.cli.app import main; main()"

        done = subprocess.run(
            [sys.executable, "-c", code, "plugins", "--json"], cwd=tmp_path, capture_output=True, text=True, check=False
        )

        states = {status["name"]: status["state"] for status in json.loads(done.stdout)}
        assert states["house_rules"] == "active"

    def test_one_that_fails_is_named_on_stderr_with_the_remedy(self, agpis: Agpis) -> None:
        answer = agpis("plugins", "--set", 'plugins.load=["no_such_module_at_all"]')

        assert answer.code == 0
        assert (
            "plugin no_such_module_at_all local (no_such_module_at_all) was not loaded: ModuleNotFoundError"
            in answer.err
        )
        assert 'mend it, or take "no_such_module_at_all" out of plugins.load' in answer.err


class TestConfig:
    def test_show_says_where_each_value_comes_from(self, agpis: Agpis, tmp_path: Path) -> None:
        settings = agpis("config", "show", "--json", "--set", "run.seed=7").json

        assert settings["run.seed"] == {"value": 7, "origin": "--set"}
        assert settings["primary.selector"] == {"value": "first", "origin": str(tmp_path / "agpis.toml")}
        assert settings["sequence.length"] == {"value": 3, "origin": "default"}

    def test_show_for_people_says_the_same(self, agpis: Agpis) -> None:
        lines = agpis("config", "show", "--set", "run.seed=7").out.splitlines()

        assert any(line.split() == ["run.seed", "7", "(--set)"] for line in lines)

    @pytest.mark.parametrize(
        ("override", "message"),
        [
            ("sequence.lenght=4", 'did you mean "length"?'),
            ("components.rnadom={}", 'components.rnadom: no such component (did you mean "random"?)'),
            ("components.random.size=4", "components.random: size: unknown key"),
        ],
    )
    def test_an_unknown_key_ends_with_2_and_suggests_the_nearest(
        self, agpis: Agpis, override: str, message: str
    ) -> None:
        answer = agpis("config", "show", "--set", override)

        assert answer.code == 2
        assert message in answer.err

    def test_a_wrong_key_of_a_component_is_told_with_the_file_that_holds_it(self, agpis: Agpis, tmp_path: Path) -> None:
        (tmp_path / "own.toml").write_text("[components.random]\nsize = 4\n", encoding="utf-8")

        answer = agpis("rules", "--config", str(tmp_path / "own.toml"))

        assert answer.code == 2
        assert f"{tmp_path}/own.toml: components.random: size: unknown key" in answer.err

    def test_schema_accepts_the_config_in_force(self, agpis: Agpis) -> None:
        answer = agpis("config", "schema")

        jsonschema.validate({"sequence": {"length": 4}, "components": {"random": {}}}, answer.json)


def test_the_version_is_told(agpis: Agpis) -> None:
    from agpis_sdk import __version__

    assert agpis("--version").out == f"agpis {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["rules"],
        ["rules", "AGP119"],
        ["plugins"],
        ["config", "show"],
        ["run", "--help"],
        ["index", "add", "--help"],
    ],
)
def test_what_needs_no_model_imports_nothing_heavy(arguments: list[str]) -> None:
    heavy = ["torch", "cv2", "transformers", "timm", "faiss", "sklearn", "PIL", "numpy"]
    code = f"""
import sys
from agpis_sdk.cli.app import main
sys.argv = ["agpis", *{arguments}]
try:
    main()
finally:
    print([name for name in {heavy} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"


def test_an_audit_of_measures_alone_imports_no_model_library(shop: Path, gallery: Path) -> None:
    shop.write_text(json.dumps(product(gallery, "abc", "P1")), encoding="utf-8")
    code = f"""
import sys
from typer.testing import CliRunner
from agpis_sdk.cli.app import app
CliRunner().invoke(app, ["audit", {str(shop)!r}, "--select", "AGP101,AGP117", "--no-plugins", "--quiet"])
print([name for name in ("torch", "timm", "transformers", "faiss") if name in sys.modules])
"""

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "[]"


def test_a_run_with_the_shipped_models_imports_no_torch(tmp_path: Path) -> None:
    catalog = Path(__file__).parents[2] / "examples" / "catalog" / "products.jsonl"
    arguments = ["run", str(catalog), "-o", str(tmp_path / "outcomes.jsonl"), "--limit", "3", "--no-plugins"]
    code = f"""
import sys
from typer.testing import CliRunner
from agpis_sdk.cli.app import app
told = CliRunner().invoke(app, {arguments})
print(told.exit_code, [name for name in ("torch", "torchvision", "timm", "transformers", "faiss") if name in sys.modules])
"""

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "0 []"
    assert any(outcome.feedback for outcome in outcomes((tmp_path / "outcomes.jsonl").read_text()))


def test_the_package_itself_imports_nothing_heavy() -> None:
    code = "import sys, agpis_sdk; print([n for n in ('torch', 'cv2', 'transformers', 'timm', 'faiss', 'numpy') if n in sys.modules])"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_every_public_name_can_be_imported() -> None:
    import agpis_sdk

    for name in agpis_sdk.__all__:
        assert getattr(agpis_sdk, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Piepline'"):
        agpis_sdk.Piepline  # noqa: B018
